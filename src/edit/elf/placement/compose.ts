/** Puts together what the placements that carry the notes elsewhere have in common. */
import { type Range, rangeOf } from '../../../base/bytes/range.js';
import { movedOffset, type Shift } from '../../../base/bytes/shifted.js';
import { vaddr } from '../../../formats/elf/address.js';
import type { Phdr, Shdr } from '../../../formats/elf/headers.js';
import { Phdr as PhdrStruct } from '../../../formats/elf/headers.js';
import { addressSpace, loadAtVaddr } from '../../../formats/elf/image.js';
import { nativeSize } from '../../../formats/elf/struct.js';
import { notesSize } from '../../../formats/note/large-notes.js';
import type { NoteContent } from '../../../formats/note/record.js';
import { DEFAULT_PLACEMENT, type PlacementName, partsOf as toolOf } from '../plan/placement-options.js';
import { headerFor, withCounts } from './header.js';
import type { Blob, Layout, Refusal } from './layout.js';
import { frontSize, PACKAGE_SECTION, packagesLast } from './package-part.js';
import {
  gapAtEight,
  joined,
  mergedNotes,
  noteParts,
  overwriteParts,
  type PlacementInput,
  xenOf,
} from './placement-input.js';
import { notesMustBeLoaded, sectionsMustStay } from './program.js';
import { buildTable, replacedBy, type Slot, type TablePlace } from './program-headers.js';
import { type Room, roomOf, take } from './room.js';
import { type Cover, planSections, sectionsAsTheyAre } from './section-headers.js';

/** Where the merged notes go and which header entry points at them. */
export interface Move {
  readonly placement: PlacementName;
  readonly summary: string;
  readonly slot: Slot;
  /** File range of the notes, exactly as long as they are. */
  readonly range: Range;
  /** Their addresses when a PT_LOAD holds them. */
  readonly loadedAt: { readonly p_vaddr: bigint; readonly p_paddr: bigint } | undefined;
  /** End of the file with the notes in it, before section headers are added. */
  readonly end: bigint;
  readonly shift?: Shift;
  /** Where the program header table goes: undefined, it stays; `end`, it goes behind everything and is not loaded. */
  readonly table?: 'end' | TablePlace;
  readonly addedLoad?: Phdr;
  readonly extended?: { readonly index: number; readonly by: bigint };
  /** Zero bytes that become part of the image in front of or behind the notes. */
  readonly blobs?: readonly Blob[];
  readonly warnings?: readonly string[];
}

/** The merged notes of an edit, as records and as bytes. */
export interface Merged {
  readonly notes: readonly NoteContent[];
  readonly size: bigint;
  readonly align: bigint;
}

/** The records to be written elsewhere, or why they cannot be written. */
export function mergeFor(input: PlacementInput): Merged | { readonly reason: string } {
  const notes = packagesLast(mergedNotes(input));
  if (notes.length === 0) return { reason: 'no note is left to place' };
  const gap = gapAtEight(input, notes);
  if (gap !== undefined) return { reason: gap };
  return { notes, size: notesSize(notes), align: BigInt(input.options.notesAlign) };
}

/**
 * Completes a placement that carries the notes elsewhere: headers, tables and bytes around its choice of range and
 * slot.
 */
export function compose(input: PlacementInput, merged: Merged, move: Move): Layout | Refusal {
  const { analysis, target, options } = input;
  const { image } = analysis;
  const unseen = move.loadedAt === undefined ? notesMustBeLoaded(input) : undefined;
  if (unseen !== undefined) return { placement: move.placement, reason: unseen, sparesProgram: true };
  const segments = [...shiftedSegments(input, move)];
  const entry = {
    range: move.range,
    p_vaddr: move.loadedAt?.p_vaddr ?? 0n,
    p_paddr: move.loadedAt?.p_paddr ?? 0n,
    p_align: merged.align,
  };
  const shiftedFacts = { ...analysis, image: { ...image, segments } };
  const placed = typeof move.table === 'object' ? move.table : undefined;
  const table = buildTable(shiftedFacts, target, move.slot, entry, {
    load: move.addedLoad,
    place: placed,
    keepsOrder: input.kind.kind === 'program',
  });
  const tableSize = BigInt(table.length * PhdrStruct.size(image.encoding));

  // An image without program headers may have no place for them named yet.
  const stays = image.segments.length === 0 ? analysis.tableEnd : image.header.e_phoff;
  const room = roomFor(input, move, rangeOf(stays, tableSize));
  const word = BigInt(nativeSize(image.encoding));
  const phoff = placed?.p_offset ?? (move.table === 'end' ? take(room, tableSize, word) : stays);
  const covers = placed !== undefined || (move.table === 'end' && coverOutsideMemory(input));

  const allocated = move.loadedAt !== undefined || coverOutsideMemory(input);
  const cover: Cover = { range: move.range, sh_addr: entry.p_vaddr, allocated, align: merged.align };
  const parts = partsOf(cover, frontSize(merged.notes), options.section);
  const plan = sectionsMustStay(input)
    ? { ...sectionsAsTheyAre(analysis), end: room.end, warnings: [NO_SECTION] }
    : planSections(analysis, target, { section: parts.section }, parts.notes, room, {
        sections: shiftedSections(input, move.shift),
        package: parts.package,
        ...(move.slot.kind === 'slack' ? { evict: move.slot.evict } : {}),
        ...(covers
          ? {
              table: { range: rangeOf(phoff, tableSize), sh_addr: placed?.p_vaddr ?? 0n, allocated: true, align: word },
            }
          : {}),
      });
  if (plan.end > addressSpace(image.encoding)) {
    return { placement: move.placement, reason: `offsets would exceed ${image.encoding.bits} bits` };
  }
  const shoff = image.sections.length > 0 ? plan.shoff : image.header.e_shoff;
  return {
    placement: move.placement,
    summary: move.summary,
    header: headerFor(image, { segments: table.length, sections: plan.sections.length, phoff, shoff }),
    segments: table,
    sections: withCounts(image, plan.sections, table.length),
    ...joined([
      noteParts(merged.notes, input, move.range),
      { blobs: [...(move.blobs ?? []), ...plan.blobs], copies: [] },
      overwriteParts(input, (offset) => movedOffset(move.shift, offset)),
    ]),
    shift: move.shift,
    fileSize: plan.end,
    xenNotes: xenOf(input, merged.notes),
    noteRange: move.range,
    loaded: move.loadedAt !== undefined,
    cover: plan.covered ? (allocated ? 'allocated' : 'plain') : 'none',
    extendedLoad: move.extended,
    addedLoads: (move.addedLoad === undefined ? 0 : 1) - (move.slot.kind === 'empty-load' ? 1 : 0),
    replacedSegments: replacedBy(target, move.slot),
    touchedSections: plan.touched,
    warnings: [
      ...(move.warnings ?? []),
      ...plan.warnings,
      ...(coverOutsideMemory(input) && move.loadedAt === undefined ? [UNTRUE_ALLOC] : []),
    ],
  };
}

/** What of the notes a section of the wanted name covers, and what one for package metadata behind it. */
function partsOf(
  whole: Cover,
  front: bigint,
  section: string,
): { readonly notes: Cover; readonly package?: Cover; readonly section: string } {
  // A name that was asked for is that of all that is written; Xen's is for Xen's notes.
  if (front === 0n) return { notes: whole, section: section === DEFAULT_PLACEMENT.section ? PACKAGE_SECTION : section };
  const at = whole.range.start + front;
  if (at === whole.range.end || section === PACKAGE_SECTION) return { notes: whole, section };
  const sh_addr = whole.sh_addr + (whole.allocated ? front : 0n);
  return {
    notes: { ...whole, range: { start: whole.range.start, end: at } },
    package: { ...whole, range: { start: at, end: whole.range.end }, sh_addr },
    section,
  };
}

/** Where the section side may put things: not where the move itself does. After a shift, spare bytes stand elsewhere. */
function roomFor({ analysis }: PlacementInput, { range, end, shift, extended, blobs }: Move, table: Range): Room {
  if (shift !== undefined) return roomOf([], [], end);
  const load = extended === undefined ? undefined : analysis.image.segments[extended.index];
  const hole =
    load === undefined || extended === undefined ? [] : [rangeOf(load.p_offset + load.p_filesz, extended.by)];
  const zeros = (blobs ?? []).map(({ offset, bytes }) => rangeOf(offset, BigInt(bytes.length)));
  return roomOf(analysis.spare(), [range, table, ...hole, ...zeros], end);
}

const NO_SECTION =
  'no section shows the new notes, for the section headers stay in front of what is appended to the program: readers of memory and of program headers find them, readelf -n does not';

const UNTRUE_ALLOC =
  'the note section is marked allocated although no PT_LOAD holds it, so that eu-strip keeps it; GNU tools warn about that';

/**
 * A note section outside memory is marked allocated only where eu-strip must be survived and no flat binary is made: the
 * mark is untrue, and makes objcopy -O binary start at address 0. Where a PT_LOAD has that address (GRUB's images), the
 * section would say of loaded bytes that they are notes.
 */
function coverOutsideMemory({ analysis, options }: PlacementInput): boolean {
  const tools = new Set(options.mustSurvive.map((wish) => toolOf(wish).tool));
  const asked = (tools.has('eu-strip') || tools.has('eu-strip-o')) && !tools.has('flat');
  return asked && loadAtVaddr(analysis.image, vaddr(0n)) === undefined;
}

function shiftedSegments({ analysis }: PlacementInput, { shift, extended }: Move): readonly Phdr[] {
  return analysis.image.segments.map((segment, index) => {
    if (index === extended?.index) {
      return { ...segment, p_filesz: segment.p_filesz + extended.by, p_memsz: segment.p_memsz + extended.by };
    }
    return shift === undefined ? segment : { ...segment, p_offset: movedOffset(shift, segment.p_offset) };
  });
}

function shiftedSections({ analysis }: PlacementInput, shift: Shift | undefined): readonly Shdr[] {
  const { sections } = analysis.image;
  if (shift === undefined) return sections;
  return sections.map((s, i) => (i === 0 ? s : { ...s, sh_offset: movedOffset(shift, s.sh_offset) }));
}
