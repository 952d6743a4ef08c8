/** Runs the tools that a forecast is about, on a copy, and tells what they left: the judge of every forecast. */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Survivor } from '../../src/edit/elf/plan/placement-options.js';
import { held } from './held.js';

interface Way {
  readonly args: (input: string, output: string) => readonly [string, ...string[]];
  /** The tool changes its input; otherwise it makes `output`. */
  readonly inPlace?: boolean;
}

const LATER: Readonly<Record<Exclude<Survivor, 'flat'>, Way>> = {
  strip: { args: (input, output) => ['strip', '-o', output, input] },
  objcopy: { args: (input, output) => ['objcopy', input, output] },
  'llvm-strip': { args: (input, output) => ['llvm-strip-14', '-o', output, input] },
  'llvm-objcopy': { args: (input, output) => ['llvm-objcopy-14', input, output] },
  'eu-strip': { args: (input) => ['eu-strip', input], inPlace: true },
  'eu-strip-o': { args: (input, output) => ['eu-strip', '-o', output, input] },
  patchelf: { args: (input) => ['patchelf', '--set-rpath', '/nowhere', input], inPlace: true },
};

/** The programs that these tests need. */
export const LATER_PROGRAMS = ['strip', 'objcopy', 'llvm-strip-14', 'llvm-objcopy-14', 'eu-strip', 'patchelf'] as const;

/**
 * What a tool leaves of an image: `kept`, or what differs, in words. Undefined where it does not know such images at all: the
 * binutils of one machine take no other.
 */
export function afterTool(tool: Exclude<Survivor, 'flat'>, bytes: Uint8Array, folder: string): string | undefined {
  const [input, output] = [join(folder, 'tool-in'), join(folder, 'tool-out')];
  writeFileSync(input, bytes, { mode: 0o600 });
  rmSync(output, { force: true });
  const { args, inPlace } = LATER[tool];
  const [command, ...rest] = args(input, output);
  const run = spawnSync(command, rest, { encoding: 'latin1' });
  if (/recogni[sz]e the format/.test(run.stderr)) return undefined;
  if (inPlace) return held(bytes, readFileSync(input));
  if (run.status !== 0 || !existsSync(output)) return `refused: ${run.stderr}`;
  // Sections far apart, by an alignment or an address, make files that nobody keeps.
  if (statSync(output).size > HUGE) return undefined;
  return held(bytes, readFileSync(output));
}

const HUGE = 0x20000000;

/** A few bytes of notes, or a header, more: no address is far away. */
const NEAR = 0x1000000;

/** What becomes of a flat binary by an edit: `kept` where it still begins with the same bytes and is about as long. */
export function flatAfter(before: Uint8Array, bytes: Uint8Array, folder: string): string | undefined {
  const [old, now] = [before, bytes].map((image) => flatOf(image, folder));
  if (old === undefined) return undefined;
  if (now === undefined) return 'refused';
  if (Math.abs(now.size - old.size) > NEAR) return `${old.size} bytes, now ${now.size}`;
  return old.head.equals(now.head) ? 'kept' : 'begins with other bytes';
}

/** A flat binary may have gigabytes of holes: its size, and how it begins. */
function flatOf(bytes: Uint8Array, folder: string): { readonly size: number; readonly head: Buffer } | undefined {
  const [input, output] = [join(folder, 'flat-in'), join(folder, 'flat-out')];
  writeFileSync(input, bytes);
  rmSync(output, { force: true });
  const run = spawnSync('objcopy', ['-O', 'binary', input, output]);
  if (run.status !== 0 || !existsSync(output)) return undefined;
  const { size } = statSync(output);
  if (size === 0) return undefined;
  const file = openSync(output, 'r');
  try {
    const head = Buffer.alloc(16);
    return { size, head: head.subarray(0, readSync(file, head, 0, 16, 0)) };
  } finally {
    closeSync(file);
  }
}
