/** The command: reads its line, runs what it names, turns failures into messages and exit statuses. */
import '../base/platform/node.js';
import { CI_FORMATS } from '../report/ci/ci-formats.js';
import { isBatch } from './batch-options.js';
import type { Command } from './command.js';
import { namedCommand, splitCommand } from './command-name.js';
import { type DocumentFormat, reportFailure } from './errors.js';
import { refuseLostBytes } from './lost-bytes.js';
import type { RawOptions } from './option-table.js';
import { COLOR_MODES, colorErr, holdBack, letGo, writeErr, writeOut } from './output.js';
import type { Parsed } from './parse.js';
import { quickParse, type Run } from './quick-parse.js';
import { startedFrom, WORKER_WORD } from './worker-word.js';

async function main(args: readonly string[]): Promise<void> {
  try {
    if (args[1] === WORKER_WORD && (await isWorker())) return;
    startedFrom(process.argv[1]);
    if (args.length === 0) {
      writeErr((await import('./parse.js')).overviewText(await allCommands()));
      process.exitCode = 2;
      return;
    }
    refuseLostBytes(args);
    const parsed = quickParse(args, await commandsFor(args)) ?? (await byYargs(args));
    if (parsed.kind === 'text') {
      writeOut(parsed.text);
      return;
    }
    colorErr(COLOR_MODES.find((mode) => mode === parsed.options['color']) ?? 'auto');
    const { config } = parsed.options;
    if (parsed.options['print-config'] === true && typeof config === 'string') {
      writeOut(await printedConfig(config, parsed.command));
      return;
    }
    const options = typeof config === 'string' ? await configured(config, parsed) : parsed.options;
    // A batch is silent about each image by itself.
    if (parsed.quiet && !isBatch(parsed.command.shape, options, parsed.words)) holdBack();
    const status = await parsed.command.run(options, parsed.words);
    letGo(status !== 0);
    process.exitCode = status;
  } catch (error) {
    // Even where the line itself cannot be read, who asked for JSON gets JSON.
    process.exitCode = await reportFailure(error, namedCommand(args, await allCommands()), asksFor(args));
  }
}

/** Those of kernel builds come by themselves: what the others take is not read for them. */
const OFTEN: Readonly<Record<string, () => Promise<Command>>> = {
  notes: async () => (await import('./commands/notes.js')).notesCommand,
  patch: async () => (await import('./commands/patch.js')).patchCommand,
  verify: async () => (await import('./commands/verify.js')).verifyCommand,
};

/** The commands among which the one is that the line names, where it names one. */
async function commandsFor(args: readonly string[]): Promise<readonly Command[]> {
  const { name = '' } = splitCommand(args);
  const often = Object.hasOwn(OFTEN, name) ? OFTEN[name] : undefined;
  return often === undefined ? allCommands() : [await often()];
}

async function allCommands(): Promise<readonly Command[]> {
  return (await import('./commands.js')).COMMANDS;
}

async function byYargs(args: readonly string[]): Promise<Parsed> {
  return (await import('./parse.js')).parseCommandLine(args, await allCommands());
}

/** In a thread of a batch: works there until the batch is done. */
async function isWorker(): Promise<boolean> {
  const work = (await import('./batch/worker.js')).startWorker();
  await work;
  return work !== undefined;
}

async function configured(path: string, { command, options }: Run): Promise<RawOptions> {
  const { loadConfig, withConfig } = await import('./config.js');
  return withConfig(path, loadConfig(path), command.shape.options, options);
}

async function printedConfig(path: string, { shape }: Command): Promise<string> {
  const { configText, loadConfig } = await import('./config.js');
  return configText(loadConfig(path), shape.name, shape.options);
}

function asksFor(args: readonly string[]): DocumentFormat | undefined {
  const end = args.indexOf('--');
  const options = end < 0 ? args : args.slice(0, end);
  if (options.includes('--json')) return 'json';
  if (options.includes('--json-lines')) return 'json-lines';
  const isAsked = (word: string) =>
    options.some((option, i) => option === `--format=${word}` || (option === '--format' && options[i + 1] === word));
  return CI_FORMATS.find(isAsked);
}

// Not awaited: the bundle is CommonJS, which starts faster. Every failure is caught inside. Everything is written by then, and
// Node need not take its heap apart before the process ends.
void main(process.argv.slice(2)).finally(() => process.exit());
