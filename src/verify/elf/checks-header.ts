/** Laws of the ELF header and its two tables (gABI, "ELF Header"). */
import { contains, overlaps, type Range } from '../../base/bytes/range.js';
import { fits } from '../../base/bytes/source.js';
import { hex, hexRange } from '../../base/errors/hex.js';
import { Phdr, Shdr } from '../../formats/elf/headers.js';
import { segmentFileRange } from '../../formats/elf/image.js';
import {
  PN_XNUM,
  PT_GNU_PROPERTY,
  PT_LOAD,
  PT_NULL,
  PT_PHDR,
  SHN_LORESERVE,
  SHN_XINDEX,
} from '../../formats/elf/names.js';
import { nativeSize } from '../../formats/elf/struct.js';
import type { KeyedViolation, Violation } from '../check.js';
import type { ElfCheck } from './elf-check.js';
import { type Subject, sectionPart, sectionsWithBytes, segmentPart } from './subject.js';

const HEADER = 'ELF header';

/** Checks of the ELF header and of where the tables stand. */
export const headerChecks: readonly ElfCheck[] = [
  {
    name: 'entry-sizes',
    invariant: 2,
    needs: 'image',
    because: 'some loaders step through the tables by these fields, others by the size of the class',
    *run({ image: { header, segments, sections, encoding } }) {
      if (segments.length > 0) yield* wanted('e_phentsize', header.e_phentsize, Phdr.size(encoding));
      if (sections.length > 0) yield* wanted('e_shentsize', header.e_shentsize, Shdr.size(encoding));
    },
  },
  {
    name: 'extended-counts',
    invariant: 3,
    needs: 'image',
    because: 'a reader takes a count from section header 0 only when the 16-bit field holds the escape',
    run: extendedCounts,
  },
  {
    name: 'tables-apart',
    invariant: 4,
    needs: 'image',
    because: 'the ELF header and its tables cannot share bytes: one would be read as the other',
    run: tablesApart,
  },
  {
    name: 'tables-aligned',
    invariant: 4,
    needs: 'image-or-not-worse',
    because: 'readers that map the file take the tables as arrays of words',
    *run({ image, phdrs, shdrs }): Generator<KeyedViolation> {
      const unit = BigInt(nativeSize(image.encoding));
      for (const [key, { start, end }] of namedTables(phdrs, shdrs)) {
        if (start === end || start % unit === 0n) continue;
        yield { key, offset: start, part: key, text: `found it at ${hex(start)}, wanted a multiple of ${unit}` };
      }
    },
  },
  {
    name: 'tables-over-contents',
    invariant: 5,
    needs: 'image',
    because: 'bytes that are both a table and a section or segment are wrong as one of the two',
    run: tablesOverContents,
  },
];

function namedTables(phdrs: Range, shdrs: Range): [string, Range][] {
  return [
    ['program header table', phdrs],
    ['section header table', shdrs],
  ];
}

function* wanted(field: string, found: number | bigint, want: number | bigint, part = HEADER): Generator<Violation> {
  if (found !== want) yield { part, text: `${field} is ${hex(found)}, wanted ${hex(want)}` };
}

function* extendedCounts({ image: { header, segments, sections, shstrndx } }: Subject): Generator<Violation> {
  const many = sections.length >= SHN_LORESERVE;
  const lateNames = shstrndx >= SHN_LORESERVE;
  const manySegments = segments.length >= PN_XNUM;
  yield* wanted('e_shnum', header.e_shnum, many ? 0 : sections.length);
  yield* wanted('e_shstrndx', header.e_shstrndx, lateNames ? SHN_XINDEX : shstrndx);
  yield* wanted('e_phnum', header.e_phnum, manySegments ? PN_XNUM : segments.length);

  const [null0] = sections;
  if (null0 === undefined) return;
  const inNull = (field: string, found: number | bigint, want: number | bigint) =>
    wanted(field, found, want, 'section header 0');
  yield* inNull('sh_size', null0.sh_size, many ? BigInt(sections.length) : 0n);
  yield* inNull('sh_link', null0.sh_link, lateNames ? shstrndx : 0);
  yield* inNull('sh_info', null0.sh_info, manySegments ? segments.length : 0);
  for (const field of ['sh_name', 'sh_type'] as const) yield* inNull(field, null0[field], 0);
  for (const field of ['sh_flags', 'sh_addr', 'sh_offset', 'sh_addralign', 'sh_entsize'] as const) {
    yield* inNull(field, null0[field], 0n);
  }
}

function* tablesApart({ ehdr, phdrs, shdrs, fileSize }: Subject): Generator<Violation> {
  for (const [part, { start, end }] of namedTables(phdrs, shdrs)) {
    if (start === end) continue;
    if (!fits(start, end - start, fileSize)) {
      yield { offset: start, part, text: `found it at ${hexRange(start, end)}, behind the end at ${hex(fileSize)}` };
    }
    if (start < ehdr.end) {
      yield {
        offset: start,
        part,
        text: `found it at ${hex(start)}, over the ELF header that ends at ${hex(ehdr.end)}`,
      };
    }
  }
  if (overlaps(phdrs, shdrs)) {
    const over = `over the program header table at ${hexRange(phdrs.start, phdrs.end)}`;
    const text = `found it at ${hexRange(shdrs.start, shdrs.end)}, ${over}`;
    yield { offset: shdrs.start, part: 'section header table', text };
  }
}

/**
 * A table may lie in the LOAD that also holds the ELF header, in the one that PT_PHDR names it loaded by, and in a
 * section made to cover it. Any other LOAD or section that holds all of it only looks wrong; part of it is wrong.
 */
function* tablesOverContents(subject: Subject): Generator<Violation> {
  const { image, ehdr } = subject;
  const mapped = image.segments.some((s) => s.p_type === PT_PHDR);
  for (const [part, table] of namedTables(subject.phdrs, subject.shdrs)) {
    const isPhdrs = table === subject.phdrs;
    for (const [index, segment] of image.segments.entries()) {
      const range = segmentFileRange(segment);
      if (!overlaps(range, table)) continue;
      // The other members of a PT_NULL are undefined (gABI, "Program Header").
      if (segment.p_type === PT_NULL || (segment.p_type === PT_PHDR && isPhdrs)) continue;
      const isLoad = segment.p_type === PT_LOAD;
      if (isLoad && (contains(range, ehdr) || (isPhdrs && mapped)) && contains(range, table)) continue;
      // patchelf 0.14 moves the properties away and leaves this entry under the table that it makes longer. The program runs: ld.so
      // goes by the PT_NOTE.
      const isStale = isPhdrs && segment.p_type === PT_GNU_PROPERTY;
      const level = isStale || (isLoad && contains(range, table)) ? 'warning' : 'error';
      yield overlap(part, table, segmentPart(index), range, level);
    }
    for (const { index, range } of sectionsWithBytes(image)) {
      if (!overlaps(range, table) || (range.start === table.start && range.end === table.end)) continue;
      yield overlap(part, table, sectionPart(image, index), range, contains(range, table) ? 'warning' : 'error');
    }
  }
}

function overlap(part: string, table: Range, other: string, range: Range, level: 'error' | 'warning'): Violation {
  const over = `over ${other} at ${hexRange(range.start, range.end)}`;
  return { offset: table.start, part, level, text: `found it at ${hexRange(table.start, table.end)}, ${over}` };
}
