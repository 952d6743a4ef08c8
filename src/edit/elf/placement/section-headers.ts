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
import { isOfEdits } from '../plan/added-sections.js';
import type { Analysis } from '../plan/analyze.js';
import type { PlacementOptions } from '../plan/placement-options.js';
import type { RewriteTarget } from '../plan/rewrite-target.js';
import type { Blob } from './layout.js';
import { isPackage, PACKAGE_SECTION, packageTail } from './package-part.js';
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
 * `table`: the moved program header table is covered too, for tools that clear what no section covers. `package`: the package
 * metadata behind the notes, which get a section of their own where there can be one of that name.
 */
export function planSections(
  analysis: Analysis,
  target: RewriteTarget,
  { section }: Pick<PlacementOptions, 'section'>,
  note: Cover,
  room: Room,
  given: {
    readonly sections?: readonly Shdr[];
    readonly evict?: readonly number[];
    readonly table?: Cover;
    readonly package?: Cover | undefined;
  } = {},
): SectionPlan {
  const headers = given.sections ?? analysis.image.sections;
  if (headers.length === 0) {
    const warnings =
      analysis.image.header.e_shoff === 0n ? [] : ['e_shoff names no section header table; it stays as it is'];
    return { ...sectionsAsTheyAre(analysis), end: room.end, warnings };
  }
  const draft = draftOf(analysis, headers, room);
  for (const index of given.evict ?? []) moveSection(draft, index);
  // In front of the notes, as in memory: GNU tools move a section that stands behind one of a higher address.
  if (given.table !== undefined) addSection(draft, '.phdrs', SHT_PROGBITS, given.table);
  const apart = given.package !== undefined && canBeNamed(analysis, PACKAGE_SECTION) ? given.package : undefined;
  const whole = apart ?? given.package ?? note;
  const main = apart === undefined ? { ...note, range: { start: note.range.start, end: whole.range.end } } : note;
  const headersFor = headersOf(analysis, target, section, apart !== undefined);
  const covered = cover(draft, headersFor.main, main);
  if (apart !== undefined) cover(draft, headersFor.package, apart);
  retire(draft, target, [headersFor.main.index, apart && headersFor.package.index], covered);
  return { ...finished(draft), covered };
}

/** One section more, and nothing else, for notes that stand where they stood: of `sections`, the headers as they will be. */
export function planAddedSection(
  analysis: Analysis,
  sections: readonly Shdr[],
  name: string,
  notes: Cover,
  room: Room,
): SectionPlan {
  const draft = draftOf(analysis, sections, room);
  const covered = addSection(draft, name, SHT_NOTE, notes);
  return { ...finished(draft), covered };
}

function draftOf(analysis: Analysis, headers: readonly Shdr[], room: Room): Draft {
  return { analysis, sections: [...headers], blobs: [], touched: new Set(), warnings: [], room, names: undefined };
}

function finished(draft: Draft): Omit<SectionPlan, 'covered'> {
  placeNames(draft);
  const shoff = placeTable(draft);
  const { sections, blobs, room, touched, warnings } = draft;
  return { sections, shoff, blobs, end: room.end, touched: [...touched], warnings };
}

/** A header that will describe notes: one that is there, or a new one. A name is given where it is not the header's own already. */
interface HeaderFor {
  readonly index: number | undefined;
  readonly name: string | undefined;
}

/**
 * The headers for the notes and for package metadata behind them. They stand in the order of what they describe: tools that
 * write sections anew put them one behind the other by their index.
 */
function headersOf(
  analysis: Analysis,
  target: RewriteTarget,
  section: string,
  isApart: boolean,
): { readonly main: HeaderFor; readonly package: HeaderFor } {
  const as = (index: number | undefined): HeaderFor => ({ index, name: index === undefined ? section : undefined });
  const fresh: HeaderFor = { index: undefined, name: PACKAGE_SECTION };
  const reused = reusable(analysis, target, section);
  const old = isApart ? analysis.image.sections.findIndex((_, i) => isSparePackage(analysis, target, i)) : -1;
  if (old < 0) return { main: as(reused), package: fresh };
  const other = reused === old ? undefined : reused;
  if (other !== undefined && other < old) return { main: as(other), package: { index: old, name: undefined } };
  // Nothing refers to what edits add, so that it may change its name.
  const areEdits = [old, other].every((index) => index === undefined || isOfEdits(analysis, index));
  if (!areEdits) return { main: as(other), package: fresh };
  return { main: { index: old, name: section }, package: { index: other, name: PACKAGE_SECTION } };
}

/** A section of package metadata outside memory that is empty, or whose notes are carried elsewhere. */
function isSparePackage(analysis: Analysis, target: RewriteTarget, index: number): boolean {
  if (!isFree(analysis, index) || sectionName(analysis.image, index) !== PACKAGE_SECTION) return false;
  const area = analysis.areas.find((a) => a.kind === 'section' && a.index === index);
  const carried = new Set(target.records.map(({ offset }) => offset));
  return area?.walk.records.every((record) => isPackage(record) && carried.has(record.offset)) ?? true;
}

/** May the section have this name: is it among the names, or can they grow? */
export function canBeNamed({ image }: Analysis, name: string): boolean {
  const table = image.shstrndx === 0 ? undefined : nameTable(image);
  const section = image.sections[image.shstrndx];
  if (table === undefined || section === undefined) return false;
  const isFixed = isAllocated(section) || loadAtOffset(image, sectionFileRange(section)) !== undefined;
  return !isFixed || findBytes(table, latin1Bytes(`${name}\0`)) >= 0;
}

function cover(draft: Draft, { index, name }: HeaderFor, notes: Cover): boolean {
  if (index === undefined) return addSection(draft, name ?? '', SHT_NOTE, notes);
  if (name === undefined) return reuse(draft, index, notes);
  const sh_name = nameOffset(draft, name);
  return sh_name !== undefined && reuse(draft, index, notes, sh_name);
}

/**
 * The section whose header follows the notes: one of the wanted name, else the one that covers the old notes exactly,
 * unless its bytes are loaded, for then it describes memory and stays true where it is.
 */
function reusable(analysis: Analysis, target: RewriteTarget, name: string): number | undefined {
  const { image } = analysis;
  const free = (index: number) => isFree(analysis, index);
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

/** May the header describe other bytes: is what it describes outside memory, or nothing? */
function isFree({ image }: Analysis, index: number): boolean {
  const section = image.sections[index];
  if (section === undefined || index === 0 || index === image.shstrndx) return false;
  if (isAllocated(section) && hasFileBytes(section)) return false;
  if (!hasFileBytes(section)) return section.sh_type === SHT_NOTE;
  return loadAtOffset(image, sectionFileRange(section)) === undefined;
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

function reuse(draft: Draft, index: number, note: Cover, sh_name?: number): boolean {
  const section = draft.sections[index];
  if (section === undefined) return false;
  draft.sections[index] = { ...section, ...noteFields(note), sh_name: sh_name ?? section.sh_name };
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
function retire(draft: Draft, target: RewriteTarget, reused: readonly (number | undefined)[], covered: boolean): void {
  const offsets = new Set(target.records.map(({ offset }) => offset));
  const carried = new Set(
    distinctAreas(draft.analysis.areas).flatMap(({ walk }) =>
      walk.records.every(({ offset }) => offsets.has(offset)) ? [walk] : [],
    ),
  );
  for (const area of draft.analysis.areas) {
    if (area.kind !== 'section' || reused.includes(area.index) || area.walk.records.length === 0) continue;
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
 * offset at which record boundaries differ from before (undefined: none do), `packagesAt` where package metadata begin that will
 * end the area. Answers the headers that change, or why the notes cannot be rewritten under these sections.
 */
export function fitSections(
  analysis: Analysis,
  area: Range,
  end: bigint,
  changedFrom: bigint | undefined,
  packagesAt: bigint = end,
): ReadonlyMap<number, Shdr> | { readonly reason: string } {
  const tail = packageTail(analysis, area);
  const last = tail === undefined ? undefined : analysis.image.sections[tail];
  if (tail === undefined || last === undefined) return fitArea(analysis, area, end, changedFrom);
  if (packagesAt !== last.sh_offset && !isOfEdits(analysis, tail)) {
    return { reason: `${PACKAGE_SECTION}, which no edit added, would move` };
  }
  const front = { start: area.start, end: last.sh_offset };
  const from = changedFrom !== undefined && changedFrom >= front.end ? undefined : changedFrom;
  const fitted = fitArea(analysis, front, packagesAt, from);
  if ('reason' in fitted) return fitted;
  const by = packagesAt - last.sh_offset;
  const sh_size = end - packagesAt;
  if (by === 0n && sh_size === last.sh_size) return fitted;
  const sh_addr = isAllocated(last) ? last.sh_addr + by : last.sh_addr;
  return new Map([...fitted, [tail, { ...last, sh_offset: packagesAt, sh_addr, sh_size }]]);
}

function fitArea(
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
