/** `-o -`: the result is written and proved as a file first, then sent to standard output whole. */
import { mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileSource } from '../bytes/source.js';
import { type PatchPlan, type Written, writePatch } from '../pipeline.js';
import { waitABit } from './output.js';

const CHUNK = 0x100000n;

/** Errors: those of writePatch; nothing reaches standard output then. */
export function writeToStdout(plan: PatchPlan, inputPath: string): Promise<Written> {
  return sendToStdout((output) => writePatch(plan, { inputPath, output }));
}

/** Lets `write` make a file and sends it when that has succeeded. */
export async function sendToStdout<T>(write: (output: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'xen-elfpatch-'));
  try {
    const output = join(folder, 'image');
    const written = await write(output);
    const source = FileSource.open(output, '<stdout>');
    try {
      for (let at = 0n; at < source.size; at += CHUNK) {
        const rest = source.size - at;
        send(source.read(at, rest < CHUNK ? rest : CHUNK, 'result'));
      }
    } finally {
      source.close();
    }
    return written;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function send(bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(1, bytes, done, bytes.length - done);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      // Another program made the pipe non-blocking and it is full: wait for the reader.
      waitABit();
    }
  }
}
