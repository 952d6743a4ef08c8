/** `-o -`: the result is written and proved as a file first, then sent to standard output whole. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSource } from '../base/bytes/file-source.js';
import { undoAtEnd } from '../write/cleanup.js';
import { attempt } from '../write/system.js';
import { sendOut } from './output.js';

const CHUNK = 0x100000n;

/**
 * `write` makes the file whose name it is given; `done` is called when it has. Errors: those of `write`, when nothing has
 * reached standard output; `write.failed` where there is no folder to make the file in; those of sendOut.
 */
export async function writeToStdout<T>(write: (output: string) => Promise<T>, done: () => void): Promise<T> {
  const folder = attempt(tmpdir(), 'make a folder for the result', () => mkdtempSync(join(tmpdir(), 'xen-elfpatch-')));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const forget = undoAtEnd(remove);
  let source: FileSource;
  let written: T;
  try {
    const output = join(folder, 'image');
    written = await write(output);
    source = FileSource.open(output, '<stdout>');
  } finally {
    // The open file stays readable without its name, and nothing is left when the reader goes away halfway.
    remove();
    forget();
    done();
  }
  for (let at = 0n; at < source.size; at += CHUNK) {
    const rest = source.size - at;
    sendOut(source.read(at, rest < CHUNK ? rest : CHUNK, 'result'));
  }
  source.close();
  return written;
}
