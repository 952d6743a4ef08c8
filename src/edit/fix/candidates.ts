/**
 * Edits that may cure an image, smallest first. Each rests on what the image itself tells: records that are there, symbols
 * made for the purpose, constants that a loader demands. Where nothing tells, there is no candidate.
 */

import { hex } from '../../base/errors/hex.js';
import { paddr, vaddr } from '../../formats/elf/address.js';
import type { Phdr } from '../../formats/elf/headers.js';
import { type ElfImage, loadAtPaddr, loadAtVaddr } from '../../formats/elf/image.js';
import { PT_LOAD } from '../../formats/elf/names.js';
import { nativeSize } from '../../formats/elf/struct.js';
import { findSymbols } from '../../formats/elf/symbols.js';
import { decodeValue, encodeString } from '../../formats/note/desc.js';
import type { Edit } from '../../formats/note/edits.js';
import { checkFeatures, featureItems } from '../../formats/note/features.js';
import { type HeaderRepair, preset, unset, type WrapperChange } from '../../formats/note/fix.js';
import { editArguments, wrapperArguments } from '../../formats/note/fix-command.js';
import { NEUTRAL_TYPE, XEN_ELFNOTE } from '../../formats/note/note-types.js';
import { isXens, type NoteContent, type NoteRecord, xenNote } from '../../formats/note/record.js';
import { parseSetting } from '../../formats/note/value.js';
import { noteInfo, noteName } from '../../formats/note/xen-notes.js';
import { buildsDom0, isOfFamily } from '../../loaders/names.js';
import { readLegacy } from '../../loaders/read/legacy.js';
import { walkAsXen } from '../../loaders/read/loader-walks.js';
import { type Analysis, analyze } from '../elf/plan/analyze.js';
import { PV_START_SYMBOL, PVH_START_SYMBOLS } from '../elf/plan/presets.js';
import { findRewriteTarget } from '../elf/plan/rewrite-target.js';
import { recoverRecords } from './recover-records.js';
import type { Told } from './told.js';

/** One step of a fix, with what is wrong. */
export interface Candidate {
  readonly reason: string;
  readonly edits: readonly Edit[];
  readonly repairs?: readonly HeaderRepair[];
  readonly wrapper?: WrapperChange | undefined;
  /** What it does, where no option of `patch` does the same. */
  readonly told?: string | undefined;
}

/** A step as options of `patch`, else told; empty: nothing but the place or the spelling of the notes changes. */
export function stepWords({ edits, wrapper, told }: Candidate): readonly string[] {
  if (told !== undefined) return [told];
  return [...wrapperArguments(wrapper), ...edits.flatMap((edit) => editArguments(edit) ?? [])];
}

/** Symbols whose names are made for one note; what they say is no guess. */
const START_SYMBOLS: readonly {
  readonly note: string;
  readonly physical: boolean;
  readonly names: readonly string[];
}[] = [
  {
    note: 'PHYS32_ENTRY',
    physical: true,
    names: PVH_START_SYMBOLS,
  },
  { note: 'ENTRY', physical: false, names: [PV_START_SYMBOL] },
  { note: 'HYPERCALL_PAGE', physical: false, names: ['hypercall_page'] },
];

/** The candidates for these loaders, none of which rests on an entry that nothing tells. Errors: those of analyze(). */
export function candidatesFor(image: ElfImage, loaders: readonly string[], told: Told): Candidate[] {
  const analysis = analyze(image);
  const target = findRewriteTarget(analysis);
  const pv = told.pv && loaders.some((loader) => isOfFamily(loader, 'pv'));
  const present = new Map(target.xen.map((record) => [record.type, record]));
  const candidates: Candidate[] = [];
  if (target.xen.length > 0) candidates.push({ reason: whyRewrite(image, target.areas), edits: [{ kind: 'rewrite' }] });
  candidates.push(...merged(image, analysis.areas), ...salvaged(image, target.xen.length));
  if (target.damaged?.record !== undefined) candidates.push(...repaired(image, target.damaged.record));
  if (target.xen.length === 0 && readLegacy(image) !== undefined) {
    candidates.push({
      reason: 'the image has a __xen_guest string and no notes, and only old PV loaders read that',
      edits: [{ kind: 'from-legacy' }],
    });
  }
  for (const record of present.values()) candidates.push(...rightWidth(image, record), ...physicalEntry(image, record));
  candidates.push(...knownFeatures(image, present));
  if (pv && target.xen.length > 0 && image.encoding.bits === 32)
    candidates.push(...constant('PAE_MODE', 'yes', present));
  if (pv && target.xen.length > 0) {
    candidates.push(...constant('XEN_VERSION', 'xen-3.0', present), ...constant('LOADER', 'generic', present));
  }
  for (const { note, physical, names } of START_SYMBOLS) {
    if (note === 'PHYS32_ENTRY' || pv) candidates.push(...bySymbol(image, note, physical, names, present));
  }
  candidates.push(...presets(image, loaders, told));
  return candidates;
}

/** What may be wrong with where the notes stand, in words. */
function whyRewrite({ segments, header }: ElfImage, areas: ReturnType<typeof findRewriteTarget>['areas']): string {
  const [first] = areas;
  if (first?.kind === 'section') return `the notes are in section ${first.name}, and no PT_NOTE leads loaders to it`;
  if (areas.length > 1)
    return `Xen’s notes stand in ${areas.length} PT_NOTEs, of which loaders take the first or the last`;
  const segment = segments[first?.index ?? -1];
  const load = segments.findIndex(({ p_type }) => p_type === PT_LOAD);
  if (segment !== undefined && (first?.index ?? 0) < load && covers(segment, header.e_entry)) {
    return `${first?.name} stands in front of the PT_LOADs and covers e_entry: GRUB goes by its addresses`;
  }
  if (segment !== undefined && segment.p_align !== 4n) {
    return `${first?.name} has p_align ${hex(segment.p_align)}, by which some loaders pad the records and lose step`;
  }
  const gap = first?.walk.records.some(
    ({ name, desc, type }) => name.length === 0 && desc.length === 0 && type === NEUTRAL_TYPE,
  );
  if (gap === true || first?.walk.problem !== undefined) {
    return `${first?.name} has a gap or bytes that are no record, at which loaders lose step`;
  }
  return 'the notes are there, yet not where or how this loader looks for them (order, owner, other PT_NOTEs behind)';
}

function covers({ p_vaddr, p_memsz }: Phdr, address: bigint): boolean {
  return address >= p_vaddr && address - p_vaddr < p_memsz;
}

/** Every PT_NOTE in one: where another owner's is what a loader stumbles over. */
function merged({ segments, source }: ElfImage, areas: Analysis['areas']): Candidate[] {
  const notes = areas.filter(({ kind, walk }) => kind === 'segment' && walk.records.length > 0);
  if (notes.length < 2) return [];
  const odd = notes.find(({ index }) => segments[index]?.p_align !== 4n);
  const faces = notes.findLast(({ range }) => range.end < source.size && isZeroAt(source, range.end));
  const what =
    odd !== undefined
      ? `${odd.name} has p_align ${hex(segments[odd.index]?.p_align ?? 0n)}`
      : faces !== undefined
        ? `zeros stand behind ${faces.name}`
        : `the image has ${notes.length} PT_NOTEs`;
  const reason = `${what}, and the loader stumbles over notes that are not Xen’s`;
  return [{ reason, told: '(all notes in one PT_NOTE)', edits: [{ kind: 'merge' }] }];
}

function isZeroAt(source: ElfImage['source'], offset: bigint): boolean {
  return source.read(offset, 1n, 'byte behind the notes')[0] === 0;
}

/** Records that are there and that no loader finds. */
function salvaged(image: ElfImage, xen: number): Candidate[] {
  const found = xen > 0 ? undefined : recoverRecords(image);
  if (found === undefined) return [];
  const reason =
    found.kind === 'data section'
      ? `${found.where} holds notes and is no note section`
      : `in ${found.where} bytes that are no record hide the notes behind them`;
  const told = `(the Xen records of ${found.where} taken over)`;
  return [{ reason, told, edits: [{ kind: 'copy-from', file: image.source.name, notes: found.notes }] }];
}

/** FEATURES without the required names that Xen does not know: each of them makes every load fail. */
function knownFeatures({ encoding }: ElfImage, present: ReadonlyMap<number, NoteRecord>): Candidate[] {
  const record = present.get(XEN_ELFNOTE.FEATURES);
  const value = record === undefined ? undefined : decodeValue(record.type, record.desc, encoding);
  if (value?.kind !== 'string') return [];
  const unknown = checkFeatures(value.text).unknownRequired.map(({ name }) => name);
  if (unknown.length === 0) return [];
  const kept = featureItems(value.text).filter(({ bit, required }) => !(required && bit === undefined));
  const text = kept.map(({ name, required }) => `${required ? '!' : ''}${name}`).join('|');
  const reason = `FEATURES requires ${unknown.join(', ')}, which Xen does not know`;
  return [text === '' ? { reason, edits: [unset('FEATURES')] } : setting(reason, `FEATURES=${text}`)];
}

/** A last record that claims more than its segment has: written anew with what Xen reads of it. */
function repaired(image: ElfImage, record: NoteRecord): Candidate[] {
  const seen = walkAsXen(image).notes.find((note) => note.record.offset === record.offset);
  if (!isXens(record) || seen === undefined) return [];
  const name = noteName(record.type);
  const reason = `the last record (${name}) claims more bytes than its segment has`;
  switch (seen.reads.kind) {
    case 'string':
      return [renewed(reason, `${name}=${seen.reads.text}`, xenNote(record.type, encodeString(seen.reads.text)))];
    case 'number':
      return [renewed(reason, `${name}=${hex(seen.reads.value)}`, xenNote(record.type, record.desc))];
    default:
      return [];
  }
}

function renewed(reason: string, text: string, note: NoteContent): Candidate {
  return { reason, told: `(the record ${text} written anew)`, edits: [{ kind: 'renew', note }] };
}

function setting(reason: string, text: string): Candidate {
  return { reason, edits: [{ kind: 'set', setting: parseSetting(text) }] };
}

/** A number in another width than the one its readers take. */
function rightWidth({ encoding }: ElfImage, { type, desc }: NoteRecord): Candidate[] {
  const info = noteInfo(type);
  if (info?.kind !== 'number') return [];
  const width = info.width === 4 ? 4 : nativeSize(encoding);
  if (desc.length === width || (type === XEN_ELFNOTE.PHYS32_ENTRY && desc.length === 8)) return [];
  const value = decodeValue(type, desc, encoding);
  if (value.kind !== 'number' || value.value >> BigInt(width * 8) !== 0n) return [];
  const reason = `${info.name} has ${desc.length} bytes, and its readers take ${width}`;
  return [setting(reason, `${info.name}/${width}=${hex(value.value)}`)];
}

/** PHYS32_ENTRY that names its place by the virtual address of a PT_LOAD: the header tells the physical one. */
function physicalEntry(image: ElfImage, { type, desc }: NoteRecord): Candidate[] {
  if (type !== XEN_ELFNOTE.PHYS32_ENTRY) return [];
  const value = decodeValue(type, desc, image.encoding);
  if (value.kind !== 'number' || loadAtPaddr(image, paddr(value.value)) !== undefined) return [];
  const load = loadAtVaddr(image, vaddr(value.value));
  if (load === undefined) return [];
  const physical = value.value - load.p_vaddr + load.p_paddr;
  if (physical >> 32n !== 0n) return [];
  const reason = `PHYS32_ENTRY is the virtual address ${hex(value.value)}, and loaders enter a physical one`;
  return [setting(reason, `PHYS32_ENTRY=${hex(physical)}`)];
}

/** A note whose value the loader dictates. */
function constant(name: string, value: string, present: ReadonlyMap<number, NoteRecord>): Candidate[] {
  const type = parseSetting(`${name}=${value}`).type;
  const what = present.has(type) ? 'says something that this loader does not take' : 'is missing';
  return [setting(`${name} ${what}, wanted ${value}`, `${name}=${value}`)];
}

/** An address that a symbol made for it tells. */
function bySymbol(
  image: ElfImage,
  note: string,
  physical: boolean,
  names: readonly string[],
  present: ReadonlyMap<number, NoteRecord>,
): Candidate[] {
  const hits = findSymbols(image, names);
  const found = names.find((name) => new Set((hits.get(name) ?? []).map(({ value }) => value)).size === 1);
  if (found === undefined) return [];
  const text = `${note}=${physical ? 'phys' : 'sym'}:${found}`;
  const { type } = parseSetting(text);
  const what = present.has(type) ? `does not lead to ${found}` : 'is missing';
  return [setting(`${note} ${what}, the symbol that is made for it`, text)];
}

/** Everything that a kind of guest needs, as far as the image tells that it is for such a guest. */
function presets({ encoding }: ElfImage, loaders: readonly string[], told: Told): Candidate[] {
  const names = loaders.flatMap((loader) => {
    const dom0 = buildsDom0(loader) ? '+dom0' : '';
    if (isOfFamily(loader, 'pv')) return told.pv ? [`${encoding.bits === 64 ? 'pv' : 'pv32'}${dom0}`] : [];
    return isOfFamily(loader, 'pvh') && told.pvhEntry ? [`pvh${dom0}`] : [];
  });
  return [...new Set(names)].map((name) => ({
    reason: `notes that ${name} needs are missing or wrong`,
    edits: [preset(name)],
  }));
}
