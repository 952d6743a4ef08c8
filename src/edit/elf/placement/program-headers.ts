/**
 * The program header table: which entry will hold the PT_NOTE, and the table that results. No field holds an index into
 * this table, but order matters: existing entries keep theirs, and the Xen PT_NOTE comes behind every PT_LOAD and
 * behind every other PT_NOTE, because one family of loaders lets the last PT_NOTE decide and GRUB takes the first
 * header that covers e_entry.
 */

import { contains, normalize, overlaps, type Range, rangeOf, subtractSorted } from '../../../base/bytes/range.js';
import { hex } from '../../../base/errors/hex.js';
import { Phdr } from '../../../formats/elf/headers.js';
import { hasFileBytes, loads, sectionFileRange, shdrTable } from '../../../formats/elf/image.js';
import {
  ET_EXEC,
  PF_R,
  PN_XNUM,
  PT_GNU_STACK,
  PT_LOAD,
  PT_NOTE,
  PT_NULL,
  PT_PHDR,
} from '../../../formats/elf/names.js';
import type { Analysis } from '../plan/analyze.js';
import type { RewriteTarget } from '../plan/rewrite-target.js';
import type { PlacementInput } from './placement-input.js';
import { entryMustNotJoin, stackMustStay } from './program.js';

/** The entry that will hold the PT_NOTE. */
export type Slot =
  | { readonly kind: 'merged'; readonly index: number }
  | { readonly kind: 'null'; readonly index: number }
  /** A PT_LOAD that loads nothing, between others that do. */
  | { readonly kind: 'empty-load'; readonly index: number }
  | { readonly kind: 'stack'; readonly index: number }
  /** A new entry in the slack behind the table; `evict` sections move to the end of the file to make room. */
  | { readonly kind: 'slack'; readonly evict: readonly number[]; readonly loadedBytes: boolean }
  /** A new entry in a table that grows by other means (moved or shifted). */
  | { readonly kind: 'grown' };

/** The entry, or why there is none; `sparesProgram` as in Refusal. */
export type SlotAnswer = { readonly slot: Slot } | { readonly reason: string; readonly sparesProgram?: boolean };

/** An entry of nothing. */
export const EMPTY: Phdr = {
  p_type: PT_NULL,
  p_flags: 0,
  p_offset: 0n,
  p_vaddr: 0n,
  p_paddr: 0n,
  p_filesz: 0n,
  p_memsz: 0n,
  p_align: 0n,
};

/** Sections larger than this, or aligned to more, are not copied to the end of the file to make room for one header. */
const EVICT_LIMIT = 0x100000n;
const EVICT_COUNT = 16;

/** Bytes of one program header in the class of the image. */
export function phdrSize({ image }: Analysis): bigint {
  return BigInt(Phdr.size(image.encoding));
}

/**
 * Finds an entry without moving the table: the merged PT_NOTE's own, a PT_NULL, the slack, slack that movable claims can
 * be moved out of, a PT_LOAD that loads nothing, a PT_GNU_STACK that no loader of kernels evaluates, and last slack that is loaded into memory.
 */
export function findSlot(input: PlacementInput): SlotAnswer {
  const { analysis, target, kind } = input;
  const own = target.segments.at(-1);
  if (own !== undefined) return { slot: { kind: 'merged', index: own } };
  const { segments, header } = analysis.image;
  // The last of several, so that those in front of it stay as they are and in their places.
  const empty = segments.findLastIndex(({ p_type }) => p_type === PT_NULL);
  if (empty >= 0) return { slot: { kind: 'null', index: empty } };

  const reasons: string[] = [];
  let sparesProgram = false;
  const counted = countable(analysis, 1);
  if (counted === undefined) {
    const slack = slackSlot(input);
    if ('slot' in slack && !slack.slot.loadedBytes) return slack;
    if ('reason' in slack) reasons.push(slack.reason);
    const idle = emptyLoad(input);
    if (idle !== undefined) return { slot: { kind: 'empty-load', index: idle } };
    const stack = segments.findIndex(({ p_type }) => p_type === PT_GNU_STACK);
    const isStatic = header.e_type === ET_EXEC && !analysis.hasInterpreter && !analysis.isDynamic;
    const free = isStatic || (kind.by === 'asked' && kind.kind === 'kernel');
    const spared = stack >= 0 ? stackMustStay(input) : undefined;
    if (stack >= 0 && free && spared === undefined) return { slot: { kind: 'stack', index: stack } };
    if ('slot' in slack) return slack;
    if (stack >= 0) reasons.push(spared ?? 'its PT_GNU_STACK is evaluated when the image is executed');
    sparesProgram = spared !== undefined || slack.sparesProgram === true;
  } else reasons.push(counted);
  return { reason: `no program header can be had: ${reasons.join(', ')}`, sparesProgram };
}

/**
 * A PT_LOAD without a byte that no reader misses: others that load something stand around its addresses, so no loader takes its
 * image to begin or end there, and in front of it in the table, so that execve does not take its base address from it.
 */
function emptyLoad({ analysis: { image } }: PlacementInput): number | undefined {
  const all = loads(image);
  const full = all.filter(({ segment }) => segment.p_memsz > 0n);
  const first = full[0];
  if (first === undefined) return undefined;
  const isInside = (at: (s: Phdr) => bigint, s: Phdr) =>
    full.some(({ segment }) => at(segment) <= at(s)) &&
    full.some(({ segment }) => at(segment) + segment.p_memsz >= at(s));
  return all.findLast(
    ({ index, segment: s }) =>
      s.p_memsz === 0n &&
      s.p_filesz === 0n &&
      index > first.index &&
      isInside(({ p_vaddr }) => p_vaddr, s) &&
      isInside(({ p_paddr }) => p_paddr, s),
  )?.index;
}

/** May the table hold `more` entries? Above 65,534 the count is kept in section header 0. */
export function countable({ image }: Analysis, more: number): string | undefined {
  const count = image.segments.length + more;
  if (count < PN_XNUM || image.sections.length > 0) return undefined;
  return `${count} program headers need a section header table to hold the count, and there is none`;
}

function slackSlot(
  input: PlacementInput,
): { slot: Extract<Slot, { kind: 'slack' }> } | { reason: string; sparesProgram?: boolean } {
  const { analysis } = input;
  const need = phdrSize(analysis);
  const { slack, tableEnd } = analysis;
  const room = slack.end - slack.start;
  const wanted = rangeOf(tableEnd, need);
  const holder = analysis.tableLoad;
  if (holder !== undefined && !contains(holder.file, wanted)) {
    return { reason: `PT_LOAD ${holder.index} holds the program headers and ends at ${hex(holder.file.end)}` };
  }
  if (room >= need) {
    if (wanted.end > analysis.fileSize) return { reason: 'the file ends at its program header table' };
    if (!analysis.isZero(wanted)) return { reason: `the bytes behind the table at ${hex(tableEnd)} are not zero` };
    const spared = entryMustNotJoin(input, wanted);
    if (spared !== undefined) return { reason: spared, sparesProgram: true };
    return { slot: { kind: 'slack', evict: [], loadedBytes: holder !== undefined } };
  }
  const taken = `${need} bytes needed behind the table at ${hex(tableEnd)}, ${room} free`;
  const evict = evictable(analysis, wanted);
  if (evict === undefined) return { reason: taken };
  return { slot: { kind: 'slack', evict, loadedBytes: false } };
}

/**
 * Only e_shoff refers to the section header table, and only its header to a section that no segment holds: both may move.
 * Returns the sections to move, or undefined when something else is in the way.
 */
function evictable(analysis: Analysis, wanted: Range): number[] | undefined {
  const { image } = analysis;
  if (analysis.tableLoad !== undefined || wanted.end > analysis.fileSize) return undefined;
  const held = (range: Range) =>
    image.segments.some((s) => s.p_filesz > 0n && overlaps(rangeOf(s.p_offset, s.p_filesz), range));
  if (held(wanted)) return undefined;
  const evict: number[] = [];
  for (const [index, section] of image.sections.entries()) {
    const range = sectionFileRange(section);
    if (!hasFileBytes(section) || !overlaps(range, wanted)) continue;
    if (evict.length === EVICT_COUNT || index === 0) return undefined;
    // A large alignment would make the file larger than it has reason to be.
    if (held(range) || section.sh_size > EVICT_LIMIT || section.sh_addralign > EVICT_LIMIT) return undefined;
    // Notes that cannot be walked could not be proved to have arrived whole.
    const notes = analysis.areas.find((area) => area.kind === 'section' && area.index === index);
    if (notes?.walk.problem !== undefined) return undefined;
    evict.push(index);
  }
  // What no claim covers must be zero: anything else is data of an unknown owner. The gaps between what moves count
  // too.
  const movable = normalize([shdrTable(image), ...image.sections.map(sectionFileRange)]);
  return subtractSorted(wanted, movable).every((range) => analysis.isZero(range)) ? evict : undefined;
}

/** A place of the program header table in the file and in memory, as PT_PHDR names it. */
export type TablePlace = Pick<Phdr, 'p_offset' | 'p_vaddr' | 'p_paddr'>;

/** Entries whose p_flags say something; those of a PT_NULL do not. */
const KEEP_FLAGS: ReadonlySet<number> = new Set([PT_NOTE, PT_GNU_STACK]);

/** Fields of the PT_NOTE to be written. */
export interface NoteEntry {
  readonly range: Range;
  readonly p_vaddr: bigint;
  readonly p_paddr: bigint;
  readonly p_align: bigint;
}

/**
 * A PT_NOTE over exactly these bytes: p_memsz equals p_filesz, readable. An entry that was something else keeps its p_flags, which
 * mean nothing in a PT_NOTE: an undo goes by them, and a PT_GNU_STACK that was taken can be read from the file.
 */
export function noteSegment({ range, p_vaddr, p_paddr, p_align }: NoteEntry, was: Phdr | undefined): Phdr {
  const size = range.end - range.start;
  const p_flags = was === undefined ? PF_R : KEEP_FLAGS.has(was.p_type) ? was.p_flags : 0;
  return { p_type: PT_NOTE, p_flags, p_offset: range.start, p_vaddr, p_paddr, p_filesz: size, p_memsz: size, p_align };
}

/**
 * The table with the PT_NOTE in its slot. `note` undefined: no note is left, its entry becomes PT_NULL, for an empty
 * PT_NOTE makes some loaders forget an earlier one. Entries merged into another become PT_NULL too. `load` is a new
 * PT_LOAD, put behind the last one; `place` is where the table goes, if it goes where PT_PHDR has to follow.
 */
export function buildTable(
  analysis: Analysis,
  target: RewriteTarget,
  slot: Slot,
  note: NoteEntry | undefined,
  given: {
    readonly load?: Phdr | undefined;
    readonly place?: TablePlace | undefined;
    /** Readers of programs take any PT_NOTE: it stays where it is in the table, so that an undo finds it there. */
    readonly keepsOrder?: boolean | undefined;
  } = {},
): readonly Phdr[] {
  const { load, place, keepsOrder = false } = given;
  const table: Phdr[] = [...analysis.image.segments];
  for (const index of target.segments) table[index] = EMPTY;
  const reused = 'index' in slot ? slot.index : undefined;
  const entry =
    note === undefined ? EMPTY : noteSegment(note, reused === undefined ? undefined : analysis.image.segments[reused]);
  if (reused === undefined) {
    if (note !== undefined) table.push(entry);
  } else table[reused] = entry;
  if (load !== undefined) table.splice(table.findLastIndex(({ p_type }) => p_type === PT_LOAD) + 1, 0, load);
  growPhdrSegment(table, analysis, place);
  if (note === undefined || (keepsOrder && reused !== undefined)) return table;
  const at = table.indexOf(entry);
  const xenAt = target.xen.length > 0 || analysis.xen.from !== 'segments' ? -1 : firstXenNote(analysis, table);
  if (xenAt >= 0) {
    // Another owner's: Xen's PT_NOTE stays the last, for the loaders that let the last one decide.
    return at < xenAt ? table : table.toSpliced(at, 1).toSpliced(xenAt, 0, entry);
  }
  const rivals = table.slice(at + 1).some(({ p_type }) => p_type === PT_LOAD || p_type === PT_NOTE);
  return rivals ? [...table.slice(0, at), ...table.slice(at + 1), entry] : table;
}

/** The first entry of the table that is a PT_NOTE in which Xen finds notes. */
function firstXenNote({ image, xen }: Analysis, table: readonly Phdr[]): number {
  const holders = new Set(xen.notes.map(({ index }) => image.segments[index]));
  return table.findIndex((segment) => holders.has(segment));
}

/**
 * PT_PHDR describes the table itself: it grows with it and goes where it goes. ld.lld leaves it longer than the table: it stays
 * so by as much, for an undo could not tell otherwise what it was.
 */
function growPhdrSegment(table: Phdr[], analysis: Analysis, place: TablePlace | undefined): void {
  const at = table.findIndex(({ p_type }) => p_type === PT_PHDR);
  const entry = table[at];
  const count = analysis.image.segments.length;
  if (entry === undefined || (table.length === count && place === undefined)) return;
  const exact = BigInt(table.length) * phdrSize(analysis);
  const beyond = entry.p_filesz - BigInt(count) * phdrSize(analysis);
  const size = place === undefined && beyond > 0n ? exact + beyond : exact;
  table[at] = { ...entry, ...place, p_filesz: size, p_memsz: size };
}

/** Input entries that the table no longer holds as they were: for the verifier, as plain indices. */
export function replacedBy(target: RewriteTarget, slot: Slot): number[] {
  return [...new Set([...target.segments, ...('index' in slot ? [slot.index] : [])])];
}
