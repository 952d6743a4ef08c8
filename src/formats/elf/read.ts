/**
 * Bytes to ElfImage, extended numbering included (gABI, "ELF Header"). Refuses only what makes the headers themselves
 * unreadable; whether segments and sections make sense is a question for the planner and the verifier.
 */

import { overlaps, type Range, rangeOf } from '../../base/bytes/range.js';
import { type ByteSource, fits } from '../../base/bytes/source.js';
import { hexBytes } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import { Ehdr, EI_NIDENT, Phdr, Shdr } from './headers.js';
import { type ElfImage, ehdrSize } from './image.js';
import {
  beginsAsElf,
  ELFCLASS32,
  ELFCLASS64,
  ELFDATA2LSB,
  ELFDATA2MSB,
  EV_CURRENT,
  PN_XNUM,
  SHN_XINDEX,
  SHT_NULL,
} from './names.js';
import type { Encoding } from './struct.js';

/** The identification bytes and the header fields, as they stand. */
export interface ElfHeader {
  readonly ident: Uint8Array;
  readonly encoding: Encoding;
  readonly header: Ehdr;
}

/** Does the file begin with the ELF magic? */
export function looksLikeElf(source: ByteSource): boolean {
  if (source.size < 4n) return false;
  return beginsAsElf(source.read(0n, 4n, 'magic'));
}

/** Reads the ELF header. Errors: `read.not-elf`, `read.truncated`, `read.bad-class`. */
export function readElfHeader(source: ByteSource): ElfHeader {
  const file = source.name;
  if (!looksLikeElf(source)) {
    const start = source.read(0n, source.size < 4n ? source.size : 4n, 'magic');
    fail('read.not-elf', { file, offset: 0n }, { found: start.length === 0 ? 'an empty file' : hexBytes(start) });
  }
  const ident = source.read(0n, BigInt(EI_NIDENT), 'e_ident');
  const expect = (offset: bigint, field: string, found: number, ok: boolean, wanted: string) => {
    if (!ok) fail('read.bad-class', { file, offset, part: 'ELF header' }, { field, found, wanted });
  };
  const [, , , , eiClass = 0, eiData = 0, eiVersion = 0] = ident;
  expect(4n, 'EI_CLASS', eiClass, eiClass === ELFCLASS32 || eiClass === ELFCLASS64, '1 (ELF32) or 2 (ELF64)');
  expect(
    5n,
    'EI_DATA',
    eiData,
    eiData === ELFDATA2LSB || eiData === ELFDATA2MSB,
    '1 (little endian) or 2 (big endian)',
  );
  expect(6n, 'EI_VERSION', eiVersion, eiVersion === EV_CURRENT, '1');
  const encoding: Encoding = {
    bits: eiClass === ELFCLASS64 ? 64 : 32,
    endian: eiData === ELFDATA2LSB ? 'little' : 'big',
  };
  const bytes = source.read(BigInt(EI_NIDENT), BigInt(Ehdr.size(encoding)), 'ELF header');
  const header = Ehdr.decode(bytes, 0, encoding);
  expect(20n, 'e_version', header.e_version, header.e_version === EV_CURRENT, '1');
  return { ident, encoding, header };
}

/**
 * Reads the headers of an image; its contents stay on disk.
 * Errors: those of readElfHeader, `read.bad-entry-size`, `read.bad-count`, `read.table-outside`, `read.table-overlap`.
 */
export function readElf(source: ByteSource): ElfImage {
  const { ident, encoding, header } = readElfHeader(source);
  const file = source.name;
  const place = { file, part: 'ELF header' };
  const size = Number(ehdrSize(encoding));
  if (header.e_ehsize !== size) {
    fail('read.bad-entry-size', place, { field: 'e_ehsize', found: header.e_ehsize, wanted: size });
  }

  const section0 = readSection0(source, header, encoding);
  const shnum = countSections(source, header, section0, encoding);
  const phnum = countSegments(source, header, section0);
  const shstrndx = header.e_shstrndx === SHN_XINDEX ? (section0?.sh_link ?? 0) : header.e_shstrndx;

  const phdrs = tableRange(source, 'program header table', header.e_phoff, phnum, Phdr.size(encoding));
  const shdrs = tableRange(source, 'section header table', header.e_shoff, shnum, Shdr.size(encoding));
  if (phnum > 0 && header.e_phentsize !== Phdr.size(encoding)) {
    fail('read.bad-entry-size', place, {
      field: 'e_phentsize',
      found: header.e_phentsize,
      wanted: Phdr.size(encoding),
    });
  }
  const ehdr = rangeOf(0n, ehdrSize(encoding));
  refuseOverlap(file, 'program header table', phdrs, 'ELF header', ehdr);
  refuseOverlap(file, 'section header table', shdrs, 'ELF header', ehdr);
  refuseOverlap(file, 'section header table', shdrs, 'program header table', phdrs);

  return {
    source,
    encoding,
    ident,
    header,
    segments: readTable(source, phdrs, 'program header table', phnum, (b, i) =>
      Phdr.decode(b, i * Phdr.size(encoding), encoding),
    ),
    sections: readTable(source, shdrs, 'section header table', shnum, (b, i) =>
      Shdr.decode(b, i * Shdr.size(encoding), encoding),
    ),
    shstrndx,
  };
}

/** Section header 0 holds the numbers that do not fit the ELF header. Undefined when there is no table. */
function readSection0(source: ByteSource, header: Ehdr, encoding: Encoding): Shdr | undefined {
  if (header.e_shoff === 0n) return undefined;
  const needed = header.e_shnum > 0 || header.e_phnum === PN_XNUM || header.e_shstrndx === SHN_XINDEX;
  const size = BigInt(Shdr.size(encoding));
  // With e_shnum 0 the offset may be stale; then it matters only if some field refers to section header 0.
  if (header.e_shnum === 0 && !needed && !fits(header.e_shoff, size, source.size)) return undefined;
  if (header.e_shnum > 0 || needed) {
    if (header.e_shentsize !== Number(size)) {
      fail(
        'read.bad-entry-size',
        { file: source.name, part: 'ELF header' },
        { field: 'e_shentsize', found: header.e_shentsize, wanted: Number(size) },
      );
    }
  } else if (header.e_shentsize !== Number(size)) return undefined;
  return Shdr.decode(source.read(header.e_shoff, size, 'section header 0'), 0, encoding);
}

/** e_shnum 0 with a table in place means: the count is in section header 0. A count of 0 there reads as no table. */
function countSections(source: ByteSource, header: Ehdr, section0: Shdr | undefined, encoding: Encoding): number {
  if (header.e_shoff === 0n) {
    if (header.e_shnum !== 0) {
      fail(
        'read.bad-count',
        { file: source.name, part: 'ELF header' },
        {
          what: 'number of sections',
          why: `e_shnum is ${header.e_shnum} but e_shoff is 0`,
        },
      );
    }
    return 0;
  }
  if (header.e_shnum !== 0 || section0 === undefined) return header.e_shnum;
  if (section0.sh_type !== SHT_NULL) return 0;
  return checkedCount(source, 'number of sections', section0.sh_size, Shdr.size(encoding));
}

function countSegments(source: ByteSource, header: Ehdr, section0: Shdr | undefined): number {
  if (header.e_phnum !== PN_XNUM) {
    if (header.e_phnum > 0 && header.e_phoff === 0n) {
      fail(
        'read.bad-count',
        { file: source.name, part: 'ELF header' },
        {
          what: 'number of program headers',
          why: `e_phnum is ${header.e_phnum} but e_phoff is 0`,
        },
      );
    }
    return header.e_phnum;
  }
  const place = { file: source.name, part: 'ELF header' };
  const what = 'number of program headers';
  if (section0 === undefined) {
    fail('read.bad-count', place, {
      what,
      why: 'e_phnum is 0xffff and there is no section header 0 to hold the count',
    });
  }
  if (section0.sh_info < PN_XNUM) {
    const found = `sh_info of section header 0 is ${section0.sh_info}, less than 0xffff`;
    fail('read.bad-count', place, { what, why: `e_phnum is 0xffff and ${found}` });
  }
  return section0.sh_info;
}

/** A count that comes as a wide number must fit the file before it becomes a length. */
function checkedCount(source: ByteSource, what: string, count: bigint, entry: number): number {
  if (count > source.size / BigInt(entry)) {
    fail(
      'read.bad-count',
      { file: source.name, part: 'section header 0' },
      {
        what,
        why: `sh_size says ${count}, more than the file has room for`,
      },
    );
  }
  return Number(count);
}

function tableRange(source: ByteSource, table: string, offset: bigint, count: number, entry: number): Range {
  if (count === 0) return rangeOf(0n, 0n);
  const range = rangeOf(offset, BigInt(count * entry));
  if (!fits(offset, range.end - range.start, source.size)) {
    fail('read.table-outside', { file: source.name, offset, part: table }, { table, ...range, size: source.size });
  }
  return range;
}

function refuseOverlap(file: string, first: string, a: Range, second: string, b: Range): void {
  if (overlaps(a, b)) fail('read.table-overlap', { file, offset: a.start, part: first }, { first, second, ...a });
}

function readTable<T>(
  source: ByteSource,
  range: Range,
  part: string,
  count: number,
  decode: (bytes: Uint8Array, index: number) => T,
): T[] {
  if (count === 0) return [];
  const bytes = source.read(range.start, range.end - range.start, part);
  return Array.from({ length: count }, (_, index) => decode(bytes, index));
}
