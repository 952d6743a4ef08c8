/**
 * kexec-tools 2.0.25 to 2.0.32, ELF images on x86 (kexec/kexec-elf.c, kexec-elf-exec.c, kexec.c): the strictest reader of
 * notes, over which it refuses images whose notes it does not need. Sums of offsets and sizes wrap as they do in C.
 */

import { alignUp } from '../base/bytes/align.js';
import { compare } from '../base/bytes/range.js';
import { type ByteSource, fits } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { Ehdr, EI_NIDENT, Phdr, Shdr } from '../formats/elf/headers.js';
import {
  EI_CLASS,
  EI_DATA,
  EI_VERSION,
  ELFCLASS32,
  ELFCLASS64,
  ELFDATA2LSB,
  ELFDATA2MSB,
  EM_386,
  EM_486,
  EM_X86_64,
  ET_CORE,
  ET_DYN,
  ET_EXEC,
  EV_CURRENT,
  PT_INTERP,
  PT_LOAD,
  PT_NOTE,
  SHT_DYNAMIC,
  SHT_NOBITS,
  SHT_NOTE,
  SHT_REL,
  SHT_RELA,
  SHT_SYMTAB,
} from '../formats/elf/names.js';
import type { Encoding } from '../formats/elf/struct.js';
import { hasLinuxMagic } from '../formats/linux/boot-header.js';
import { editFix, preset } from '../formats/note/fix.js';
import { NHDR_SIZE } from '../formats/note/record.js';
import { DEFAULT_MEMORY } from './memory.js';
import { bytesAt, hasElfMagic, type LaxImage, laxIdent, lenientElf } from './read/lenient-elf.js';
import { up4 } from './read/libelf.js';
import { LoaderReader } from './read/loader-reader.js';
import { crash, entryOutside, type Loader, loader, otherPath, type Rule, refuse, warn } from './rule.js';

const ELF = 'kexec/kexec-elf.c, build_elf_info';
const UNKNOWN = 'Cannot determine the file type';

const MACHINES: readonly number[] = [EM_386, EM_486, EM_X86_64];

const PAGE = 0x1000n;
const MIB = 0x100000n;
/** Where the physical addresses of x86 end. */
const ADDRESS_LIMIT = 1n << 52n;
const U64 = (1n << 64n) - 1n;
/** Addresses that a program can have. */
const USER_SPACE = 1n << 47n;

/** Records followed; each is at least 12 bytes of the file. */
const STEP_LIMIT = 0x400000;

class KexecView {
  readonly source: ByteSource;
  readonly image: LaxImage;
  /** Bytes of memory that the machine has. */
  readonly memory: bigint;

  constructor(source: ByteSource, memory: bigint) {
    this.source = source;
    this.memory = memory;
    const ident = laxIdent(source);
    const encoding: Encoding = {
      bits: ident[EI_CLASS] === ELFCLASS64 ? 64 : 32,
      endian: ident[EI_DATA] === ELFDATA2MSB ? 'big' : 'little',
    };
    this.image = lenientElf(source, encoding, { stride: 'own-size', sections: true });
  }
}

const RULES: readonly Rule<KexecView>[] = [
  {
    name: 'not-compressed',
    source: 'kexec/zlib.c, zlib_decompress_file',
    because: 'a gzip-compressed file is unpacked first',
    run({ source }) {
      const [a, b] = bytesAt(source, 0n, 2);
      return a === 0x1f && b === 0x8b ? otherPath('gzip: unpacked first, judge what is inside') : undefined;
    },
  },
  {
    name: 'not-bzimage',
    source: 'kexec/arch/x86_64/kexec-bzImage64.c, bzImage64_probe',
    because: "a Linux boot image is started by Linux's own start-up code",
    run: ({ source }) =>
      hasElfMagic(source) || !hasLinuxMagic(source) ? undefined : otherPath('loaded as a bzImage; notes are not read'),
  },
  {
    name: 'elf-header',
    source: `${ELF}, build_mem_ehdr`,
    because: 'magic, class, byte order, both versions, and every size of the header exactly as the class has it',
    run({ source, image: { ident, header, encoding } }) {
      const size = EI_NIDENT + Ehdr.size(encoding);
      const wrong = [
        [hasElfMagic(source), 'no ELF magic'],
        [ident[EI_CLASS] === ELFCLASS32 || ident[EI_CLASS] === ELFCLASS64, `EI_CLASS is ${ident[EI_CLASS]}`],
        [ident[EI_DATA] === ELFDATA2LSB || ident[EI_DATA] === ELFDATA2MSB, `EI_DATA is ${ident[EI_DATA]}`],
        [source.size >= BigInt(size), 'shorter than an ELF header'],
        [header.e_ehsize === size, `e_ehsize is ${header.e_ehsize}, wanted ${size}`],
        [header.e_phnum === 0 || header.e_phentsize === Phdr.size(encoding), `e_phentsize is ${header.e_phentsize}`],
        [header.e_shnum === 0 || header.e_shentsize === Shdr.size(encoding), `e_shentsize is ${header.e_shentsize}`],
        [ident[EI_VERSION] === EV_CURRENT && header.e_version === EV_CURRENT, 'not version 1'],
      ].find(([good]) => good !== true)?.[1];
      return typeof wrong === 'string' ? refuse(UNKNOWN, { reason: wrong }) : undefined;
    },
  },
  {
    name: 'segments-in-file',
    source: `${ELF}, build_mem_phdrs`,
    because:
      'every program header of every type must be in the file with its bytes, and no address may wrap but the last one, which stands for none',
    run({ source, image: { header, segments, encoding } }) {
      if (header.e_phoff === 0n || header.e_phnum === 0) return undefined;
      const size = BigInt(header.e_phnum * Phdr.size(encoding));
      if (!fits(header.e_phoff, size, source.size)) return refuse(UNKNOWN, { reason: 'program headers truncated' });
      const bad = segments.findIndex(
        (s) =>
          wrap(s.p_offset + s.p_filesz) > source.size || (s.p_paddr !== U64 && wrap(s.p_paddr + s.p_memsz) < s.p_paddr),
      );
      return bad < 0 ? undefined : refuse(UNKNOWN, { reason: `program header ${bad} is not in the file, or wraps` });
    },
  },
  {
    name: 'sections-in-file',
    source: `${ELF}, build_mem_shdrs`,
    because: 'the same for sections; those with records must name the right size of one',
    run({ source, image: { header, sections, encoding } }) {
      if (header.e_shoff === 0n || header.e_shnum === 0) return undefined;
      const size = BigInt(header.e_shnum * Shdr.size(encoding));
      if (!fits(header.e_shoff, size, source.size)) return refuse(UNKNOWN, { reason: 'section headers truncated' });
      for (const [index, s] of sections.entries()) {
        const wanted = recordSize(s.sh_type, encoding.bits);
        if (wanted !== undefined && s.sh_entsize !== wanted) {
          return refuse(`Bad section header(${s.sh_type.toString(16)}) entsize: ${s.sh_entsize}`);
        }
        const outside = s.sh_type !== SHT_NOBITS && wrap(s.sh_offset + s.sh_size) > source.size;
        if (outside || wrap(s.sh_addr + s.sh_size) < s.sh_addr) {
          return refuse(UNKNOWN, { reason: `section ${index} is not in the file, or wraps` });
        }
      }
      return undefined;
    },
  },
  {
    name: 'tables-counted',
    source: 'kexec/kexec-elf.c, build_mem_notes',
    because: 'a table whose offset is 0 is not read, and the notes are looked for in as many entries as are counted',
    run({ image: { header, segments } }) {
      const dies = 'kexec dies: it looks for notes in a table that it has not read';
      if (header.e_phoff === 0n && header.e_phnum > 0) return crash(`${dies}: e_phoff is 0, e_phnum is not`);
      if (header.e_shoff > 0n || header.e_shnum === 0 || noteSegment(segments) !== undefined) return undefined;
      return crash(`${dies}: e_shoff is 0, e_shnum is not`);
    },
  },
  {
    name: 'notes-exact',
    source: 'kexec/kexec-elf.c, build_mem_notes',
    because: 'the records of the first PT_NOTE, else of the first SHT_NOTE, must end exactly where it ends',
    run({ source, image: { segments, sections, encoding } }) {
      const segment = noteSegment(segments);
      const section = sections.find((s) => s.sh_type === SHT_NOTE);
      const area =
        segment !== undefined
          ? { at: segment.p_offset, size: segment.p_filesz }
          : { at: section?.sh_offset ?? 0n, size: section?.sh_size ?? 0n };
      // Where the end wraps, it lies in front of the start and nothing is read, unless the start has wrapped, too.
      if (area.at + area.size > U64 && area.at <= U64 - USER_SPACE) return undefined;
      if (area.at > source.size) return crash('kexec reads in front of the file, where luck decides what it finds');
      const reader = new LoaderReader(source, encoding.endian);
      const stop = firstOverrun(reader, area.at, area.size);
      if (stop === undefined) return undefined;
      const mend = editFix({ kind: 'clear' }, preset('pvh'));
      if (stop.far) return crash(`kexec dies: the name at ${hex(stop.at)} claims to end where no memory is`, mend);
      return refuse('ELF Note corrupted !', {
        reason: `the record at ${hex(stop.at)} does not end where its area ends: padding, a gap, or a short size`,
        cure: mend,
      });
    },
  },
  {
    name: 'type',
    source: 'kexec/kexec-elf-exec.c, build_elf_exec_info',
    because: 'executables, shared objects and cores have segments to load',
    run({ image: { header } }) {
      const { e_type } = header;
      if (e_type === ET_EXEC || e_type === ET_DYN || e_type === ET_CORE) return undefined;
      return refuse(UNKNOWN, { reason: `e_type is ${e_type}` });
    },
  },
  {
    name: 'program-headers',
    source: 'kexec/kexec-elf-exec.c, build_elf_exec_info',
    because: 'without program headers there is nothing to load',
    run({ image: { header } }) {
      return header.e_phoff === 0n || header.e_phnum === 0 ? refuse('No ELF program header') : undefined;
    },
  },
  {
    name: 'no-interpreter',
    source: 'kexec/kexec-elf-exec.c, build_elf_exec_info',
    because: 'a program with an interpreter is no kernel',
    run({ image: { segments } }) {
      return segments.some(({ p_type }) => p_type === PT_INTERP) ? refuse('Requires an ELF interpreter') : undefined;
    },
  },
  {
    name: 'machine',
    source: 'kexec/arch/i386/kexec-elf-x86.c, elf_x86_any_probe',
    because: 'EM_386, EM_486 or EM_X86_64, in either class',
    run({ image: { header } }) {
      if (MACHINES.includes(header.e_machine)) return undefined;
      return refuse(UNKNOWN, { reason: `e_machine is ${header.e_machine}` });
    },
  },
  {
    name: 'hole-for-the-image',
    source: 'kexec/kexec-elf-exec.c, elf_exec_load; kexec/kexec.c, locate_hole',
    because: 'a shared object whose own place is no memory is moved to where all of it finds room',
    run({ image: { header, segments }, memory }) {
      const loads = segments.filter(isLoaded);
      const [first] = loads;
      if (header.e_type !== ET_DYN || first === undefined) return undefined;
      const low = loads.reduce((least, { p_paddr }) => (p_paddr < least ? p_paddr : least), first.p_paddr);
      const high = loads.reduce(
        (most, s) => (wrap(s.p_paddr + s.p_memsz) > most ? wrap(s.p_paddr + s.p_memsz) : most),
        0n,
      );
      const size = wrap(high - low + 1n);
      // What is smaller may find no room either, by what else is in memory.
      if (size <= memory) return undefined;
      return refuse(`Could not find a free area of memory of ${hex(size)} bytes...`, {
        reason: `all PT_LOADs of a shared object, and a machine with ${hex(memory)} bytes of memory`,
      });
    },
  },
  {
    name: 'pages-of-memory',
    source: 'kexec/kexec.c, add_segment_phys_virt, valid_memory_range',
    because: 'each PT_LOAD that takes memory starts at a page, and lies in memory that the running kernel offers',
    run({ image: { segments }, memory }) {
      for (const [index, s] of segments.entries()) {
        if (!isLoaded(s)) continue;
        if (s.p_paddr % PAGE !== 0n) {
          return refuse(`Base address: ${hex(s.p_paddr)} is not page aligned`, {
            reason: `p_paddr of PT_LOAD ${index}`,
          });
        }
        const last = wrap(alignUp(s.p_paddr + s.p_memsz, PAGE) - 1n);
        if (last < ADDRESS_LIMIT && s.p_paddr >= MIB && last < memory) continue;
        const reason = `PT_LOAD ${index} lies where a machine with ${hex(memory)} bytes of memory has none`;
        const message = `Invalid memory segment ${s.p_paddr === 0n ? '(nil)' : hex(s.p_paddr)} - ${hex(last)}`;
        if (last >= ADDRESS_LIMIT) return refuse(message, { reason });
        return warn(`${reason}, or not all of it: kexec then says ${message}`);
      }
      return undefined;
    },
  },
  {
    name: 'no-overlap',
    source: 'kexec/kexec.c, sort_segments',
    because: 'in the order of their addresses, each PT_LOAD starts behind the last page of the one before it',
    run({ image: { segments } }) {
      const placed = segments
        .flatMap((s, index) =>
          isLoaded(s) ? [{ index, start: s.p_paddr, end: alignUp(s.p_paddr + s.p_memsz, PAGE) }] : [],
        )
        .sort((a, b) => compare(a.start, b.start));
      for (const [at, next] of placed.entries()) {
        const before = placed[at - 1];
        if (before === undefined || before.end <= next.start) continue;
        const reason = `PT_LOAD ${before.index} reaches to ${hex(before.end)}, PT_LOAD ${next.index} starts at ${hex(next.start)}`;
        return refuse(`Overlapping memory segments at ${hex(before.end)}`, { reason });
      }
      return undefined;
    },
  },
  {
    name: 'bytes-in-file',
    source: 'kexec/kexec-elf-exec.c, elf_exec_load',
    because: 'the sum of offset and size is looked at, and wraps: an offset of its own can be anywhere',
    run({ source, image: { segments } }) {
      const index = segments.findIndex((s) => isLoaded(s) && s.p_filesz > 0n && s.p_offset > source.size);
      if (index < 0) return undefined;
      return warn(`PT_LOAD ${index} begins in front of the file, and luck decides what kexec reads there`);
    },
  },
  {
    name: 'entry-in-a-segment',
    source:
      'kexec/arch/x86_64/kexec-elf-x86_64.c, elf_x86_64_load; kexec/arch/i386: kexec-elf-x86.c, kexec-multiboot-x86.c, kexec-mb2-x86.c',
    because: 'e_entry is a physical address to every one of its ways to start an ELF, and none looks where it leads',
    run({ image: { header, segments } }) {
      const { e_entry } = header;
      const inside = segments.some((s) => isLoaded(s) && e_entry >= s.p_paddr && e_entry - s.p_paddr < fileBytes(s));
      return inside ? undefined : entryOutside(e_entry);
    },
  },
];

/** The PT_NOTE by which kexec goes: a linker that had nothing to say left its offset 0. */
function noteSegment(segments: LaxImage['segments']): LaxImage['segments'][number] | undefined {
  return segments.find((s) => s.p_type === PT_NOTE && s.p_offset > 0n);
}

/** Does kexec make a segment of it? */
function isLoaded({ p_type, p_memsz }: { readonly p_type: number; readonly p_memsz: bigint }): boolean {
  return p_type === PT_LOAD && p_memsz > 0n;
}

/** What it copies of a PT_LOAD: no more than it has memory for. */
function fileBytes({ p_filesz, p_memsz }: { readonly p_filesz: bigint; readonly p_memsz: bigint }): bigint {
  return p_filesz < p_memsz ? p_filesz : p_memsz;
}

/** A sum of two 64-bit numbers in C. */
function wrap(sum: bigint): bigint {
  return BigInt.asUintN(64, sum);
}

function recordSize(type: number, bits: 32 | 64): bigint | undefined {
  const wide = bits === 64;
  switch (type) {
    case SHT_SYMTAB:
      return wide ? 24n : 16n;
    case SHT_RELA:
      return wide ? 24n : 12n;
    case SHT_REL:
      return wide ? 16n : 8n;
    case SHT_DYNAMIC:
      return wide ? 16n : 8n;
    default:
      return undefined;
  }
}

/** A record that does not fit into what is left of its area; `far`: its name ends beyond all memory of the program. */
interface Overrun {
  readonly at: bigint;
  readonly far: boolean;
}

/** The first of an area. Sizes padded by 4 wrap at 2^32; then the last byte of the name is read by the size as it stands. */
function firstOverrun(reader: LoaderReader, start: bigint, size: bigint): Overrun | undefined {
  let done = 0n;
  for (let steps = 0; done < size; steps++) {
    const at = start + done;
    const namesz = reader.word(at) ?? 0;
    const length = BigInt(NHDR_SIZE + up4(namesz) + up4(reader.word(at + 4n) ?? 0));
    if (length > size - done || steps > STEP_LIMIT) return { at, far: false };
    if (up4(namesz) < namesz) return { at, far: true };
    done += length;
  }
  return undefined;
}

/** kexec-tools, loading an ELF image. */
export const kexec: Loader = loader<KexecView>({
  name: 'kexec',
  open: (source, { memory = DEFAULT_MEMORY }) => new KexecView(source, memory),
  rules: RULES,
  values: ({ image: { header } }) => ({ entry: header.e_entry }),
});
