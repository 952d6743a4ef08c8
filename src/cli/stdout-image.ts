/** `-o -`: the result is written and proved as a file first, then sent to standard output whole. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSource } from '../bytes/source.js';
import { type PatchPlan, type Written, writePatch } from '../pipeline.js';
import { writeOut } from './output.js';

const CHUNK = 0x100000n;

/** Errors: those of writePatch, when nothing has reached standard output; those of writeOut. */
export async function writeToStdout(plan: PatchPlan, inputPath: string): Promise<Written> {
  const folder = mkdtempSync(join(tmpdir(), 'xen-elfpatch-'));
  let source: FileSource;
  let written: Written;
  try {
    const output = join(folder, 'image');
    written = await writePatch(plan, { inputPath, output });
    source = FileSource.open(output, '<stdout>');
  } finally {
    // The open file stays readable without its name, and nothing is left when the reader goes away halfway.
    rmSync(folder, { recursive: true, force: true });
  }
  for (let at = 0n; at < source.size; at += CHUNK) {
    const rest = source.size - at;
    writeOut(source.read(at, rest < CHUNK ? rest : CHUNK, 'result'));
  }
  source.close();
  return written;
}
