/**
 * Where the first of possibly several streams ends. The programs that unpack go on to the next one; Xen and Linux stop
 * there, and start half a kernel.
 */
import { findBytes, latin1, latin1Bytes } from '../../base/bytes/text.js';
import { wordAt } from './limits.js';

const HEADER = 12;
const FOOTER = 12;

/**
 * The end of the first xz stream of data whose last stream is whole (The .xz File Format, "Stream Footer", "Index"): the
 * last stream is measured from its end, and where it does not begin at 0, what is in front of it is the first.
 */
export function xzStreamEnd(packed: Uint8Array): number {
  let end = packed.length;
  // Stream padding.
  while (end > 0 && packed[end - 1] === 0) end -= 1;
  for (let stop = end; stop > 0; ) {
    const start = lastXzStart(packed, stop);
    if (start === undefined) return firstXzEnd(packed);
    if (start === 0) return stop;
    stop = start;
    while (stop > 0 && packed[stop - 1] === 0) stop -= 1;
  }
  return 0;
}

/** Where the xz stream starts that ends at `end`; undefined: none ends there. */
function lastXzStart(packed: Uint8Array, end: number): number | undefined {
  if (end < HEADER + FOOTER || packed[end - 2] !== 0x59 || packed[end - 1] !== 0x5a) return undefined;
  const indexSize = (wordAt(packed, end - 8) + 1) * 4;
  const indexAt = end - FOOTER - indexSize;
  if (indexAt < HEADER || packed[indexAt] !== 0) return undefined;
  let at = indexAt + 1;
  const number = (): number => {
    let value = 0;
    for (let scale = 1; at < end - FOOTER; scale *= 128) {
      const byte = packed[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    return Number.NaN;
  };
  let blocks = 0;
  for (let count = number(); count > 0 && at < end - FOOTER; count--) {
    blocks += Math.ceil(number() / 4) * 4;
    number();
  }
  const start = indexAt - blocks - HEADER;
  return start >= 0 && packed[start] === 0xfd && packed[start + 1] === 0x37 ? start : undefined;
}

/** Kernels have one block or two; the limits keep data that is all footers from costing more than a look. */
const INDEX_LIMIT = 0x10000;
const TRIES = 4096;
/** What a footer ends with. */
const MAGIC = latin1Bytes('YZ');

/** The first place behind the header where a whole stream ends. */
function firstXzEnd(packed: Uint8Array): number {
  let tries = 0;
  for (let at = findBytes(packed, MAGIC, HEADER); at >= 0 && tries < TRIES; at = findBytes(packed, MAGIC, at + 1)) {
    if (at < HEADER + FOOTER || wordAt(packed, at - 6) * 4 > INDEX_LIMIT) continue;
    tries += 1;
    if (lastXzStart(packed, at + 2) === 0) return at + 2;
  }
  return packed.length;
}

/** A bzip2 stream begins with `BZh`, a digit, and the number of its first block (bzip2 has no other way to tell). */
export function bzip2StreamEnd(packed: Uint8Array): number {
  const block = Uint8Array.of(0x31, 0x41, 0x59, 0x26, 0x53, 0x59);
  for (let at = findBytes(packed, block, 10); at >= 0; at = findBytes(packed, block, at + 1)) {
    const level = packed[at - 1] ?? 0;
    if (level >= 0x31 && level <= 0x39 && latin1(packed.subarray(at - 4, at - 1)) === 'BZh') return at - 4;
  }
  return packed.length;
}
