/**
 * `in-place` and `grow`: the notes are rewritten where they stand. Nothing else moves, so everything that could tell the
 * old record boundaries apart must agree: the sections over the notes, relocations into them, other segments over them.
 */
import { overlaps, type Range, rangeOf } from '../../../base/bytes/range.js';
import { hex } from '../../../base/errors/hex.js';
import { fileRange, vaddrRange } from '../../../formats/elf/address.js';
import type { Phdr } from '../../../formats/elf/headers.js';
import { loadAtOffset, segmentFileRange } from '../../../formats/elf/image.js';
import { PT_LOAD, PT_NULL, SHF_ALLOC } from '../../../formats/elf/names.js';
import { sectionName } from '../../../formats/elf/section-names.js';
import { symbolCovering } from '../../../formats/elf/symbols.js';
import type { NoteArea } from '../../../formats/note/areas.js';
import { notesSize } from '../../../formats/note/large-notes.js';
import { NEUTRAL_TYPE } from '../../../formats/note/note-types.js';
import { descSize, isXens, type NoteContent, sameNote } from '../../../formats/note/record.js';
import { relocationsInto, sectionsIn } from '../plan/analyze.js';
import type { PlacementName } from '../plan/placement-options.js';
import { refusedBy } from './conditions.js';
import { firstMoved, fitOf } from './fit-notes.js';
import { headerFor, withCounts } from './header.js';
import type { Layout, Refusal } from './layout.js';
import { PACKAGE_SECTION } from './package-part.js';
import {
  bytesText,
  gapAtEight,
  joined,
  mergedNotes,
  neutralName,
  noteParts,
  onlyRemoves,
  overwriteParts,
  type PlacementInput,
  sizeOf,
  xenOf,
} from './placement-input.js';
import { notesMustBeLoaded } from './program.js';
import { buildTable, findSlot, phdrSize, replacedBy, type Slot } from './program-headers.js';
import { removeAll } from './remove-all.js';
import { roomOf } from './room.js';
import { planAddedSection } from './section-headers.js';
import { strangerObstacle } from './section-owner.js';

/** The owner written over a note that nobody shall find any more, where records may not move. */
const NOBODY = neutralName(4);

/** The layout of `in-place`, or why this image cannot have one. */
export function inPlace(input: PlacementInput): Layout | Refusal {
  return rewrite(input, 'in-place');
}

/** The layout of `grow`, or why this image cannot have one. */
export function grow(input: PlacementInput): Layout | Refusal {
  return rewrite(input, 'grow');
}

function rewrite(input: PlacementInput, placement: 'in-place' | 'grow'): Layout | Refusal {
  const refuse = (reason: string): Refusal => ({ placement, reason });
  const { target } = input;
  const area = target.only;
  const refused = refusedBy(placement, input);
  if (refused !== undefined) return refused;
  if (area === undefined) {
    const removed = placement === 'in-place' ? removeAll(input) : undefined;
    if (removed === undefined) return refuse(`the notes stand in ${target.areas.length} places`);
    return 'reason' in removed ? refuse(removed.reason) : removed;
  }
  const stranger = strangerObstacle(input, area.range);
  if (stranger !== undefined) return refuse(stranger);
  const notes = mergedNotes(input);
  const size = notesSize(notes);
  const end = area.range.start + size;
  const obstacle = movingObstacle(input, area, notes);
  if (obstacle !== undefined) {
    const neutral = placement === 'in-place' ? neutralize(input, area) : undefined;
    return neutral === undefined ? refuse(obstacle) : finish(input, placement, area, neutral);
  }
  const room = area.range.end - area.range.start;
  if (end > area.range.end) {
    const need = `${bytesText(size)} needed, ${room} in ${area.name}`;
    if (placement === 'in-place') return refuse(need);
    const padding = paddingObstacle(input, area, end);
    if (padding !== undefined) return refuse(`${need}, and ${padding}`);
  } else if (placement === 'grow') return refuse(`the notes fit the room they have (${bytesText(room)})`);
  return finish(input, placement, area, notes);
}

/**
 * The notes rewritten where they stand, the PT_LOAD that they end growing with them: an edit that needs more room than a
 * former `extend` took. Otherwise every one would leave another copy behind in memory. `hole` says why the load cannot grow.
 */
export function growAtEndOfLoad(
  input: PlacementInput,
  hole: (index: number, load: Phdr, by: bigint) => string | undefined,
): Layout | Refusal {
  const refuse = (reason: string): Refusal => ({ placement: 'extend', reason });
  const { analysis, target } = input;
  const area = target.only;
  if (area?.loaded === undefined || area.range.end !== area.declared.end) return refuse('the notes end no PT_LOAD');
  if (area.range.start % 4n !== 0n) return refuse(`${area.name} starts at ${hex(area.range.start)}`);
  const index = analysis.image.segments.indexOf(area.loaded);
  if (area.loaded.p_offset + area.loaded.p_filesz !== area.range.end) return refuse('the notes end no PT_LOAD');
  const notes = mergedNotes(input);
  const by = notesSize(notes) - sizeOf(area.range);
  if (by <= 0n) return refuse('the notes fit the room they have');
  const obstacle =
    strangerObstacle(input, area.range) ?? movingObstacle(input, area, notes) ?? hole(index, area.loaded, by);
  return obstacle === undefined ? finish(input, 'extend', area, notes, { index, by }) : refuse(obstacle);
}

/** Why the boundaries may not move from where they begin to differ. */
function movingObstacle(input: PlacementInput, area: NoteArea, notes: readonly NoteContent[]): string | undefined {
  const { analysis } = input;
  const fit = fitOf(input, area, notes);
  if ('reason' in fit) return fit.reason;
  const moved = firstMoved(area, notes);
  const end = area.range.start + notesSize(notes);
  if (moved === undefined) return undefined;
  const relocations = relocationsInto(analysis, sectionsIn(analysis, area.range));
  if (relocations.length > 0) {
    return `record boundaries from ${hex(moved)} on would move under relocations kept in section ${relocations.join(', ')}`;
  }
  const changed = { start: moved, end: area.range.end > end ? area.range.end : end };
  const other = analysis.image.segments.findIndex(
    (s, i) =>
      s.p_type !== PT_LOAD && s.p_type !== PT_NULL && !isHome(area, i) && overlaps(segmentFileRange(s), changed),
  );
  return other < 0 ? undefined : `program header ${other} covers records that would move`;
}

function isHome(area: NoteArea, index: number): boolean {
  return area.kind === 'segment' && area.index === index;
}

/** Why the bytes behind the notes, up to `end`, are not free padding. */
function paddingObstacle({ analysis }: PlacementInput, area: NoteArea, end: bigint): string | undefined {
  const { image } = analysis;
  const wanted = { start: area.range.end, end };
  const size = bytesText(end - area.range.end);
  if (end > analysis.fileSize) return `the file ends ${bytesText(analysis.fileSize - area.range.end)} behind them`;
  if (!analysis.isZero(wanted)) return `the ${size} behind them are not zero`;
  const [section] = sectionsIn(analysis, wanted);
  if (section !== undefined) {
    const name = sectionName(image, section) || `section ${section}`;
    const distance = (image.sections[section]?.sh_offset ?? 0n) - area.range.end;
    return distance > 0n ? `${name} starts ${bytesText(distance)} behind them` : `${name} covers the bytes behind them`;
  }
  const load = loadAtOffset(image, area.range);
  if (load !== undefined && image.sections.length === 0) {
    return 'no section headers tell that the zero bytes behind them are padding';
  }
  if (load !== undefined && end > load.p_offset + load.p_filesz) {
    return `their PT_LOAD ends ${bytesText(load.p_offset + load.p_filesz - area.range.end)} behind them`;
  }
  const other = image.segments.findIndex(
    (s) => s !== load && s.p_type !== PT_NULL && overlaps(segmentFileRange(s), wanted),
  );
  if (other >= 0) return `program header ${other} covers the bytes behind them`;
  if (load === undefined)
    return analysis.tableEnd > area.range.end && analysis.tableEnd < end
      ? 'a header table follows'
      : claimObstacle(analysis.usedRanges, wanted);
  const vaddr = load.p_vaddr + (area.range.end - load.p_offset);
  const symbol = symbolCovering(image, vaddrRange(vaddr, end - area.range.end));
  return symbol === undefined ? undefined : `the symbol at ${hex(symbol)} covers the bytes behind them`;
}

function claimObstacle(usedRanges: readonly Range[], wanted: Range): string | undefined {
  const claim = usedRanges.find((c) => overlaps(c, wanted));
  return claim === undefined ? undefined : `the bytes at ${hex(claim.start)} are in use`;
}

/**
 * For an edit that only removes or rewrites in the same size, where records may not move: the removed ones get an owner
 * that nobody looks for, and a type that no loader matches on alone.
 */
function neutralize(input: PlacementInput, area: NoteArea): NoteContent[] | undefined {
  const byOffset = new Map(
    input.wanted.flatMap((w) => (w.original === undefined ? [] : [[w.original.offset, w.content]])),
  );
  if (input.wanted.some(({ original }) => original === undefined)) return undefined;
  if (input.otherOwners.added.length > 0 || input.otherOwners.changed.size > 0) return undefined;
  const notes: NoteContent[] = [];
  for (const record of area.walk.records) {
    if (!isXens(record)) notes.push(record);
    else {
      const wanted = byOffset.get(record.offset);
      if (wanted !== undefined && descSize(wanted) !== descSize(record)) return undefined;
      if (wanted === undefined && record.name.length !== NOBODY.length) return undefined;
      notes.push(wanted ?? { name: NOBODY, type: NEUTRAL_TYPE, desc: record.desc, rest: record.rest });
    }
  }
  return area.walk.problem === undefined && firstMoved(area, notes) === undefined ? notes : undefined;
}

function finish(
  input: PlacementInput,
  placement: PlacementName,
  area: NoteArea,
  notes: readonly NoteContent[],
  extended?: { readonly index: number; readonly by: bigint },
): Layout | Refusal {
  const { analysis, target, options } = input;
  const { image } = analysis;
  const empty = notes.length === 0;
  const gap = gapAtEight(input, notes);
  if (gap !== undefined) return { placement, reason: gap };
  const taken = notesSize(notes);
  const end = area.range.start + taken;
  const fit = fitOf(input, area, notes);
  if ('reason' in fit) return { placement, reason: fit.reason };

  let slot: Slot = { kind: 'merged', index: target.segments.at(-1) ?? -1 };
  if (target.segments.length === 0 && !empty) {
    const found = findSlot(input);
    if ('reason' in found) return { placement, ...found };
    if (found.slot.kind === 'slack' && found.slot.evict.length > 0) {
      return { placement, reason: 'sections would have to move out of the header slack' };
    }
    slot = found.slot;
  }
  const load =
    extended === undefined ? loadAtOffset(image, fileRange(area.range.start, end - area.range.start)) : area.loaded;
  const unseen = load === undefined && area.kind === 'section' && !empty ? notesMustBeLoaded(input) : undefined;
  if (unseen !== undefined) return { placement, reason: unseen, sparesProgram: true };
  const distance = load === undefined ? undefined : area.range.start - load.p_offset;
  const was = area.kind === 'segment' ? image.segments[area.index] : undefined;
  const entry = {
    range: { start: area.range.start, end },
    p_vaddr: was?.p_vaddr ?? (load === undefined || distance === undefined ? 0n : load.p_vaddr + distance),
    p_paddr: was?.p_paddr ?? (load === undefined || distance === undefined ? 0n : load.p_paddr + distance),
    p_align: BigInt(options.notesAlign),
  };
  const grown = image.segments.map((s, i) =>
    i === extended?.index ? { ...s, p_filesz: s.p_filesz + extended.by, p_memsz: s.p_memsz + extended.by } : s,
  );
  const grownFacts = extended === undefined ? analysis : { ...analysis, image: { ...image, segments: grown } };
  const segments: readonly Phdr[] =
    target.segments.length === 0 && empty
      ? image.segments
      : buildTable(grownFacts, target, slot, empty ? undefined : entry, { keepsOrder: input.kind.kind === 'program' });
  const fitted = image.sections.map((section, index) => fit.changes.get(index) ?? section);
  // What is no longer used is zeroed, so that no walker finds remains.
  const whole = { start: area.range.start, end: end > area.range.end ? end : area.range.end };
  const size = area.range.end - area.range.start;
  const fileEnd = end > analysis.fileSize ? end : analysis.fileSize;
  const entries = rangeOf(image.header.e_phoff, phdrSize(analysis) * BigInt(segments.length));
  const room = roomOf(analysis.spare(), [whole, entries], fileEnd);
  const plan = fit.added && planAddedSection(analysis, fitted, PACKAGE_SECTION, fit.added, room);
  const { sections, shoff } = plan ?? { sections: fitted, shoff: image.header.e_shoff };
  const promoted = was === undefined && !empty ? ', and a PT_NOTE now points at them' : '';
  return {
    placement,
    summary: `${summaryOf(placement, size, taken, extended)}${promoted}`,
    header: headerFor(image, { segments: segments.length, sections: sections.length, shoff }),
    segments,
    sections: withCounts(image, sections, segments.length),
    ...joined([
      noteParts(notes, input, whole),
      overwriteParts(input),
      ...(plan === undefined ? [] : [{ blobs: plan.blobs, copies: [] }]),
    ]),
    shift: undefined,
    fileSize: plan?.end ?? fileEnd,
    xenNotes: xenOf(input, notes),
    noteRange: empty ? undefined : entry.range,
    loaded: load !== undefined,
    cover: coverOf(input, area),
    extendedLoad: extended,
    addedLoads: slot.kind === 'empty-load' ? -1 : 0,
    replacedSegments: replacedBy(target, slot).filter((index) => index >= 0),
    touchedSections: [...fit.changes.keys(), ...(plan?.touched ?? [])],
    warnings: [...warningsFor(input, area, notes), ...(plan?.warnings ?? [])],
    stays: staysLonger(input, area, end),
  };
}

function summaryOf(
  placement: PlacementName,
  was: bigint,
  is: bigint,
  extended: { readonly index: number; readonly by: bigint } | undefined,
): string {
  if (extended !== undefined) {
    const grows = `PT_LOAD ${extended.index}, which they end, extended by ${bytesText(extended.by)} over the hole behind it`;
    return `notes rewritten where they are, ${grows}`;
  }
  if (placement === 'grow') return `notes rewritten where they are, ${bytesText(is - was)} of zero padding taken`;
  return is === was ? 'notes rewritten where they are' : `notes rewritten where they are, ${bytesText(was - is)} freed`;
}

function coverOf({ analysis }: PlacementInput, area: NoteArea): Layout['cover'] {
  const sections = sectionsIn(analysis, area.range).map((i) => analysis.image.sections[i]);
  if (sections.length === 0) return 'none';
  return sections.some((s) => s !== undefined && (s.sh_flags & SHF_ALLOC) !== 0n) ? 'allocated' : 'plain';
}

/** The PT_LOAD that ended with what is removed: zeros are there now, for it may have been linked so. */
function staysLonger({ analysis: { image }, ...input }: PlacementInput, area: NoteArea, end: bigint): string[] {
  const load = area.loaded;
  const isLast = load !== undefined && load.p_offset + load.p_filesz === area.range.end && end < area.range.end;
  if (!isLast || !onlyRemoves(input)) return [];
  const name = `PT_LOAD ${image.segments.indexOf(load)}`;
  return [
    `${name} keeps its length, ${bytesText(area.range.end - end)} of zeros at its end: nothing shows whether an edit made it longer`,
  ];
}

function warningsFor({ analysis }: PlacementInput, area: NoteArea, notes: readonly NoteContent[]): string[] {
  const relocations = relocationsInto(analysis, sectionsIn(analysis, area.range));
  const changed = area.walk.records.some((record, i) => notes[i] !== undefined && !sameNote(record, notes[i]));
  if (relocations.length === 0 || !changed) return [];
  return [
    `section ${relocations.join(', ')} keeps relocations into these notes; a tool that applies them changes the values again`,
  ];
}
