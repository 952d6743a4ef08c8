/**
 * `qemu-system-x86_64 -kernel` (hw/i386/x86-common.c, hw/i386/multiboot.c, include/hw/elf_ops.h.inc, hw/core/loader.c).
 * Boot image, multiboot 1, PVH: the first that matches is final. The PVH path is judged; that another one is taken is
 * said.
 */
import { type ByteSource, fits } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { type Phdr, Phdr as PhdrStruct } from '../formats/elf/headers.js';
import { ehdrSize } from '../formats/elf/image.js';
import { hasLinuxMagic } from '../formats/elf/linux-magic.js';
import {
  EI_CLASS,
  EI_DATA,
  ELFCLASS64,
  ELFDATA2LSB,
  EM_386,
  EM_X86_64,
  PT_LOAD,
  PT_NOTE,
} from '../formats/elf/names.js';
import { findMb1 } from '../formats/multiboot/mb1.js';
import { QEMU_MB1 } from '../formats/multiboot/windows.js';
import { editFix, preset } from '../formats/note/fix.js';
import { qemuMultiboot } from './qemu-multiboot.js';
import { hasElfMagic, type LaxImage, laxIdent, lenientElf } from './read/lenient-elf.js';
import { type PhysEntry, physEntryAsQemu } from './read/phys-entry.js';
import { crash, type Loader, loader, otherPath, type Remark, type Rule, refuse, warn } from './rule.js';
import { firstOverlap, overlapFinder, type Placed } from './segment-overlap.js';
import { isSinceRelease, newestVersion } from './versions.js';

const X86 = 'hw/i386/x86-common.c, x86_load_linux';
const ELF = 'include/hw/elf_ops.h.inc, load_elf';

const LOAD_FAILED = 'Error while loading elf kernel';
const NO_NOTE = 'Error loading uncompressed kernel without PVH ELF Note';

/** The first release seen to refuse a segment with more bytes in the file than in memory. */
const LONG_FILES_REFUSED = '10.0.13';

/** Flags of a.out-like formats that QEMU tests for in any ELF. */
const UNSUPPORTED_FLAGS = 0x00010004;
const MIB = 0x100000n;
const GIB4 = 0x1_0000_0000n;

/** An image as QEMU's `-kernel` reads it. */
export class QemuView {
  readonly source: ByteSource;
  readonly image: LaxImage;
  /** In table order; QEMU loads by p_paddr. */
  readonly loads: readonly { readonly index: number; readonly segment: Phdr }[];
  /** Is more in the file than in memory refused? Older releases load it, or try to. */
  readonly refusesLongFiles: boolean;
  #entry: PhysEntry | undefined;

  constructor(source: ByteSource, version: string) {
    this.source = source;
    this.refusesLongFiles = isSinceRelease('qemu', version, LONG_FILES_REFUSED);
    const ident = laxIdent(source);
    const encoding = {
      bits: ident[EI_CLASS] === ELFCLASS64 ? 64 : 32,
      endian: ident[EI_DATA] === ELFDATA2LSB ? 'little' : 'big',
    } as const;
    this.image = lenientElf(source, encoding, { stride: 'own-size', sections: false });
    this.loads = this.image.segments.flatMap((segment, index) =>
      segment.p_type === PT_LOAD ? [{ index, segment }] : [],
    );
  }

  /** The 32-bit entry that QEMU takes from the notes. */
  get entry(): PhysEntry {
    this.#entry ??= physEntryAsQemu(this.image);
    return this.#entry;
  }

  /** Where the blobs go. A zero-filled tail that would meet another segment is left out. */
  placed(): Placed[] {
    const all = this.loads.map(({ segment: { p_paddr, p_memsz }, index }) => ({
      index,
      start: p_paddr,
      end: p_paddr + p_memsz,
    }));
    const meets = overlapFinder(all);
    return this.loads.map(({ segment: { p_paddr, p_memsz, p_filesz }, index }) => {
      const tail = p_memsz > p_filesz && meets(p_paddr + p_filesz, p_paddr + p_memsz, index);
      return { index, start: p_paddr, end: p_paddr + (tail ? p_filesz : p_memsz) };
    });
  }
}

const RULES: readonly Rule<QemuView>[] = [
  {
    name: 'not-bzimage',
    source: X86,
    because: 'HdrS at 0x202 makes it a Linux boot image, whatever else it is',
    run({ source }) {
      if (!hasLinuxMagic(source)) return undefined;
      return otherPath('loaded as a Linux boot image: HdrS stands at 0x202');
    },
  },
  {
    name: 'not-multiboot',
    source: 'hw/i386/multiboot.c, load_multiboot',
    because: 'a multiboot 1 header in the first 8 KiB always wins over PVH, and there is no way back',
    run({ source }) {
      const header = findMb1(source, QEMU_MB1);
      if (header === undefined) return undefined;
      const result = qemuMultiboot(source, header);
      if (result.refused?.startsWith('never starts') === true)
        return crash(`by its multiboot 1 header it ${result.refused}`);
      if (result.refused !== undefined) {
        return refuse(result.refused, { reason: `multiboot 1 header at ${hex(header.offset)} is tried before PVH` });
      }
      return otherPath(
        `loaded by its multiboot 1 header at ${hex(header.offset)}, entered at ${hex(result.entry)}; notes are not read`,
      );
    },
  },
  {
    name: 'elf-magic',
    source: X86,
    because: 'what is no ELF is tried as an ancient boot sector, and hangs or is refused',
    run: ({ source }) => (hasElfMagic(source) ? undefined : refuse('invalid kernel header')),
  },
  {
    name: 'flags',
    source: `${X86}, load_elfboot`,
    because: 'two bits of e_flags are taken for a format that cannot be loaded',
    run({ image: { header } }) {
      const bits = header.e_flags & UNSUPPORTED_FLAGS;
      return bits === 0 ? undefined : refuse(`elfboot unsupported flags = ${header.e_flags.toString(16)}`);
    },
  },
  {
    name: 'header',
    source: 'hw/core/loader.c, load_elf_ram_sym',
    because: 'little-endian, and all of the ELF header in the file',
    run({ image: { encoding, ident }, source }) {
      if (ident[EI_DATA] !== ELFDATA2LSB) return refuse(LOAD_FAILED, { reason: 'not little-endian' });
      return source.size < ehdrSize(encoding)
        ? refuse(LOAD_FAILED, { reason: 'shorter than an ELF header' })
        : undefined;
    },
  },
  {
    name: 'machine',
    source: ELF,
    because: 'EM_X86_64 or EM_386, in either class; qemu-system-i386 takes EM_386 alone',
    run({ image: { header } }) {
      if (header.e_machine === EM_X86_64 || header.e_machine === EM_386) return undefined;
      return refuse(LOAD_FAILED, { reason: `e_machine is ${header.e_machine}` });
    },
  },
  {
    name: 'program-headers',
    source: ELF,
    because: 'the table must be there and in the file; records are as long as the class says, whatever e_phentsize is',
    run({ image: { header, encoding }, source }) {
      if (header.e_phnum === 0) return refuse(LOAD_FAILED, { reason: 'no program headers' });
      const size = BigInt(header.e_phnum * PhdrStruct.size(encoding));
      if (fits(header.e_phoff, size, source.size)) return undefined;
      return refuse(LOAD_FAILED, { reason: 'the program header table reaches behind the end of the file' });
    },
  },
  {
    name: 'segments-and-notes',
    source: `${ELF}, get_elf_note_type`,
    because: 'each PT_LOAD and each PT_NOTE must be in the file; the search for the note divides by p_align',
    run: segmentsAndNotes,
  },
  {
    name: 'total-size',
    source: `${ELF}: total_size`,
    because: 'the sizes in memory are added up as a signed number, and a negative one counts as a failure',
    run(view) {
      const total = view.placed().reduce((sum, { start, end }) => sum + end - start, 0n);
      if (BigInt.asIntN(64, total) >= 0n) return undefined;
      return refuse(LOAD_FAILED, { reason: `what all PT_LOADs take together is ${hex(BigInt.asUintN(64, total))}` });
    },
  },
  {
    name: 'pvh-note',
    source: `${X86}, load_elfboot`,
    because: 'the entry must be known, and 0 counts as unknown',
    run({ entry }) {
      if (entry.found) return undefined;
      const reason = entry.problem ?? 'no record of type 18 where QEMU looks, or its value is 0';
      return refuse(NO_NOTE, { reason, cure: editFix(preset('pvh')) });
    },
  },
  {
    name: 'no-overlap',
    source: 'hw/core/loader.c, rom_check_and_register_reset',
    because: 'what is loaded must not meet in memory, nor the firmware below 4 GiB',
    run(view) {
      const placed = view.placed();
      const firmware = { index: -1, start: GIB4 - 0x40000n, end: GIB4 };
      const pair = firstOverlap([...placed, firmware]);
      if (pair === undefined) return undefined;
      const names = pair.map(({ index }) => (index < 0 ? 'the firmware' : `program header ${index}`));
      return refuse('Some ROM regions are overlapping', { reason: `${names[0]} and ${names[1]}` });
    },
  },
  {
    name: 'file-size-in-memory-size',
    source: 'hw/core/loader.c, rom_reset',
    because: 'what is above p_memsz is a negative count of zeros to write: loading never ends, or QEMU dies',
    until: LONG_FILES_REFUSED,
    run({ loads }) {
      const bad = loads.find(({ segment: s }) => s.p_memsz > 0n && s.p_filesz > s.p_memsz);
      return bad === undefined
        ? undefined
        : crash(`PT_LOAD ${bad.index} has p_filesz above p_memsz: QEMU never finishes loading it`);
    },
  },
  {
    name: 'bytes-in-the-file',
    source: ELF,
    because: 'an offset that wraps is taken for one in the file, and the bytes in front of it are read',
    run({ loads, source }) {
      const bad = loads.find(({ segment: s }) => s.p_filesz > 0n && !fits(s.p_offset, s.p_filesz, source.size));
      if (bad === undefined) return undefined;
      return crash(
        `PT_LOAD ${bad.index} has a p_offset and p_filesz that wrap: QEMU reads outside of the file, and dies or loads anything`,
      );
    },
  },
  {
    name: 'above-low-memory',
    source: 'SeaBIOS and the option ROM pvh.bin',
    because: 'below 1 MiB the firmware overwrites what was loaded, or it is no memory',
    run({ loads }) {
      const low = loads.find(({ segment: s }) => s.p_memsz > 0n && s.p_paddr < MIB);
      return low === undefined
        ? undefined
        : warn(`PT_LOAD ${low.index} lies below 1 MiB: the firmware may overwrite it`);
    },
  },
  {
    name: 'entry-in-a-segment',
    source: X86,
    because: 'QEMU jumps without looking; only the low 32 bits of the value count',
    run({ entry, loads }) {
      const value = entry.value;
      const inside = loads.some(({ segment: s }) => value >= s.p_paddr && value - s.p_paddr < s.p_filesz);
      return inside
        ? undefined
        : warn(`the entry ${hex(value)} is not in the file bytes of any PT_LOAD: the guest is lost`);
    },
  },
  {
    name: 'note-alignment',
    source: ELF,
    because: 'records are padded by 4; a p_align of 1 or 2 works only while every size is a multiple of 4',
    run({ image }) {
      const odd = image.segments.findIndex((s) => s.p_type === PT_NOTE && s.p_filesz > 0n && s.p_align !== 4n);
      const align = image.segments[odd]?.p_align;
      return odd < 0 ? undefined : warn(`PT_NOTE ${odd} has p_align ${align}: QEMU steps by it`);
    },
  },
];

/** In table order: what comes first ends the load. Sums of offset and size are made in words of the class, and wrap. */
function segmentsAndNotes({ image, source, entry, loads, refusesLongFiles }: QemuView): Remark | undefined {
  const { bits } = image.encoding;
  const bad = loads.flatMap(({ segment: s, index }) => {
    const why =
      s.p_filesz > 0n && BigInt.asUintN(bits, s.p_offset + s.p_filesz) > source.size
        ? 'reaches behind the end of the file'
        : refusesLongFiles && s.p_filesz > s.p_memsz
          ? 'has p_filesz above p_memsz'
          : undefined;
    return why === undefined ? [] : [{ index, why }];
  })[0];
  const fault = entry.fault;
  const mend = editFix(preset('pvh'));
  if (fault !== undefined && (bad === undefined || fault.index < bad.index)) {
    const reason = entry.problem;
    if (fault.kind === 'crash')
      return crash(`QEMU dies: ${(reason ?? 'it divides by zero').replace('QEMU dies: ', '')}`, mend);
    if (fault.kind === 'refused') return refuse(LOAD_FAILED, { reason, cure: mend });
  }
  if (bad !== undefined) return refuse(LOAD_FAILED, { reason: `PT_LOAD ${bad.index} ${bad.why}` });
  return fault?.kind === 'runs-away' && image.segments.length > 0
    ? warn(`QEMU may crash: ${entry.problem}`, mend)
    : undefined;
}

/** QEMU's `-kernel`, which enters a PVH kernel by its note. */
export const qemuPvh: Loader = loader<QemuView>({
  name: 'qemu-pvh',
  open: (source, { version = newestVersion('qemu') }) => new QemuView(source, version),
  rules: RULES,
  values: ({ entry, loads }) => ({
    entry: entry.value,
    mode: '32-bit, paging off',
    loadedFrom: loads.reduce<bigint | undefined>((low, { segment: s }) => min(low, s.p_paddr), undefined),
  }),
});

function min(a: bigint | undefined, b: bigint): bigint {
  return a === undefined || b < a ? b : a;
}
