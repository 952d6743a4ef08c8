/** Is a file a PE image to be looked at as one? Kernels that are PE as well have better readers. */
import { type ByteSource, fits } from '../../base/bytes/source.js';
import { hasLinuxMagic } from '../linux/boot-header.js';
import { IMAGE_FILE_MACHINE_AMD64 } from './names.js';
import { readPeHeaders } from './read.js';

/** The mark of what else such a file can be, and where it stands. */
const ZBOOT = { offset: 4n, mark: [0x7a, 0x69, 0x6d, 0x67] } as const; // zimg
/** The section of a unified kernel image that holds a kernel of its own. */
export const UNIFIED_KERNEL_SECTION = '.linux';

/**
 * An x86-64 PE image like xen.efi, and not a Linux boot image or an EFI zboot image: those hold kernels, and are looked into.
 * A unified kernel image is one: it is started as a whole. Its headers may still prove unreadable.
 */
export function isPlainPe(source: ByteSource): boolean {
  if (hasLinuxMagic(source) || has(source, ZBOOT)) return false;
  return readPeHeaders(source)?.fileHeader.Machine === IMAGE_FILE_MACHINE_AMD64;
}

interface Mark {
  readonly offset: bigint;
  readonly mark: readonly number[];
}

function has(source: ByteSource, { offset, mark }: Mark): boolean {
  const size = BigInt(mark.length);
  if (!fits(offset, size, source.size)) return false;
  const bytes = source.read(offset, size, 'magic');
  return mark.every((byte, index) => bytes[index] === byte);
}
