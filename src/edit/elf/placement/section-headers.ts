/**
 * The section-header side: keeps section headers, section names and indices true after an edit. A new section is always
 * the last, so no index changes; the table and the name table move to the end of the file when they grow, because nothing
 * but the ELF header and one entry refer to them (gABI, "Section Header", "Special Section Indexes").
 */
import { overlaps, type Range, rangeOf } from '../../../base/bytes/range.js';
import { findBytes, joinBytes, latin1Bytes } from '../../../base/bytes/text.js';
import { hex } from '../../../base/errors/hex.js';
import { Shdr } from '../../../formats/elf/headers.js';
import { hasFileBytes, isAllocated, loadAtOffset, sectionFileRange } from '../../../formats/elf/image.js';
import { SHF_ALLOC, SHT_NOTE, SHT_PROGBITS } from '../../../formats/elf/names.js';
import { nameTable, sectionName } from '../../../formats/elf/section-names.js';
import { nativeSize } from '../../../formats/elf/struct.js';
import { distinctAreas } from '../../../formats/note/areas.js';
import { isXens } from '../../../formats/note/record.js';
import type { Analysis } from '../plan/analyze.js';
import type { PlacementOptions } from '../plan/placement-options.js';
import type { RewriteTarget } from '../plan/rewrite-target.js';
import type { Blob } from './layout.js';
import { type Room, take } from './room.js';
import { isOneOwners, ownersIn } from './section-owner.js';

/** A part that a section shall cover. */
export interface Cover {
  readonly range: Range;
  readonly sh_addr: bigint;
  readonly allocated: boolean;
  readonly align: bigint;
}

/** The section header table of a layout, and what has to be written for it. */
export interface SectionPlan {
  readonly sections: readonly Shdr[];
  readonly shoff: bigint;
  readonly blobs: readonly Blob[];
  /** End of the file so far. */
  readonly end: bigint;
  readonly touched: readonly number[];
  readonly covered: boolean;
  readonly warnings: readonly string[];
}

interface Draft {
  readonly analysis: Analysis;
  readonly sections: Shdr[];
  readonly blobs: Blob[];
  readonly touched: Set<number>;
  readonly warnings: string[];
  readonly room: Room;
  /** The section names, once there are new ones. */
  names: Uint8Array | undefined;
}

/** The section table as it is; nothing moves. */
export function sectionsAsTheyAre({ image, fileSize }: Analysis): SectionPlan {
  const { sections, header } = image;
  return { sections, shoff: header.e_shoff, blobs: [], end: fileSize, touched: [], covered: false, warnings: [] };
}

/**
 * Plans the section side for notes that stand at `note.range`. `room` is where new bytes may go; `sections` are
 * the input's headers, already shifted where the file was. `evict` are sections that must move out of the header slack.
 * `table`: the moved program header table is covered too, for tools that clear what no section covers.
 */
export function planSections(
  analysis: Analysis,
  target: RewriteTarget,
  { section }: Pick<PlacementOptions, 'section'>,
  note: Cover,
  room: Room,
  given: { readonly sections?: readonly Shdr[]; readonly evict?: readonly number[]; readonly table?: Cover } = {},
): SectionPlan {
  const headers = given.sections ?? analysis.image.sections;
  if (headers.length === 0) {
    const warnings =
      analysis.image.header.e_shoff === 0n ? [] : ['e_shoff names no section header table; it stays as it is'];
    return { ...sectionsAsTheyAre(analysis), end: room.end, warnings };
  }
  const draft: Draft = {
    analysis,
    sections: [...headers],
    blobs: [],
    touched: new Set(),
    warnings: [],
    room,
    names: undefined,
  };
  for (const index of given.evict ?? []) moveSection(draft, index);
  // In front of the notes, as in memory: GNU tools move a section that stands behind one of a higher address.
  if (given.table !== undefined) addSection(draft, '.phdrs', SHT_PROGBITS, given.table);
  const reused = reusable(analysis, target, section);
  const covered = reused === undefined ? addNoteSection(draft, section, note) : reuse(draft, reused, note);
  retire(draft, target, reused, covered);
  placeNames(draft);
  const shoff = placeTable(draft);
  return {
    sections: draft.sections,
    shoff,
    blobs: draft.blobs,
    end: room.end,
    touched: [...draft.touched],
    covered,
    warnings: draft.warnings,
  };
}

/**
 * The section whose header follows the notes: one of the wanted name, else the one that covers the old notes exactly,
 * unless its bytes are loaded, for then it describes memory and stays true where it is.
 */
function reusable(analysis: Analysis, target: RewriteTarget, name: string): number | undefined {
  const { image } = analysis;
  const free = (index: number) => {
    const section = image.sections[index];
    if (section === undefined || index === 0 || index === image.shstrndx) return false;
    if (isAllocated(section) && hasFileBytes(section)) return false;
    if (!hasFileBytes(section)) return section.sh_type === SHT_NOTE;
    return loadAtOffset(image, sectionFileRange(section)) === undefined;
  };
  const named = image.sections.flatMap((_, i) => (free(i) && sectionName(image, i) === name ? [i] : []));
  const ofNotes = named.slice(0, SAME_NAME_LIMIT).find((i) => onlyXen(analysis, i));
  if (ofNotes !== undefined) return ofNotes;
  const ranges = new Set(target.areas.map(({ range }) => `${range.start} ${range.end}`));
  const exact = image.sections.flatMap((s, i) => {
    const range = sectionFileRange(s);
    const isSame = range.start < range.end && ranges.has(`${range.start} ${range.end}`);
    return isSame && free(i) && !ofOthers(analysis, i, name) ? [i] : [];
  });
  return exact.at(-1);
}

/** Are all notes of the section those of one other owner, whose name it has? It goes on to describe them. */
function ofOthers(analysis: Analysis, index: number, wanted: string): boolean {
  const owners = ownersIn(analysis, index);
  return owners.size === 1 && !owners.has('Xen') && isOneOwners(sectionName(analysis.image, index), wanted);
}

/** Sections of one name that are looked into; a file with more of them is not a kernel. */
const SAME_NAME_LIMIT = 16;

/** Does the section hold no notes but those that the merged segment takes over? */
function onlyXen(analysis: Analysis, index: number): boolean {
  const section = analysis.image.sections[index];
  if (section === undefined || !hasFileBytes(section)) return true;
  const area = analysis.areas.find((a) => a.kind === 'section' && a.index === index);
  const range = sectionFileRange(section);
  const merged = analysis.areas.some(
    (a) => a.kind === 'segment' && a.range.start <= range.start && range.end <= a.range.end,
  );
  return merged || (area?.walk.records.every(isXens) ?? false);
}

function reuse(draft: Draft, index: number, note: Cover): boolean {
  const section = draft.sections[index];
  if (section === undefined) return false;
  draft.sections[index] = { ...section, ...noteFields(note) };
  draft.touched.add(index);
  return true;
}

function noteFields({ range, sh_addr, allocated, align }: Cover) {
  return {
    sh_type: SHT_NOTE,
    sh_flags: allocated ? SHF_ALLOC : 0n,
    sh_addr,
    sh_offset: range.start,
    sh_size: range.end - range.start,
    sh_link: 0,
    sh_info: 0,
    sh_addralign: align,
    sh_entsize: 0n,
  };
}

/**
 * Sections whose notes now stand elsewhere, under a section of their own: tools that read sections would show them
 * twice, the old values first. Outside memory they shrink to nothing. In memory the bytes stay for code that reads them
 * there, and the section goes on to describe them, as data and no longer as notes.
 */
function retire(draft: Draft, target: RewriteTarget, reused: number | undefined, covered: boolean): void {
  const offsets = new Set(target.records.map(({ offset }) => offset));
  const carried = new Set(
    distinctAreas(draft.analysis.areas).flatMap(({ walk }) =>
      walk.records.every(({ offset }) => offsets.has(offset)) ? [walk] : [],
    ),
  );
  for (const area of draft.analysis.areas) {
    if (area.kind !== 'section' || area.index === reused || area.walk.records.length === 0) continue;
    const section = draft.sections[area.index];
    if (section === undefined || !carried.has(area.walk)) continue;
    // The gABI gives a section called .note its type; eu-elflint insists.
    if (area.loaded !== undefined && covered && area.name !== '.note')
      draft.sections[area.index] = { ...section, sh_type: SHT_PROGBITS };
    else if (area.loaded === undefined && !isAllocated(section)) {
      draft.sections[area.index] = { ...section, sh_size: 0n };
    } else continue;
    draft.touched.add(area.index);
  }
}

function addNoteSection(draft: Draft, name: string, note: Cover): boolean {
  return addSection(draft, name, SHT_NOTE, note);
}

function addSection(draft: Draft, name: string, sh_type: number, cover: Cover): boolean {
  const sh_name = nameOffset(draft, name);
  if (sh_name === undefined) return false;
  draft.sections.push({ sh_name, ...noteFields(cover), sh_type });
  return true;
}

/**
 * Where the name stands in the name table. A name may be the tail of another string; a new one goes behind a copy of the
 * table at the end of the file. A name table that is loaded must not move: then there is no new section.
 */
function nameOffset(draft: Draft, name: string): number | undefined {
  const { image } = draft.analysis;
  if (image.shstrndx === 0) return 0;
  const table = nameTable(image);
  const section = draft.sections[image.shstrndx];
  if (table === undefined || section === undefined) {
    draft.warnings.push(`no section ${name} was added: the section-name table cannot be read`);
    return undefined;
  }
  const current = draft.names ?? table;
  const wanted = latin1Bytes(`${name}\0`);
  const at = findBytes(current, wanted);
  if (at >= 0) return at;
  if (
    isAllocated(section) ||
    loadAtOffset(image, sectionFileRange(image.sections[image.shstrndx] ?? section)) !== undefined
  ) {
    draft.warnings.push(`no section ${name} was added: the section-name table is loaded and cannot grow`);
    return undefined;
  }
  draft.names = joinBytes([current, wanted]);
  return current.length;
}

function placeNames({ analysis: { image }, names, ...draft }: Draft): void {
  const section = draft.sections[image.shstrndx];
  if (names === undefined || section === undefined) return;
  const size = BigInt(names.length);
  const offset = take(draft.room, size, 1n);
  draft.blobs.push({ offset, bytes: names, what: 'section names' });
  draft.sections[image.shstrndx] = { ...section, sh_offset: offset, sh_size: size };
  draft.touched.add(image.shstrndx);
}

function moveSection(draft: Draft, index: number): void {
  const { image } = draft.analysis;
  const section = draft.sections[index];
  const from = image.sections[index];
  if (section === undefined || from === undefined) return;
  const offset = take(draft.room, section.sh_size, section.sh_addralign);
  const bytes = image.source.read(from.sh_offset, from.sh_size, `section ${index}`);
  draft.blobs.push({ offset, bytes, what: `section ${sectionName(image, index)}, moved` });
  // Not among the touched: its bytes and every other field are proved to be the same.
  draft.sections[index] = { ...section, sh_offset: offset };
}

function placeTable({ analysis, room, sections }: Draft): bigint {
  const { encoding } = analysis.image;
  return take(room, BigInt(sections.length * Shdr.size(encoding)), BigInt(nativeSize(encoding)));
}

/**
 * Sections over notes that are rewritten where they stand. `end` is the new end of the area, `changedFrom` the first file
 * offset at which record boundaries differ from before (undefined: none do). Answers the headers that change, or why the
 * notes cannot be rewritten under these sections.
 */
export function fitSections(
  analysis: Analysis,
  area: Range,
  end: bigint,
  changedFrom: bigint | undefined,
): ReadonlyMap<number, Shdr> | { readonly reason: string } {
  const changes = new Map<number, Shdr>();
  if (changedFrom === undefined && end === area.end) return changes;
  const from = changedFrom ?? area.end;
  for (const [index, section] of analysis.image.sections.entries()) {
    const range = sectionFileRange(section);
    if (!hasFileBytes(section) || !overlaps(range, area)) continue;
    // What ends before the first change stays; what ends with the notes follows their end.
    if (range.end <= from && range.end !== area.end) continue;
    const name = sectionName(analysis.image, index) || `section ${index}`;
    const encloses = range.start <= area.start && range.end >= area.end && section.sh_type !== SHT_NOTE;
    const exact = range.start === area.start && range.end === area.end;
    if (encloses && !exact && range.end >= end) continue;
    if (range.end !== area.end || range.start > from) {
      const where = `${name} at [${hex(range.start)}, ${hex(range.end)})`;
      return { reason: `record boundaries from ${hex(from)} on would move under section ${where}` };
    }
    changes.set(index, { ...section, sh_size: end - range.start });
  }
  return changes;
}

/** A range for the moved program header table, as a cover. */
export function tableCover(offset: bigint, size: bigint, allocated: boolean, align: bigint): Cover {
  return { range: rangeOf(offset, size), sh_addr: 0n, allocated, align };
}
