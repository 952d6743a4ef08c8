/**
 * OpenVMM and OpenHCL on x86-64 (vm/loader/src/elf.rs, load_static_elf; vm/loader/src/bzimage.rs; commit 7f8a8fddd): a bzImage
 * first, then an ELF64 entered at e_entry as Linux. No note is read on this road.
 */

import { type ByteSource, fits } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { Phdr } from '../formats/elf/headers.js';
import {
  EI_CLASS,
  EI_DATA,
  EI_VERSION,
  ELFCLASS64,
  ELFDATA2LSB,
  EM_X86_64,
  EV_CURRENT,
  PT_LOAD,
} from '../formats/elf/names.js';
import { hasLinuxMagic } from '../formats/linux/boot-header.js';
import { hasPhysical } from './read/file-bytes.js';
import { hasElfMagic, type LaxImage, lenientElf } from './read/lenient-elf.js';
import { entryOutside, type Loader, loader, otherPath, type Rule, refuse } from './rule.js';

const ELF = 'openvmm vm/loader/src/elf.rs, load_static_elf';

/** Where the memory of the kernel starts, below which nothing of it may be. */
export const START = 0x10_0000n;

class OpenVmmView {
  readonly source: ByteSource;
  /** Always read as ELF64: another class is refused. */
  readonly image: LaxImage;

  constructor(source: ByteSource) {
    this.source = source;
    this.image = lenientElf(source, { bits: 64, endian: 'little' }, { stride: 'own-size', sections: false });
  }

  get loads() {
    return this.image.segments.filter(({ p_type }) => p_type === PT_LOAD);
  }
}

const RULES: readonly Rule<OpenVmmView>[] = [
  {
    name: 'not-bzimage',
    source: 'openvmm vm/loader/src/bzimage.rs',
    because: 'a bzImage is looked for first',
    run: ({ source }) => (hasLinuxMagic(source) ? otherPath('starts it as a bzImage') : undefined),
  },
  {
    name: 'elf-header',
    source: ELF,
    because: 'ELF64, little-endian, of version 1',
    run({ source, image: { ident } }) {
      if (source.size < 64n) return refuse('failed to read file header');
      if (!hasElfMagic(source) || ident[EI_CLASS] !== ELFCLASS64 || ident[EI_VERSION] !== EV_CURRENT) {
        return refuse('invalid file header', { reason: 'not an ELF64 of version 1' });
      }
      return ident[EI_DATA] === ELFDATA2LSB ? undefined : refuse('unsupported ELF file byte order');
    },
  },
  {
    name: 'machine',
    source: ELF,
    because: 'EM_X86_64',
    run: ({ image: { header } }) =>
      header.e_machine === EM_X86_64
        ? undefined
        : refuse('target machine mismatch', { reason: `e_machine is ${header.e_machine}` }),
  },
  {
    name: 'program-headers',
    source: ELF,
    because: 'the table is in the file, its records as long as an ELF64 has them',
    run({ source, image: { header } }) {
      if (header.e_phoff === 0n || header.e_phnum === 0) return undefined;
      const size = Phdr.size({ bits: 64, endian: 'little' });
      const good = header.e_phentsize === size && fits(header.e_phoff, BigInt(header.e_phnum * size), source.size);
      return good ? undefined : refuse('failed to parse ELF program header');
    },
  },
  {
    name: 'entry-in-high-memory',
    source: ELF,
    because: 'e_entry is at 1 MiB or above',
    run: ({ image: { header } }) =>
      header.e_entry >= START
        ? undefined
        : refuse(
            `invalid entry address found in ELF header: ${hex(header.e_entry)}, start address: ${hex(START)}, load offset: 0x0`,
          ),
  },
  {
    name: 'segments',
    source: ELF,
    because: 'each PT_LOAD is at 1 MiB or above, and its bytes are in the file and not more than it takes in memory',
    run({ loads, source }) {
      const low = loads.find((s) => s.p_paddr < START);
      if (low !== undefined) {
        return refuse(`invalid ELF program header memory offset ${low.p_paddr}, below start ${START}`, {
          reason: `p_paddr is ${hex(low.p_paddr)}`,
        });
      }
      const bad = loads.find(
        (s) => s.p_memsz > 0n && (s.p_filesz > s.p_memsz || !fits(s.p_offset, s.p_filesz, source.size)),
      );
      return bad === undefined
        ? undefined
        : refuse('failed to import file region', { reason: `the PT_LOAD at ${hex(bad.p_paddr)}` });
    },
  },
  {
    name: 'entry-in-a-segment',
    source: ELF,
    because: 'OpenVMM does not check where e_entry is',
    run({ loads, image: { header } }) {
      const inside = loads.some((s) => hasPhysical(s, header.e_entry));
      return inside ? undefined : entryOutside(header.e_entry);
    },
  },
];

/** OpenVMM's direct boot of Linux. */
export const openvmm: Loader = loader<OpenVmmView>({
  name: 'openvmm',
  open: (source) => new OpenVmmView(source),
  rules: RULES,
  values: ({ image: { header } }) => ({ entry: header.e_entry, mode: '64-bit, paging on' }),
});
