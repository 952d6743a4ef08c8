/**
 * Files that Xen's loaders take for something else than an ELF image, and what they do then. What is inside a compressed
 * kernel is not judged here.
 */
import type { ByteSource } from '../../base/bytes/source.js';
import { hasLinuxMagic, namesPayload } from '../../formats/linux/boot-header.js';
import { bytesAt, hasElfMagic } from '../read/lenient-elf.js';
import { otherPath, type Rule, refuse } from '../rule.js';

/** Anything that has bytes. */
interface HasSource {
  readonly source: ByteSource;
}

const CORE = 'tools/libs/guest/xg_dom_core.c';

/** The most that the toolstack maps (XC_DOM_DECOMPRESS_MAX). */
const LARGEST = 0x40000000n;

const isGzip = (source: ByteSource) => {
  const [a, b] = bytesAt(source, 0n, 2);
  return a === 0x1f && b === 0x8b;
};

/** The toolstack's limits on the size of a file. */
export const FILE_SIZE: Rule<HasSource> = {
  name: 'file-size',
  source: `${CORE}, xc_dom_kernel_file`,
  because: 'the toolstack maps files of up to 1 GiB, and no empty ones',
  run({ source }) {
    if (source.size === 0n) return refuse('Kernel image is empty');
    return source.size > LARGEST ? refuse('Kernel image is too large', { reason: 'more than 1 GiB' }) : undefined;
  },
};

/** Is the file unpacked by the toolstack before it is read? */
export const NOT_GZIP: Rule<HasSource> = {
  name: 'not-compressed',
  source: `${CORE}, xc_dom_try_gunzip`,
  because: 'a gzip-compressed kernel is unpacked first; then the rules go for what is inside',
  run: ({ source }) => (isGzip(source) ? otherPath('gzip: unpacked first, judge what is inside') : undefined),
};

const MAGIC = 0x336ec578;
const WINDOW = 8192;

/** Does the toolstack take the file for a flat binary? */
export const NOT_MULTIBOOT_BINARY: Rule<HasSource> = {
  name: 'not-flat-binary',
  source: 'tools/libs/guest/xg_dom_binloader.c, xc_dom_probe_bin_kernel',
  because: 'a table with this magic in the first 8 KiB makes it a flat binary: no note is read',
  run({ source }) {
    const length = source.size < BigInt(WINDOW) ? Number(source.size) : WINDOW;
    const bytes = bytesAt(source, 0n, length);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at + 12 <= length; at += 4) {
      if (view.getUint32(at, true) !== MAGIC) continue;
      const sum = MAGIC + view.getUint32(at + 4, true) + view.getUint32(at + 8, true);
      if (sum >>> 0 === 0) return otherPath('loaded as a flat binary with a table of its own; notes are not read');
    }
    return undefined;
  },
};

const INSIDE = otherPath('bzImage: unpacked first, judge the kernel inside');
const NOTHING = {
  reason: 'the setup header of the boot image leads to no payload, and a kernel is looked for there alone',
};

/** A program that borrows the header of a bzImage, and is no ELF either. */
function holdsNothing(source: ByteSource): boolean {
  return !hasElfMagic(source) && !namesPayload(source);
}

/** Does the toolstack take the file for a Linux boot image? */
export const NOT_BZIMAGE: Rule<HasSource> = {
  name: 'not-bzimage',
  source: 'tools/libs/guest/xg_dom_bzimageloader.c, xc_dom_probe_bzimage_kernel',
  because: 'a Linux boot image (HdrS at 0x202) is unpacked first; then the rules go for the kernel inside',
  run({ source }) {
    if (!hasLinuxMagic(source)) return undefined;
    return holdsNothing(source) ? refuse('xc_dom_find_loader: no loader found: Invalid kernel', NOTHING) : INSIDE;
  },
};

/** The hypervisor unpacks what it was built to; it looks at magic numbers. */
export const NOT_COMPRESSED_DOM0: Rule<HasSource> = {
  name: 'not-compressed',
  source: 'xen/arch/x86/bzimage.c, bzimage_parse; xen/common/gunzip.c',
  because: 'a compressed dom0 kernel or a bzImage is unpacked first; then the rules go for what is inside',
  run({ source }) {
    if (hasLinuxMagic(source)) {
      return holdsNothing(source) ? refuse('Could not construct domain 0', NOTHING) : INSIDE;
    }
    return isGzip(source) ? otherPath('gzip: unpacked first, judge what is inside') : undefined;
  },
};
