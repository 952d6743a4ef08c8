/**
 * kexec-tools 2.0.25, ELF images (kexec/kexec-elf.c, build_elf_info and build_mem_notes): the strictest reader of notes,
 * over which it refuses images whose notes it does not need.
 */
import { type ByteSource, fits } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { Ehdr, EI_NIDENT, Phdr, Shdr } from '../formats/elf/headers.js';
import { hasLinuxMagic } from '../formats/elf/linux-magic.js';
import {
  EI_CLASS,
  EI_DATA,
  EI_VERSION,
  ELFCLASS32,
  ELFCLASS64,
  ELFDATA2LSB,
  ELFDATA2MSB,
  EV_CURRENT,
  PT_INTERP,
  PT_NOTE,
  SHT_DYNAMIC,
  SHT_NOBITS,
  SHT_NOTE,
  SHT_REL,
  SHT_RELA,
  SHT_SYMTAB,
} from '../formats/elf/names.js';
import type { Encoding } from '../formats/elf/struct.js';
import { editFix, preset } from '../formats/note/fix.js';
import { NHDR_SIZE } from '../formats/note/record.js';
import { bytesAt, hasElfMagic, type LaxImage, laxIdent, lenientElf } from './read/lenient-elf.js';
import { up4 } from './read/libelf.js';
import { LoaderReader } from './read/loader-reader.js';
import { type Loader, loader, otherPath, type Rule, refuse } from './rule.js';

const ELF = 'kexec/kexec-elf.c, build_elf_info';
const UNKNOWN = 'Cannot determine the file type';

/** Records followed; each is at least 12 bytes of the file. */
const STEP_LIMIT = 0x400000;

class KexecView {
  readonly source: ByteSource;
  readonly image: LaxImage;

  constructor(source: ByteSource) {
    this.source = source;
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
    because: 'every program header of every type must be in the file with its bytes, and no address may wrap',
    run({ source, image: { header, segments, encoding } }) {
      if (header.e_phoff === 0n || header.e_phnum === 0) return undefined;
      const size = BigInt(header.e_phnum * Phdr.size(encoding));
      if (!fits(header.e_phoff, size, source.size)) return refuse(UNKNOWN, { reason: 'program headers truncated' });
      const bad = segments.findIndex(
        (s) => !fits(s.p_offset, s.p_filesz, source.size) || s.p_paddr + s.p_memsz >= 1n << 64n,
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
        const outside = s.sh_type !== SHT_NOBITS && !fits(s.sh_offset, s.sh_size, source.size);
        if (outside || s.sh_addr + s.sh_size >= 1n << 64n) {
          return refuse(UNKNOWN, { reason: `section ${index} is not in the file, or wraps` });
        }
      }
      return undefined;
    },
  },
  {
    name: 'notes-exact',
    source: 'kexec/kexec-elf.c, build_mem_notes',
    because: 'the records of the first PT_NOTE, else of the first SHT_NOTE, must end exactly where it ends',
    run({ source, image: { segments, sections, encoding } }) {
      const segment = segments.find((s) => s.p_type === PT_NOTE && s.p_offset > 0n);
      const section = sections.find((s) => s.sh_type === SHT_NOTE);
      const area =
        segment !== undefined
          ? { at: segment.p_offset, size: segment.p_filesz }
          : { at: section?.sh_offset ?? 0n, size: section?.sh_size ?? 0n };
      const stop = firstOverrun(new LoaderReader(source, encoding.endian), area.at, area.size);
      if (stop === undefined) return undefined;
      return refuse('ELF Note corrupted !', {
        reason: `the record at ${hex(stop)} does not end where its area ends: padding, a gap, or a short size`,
        cure: editFix({ kind: 'clear' }, preset('pvh')),
      });
    },
  },
  {
    name: 'no-interpreter',
    source: 'kexec/arch/x86_64/kexec-elf-x86_64.c, build_elf_exec_info',
    because: 'a program with an interpreter is no kernel',
    run({ image: { segments } }) {
      return segments.some(({ p_type }) => p_type === PT_INTERP) ? refuse('Requires an ELF interpreter') : undefined;
    },
  },
];

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

/** Where the first record starts that does not fit into what is left of its area. */
function firstOverrun(reader: LoaderReader, start: bigint, size: bigint): bigint | undefined {
  let done = 0n;
  for (let steps = 0; done < size; steps++) {
    const at = start + done;
    const length = BigInt(NHDR_SIZE + up4(reader.word(at) ?? 0) + up4(reader.word(at + 4n) ?? 0));
    if (length > size - done || steps > STEP_LIMIT) return at;
    done += length;
  }
  return undefined;
}

/** kexec-tools, loading an ELF image. */
export const kexec: Loader = loader<KexecView>({
  name: 'kexec',
  open: (source) => new KexecView(source),
  rules: RULES,
  values: ({ image: { header } }) => ({ entry: header.e_entry }),
});
