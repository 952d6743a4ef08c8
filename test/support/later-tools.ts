/** Runs the tools that a forecast is about, on a copy, and tells what they left: the judge of every forecast. */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BufferSource } from '../../src/base/bytes/source.js';
import type { Survivor } from '../../src/edit/elf/plan/placement-options.js';
import { PT_NOTE, SHF_ALLOC, SHT_NOTE } from '../../src/formats/elf/names.js';
import { readElf } from '../../src/formats/elf/read.js';
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
  const run = spawnBounded(command, rest);
  if (run.signal === TOO_LARGE) return undefined;
  if (/recogni[sz]e the format/.test(run.stderr)) return undefined;
  const result = inPlace ? input : output;
  if (!inPlace && (run.status !== 0 || !existsSync(output))) return `refused: ${run.stderr}`;
  return held(bytes, readFileSync(result));
}

/** Sections far apart, by an alignment or an address, make files that nobody keeps: blocks of 512 bytes that may be written. */
const HUGE = 0x100000;
const TOO_LARGE = 'SIGXFSZ';

function spawnBounded(command: string, args: readonly string[]) {
  return spawnSync('sh', ['-c', `ulimit -f ${HUGE}; exec "$@"`, 'sh', command, ...args], { encoding: 'latin1' });
}

/** A few bytes of notes, or a header, more: no address is far away. */
const NEAR = 0x1000000;

/** What becomes of a flat binary by an edit: `kept` where it still holds the same bytes in the same places and is about as long. */
export function flatAfter(before: Uint8Array, bytes: Uint8Array, folder: string): string | undefined {
  const old = flatOf(before, folder);
  if (old === undefined) return undefined;
  const now = flatOf(bytes, folder);
  if (now === undefined) return 'refused';
  if (Math.abs(now.size - old.size) > NEAR) return `${old.size} bytes, now ${now.size}`;
  // Nothing but zeros looks the same wherever it begins.
  if (old.head.every((byte) => byte === 0)) return undefined;
  const isNote = notePlaces(before, old.head);
  // Zeros are holes, as far as one can see here, and notes may stand in them.
  const at = old.head.findIndex((byte, place) => byte !== 0 && byte !== now.head[place] && !isNote(place));
  return at < 0 ? 'kept' : `holds other bytes at ${at}`;
}

/** Notes that are rewritten, which a PT_NOTE shows or Xen owns, change a flat binary that holds them; those of others do not. */
function notePlaces(before: Uint8Array, flat: Buffer): (place: number) => boolean {
  const { sections, segments } = readElf(new BufferSource(before, 'image'));
  const isShown = (start: bigint, end: bigint) =>
    segments.some((s) => s.p_type === PT_NOTE && s.p_offset <= start && end <= s.p_offset + s.p_filesz);
  const places = sections.flatMap(({ sh_type, sh_flags, sh_offset, sh_size }) => {
    if (sh_type !== SHT_NOTE || (sh_flags & SHF_ALLOC) === 0n || sh_size === 0n) return [];
    const notes = before.subarray(Number(sh_offset), Number(sh_offset + sh_size));
    if (!isShown(sh_offset, sh_offset + sh_size) && !Buffer.from(notes).includes('Xen\0')) return [];
    const start = flat.indexOf(notes);
    return start < 0 ? [] : [{ start, end: start + notes.length }];
  });
  return (place) => places.some(({ start, end }) => place >= start && place < end);
}

/** So much of a flat binary is compared. */
const HEAD = 0x400000;

/** A flat binary may have gigabytes of holes: its size, and how it begins. */
function flatOf(bytes: Uint8Array, folder: string): { readonly size: number; readonly head: Buffer } | undefined {
  const [input, output] = [join(folder, 'flat-in'), join(folder, 'flat-out')];
  writeFileSync(input, bytes);
  rmSync(output, { force: true });
  const run = spawnBounded('objcopy', ['-O', 'binary', input, output]);
  if (run.status !== 0 || !existsSync(output)) return undefined;
  const { size } = statSync(output);
  if (size === 0) return undefined;
  const file = openSync(output, 'r');
  try {
    const head = Buffer.alloc(Math.min(size, HEAD));
    return { size, head: head.subarray(0, readSync(file, head, 0, head.length, 0)) };
  } finally {
    closeSync(file);
  }
}
