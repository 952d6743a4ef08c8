/**
 * Repairs of headers that nothing at run time goes by: a section header table that is not there any more and keeps the image
 * from being read, one that GRUB wants to be there, and a PT_LOAD without a byte over which GRUB stumbles.
 */
import { alignUp } from '../../base/bytes/align.js';
import { type ByteSource, fits, RepairedSource, type Write } from '../../base/bytes/source.js';
import { latin1Bytes } from '../../base/bytes/text.js';
import { hex } from '../../base/errors/hex.js';
import { PatchError } from '../../base/errors/patch-error.js';
import { Ehdr, EI_NIDENT, Phdr, Shdr } from '../../formats/elf/headers.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { PT_LOAD, PT_NULL, SHT_STRTAB } from '../../formats/elf/names.js';
import { readElf } from '../../formats/elf/read.js';
import { nativeSize } from '../../formats/elf/struct.js';
import type { HeaderRepair } from '../../formats/note/fix.js';
import type { Candidate } from './candidates.js';

/** An image read with its headers repaired, and the step that repairs them. */
export interface Repaired {
  readonly image: ElfImage;
  /** Undefined: nothing had to be repaired. */
  readonly step: Candidate | undefined;
}

/** Reads an image, its stale e_shoff set to none where that is all that is wrong. Errors: those of readElf. */
export function readRepaired(source: ByteSource): Repaired {
  try {
    return { image: readElf(source), step: undefined };
  } catch (error) {
    const repaired = error instanceof PatchError ? withoutSections(source) : undefined;
    if (repaired === undefined) throw error;
    return repaired;
  }
}

/** The image after a repair that a loader's rule names; undefined where there is nothing for it to repair. */
export function repaired(image: ElfImage, { kind }: HeaderRepair): Repaired | undefined {
  switch (kind) {
    case 'drop-section-headers':
      return undefined;
    case 'add-section-headers':
      return withSections(image);
    case 'null-empty-loads':
      return withoutEmptyLoads(image);
  }
}

function withoutSections(source: ByteSource): Repaired | undefined {
  const ident = source.size >= BigInt(EI_NIDENT) ? source.read(0n, BigInt(EI_NIDENT), 'ELF header') : undefined;
  const bits = ident?.[4] === 1 ? 32 : ident?.[4] === 2 ? 64 : undefined;
  const endian = ident?.[5] === 1 ? 'little' : ident?.[5] === 2 ? 'big' : undefined;
  if (bits === undefined || endian === undefined) return undefined;
  const encoding = { bits, endian } as const;
  const size = BigInt(Ehdr.size(encoding));
  if (!fits(BigInt(EI_NIDENT), size, source.size)) return undefined;
  const header = Ehdr.decode(source.read(BigInt(EI_NIDENT), size, 'ELF header'), 0, encoding);
  const table = BigInt(header.e_shnum * Shdr.size(encoding));
  // With e_shnum 0 the count is in section header 0, which has to be there for that.
  const need = header.e_shnum === 0 ? BigInt(Shdr.size(encoding)) : table;
  if (header.e_shoff === 0n || fits(header.e_shoff, need, source.size)) return undefined;
  const bytes = Ehdr.encode({ ...header, e_shoff: 0n, e_shnum: 0, e_shstrndx: 0 }, encoding);
  const image = readElf(new RepairedSource(source, [{ offset: BigInt(EI_NIDENT), bytes }]));
  const reason = `e_shoff is ${hex(header.e_shoff)}, and no section headers are there (the file has ${hex(source.size)} bytes)`;
  const told = '(e_shoff, e_shnum and e_shstrndx set to 0)';
  return { image, step: { reason, told, edits: [], repairs: [{ kind: 'drop-section-headers' }] } };
}

const NAMES = latin1Bytes('\0.shstrtab\0');

/** Behind the end of the file, in no PT_LOAD: the names, then the two headers. */
function withSections(image: ElfImage): Repaired | undefined {
  const { source, header, encoding } = image;
  if (image.sections.length > 0) return undefined;
  const namesAt = source.size;
  const width = BigInt(nativeSize(encoding));
  const tableAt = alignUp(namesAt + BigInt(NAMES.length), width);
  const none = Shdr.decode(new Uint8Array(Shdr.size(encoding)), 0, encoding);
  const names = {
    ...none,
    sh_name: 1,
    sh_type: SHT_STRTAB,
    sh_offset: namesAt,
    sh_size: BigInt(NAMES.length),
    sh_addralign: 1n,
  };
  const counts = { e_shoff: tableAt, e_shentsize: Shdr.size(encoding), e_shnum: 2, e_shstrndx: 1 };
  const after = over(source, [
    { offset: BigInt(EI_NIDENT), bytes: Ehdr.encode({ ...header, ...counts }, encoding) },
    { offset: namesAt, bytes: NAMES },
    { offset: tableAt, bytes: Shdr.encode(none, encoding) },
    { offset: tableAt + BigInt(Shdr.size(encoding)), bytes: Shdr.encode(names, encoding) },
  ]);
  const reason = 'the image has no section headers, and GRUB 2.12 and later want a table of them';
  const told = `(a section header table appended at ${hex(tableAt)}: .shstrtab alone)`;
  return { image: after, step: { reason, told, edits: [], repairs: [{ kind: 'add-section-headers' }] } };
}

/** The other fields stay: a PT_NULL has none that counts. */
function withoutEmptyLoads({ source, header, segments, encoding }: ElfImage): Repaired | undefined {
  const empty = segments.flatMap((s, index) =>
    s.p_type === PT_LOAD && s.p_filesz === 0n && s.p_memsz === 0n ? [{ ...s, index }] : [],
  );
  if (empty.length === 0) return undefined;
  const after = over(
    source,
    empty.map(({ index, ...segment }) => ({
      offset: header.e_phoff + BigInt(index * Phdr.size(encoding)),
      bytes: Phdr.encode({ ...segment, p_type: PT_NULL }, encoding),
    })),
  );
  const places = empty.map(({ index, p_paddr }) => `PT_LOAD ${index} at ${hex(p_paddr)}`).join(', ');
  const reason = `${places} has no byte in the file or in memory, and GRUB counts it as overlapping what is there`;
  const told = `(${empty.map(({ index }) => `program header ${index}`).join(', ')}: p_type set to PT_NULL)`;
  return { image: after, step: { reason, told, edits: [], repairs: [{ kind: 'null-empty-loads' }] } };
}

/** Writes over what a repair before may have laid over the file. */
function over(source: ByteSource, writes: readonly Write[]): ElfImage {
  const [base, before] = source instanceof RepairedSource ? [source.base, source.writes] : [source, []];
  return readElf(new RepairedSource(base, [...before, ...writes]));
}
