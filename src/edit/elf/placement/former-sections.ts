/**
 * The section header table of before, and where the file ended then. An edit puts a longer table behind everything and leaves
 * the old one; where that one says what the sections are again, the header leads back to it, and what only the edit wrote
 * behind it is cut off. Bytes of anybody else stay, whatever is in front of them.
 */
import { contains, normalize, type Range, subtractSorted } from '../../../base/bytes/range.js';
import { areOldNames, deadRanges, deadTables } from '../../../formats/elf/dead-tables.js';
import type { Phdr, Shdr } from '../../../formats/elf/headers.js';
import {
  type ElfImage,
  rangesInUse,
  sectionFileRange,
  segmentFileRange,
  shdrTable,
} from '../../../formats/elf/image.js';
import { PT_LOAD } from '../../../formats/elf/names.js';
import type { Analysis } from '../plan/analyze.js';

/** The section side of an undo. */
export interface FormerSections {
  readonly sections: readonly Shdr[];
  readonly shoff: bigint;
  readonly fileSize: bigint;
  /** Sections at the end of the table that are none any more. */
  readonly gone: number;
  /** Does the file end where its own contents do? */
  readonly isWhole: boolean;
}

/** What alignment of an appended part leaves in front of it; a table in memory may stand behind the addresses of .bss. */
const ALIGNMENT = 16n;
const LOAD_ALIGNMENT = 0x1010000n;

/** `sections`, `segments` and `phoff` are those of the result, `freed` what it does not use any more. */
export function formerSections(
  analysis: Analysis,
  sections: readonly Shdr[],
  segments: readonly Phdr[],
  phoff: bigint,
  freed: readonly Range[],
): FormerSections {
  const { image } = analysis;
  const undone: ElfImage = { ...image, sections, segments, header: { ...image.header, e_phoff: phoff } };
  const table = deadTables(undone).find((old) => isBefore(undone, old.sections));
  const asItIs = { sections, shoff: image.header.e_shoff, fileSize: analysis.fileSize, gone: 0, isWhole: false };
  if (table === undefined && sections.length > 0) return asItIs;
  const found = table === undefined ? asItIs : { sections: table.sections, shoff: table.offset };
  const result = { ...undone, ...found, header: { ...undone.header, e_shoff: found.shoff } };
  const end = endOf(analysis, result, [...freed, ...remainsOf(undone)]);
  return {
    ...found,
    fileSize: end ?? analysis.fileSize,
    gone: sections.length - found.sections.length,
    isWhole: end !== undefined,
  };
}

/** Does the old table say what the sections are again, but for emptied ones behind it? */
function isBefore(undone: ElfImage, old: readonly Shdr[]): boolean {
  const { sections, shstrndx } = undone;
  if (old.length > sections.length || sections.slice(old.length).some(({ sh_size }) => sh_size > 0n)) return false;
  const gaps = subtractSorted({ start: 0n, end: undone.source.size }, normalize(rangesInUse(undone)));
  return old.every((section, index) => {
    const now = sections[index];
    if (now === undefined) return false;
    if (index !== shstrndx || index === 0) return sameBut(section, now, []);
    const range = sectionFileRange(section);
    const isOwn = sameBut(section, now, []);
    const isOld = gaps.some((gap) => contains(gap, range)) && areOldNames(undone, range);
    return isOwn || (isOld && section.sh_size <= now.sh_size && sameBut(section, now, ['sh_offset', 'sh_size']));
  });
}

function sameBut(a: Shdr, b: Shdr, free: readonly (keyof Shdr)[]): boolean {
  return Object.entries(a).every(([key, value]) => {
    const field = key as keyof Shdr;
    return free.includes(field) || value === b[field];
  });
}

/** What the tables of now leave behind. */
function remainsOf(undone: ElfImage): readonly Range[] {
  const names = undone.shstrndx === 0 ? undefined : undone.sections[undone.shstrndx];
  return [shdrTable(undone), ...(names === undefined ? [] : [sectionFileRange(names)]), ...deadRanges(undone)];
}

/** Where the file ends without what edits appended to it; undefined where others' bytes are among them. */
function endOf({ image, fileSize, isZero }: Analysis, result: ElfImage, remains: readonly Range[]): bigint | undefined {
  // A PT_LOAD that loads nothing names a place, too: no edit wrote what is in front of it.
  const named = result.segments.flatMap((s) => (s.p_type === PT_LOAD && s.p_offset <= fileSize ? [s.p_offset] : []));
  const used = [normalize(rangesInUse(result)).at(-1)?.end ?? 0n, ...named].reduce((a, b) => (a > b ? a : b));
  const tail = { start: used, end: fileSize };
  const ours = normalize(remains.filter(({ start, end }) => start < end)).filter(({ end }) => end > used);
  const [first] = ours;
  if (first === undefined || used >= fileSize) return undefined;
  const start = first.start > used ? first.start : used;
  if (!subtractSorted({ start, end: fileSize }, ours).every(isZero)) return undefined;
  const wasLoad = image.segments.some((s) => s.p_type === PT_LOAD && segmentFileRange(s).start === start);
  const gap = { start: tail.start, end: start };
  const isAlignment = gap.end - gap.start < (wasLoad ? LOAD_ALIGNMENT : ALIGNMENT) && isZero(gap);
  return isAlignment ? used : start;
}
