/**
 * Whether an image tells that it is a kernel for a PV guest, or for a PVH one. What nothing tells is never made up: an entry
 * of the one kind is no entry of the other, and neither are e_entry and the entry of a Multiboot header.
 */
import { paddr } from '../../formats/elf/address.js';
import { type ElfImage, loadAtPaddr } from '../../formats/elf/image.js';
import { findSymbols } from '../../formats/elf/symbols.js';
import { decodeValue } from '../../formats/note/desc.js';
import { XEN_ELFNOTE } from '../../formats/note/note-types.js';
import type { NoteContent } from '../../formats/note/record.js';
import { infoOf, type XenNoteName } from '../../formats/note/xen-notes.js';
import { readLegacy } from '../../loaders/read/legacy.js';
import { analyze } from '../elf/plan/analyze.js';
import { PV_START_SYMBOL, PVH_START_SYMBOLS } from '../elf/plan/presets.js';
import { findRewriteTarget } from '../elf/plan/rewrite-target.js';
import { recoverRecords } from './recover-records.js';

/** Notes that place a PV guest in memory; a kernel that has a PVH entry may have all others for its sake. */
const PV_PLACING: readonly XenNoteName[] = [
  'ENTRY',
  'VIRT_BASE',
  'PADDR_OFFSET',
  'INIT_P2M',
  'HV_START_LOW',
  'MOD_START_PFN',
];

/** What an image tells of its entries. */
export interface Told {
  /** It is a PV kernel: by a note that places it, a `__xen_guest` string, its symbol, or Xen notes without a PVH entry. */
  readonly pv: boolean;
  /** It is a PVH kernel: by the note PHYS32_ENTRY, or a symbol made for it. */
  readonly pvh: boolean;
  /** Where a PVH guest is entered: the symbol, or the note where it leads into a PT_LOAD. */
  readonly pvhEntry: boolean;
}

/** Looks at the notes, wherever they stand, and at the symbols. Errors: those of analyze(). */
export function toldBy(image: ElfImage): Told {
  const { xen, damaged } = findRewriteTarget(analyze(image));
  const records = [...xen, ...(damaged?.record === undefined ? [] : [damaged.record])];
  const all = records.length > 0 ? records : (recoverRecords(image)?.notes ?? []);
  const types = new Set(all.map(({ type }) => type));
  const symbols = findSymbols(image, [...PVH_START_SYMBOLS, PV_START_SYMBOL]);
  const named = (name: string) => (symbols.get(name) ?? []).length > 0;
  const pvhNamed = PVH_START_SYMBOLS.some(named);
  const pvh = pvhNamed || types.has(XEN_ELFNOTE.PHYS32_ENTRY);
  const placed = PV_PLACING.some((name) => types.has(infoOf(name).type));
  return {
    pv: placed || named(PV_START_SYMBOL) || readLegacy(image) !== undefined || (types.size > 0 && !pvh),
    pvh,
    pvhEntry: pvhNamed || all.some((note) => leadsInto(image, note)),
  };
}

function leadsInto(image: ElfImage, { type, desc }: NoteContent): boolean {
  if (type !== XEN_ELFNOTE.PHYS32_ENTRY) return false;
  const value = decodeValue(type, desc, image.encoding);
  return value.kind === 'number' && loadAtPaddr(image, paddr(value.value)) !== undefined;
}
