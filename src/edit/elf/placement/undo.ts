/**
 * The way back: an edit that only removes what an earlier one added restores the headers and the memory that were there
 * before. Nothing is remembered for that; what the file shows has to prove each step: the program header table of before still
 * stands behind the ELF header, the notes of before still stand where they stood, a section that only edits make covers what
 * goes. Where a proof fails, the notes are removed where they are, as any other.
 */
import { contains, normalize, overlaps, type Range } from '../../../base/bytes/range.js';
import { hex } from '../../../base/errors/hex.js';
import type { Phdr, Shdr } from '../../../formats/elf/headers.js';
import { hasFileBytes, phdrTable, sectionFileRange, segmentFileRange } from '../../../formats/elf/image.js';
import { PF_W, PT_GNU_STACK, PT_LOAD, PT_PHDR, SHF_ALLOC, SHT_NOTE, SHT_PROGBITS } from '../../../formats/elf/names.js';
import { sectionName } from '../../../formats/elf/section-names.js';
import type { NoteArea } from '../../../formats/note/areas.js';
import { notesSize } from '../../../formats/note/large-notes.js';
import type { NoteContent } from '../../../formats/note/record.js';
import { isOfEdits } from '../plan/added-sections.js';
import { type Analysis, sectionsIn } from '../plan/analyze.js';
import { formerNotes, type NotePlace } from './former-notes.js';
import { formerSections } from './former-sections.js';
import { formerTable } from './former-table.js';
import { headerFor } from './header.js';
import type { Layout } from './layout.js';
import {
  bytesText,
  joined,
  mergedNotes,
  onlyRemoves,
  type PlacementInput,
  sizeOf,
  xenOf,
  zeroParts,
} from './placement-input.js';
import { EMPTY, phdrSize } from './program-headers.js';

/** The headers of before, and what of the file is free with them. */
interface Former {
  readonly segments: readonly Phdr[];
  readonly phoff: bigint;
  /** Where the notes that are left stand; undefined: none are. */
  readonly notes: NotePlace | undefined;
  /** File bytes that hold nothing any more. */
  readonly freed: readonly Range[];
  readonly shrunk?: Layout['shrunkLoad'];
  /** Input PT_LOADs that go. */
  readonly goneLoads: number;
  readonly words: readonly string[];
  readonly stays: readonly string[];
}

/** The layout of before; undefined where the edit does more than remove, or where nothing proves what was before. */
export function undo(input: PlacementInput): Layout | undefined {
  const { analysis, target, options } = input;
  const area = target.only;
  if (area?.kind !== 'segment' || !onlyRemoves(input) || options.loaded !== undefined) return undefined;
  const rest = mergedNotes(input);
  const former = viaFormerTable(analysis, area, rest) ?? viaOwnHeaders(input, area, rest);
  return former && layoutOf(input, area, rest, former);
}

/** `new-table` and `move-table` leave the table of before where it was. */
function viaFormerTable(analysis: Analysis, area: NoteArea, rest: readonly NoteContent[]): Former | undefined {
  const found = formerTable(analysis, area, rest);
  if (found === undefined) return undefined;
  const { image } = analysis;
  const words = `the program headers stand at ${hex(found.phoff)} again, as they did`;
  const loads = found.added.map((index) => image.segments[index]).filter((s) => s !== undefined);
  const freed = [...loads.map(segmentFileRange), area.range, phdrTable(image)];
  return { ...found, freed, goneLoads: loads.length, words: [words], stays: [] };
}

/** The table stays; its entries become what they were. */
function viaOwnHeaders(input: PlacementInput, area: NoteArea, rest: readonly NoteContent[]): Former | undefined {
  const { analysis } = input;
  const { image } = analysis;
  const own = image.segments[area.index];
  if (own === undefined) return undefined;
  const notes = rest.length === 0 ? undefined : placeOfRest(analysis, area, rest);
  if (rest.length > 0 && notes === undefined) return undefined;
  // Where what is left stays where it is, only what is behind it goes.
  const inPlace = notes !== undefined && notes.range.start === area.range.start;
  const gone = inPlace ? { start: notes.range.end, end: area.range.end } : area.range;
  const over = sectionsIn(analysis, gone);
  const isBare = image.sections.length === 0;
  // Linkers of programs cover with a section whatever they put into memory.
  const isUncovered = input.kind.kind === 'program' && !isBare && area.loaded !== undefined && over.length === 0;
  const isOurs = isUncovered || (over.length > 0 && over.every((index) => isOfEdits(analysis, index)));
  const isProved = isOurs || notes?.isUnclaimed === true;
  if (!isProved && !isBare) return undefined;

  const table: (Phdr | undefined)[] = [...image.segments];
  table[area.index] = notes === undefined ? entryBefore(own, area, table) : { ...own, ...notes.fields };
  const freed: Range[] = [gone];
  const words: string[] = [];
  const stays: string[] = [];
  let shrunk: Former['shrunk'];
  let goneLoads = 0;
  const index = area.loaded === undefined ? -1 : image.segments.indexOf(area.loaded);
  const load = image.segments[index];
  if (load !== undefined) {
    const tail = { start: area.range.end, end: segmentFileRange(load).end };
    const alone = load.p_offset === gone.start;
    const ends = load.p_filesz === load.p_memsz && analysis.isZero(tail) && sectionsIn(analysis, tail).length === 0;
    if (ends && alone) {
      table[index] = undefined;
      goneLoads = 1;
      freed.push(segmentFileRange(load));
      words.push(`PT_LOAD ${index}, which held them alone, is gone`);
    } else if (ends && (!isProved || (inPlace && tail.start < tail.end))) {
      const zeros = bytesText(tail.end - gone.start);
      const why = isProved ? 'nothing shows' : 'no section headers show';
      stays.push(`PT_LOAD ${index} keeps its length, ${zeros} of zeros at its end: ${why} that an edit made it longer`);
    } else if (ends) {
      const by = tail.end - endBefore(analysis, load, gone);
      shrunk = { index, by };
      table[index] = { ...load, p_filesz: load.p_filesz - by, p_memsz: load.p_memsz - by };
      freed.push({ start: tail.end - by, end: tail.end });
      words.push(`PT_LOAD ${index} is shorter by ${bytesText(by)}, as it was`);
    }
  }
  const segments = table.filter((entry) => entry !== undefined);
  const phoff = image.header.e_phoff;
  const size = phdrSize(analysis) * BigInt(segments.length);
  // Readers that go by the table's bytes find none behind it.
  if (segments.length < image.segments.length) freed.push({ start: phoff + size, end: phdrTable(image).end });
  return { segments: withPhdr(segments, analysis, size), phoff, notes, freed, shrunk, goneLoads, words, stays };
}

/**
 * What the entry was before it became a PT_NOTE: its p_flags stayed. Those of a PT_GNU_STACK say that a stack is written;
 * a PT_NULL has none, and leaves none; an entry that was made is readable, and ends the table.
 */
function entryBefore(own: Phdr, { index }: NoteArea, table: readonly (Phdr | undefined)[]): Phdr | undefined {
  const hasStack = table.some((entry) => entry?.p_type === PT_GNU_STACK);
  if ((own.p_flags & PF_W) !== 0 && !hasStack) {
    return { ...EMPTY, p_type: PT_GNU_STACK, p_flags: own.p_flags, p_align: STACK_ALIGN };
  }
  return own.p_flags !== 0 && index === table.length - 1 ? undefined : EMPTY;
}

/** What GNU ld writes into a PT_GNU_STACK; nobody reads it. */
const STACK_ALIGN = 0x10n;

/**
 * Where the PT_LOAD ended before the notes came: behind its last section, or where alignment of the notes began. An edit whose
 * notes went first left zeros in front of these, and an emptied section that says where they began.
 */
function endBefore(analysis: Analysis, load: Phdr, { start }: Range): bigint {
  const { image, isZero } = analysis;
  const end = image.sections
    .filter((section) => hasFileBytes(section) && (section.sh_flags & SHF_ALLOC) !== 0n)
    .map((section) => sectionFileRange(section).end)
    .filter((end) => end <= start && end > load.p_offset)
    .reduce((last, e) => (e > last ? e : last), 0n);
  if (end === 0n || !isZero({ start: end, end: start })) return start;
  const first = image.sections
    .filter((section, index) => section.sh_size === 0n && isOfEdits(analysis, index))
    .map(({ sh_offset }) => sh_offset)
    .filter((offset) => offset >= end && offset <= start)
    .reduce((least, offset) => (offset < least ? offset : least), start);
  return first - end < LARGEST_NOTE_ALIGN ? end : first;
}

const LARGEST_NOTE_ALIGN = 8n;

/** PT_PHDR grows with the table, and goes back with it; ld.lld's is longer, and stays so. */
function withPhdr(segments: readonly Phdr[], { image }: Analysis, size: bigint): readonly Phdr[] {
  const less = sizeOf(phdrTable(image)) - size;
  return segments.map((entry) =>
    entry.p_type === PT_PHDR && entry.p_filesz > less
      ? { ...entry, p_filesz: entry.p_filesz - less, p_memsz: entry.p_memsz - less }
      : entry,
  );
}

/** Where what is left stood before: where it is, under the sections of a linker; where an edit took it from; where an edit put it. */
function placeOfRest(analysis: Analysis, area: NoteArea, rest: readonly NoteContent[]): NotePlace | undefined {
  const here = inFront(analysis, area, rest);
  const isLinked = here !== undefined && !sectionsIn(analysis, here.range).every((i) => isOfEdits(analysis, i));
  return isLinked ? here : (formerNotes(analysis, area, rest) ?? here);
}

/**
 * The notes that are left, where they are, when sections that edits added have all of what goes behind them: an edit put it there
 * and changed nothing else.
 */
function inFront(analysis: Analysis, area: NoteArea, rest: readonly NoteContent[]): NotePlace | undefined {
  const { start, end } = area.range;
  const at = start + notesSize(rest);
  const isSame = rest.every((note, index) => note === area.walk.records[index]);
  if (!isSame || area.walk.records[rest.length]?.offset !== at) return undefined;
  const over = sectionsIn(analysis, { start: at, end });
  const first = analysis.image.sections[over[0] ?? 0];
  if (over.length === 0 || first?.sh_offset !== at || !over.every((index) => isOfEdits(analysis, index)))
    return undefined;
  const own = analysis.image.segments[area.index];
  if (own === undefined) return undefined;
  const p_filesz = at - start;
  return {
    range: { start, end: at },
    fields: { p_offset: start, p_vaddr: own.p_vaddr, p_paddr: own.p_paddr, p_filesz, p_memsz: p_filesz },
    isLoaded: area.loaded !== undefined,
    isUnclaimed: false,
  };
}

/** Sections over exactly these bytes. */
function sectionsOver(analysis: Analysis, { start, end }: Range): number[] {
  return sectionsIn(analysis, { start, end }).filter((index) => {
    const section = analysis.image.sections[index];
    return section?.sh_offset === start && section.sh_offset + section.sh_size === end;
  });
}

function layoutOf(
  input: PlacementInput,
  area: NoteArea,
  rest: readonly NoteContent[],
  former: Former,
): Layout | undefined {
  const { analysis } = input;
  const { image } = analysis;
  const { notes, segments, phoff } = former;
  const freed = normalize(former.freed.flatMap((range) => without(range, notes?.range)));
  const found = [true, false].flatMap((follows) => {
    const described = sectionsAfter(analysis, { area, freed, notes, follows });
    return described === undefined
      ? []
      : [{ described, before: formerSections(analysis, described.sections, segments, phoff, freed) }];
  });
  // A table of before that still stands tells whether a section showed the notes there; without one they have one.
  const chosen = found.find(({ before }) => before.shoff !== image.header.e_shoff) ?? found[0];
  if (chosen === undefined) return undefined;
  const { described } = chosen;
  const { sections, shoff, fileSize, isWhole, gone } = chosen.before;
  const words = [
    'notes removed',
    ...(notes === undefined ? [] : [`what is left of them is where it was, at ${hex(notes.range.start)}`]),
    ...former.words,
    ...(isWhole ? [`the file ends at ${hex(fileSize)} again`] : []),
  ];
  return {
    placement: 'in-place',
    summary: words.join('; '),
    header: headerFor(image, { segments: segments.length, sections: sections.length, phoff, shoff }),
    segments,
    sections,
    ...joined(
      freed.map(({ start, end }) => zeroParts({ start, end: end < fileSize ? end : fileSize }, 'what an edit added')),
    ),
    shift: undefined,
    fileSize,
    xenNotes: xenOf(input, rest),
    noteRange: notes?.range,
    loaded: notes?.isLoaded ?? false,
    cover: notes === undefined ? 'none' : described.cover,
    extendedLoad: undefined,
    shrunkLoad: former.shrunk,
    addedLoads: -former.goneLoads,
    droppedSections: gone,
    freed,
    replacedSegments: image.segments.flatMap((s, i) => (s.p_type === PT_LOAD ? [] : [i])),
    touchedSections: [...described.touched, ...(gone > 0 || shoff !== image.header.e_shoff ? [image.shstrndx] : [])],
    warnings: [],
    stays: former.stays,
  };
}

function without(range: Range, kept: Range | undefined): Range[] {
  if (kept === undefined || !overlaps(range, kept)) return range.start < range.end ? [range] : [];
  return [
    { start: range.start, end: kept.start },
    { start: kept.end, end: range.end },
  ].filter(({ start, end }) => start < end);
}

/**
 * The section headers of before; undefined where a section that is no edit's has some of the freed bytes. `follows`: the section
 * that the edit made goes with the notes to where nothing else shows them, outside memory.
 */
function sectionsAfter(
  analysis: Analysis,
  {
    area,
    freed,
    notes,
    follows,
  }: {
    readonly area: NoteArea;
    readonly freed: readonly Range[];
    readonly notes: NotePlace | undefined;
    readonly follows: boolean;
  },
): { sections: readonly Shdr[]; touched: readonly number[]; cover: Layout['cover'] } | undefined {
  const { sections } = analysis.image;
  const result: Shdr[] = [...sections];
  const touched = new Set<number>();
  const put = (index: number, section: Shdr) => {
    result[index] = section;
    touched.add(index);
  };
  let over = notes === undefined ? undefined : sectionsOver(analysis, notes.range).at(0);
  if (over === undefined && notes !== undefined) {
    // It was emptied where its bytes were.
    const at = sections.findIndex(
      (s) => s.sh_type === SHT_NOTE && s.sh_size === 0n && s.sh_offset === notes.range.start,
    );
    over = at < 0 ? undefined : at;
  }
  for (const [index, section] of sections.entries()) {
    const range = sectionFileRange(section);
    if (!hasFileBytes(section) || !freed.some((one) => overlaps(one, range))) continue;
    const isCover = range.start === area.range.start && range.end === area.range.end;
    const isNotes = isOfEdits(analysis, index) && section.sh_type === SHT_NOTE;
    if (follows && over === undefined && isCover && isNotes && notes?.isUnclaimed === true && !notes.isLoaded) {
      over = index;
    } else if (isOfEdits(analysis, index) && (isCover || freed.some((one) => contains(one, range)))) {
      put(index, { ...section, sh_size: 0n, sh_addr: 0n, sh_flags: section.sh_flags & ~SHF_ALLOC });
    } else if (isCover && notes !== undefined && over === undefined) {
      over = index;
    } else return undefined;
  }
  if (notes !== undefined && over === undefined) {
    // Several sections showed them, each a part.
    for (const [index, section] of sections.entries()) {
      const isPart = section.sh_type === SHT_PROGBITS && sectionName(analysis.image, index).startsWith('.note');
      const isInside = hasFileBytes(section) && contains(notes.range, sectionFileRange(section));
      if (isPart && isInside) put(index, { ...section, sh_type: SHT_NOTE });
    }
  }
  if (over === undefined || notes === undefined) return { sections: result, touched: [...touched], cover: 'none' };
  const was = result[over];
  if (was === undefined) return undefined;
  const alloc = notes.isLoaded ? SHF_ALLOC : 0n;
  put(over, {
    ...was,
    sh_type: SHT_NOTE,
    sh_flags: (was.sh_flags & ~SHF_ALLOC) | alloc,
    sh_addr: notes.isLoaded ? notes.fields.p_vaddr : was.sh_addr,
    sh_offset: notes.range.start,
    sh_size: sizeOf(notes.range),
  });
  return { sections: result, touched: [...touched], cover: notes.isLoaded ? 'allocated' : 'plain' };
}
