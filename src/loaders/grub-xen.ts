/**
 * GRUB built for Xen (grub-core/loader/i386/xen.c, xen_file.c, xen_fileXX.c), starting a PV kernel. grub-file
 * --is-x86_64-xen-domu and --is-i386-xen-pae-domu run the same reader.
 */
import { type ByteSource, fits } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { Phdr } from '../formats/elf/headers.js';
import {
  EI_CLASS,
  EI_DATA,
  EI_VERSION,
  ELFCLASS32,
  ELFCLASS64,
  ELFDATA2LSB,
  EM_386,
  EM_X86_64,
  EV_CURRENT,
} from '../formats/elf/names.js';
import { bootProtocol, hasBootFlag, hasLinuxMagic, namesPayload } from '../formats/linux/boot-header.js';
import { editFix, preset, setText } from '../formats/note/fix.js';
import { type GrubResult, grubNotes } from './grub-notes.js';
import { hasElfMagic, type LaxImage, laxIdent, lenientElf } from './read/lenient-elf.js';
import { type Loader, loader, otherPath, type Rule, refuse, warn } from './rule.js';

const FILE = 'grub-core/loader/i386/xen_file.c';
const NOTES = 'grub-core/loader/i386/xen_fileXX.c';
const XEN = 'grub-core/loader/i386/xen.c';

/** As much of a Linux boot image as GRUB reads to tell one (include/grub/i386/linux.h). */
const LINUX_HEADER_SIZE = 0x268n;

class GrubView {
  readonly source: ByteSource;
  readonly image: LaxImage;
  readonly hasTable: boolean;
  #notes: GrubResult | undefined;

  constructor(source: ByteSource) {
    this.source = source;
    const encoding = { bits: laxIdent(source)[EI_CLASS] === ELFCLASS64 ? 64 : 32, endian: 'little' } as const;
    const image = lenientElf(source, encoding, { stride: 'own-size', sectionStride: 'declared', sections: true });
    // The table is read as long as e_phentsize makes it, and walked in steps of a program header's own size.
    const { e_phoff, e_phnum, e_phentsize } = image.header;
    const isWhole = e_phnum === 0 || e_phentsize >= Phdr.size(encoding);
    this.hasTable = isWhole && fits(e_phoff, BigInt(e_phnum) * BigInt(e_phentsize), source.size);
    // A table that begins outside is no table; one that ends outside is walked, whatever memory holds there.
    this.image = e_phoff <= source.size ? image : { ...image, segments: [] };
  }

  get notes(): GrubResult {
    this.#notes ??= grubNotes(this.image);
    return this.#notes;
  }
}

const RULES: readonly Rule<GrubView>[] = [
  {
    name: 'elf-header',
    source: 'grub-core/kern/elf.c, grub_elf_check_header',
    because: 'an ELF file of version 1; anything else is tried as a Linux boot image with an ELF in it',
    run({ source, image: { header, ident } }) {
      const good = [
        ident[EI_CLASS] === ELFCLASS32 || ident[EI_CLASS] === ELFCLASS64,
        ident[EI_DATA] === ELFDATA2LSB,
        ident[EI_VERSION] === EV_CURRENT,
        header.e_version === EV_CURRENT,
      ];
      if (source.size >= 64n && hasElfMagic(source) && good.every(Boolean)) return undefined;
      if (source.size < LINUX_HEADER_SIZE) return refuse('not xen image');
      const isBoot = hasLinuxMagic(source) && hasBootFlag(source);
      if (isBoot && bootProtocol(source) >= 0x208) {
        if (namesPayload(source) || hasElfMagic(source))
          return otherPath('bzImage: unpacked first, judge the kernel inside');
        return refuse('not xen image', { reason: 'the setup header of the boot image leads to no payload' });
      }
      return refuse('version too old for xen boot', {
        reason: 'neither a little-endian ELF file of version 1 nor a Linux boot image with a payload',
      });
    },
  },
  {
    name: 'machine',
    source: `${FILE}, grub_xen_get_info`,
    because: 'ELF64 with EM_X86_64 or ELF32 with EM_386, little-endian',
    run({ image: { ident, header } }) {
      const wide = ident[EI_CLASS] === ELFCLASS64 && header.e_machine === EM_X86_64;
      const narrow = ident[EI_CLASS] === ELFCLASS32 && header.e_machine === EM_386;
      if ((wide || narrow) && ident[EI_DATA] === ELFDATA2LSB) return undefined;
      return refuse('unknown ELF type', { reason: `EI_CLASS ${ident[EI_CLASS]}, e_machine ${header.e_machine}` });
    },
  },
  {
    name: 'program-headers',
    source: 'grub-core/kern/elfXX.c, grub_elfXX_load_phdrs',
    because: 'the table is read as a whole; where that fails, sections can still have notes',
    run: ({ hasTable }) =>
      hasTable ? undefined : warn('the program header table is not all read: GRUB walks on in other memory'),
  },
  {
    name: 'reads-within-segment',
    source: `${NOTES}, parse_note`,
    because: 'a record that runs past its segment is read past it: what comes of that depends on luck',
    run({ notes }) {
      const beyond = 'refused' in notes ? notes.readBeyond : notes.info.readBeyond;
      return beyond ? warn('a record runs past the end of its segment: GRUB reads memory behind it') : undefined;
    },
  },
  {
    name: 'notes',
    source: `${NOTES}, grub_xen_get_infoXX`,
    because: 'PT_NOTE first, then SHT_NOTE and __xen_guest; any note of Xen will do, LOADER must be generic if there',
    run({ notes }) {
      if (!('refused' in notes)) return undefined;
      const edit = notes.refused === 'invalid loader' ? setText('LOADER', 'generic') : preset('pv');
      return refuse(notes.refused, { cure: editFix(edit) });
    },
  },
  {
    name: 'architecture',
    source: `${XEN}, grub_cmd_xen`,
    because: "GRUB's 64-bit build starts 64-bit kernels, its 32-bit one those with PAE",
    run({ notes }) {
      if ('refused' in notes || notes.info.arch !== 'i386') return undefined;
      return refuse('incompatible architecture: need a PAE kernel', { cure: editFix(setText('PAE_MODE', 'yes')) });
    },
  },
  {
    name: 'virt-base-page-aligned',
    source: `${XEN}, grub_xen_boot`,
    because: 'page tables are made for it',
    run({ notes }) {
      return 'refused' in notes || notes.info.virtBase % 0x1000n === 0n ? undefined : refuse('unaligned virt_base');
    },
  },
  {
    name: 'widths',
    source: `${NOTES}, parse_note`,
    because:
      'addresses are read with the width of the class; a shorter descriptor takes bytes of the next record along',
    run: ({ notes }) =>
      'refused' in notes || notes.info.oddWidth === undefined ? undefined : warn(notes.info.oddWidth),
  },
  {
    name: 'pv-kernel',
    source: `${XEN}, grub_xen_boot`,
    because: 'PHYS32_ENTRY is not used: a kernel with PVH notes alone is entered, wrongly, at e_entry',
    run({ notes }) {
      if ('refused' in notes || notes.info.saysPv) return undefined;
      return warn(`entered as a PV kernel at ${hex(notes.info.entry)} with nothing to say where it lies but defaults`);
    },
  },
];

/** GRUB built for Xen, starting a PV kernel. */
export const grubXen: Loader = loader<GrubView>({
  name: 'grub-xen',
  open: (source) => new GrubView(source),
  rules: RULES,
  values({ notes }) {
    if ('refused' in notes) return {};
    const { readBeyond: _1, saysPv: _2, oddWidth: _3, ...info } = notes.info;
    return { ...info, mode: info.arch === 'x86_64' ? '64-bit, paging on' : '32-bit PAE, paging on' };
  },
});
