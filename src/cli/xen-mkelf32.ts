/**
 * The installed command `xen-mkelf32`: the arguments, messages and exit statuses of Xen's build tool in its newest release,
 * and nothing else. `--notes` counts as the first word only, words behind the third are ignored, success is silent.
 */
import { FileSource } from '../base/bytes/file-source.js';
import { oneLine } from '../base/printable.js';
import { originalWords, usageLine } from '../edit/mkelf32/messages.js';
import { planOriginal } from '../edit/mkelf32/mkelf32.js';
import { loadBase } from '../edit/mkelf32/numbers.js';
import { NEWEST } from '../edit/mkelf32/variants.js';
import { writeMkelf32 } from '../edit/mkelf32/write.js';
import { refuseLostBytes } from './lost-bytes.js';
import { writeErr } from './output.js';

async function main(args: readonly string[]): Promise<0 | 1> {
  const notes = args[0] === '--notes' && args.length >= NEWEST.arguments;
  const [input, output, base] = notes ? args.slice(1) : args;
  if (input === undefined || output === undefined || base === undefined) {
    writeErr(`${usageLine(NEWEST)}\n`);
    return 1;
  }
  try {
    refuseLostBytes(args);
    const source = FileSource.open(input);
    try {
      const container = planOriginal(source, { notes, loadBase: loadBase(base), finalExec: undefined });
      await writeMkelf32(source, container, { input, output });
    } finally {
      source.close();
    }
    return 0;
  } catch (error) {
    writeErr(`${originalWords(error, oneLine(input))}\n`);
    return 1;
  }
}

void main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
