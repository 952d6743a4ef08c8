/** Is a file a PE image to be looked at as one? Kernels that are PE as well have better readers. */
import { type ByteSource, fits } from '../bytes/source.js';
import { latin1 } from '../bytes/text.js';
import { PatchError } from '../errors/patch-error.js';
import { FileHeader, PE } from './headers.js';
import { fileHeaderOffset, SIGNATURE_SIZE } from './image.js';
import { IMAGE_FILE_MACHINE_AMD64 } from './names.js';
import { looksLikePe, readPe } from './read.js';

/** Marks of what else such a file can be, and where they stand. */
const BZIMAGE = [0x202n, 'HdrS'] as const;
const ZBOOT = [4n, 'zimg'] as const;
/** The section of a unified kernel image that holds a kernel of its own. */
const UNIFIED = '.linux';

/**
 * An x86-64 PE image like xen.efi, and not a Linux boot image, an EFI zboot image or a unified kernel image: those hold
 * kernels, and are looked into. Its headers may still prove unreadable.
 */
export function isPlainPe(source: ByteSource): boolean {
  if (!looksLikePe(source) || has(source, BZIMAGE) || has(source, ZBOOT)) return false;
  const peOffset = wordAt(source, 60n);
  if (peOffset === undefined || !has(source, [peOffset, 'PE\0\0'])) return false;
  const at = fileHeaderOffset({ peOffset });
  const size = BigInt(FileHeader.size(PE));
  if (peOffset < SIGNATURE_SIZE || !fits(at, size, source.size)) return false;
  const { Machine } = FileHeader.decode(source.read(at, size, 'COFF file header'), 0, PE);
  return Machine === IMAGE_FILE_MACHINE_AMD64 && !isUnified(source);
}

function isUnified(source: ByteSource): boolean {
  try {
    return readPe(source).sections.some(({ name }) => name === UNIFIED);
  } catch (error) {
    if (error instanceof PatchError) return false;
    throw error;
  }
}

function has(source: ByteSource, [offset, text]: readonly [bigint, string]): boolean {
  const size = BigInt(text.length);
  if (!fits(offset, size, source.size)) return false;
  return latin1(source.read(offset, size, 'magic')) === text;
}

function wordAt(source: ByteSource, offset: bigint): bigint | undefined {
  if (!fits(offset, 4n, source.size)) return undefined;
  const bytes = source.read(offset, 4n, 'DOS header');
  return BigInt(new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true));
}
