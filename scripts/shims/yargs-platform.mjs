// What yargs asks of its platform, reduced to what the command uses. The bundle puts it in the place of yargs' own Node
// platform, which loads translations, Unicode width tables and a search for package.json: about half of the start-up
// time of a command that runs in every kernel build.
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { inspect } from 'node:util';
import cliui from 'cliui';
import Parser from 'yargs-parser';
import { stringWidth } from './plain-text.mjs';

// Fills the %s of yargs' English messages.
function fill(message, values) {
  let next = 0;
  return message.replace(/%s/g, () => values[next++] ?? '');
}

export default {
  assert: { notStrictEqual() {}, strictEqual() {} },
  cliui,
  findUp: () => undefined,
  getCallerFile: () => '',
  getEnv: (key) => process.env[key],
  getProcessArgvBin: () => process.argv[1],
  inspect,
  mainFilename: '',
  Parser,
  path: { basename, dirname, extname, join, relative, resolve },
  process: {
    argv: () => process.argv,
    cwd: () => process.cwd(),
    emitWarning: (warning, type) => process.emitWarning(warning, type),
    execPath: () => process.execPath,
    exit: (code) => process.exit(code),
    nextTick: process.nextTick,
    // Read only when a help text is laid out: the first touch of process.stdout loads Node's stream classes.
    get stdColumns() {
      return process.stdout.columns ?? null;
    },
  },
  readFileSync: () => '',
  readdirSync: () => [],
  require: () => undefined,
  stringWidth,
  y18n: {
    __: (message, ...values) => fill(message, values),
    __n: (one, many, count, ...values) => fill(count === 1 ? one : many, values),
    getLocale: () => 'en',
    setLocale() {},
    updateLocale() {},
  },
};
