/**
 * Multiboot headers, looked for as boot loaders do (Multiboot 0.6.96, "The layout of Multiboot header"; Multiboot2,
 * "The layout of Multiboot2 header"). Both are found by position in the file, so an edit that moves bytes can lose them.
 */
import type { ByteSource } from '../bytes/source.js';

export interface MultibootHeader {
  readonly version: 1 | 2;
  readonly offset: bigint;
}

const MAGIC1 = 0x1badb002;
const WINDOW1 = 8192;
/** Magic, flags, checksum. */
const SIZE1 = 12;

const MAGIC2 = 0xe85250d6;
const WINDOW2 = 32768;
/** Magic, architecture, header length, checksum. */
const SIZE2 = 16;

/** How many bytes at the start of a file loaders read for a header of each version. */
export const MULTIBOOT_WINDOWS = { 1: WINDOW1, 2: WINDOW2 } as const;

/**
 * Every valid header of both versions, by version, then offset. A loader takes the first of its version. The fields are
 * little-endian on every machine that has such loaders, whatever the image's own byte order. Wider `windows` find headers
 * that no loader would.
 */
export function multibootHeaders(
  source: ByteSource,
  windows: { readonly 1: number; readonly 2: number } = MULTIBOOT_WINDOWS,
): MultibootHeader[] {
  const most = BigInt(Math.max(windows[1], windows[2]));
  const size = source.size < most ? source.size : most;
  const bytes = source.read(0n, size, 'multiboot window');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const word = (at: number) => view.getUint32(at, true);
  const found: MultibootHeader[] = [];

  for (let at = 0; at + SIZE1 <= Math.min(windows[1], bytes.length); at += 4) {
    if (word(at) !== MAGIC1) continue;
    if (sumsToZero(MAGIC1, word(at + 4), word(at + 8))) found.push({ version: 1, offset: BigInt(at) });
  }
  for (let at = 0; at + SIZE2 <= Math.min(windows[2], bytes.length); at += 8) {
    if (word(at) !== MAGIC2) continue;
    const length = word(at + 8);
    const whole = length >= SIZE2 && length <= Math.min(windows[2], bytes.length) - at;
    if (whole && sumsToZero(MAGIC2, word(at + 4), length, word(at + 12))) {
      found.push({ version: 2, offset: BigInt(at) });
    }
  }
  return found;
}

function sumsToZero(...words: readonly number[]): boolean {
  return words.reduce((sum, word) => (sum + word) >>> 0, 0) === 0;
}

const LINUX_MAGIC_AT = 0x202n;

/** Does `HdrS` stand at 0x202? Loaders take such a file for a Linux boot image before they look at anything else. */
export function hasLinuxMagic(source: ByteSource): boolean {
  if (source.size < LINUX_MAGIC_AT + 4n) return false;
  const [h, d, r, s] = source.read(LINUX_MAGIC_AT, 4n, 'boot image magic');
  return h === 0x48 && d === 0x64 && r === 0x72 && s === 0x53;
}
