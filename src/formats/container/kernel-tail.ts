/**
 * What linkers of kernels leave behind the protected-mode part: Linux 6.17 and 6.18 put the decompressor's .modinfo behind its
 * .bss, so that objcopy wrote the .bss as zeros and the strings behind it, and syssize counts neither. Nobody loads such bytes
 * and they say whose they are; any other bytes belong to somebody that nobody here knows.
 */
import type { Range } from '../../base/bytes/range.js';
import type { ByteSource } from '../../base/bytes/source.js';
import { latin1 } from '../../base/bytes/text.js';

const CHUNK = 0x100000n;
/** The decompressor has a dozen strings; a kernel has some hundred KiB of them. */
const STRINGS_LIMIT = 0x100000n;
/** `name=value` as MODULE_INFO makes them (Linux, include/linux/moduleparam.h): printable, with line breaks and tabs. */
const MODINFO = /^[A-Za-z0-9_.-]+=[\t\n\x20-\x7e\x80-\xff]*$/;

/** Are the bytes of this range zeros, or zeros and .modinfo strings? An empty range is. */
export function isKernelTail(source: ByteSource, { start, end }: Range): boolean {
  for (let at = start; at < end; at += CHUNK) {
    const length = end - at < CHUNK ? end - at : CHUNK;
    const bytes = source.read(at, length, 'bytes behind the kernel');
    const found = bytes.findIndex((byte) => byte !== 0);
    if (found >= 0) return isModinfo(source, { start: at + BigInt(found), end });
  }
  return true;
}

function isModinfo(source: ByteSource, { start, end }: Range): boolean {
  if (end - start > STRINGS_LIMIT) return false;
  const strings = latin1(source.read(start, end - start, 'bytes behind the kernel')).split('\0');
  return strings.every((string) => string === '' || MODINFO.test(string));
}
