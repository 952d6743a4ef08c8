/**
 * What a file is, told by its bytes and never by its name, including kinds nothing can be done for: then the answer says
 * what to take instead. First match wins, in the order in which Xen's own readers look.
 */
import { type ByteSource, fits } from '../../base/bytes/source.js';
import { looksLikeElf } from '../elf/read.js';
import { hasBootFlag, hasLinuxMagic } from '../linux/boot-header.js';
import { UNIFIED_KERNEL_SECTION } from '../pe/kind.js';
import { DIRECTORY_SECURITY } from '../pe/names.js';
import { hasPeSection, readPeHeaders } from '../pe/read.js';
import { beginsWith, formatOf, MAGIC_SIZE, type PayloadFormat } from './formats.js';

/** What a file is, by its bytes. */
export type Recognised =
  | { readonly kind: 'elf' }
  | { readonly kind: 'bzimage' }
  | { readonly kind: 'gzip' }
  | { readonly kind: 'stream'; readonly format: PayloadFormat }
  /** Known, and of no use: `why` and `instead` are for the message. */
  | { readonly kind: 'other'; readonly name: string; readonly why: string; readonly instead: string }
  | { readonly kind: 'unknown' };

/** What the headers of `newc` archives have in common; a digit follows that says which of the two. */
const CPIO = [0x30, 0x37, 0x30, 0x37, 0x30] as const;

/** Names the kind of a file. Reads a few bytes only. */
export function recognise(source: ByteSource): Recognised {
  const at = (offset: bigint, ...bytes: readonly number[]) => bytesAt(source, offset, bytes);
  if (looksLikeElf(source)) return { kind: 'elf' };
  if (hasLinuxMagic(source) && hasBootFlag(source)) return { kind: 'bzimage' };
  if (at(0n, 0x1f, 0x8b)) return { kind: 'gzip' };
  if (at(0x38n, 0x41, 0x52, 0x4d, 0x64)) return image('an arm64 Image');
  if (at(0x38n, 0x52, 0x53, 0x43, 0x05)) return image('a RISC-V Image');
  if (at(0x24n, 0x18, 0x28, 0x6f, 0x01) || at(0x24n, 0x01, 0x6f, 0x28, 0x18)) return image('an ARM zImage');
  if (at(0n, ...CPIO) && (at(5n, 0x31) || at(5n, 0x32))) {
    return {
      kind: 'other',
      name: 'a cpio archive',
      why: 'that is an initramfs or what stands in front of one, microcode for a processor, and holds no kernel of its own',
      instead: 'Give the kernel that goes with it: the vmlinuz beside the initrd',
    };
  }
  if (at(0n, 0x4d, 0x5a)) return peKind(source, at(4n, 0x7a, 0x69, 0x6d, 0x67));
  if (at(0n, 0x27, 0x05, 0x19, 0x56)) {
    return {
      kind: 'other',
      name: 'a U-Boot uImage',
      why: 'Xen does not open it',
      instead: 'Take the kernel out of it (dumpimage), or the vmlinux that it was made from',
    };
  }
  const start = source.read(0n, source.size < MAGIC_SIZE ? source.size : MAGIC_SIZE, 'magic');
  const format = formatOf(start);
  return format === undefined ? { kind: 'unknown' } : { kind: 'stream', format };
}

/** Is an ELF file a bzImage as well? Xen's toolstack and QEMU look for a bzImage first. */
export function isAlsoBzImage(source: ByteSource): boolean {
  return hasLinuxMagic(source);
}

function image(name: string): Recognised {
  return {
    kind: 'other',
    name,
    why: 'it has no ELF headers, and Xen on that machine reads no notes',
    instead: 'Nothing has to be patched for Xen there; the vmlinux beside it is the ELF',
  };
}

function peKind(source: ByteSource, zboot: boolean): Recognised {
  if (zboot) {
    return {
      kind: 'other',
      name: 'an EFI zboot image',
      why: 'its payload is an Image, and Xen does not know the format',
      instead: 'The vmlinux that it was made from is the ELF',
    };
  }
  if (hasPeSection(source, UNIFIED_KERNEL_SECTION)) {
    const signed = isSigned(source);
    return {
      kind: 'other',
      name: `a unified kernel image, ${signed ? 'signed' : 'not signed'}`,
      why: `the kernel is in its .linux section${signed ? ' and the whole is signed' : ''}`,
      instead: `objcopy -O binary --only-section=.linux takes the bzImage out; patch that and build the image again${signed ? ', and sign it' : ''}`,
    };
  }
  return {
    kind: 'other',
    name: 'an EFI program (PE)',
    why: 'it is no ELF',
    instead:
      'Give the ELF that it was made from (xen-syms for xen.efi); an xen.efi itself is laid out for Multiboot by linearize',
  };
}

/** Has it a certificate table? Whether that is of these bytes is another question. */
function isSigned(source: ByteSource): boolean {
  return (readPeHeaders(source)?.directories[DIRECTORY_SECURITY]?.Size ?? 0) > 0;
}

function bytesAt(source: ByteSource, offset: bigint, bytes: readonly number[]): boolean {
  const length = BigInt(bytes.length);
  return fits(offset, length, source.size) && beginsWith(source.read(offset, length, 'magic'), bytes);
}
