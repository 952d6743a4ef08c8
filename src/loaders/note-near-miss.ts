/**
 * Why a loader that looks for a note does not see the one that is there: another owner, another width, a place that no PT_NOTE
 * leads to, padding that puts the reader out of step, or a PT_NOTE that counts more.
 */
import type { ByteSource } from '../base/bytes/source.js';
import { findBytes } from '../base/bytes/text.js';
import { hex } from '../base/errors/hex.js';
import { PatchError } from '../base/errors/patch-error.js';
import { EI_CLASS, EI_DATA, ELFCLASS64, ELFDATA2MSB } from '../formats/elf/names.js';
import { multibootNearMiss } from '../formats/multiboot/near-miss.js';
import { QEMU_MB1 } from '../formats/multiboot/windows.js';
import { distinctAreas, type NoteArea, noteAreas } from '../formats/note/areas.js';
import { XEN_ELFNOTE } from '../formats/note/note-types.js';
import { isXens, NHDR_SIZE, type NoteRecord, ownerOf, XEN_OWNER } from '../formats/note/record.js';
import { noteInfo, noteName } from '../formats/note/xen-notes.js';
import { isOfFamily } from './names.js';
import { hasElfMagic, type LaxImage, laxIdent, lenientElf } from './read/lenient-elf.js';
import type { Verdict } from './rule.js';

/** Rules by which a loader says that a note is missing, whatever its name for it. */
const MISSING: ReadonlySet<string> = new Set([
  'any-notes',
  'loader-or-linux',
  'not-firmware',
  'phys32-entry',
  'pvh-note',
  'pvh-entry',
  'segments-and-notes',
  'notes',
]);

/** What is there and was not seen, in words; undefined where nothing like it is, or the loader missed no note. */
export function nearMissOf(source: ByteSource, { loader, outcome, rule = '' }: Verdict): string | undefined {
  if ((outcome !== 'refused' && outcome !== 'other-path') || !MISSING.has(rule) || !hasElfMagic(source))
    return undefined;
  const note = isOfFamily(loader, 'pvh')
    ? noteMissOnce(knownPvhMisses, source, (type) => type === XEN_ELFNOTE.PHYS32_ENTRY)
    : noteMissOnce(knownMisses, source, (type) => noteInfo(type) !== undefined);
  return note ?? (rule === 'pvh-note' ? multibootNearMiss(source, 1, QEMU_MB1) : undefined);
}

type IsWanted = (type: number) => boolean;

/** Every loader that missed a note asks, and a file may have 65,534 areas. */
const knownMisses = new WeakMap<ByteSource, { readonly text: string | undefined }>();
const knownPvhMisses: typeof knownMisses = new WeakMap();

function noteMissOnce(known: typeof knownMisses, source: ByteSource, wanted: IsWanted): string | undefined {
  const miss = known.get(source) ?? { text: noteMiss(source, wanted) };
  known.set(source, miss);
  return miss.text;
}

function noteMiss(source: ByteSource, wanted: IsWanted): string | undefined {
  const areas = areasOf(source);
  const distinct = distinctAreas(areas);
  for (const area of distinct) {
    const own = area.walk.records.find((record) => isXens(record) && wanted(record.type));
    if (own !== undefined) return misplaced(areas, area, own);
  }
  for (const { walk } of distinct) {
    const foreign = walk.records.find((record) => looksMeant(record) && wanted(record.type));
    if (foreign !== undefined) return foreignText(foreign);
  }
  return hidden(source, distinct, wanted);
}

const knownAreas = new WeakMap<LaxImage, NoteArea[]>();

function areasOf(source: ByteSource): NoteArea[] {
  const ident = laxIdent(source);
  const encoding = {
    bits: ident[EI_CLASS] === ELFCLASS64 ? 64 : 32,
    endian: ident[EI_DATA] === ELFDATA2MSB ? 'big' : 'little',
  } as const;
  try {
    const image = lenientElf(source, encoding, { stride: 'own-size', sections: true });
    const areas = knownAreas.get(image) ?? noteAreas(image);
    knownAreas.set(image, areas);
    return areas;
  } catch (error) {
    if (error instanceof PatchError) return [];
    throw error;
  }
}

/** A note that is right in itself. */
function misplaced(areas: readonly NoteArea[], area: NoteArea, record: NoteRecord): string | undefined {
  // QEMU and Xen compare as far as the NUL that padding is; linux-loader compares n_namesz.
  if (record.name.length !== XEN_OWNER.length) return foreignText(record);
  const name = `${noteName(record.type)} stands at ${hex(record.offset)}`;
  const { desc, type } = record;
  if (type === XEN_ELFNOTE.PHYS32_ENTRY && desc.length !== 4 && desc.length !== 8) {
    return `${noteName(type)} at ${hex(record.offset)} has ${desc.length} bytes, wanted 4`;
  }
  if (area.kind === 'section') return `${name} in section ${area.name}, and no PT_NOTE leads to it`;
  const segments = areas.filter(({ kind }) => kind === 'segment');
  const [last] = segments.slice(-1);
  if (last !== undefined && last !== area) return `${name} in ${area.name}, and ${last.name} behind it is read, too`;
  if (area.walk.problem !== undefined) return `${name} in ${area.name}, which has a gap or bytes that are no record`;
  return undefined;
}

/** Records of an owner that was to be Xen, or of another one with the number that loaders look for. */
function looksMeant({ name, type }: NoteRecord): boolean {
  return /^xen/i.test(ownerOf(name)) || type === XEN_ELFNOTE.PHYS32_ENTRY;
}

function foreignText({ name, type, offset }: NoteRecord): string {
  const nul = name.at(-1) === 0 ? '' : ' without its NUL';
  return `the note of type ${type} at ${hex(offset)} has the owner "${ownerOf(name)}"${nul}, n_namesz ${name.length}: wanted "Xen" and its NUL, n_namesz 4`;
}

/** A record behind bytes at which every walk ends. */
function hidden(source: ByteSource, areas: readonly NoteArea[], wanted: IsWanted): string | undefined {
  for (const { range, name, kind } of areas) {
    const bytes = source.read(range.start, range.end - range.start, 'notes');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const at = findBytes(bytes, XEN_OWNER, NHDR_SIZE) - NHDR_SIZE;
    if (at < 0 || view.getUint32(at, true) !== XEN_OWNER.length || !wanted(view.getUint32(at + 8, true))) continue;
    const place = kind === 'section' ? `section ${name}` : name;
    return `${noteName(view.getUint32(at + 8, true))} stands at ${hex(range.start + BigInt(at))} in ${place}, behind bytes that are no record`;
  }
  return undefined;
}
