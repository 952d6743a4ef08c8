/** Whose bytes a file offset belongs to, in words, in logarithmic time. */

import { compare, type Range } from '../../base/bytes/range.js';
import { countWhile } from '../../base/bytes/sorted.js';
import {
  type ElfImage,
  ehdrSize,
  hasFileBytes,
  phdrTable,
  sectionFileRange,
  segmentFileRange,
  shdrTable,
} from '../../formats/elf/image.js';
import { PT_LOAD, PT_NOTE, SHT_NOTE, segmentTypeName } from '../../formats/elf/names.js';
import { sectionName } from '../../formats/elf/section-names.js';

/** What stands at an offset. */
export interface FilePlace {
  readonly kind: 'header' | 'table' | 'notes' | 'section' | 'segment' | 'unclaimed';
  /** `section .text`, `program headers`. */
  readonly name: string;
  /** Is the byte copied into memory by a loader? */
  readonly loaded: boolean;
}

interface Named extends Range {
  readonly name: string;
}

/** Answers for any offset of an image; the innermost claim that is known at its start. */
export function placeFinder(image: ElfImage): (offset: bigint) => FilePlace {
  const ehdr = { start: 0n, end: ehdrSize(image.encoding) };
  const tables = [
    { ...phdrTable(image), name: 'program headers' },
    { ...shdrTable(image), name: 'section headers' },
  ];
  const notes = finder([
    ...image.segments.flatMap((s, i) =>
      s.p_type === PT_NOTE ? [{ ...segmentFileRange(s), name: `notes of PT_NOTE ${i}` }] : [],
    ),
    ...image.sections.flatMap((s, i) =>
      s.sh_type === SHT_NOTE ? [{ ...sectionFileRange(s), name: `notes in ${nameOf(image, i)}` }] : [],
    ),
  ]);
  const sections = finder(
    image.sections.flatMap((s, i) => (hasFileBytes(s) ? [{ ...sectionFileRange(s), name: nameOf(image, i) }] : [])),
  );
  const segments = finder(
    image.segments.map((s, i) => ({ ...segmentFileRange(s), name: `${segmentTypeName(s.p_type)} ${i}` })),
  );
  const loads = finder(
    image.segments.flatMap((s) => (s.p_type === PT_LOAD ? [{ ...segmentFileRange(s), name: '' }] : [])),
  );
  return (offset) => {
    const loaded = loads(offset) !== undefined;
    const at = (kind: FilePlace['kind'], found: Named | undefined) =>
      found === undefined ? undefined : { kind, name: found.name, loaded };
    if (offset < ehdr.end) return { kind: 'header', name: 'ELF header', loaded };
    return (
      at(
        'table',
        tables.find(({ start, end }) => offset >= start && offset < end),
      ) ??
      at('notes', notes(offset)) ??
      at('section', sections(offset)) ??
      at('segment', segments(offset)) ?? { kind: 'unclaimed', name: 'bytes that no header speaks of', loaded }
    );
  };
}

function nameOf(image: ElfImage, index: number): string {
  return `section ${sectionName(image, index) || index}`;
}

/** Among the ranges that start at or before an offset the one that reaches farthest, if it reaches over it. */
function finder(ranges: readonly Named[]): (offset: bigint) => Named | undefined {
  const sorted = ranges.filter(({ start, end }) => start < end).sort((a, b) => compare(a.start, b.start));
  const farthest: Named[] = [];
  for (const range of sorted) {
    const best = farthest.at(-1);
    farthest.push(best === undefined || range.end > best.end ? range : best);
  }
  return (offset) => {
    const before = countWhile(sorted, ({ start }) => start <= offset);
    const last = sorted[before - 1];
    if (last !== undefined && offset < last.end) return last;
    const reaching = farthest[before - 1];
    return reaching !== undefined && offset < reaching.end ? reaching : undefined;
  };
}
