/**
 * What GRUB takes from each note and from the items of the `__xen_guest` string (grub-core/loader/i386/xen_fileXX.c,
 * parse_note and parse_xen_guest): one row a note.
 */
import { XEN_ELFNOTE, type XenNoteName } from '../formats/note/note-types.js';
import { infoOf } from '../formats/note/xen-notes.js';

/** What GRUB takes from the notes. */
export interface GrubInfo {
  readonly arch: 'x86_64' | 'i386' | 'i386-pae' | 'i386-pae-bimodal';
  readonly entry: bigint;
  readonly virtBase: bigint;
  readonly paddrOffset: bigint;
  readonly hypercallPage: bigint | undefined;
  readonly initP2m: bigint | undefined;
  readonly unmappedInitrd: boolean;
  /** Was there anything that a PV kernel is told by? */
  readonly saysPv: boolean;
  /** It read memory behind a segment: what came of it depends on luck. */
  readonly readBeyond: boolean;
  /** The first address whose descriptor is not as wide as it was read. */
  readonly oddWidth: string | undefined;
}

/** GrubInfo while the walk of the notes fills it in. */
export type MutableGrubInfo = { -readonly [Key in keyof GrubInfo]: GrubInfo[Key] };

/** Refuses the image, in GRUB's words. */
export class Refused extends Error {}

/** A descriptor as the rows see it. What is read behind the segment is marked in GrubInfo, and is 0 here. */
export interface Descriptor {
  readonly wide: boolean;
  word(): number;
  /** Does it hold this text, with a NUL where there is room for one? */
  begins(text: string): boolean;
}

type AddressField = 'entry' | 'hypercallPage' | 'virtBase' | 'paddrOffset' | 'initP2m';

/** A note that GRUB takes something from. */
export interface GrubRow {
  readonly name: XenNoteName;
  /** Does only a PV start go by it? */
  readonly isPv: boolean;
  /** Where an address goes; the item with the note's legacy key sets it, too. */
  readonly address?: AddressField;
  readonly take?: (info: MutableGrubInfo, desc: Descriptor) => void;
}

const ROWS: readonly GrubRow[] = [
  { name: 'ENTRY', isPv: true, address: 'entry' },
  { name: 'HYPERCALL_PAGE', isPv: true, address: 'hypercallPage' },
  { name: 'VIRT_BASE', isPv: true, address: 'virtBase' },
  { name: 'PADDR_OFFSET', isPv: true, address: 'paddrOffset' },
  { name: 'INIT_P2M', isPv: false, address: 'initP2m' },
  {
    name: 'MOD_START_PFN',
    isPv: false,
    take(info, desc) {
      info.unmappedInitrd = desc.word() !== 0;
    },
  },
  {
    name: 'LOADER',
    isPv: true,
    take(_info, desc) {
      if (!desc.begins('generic')) throw new Refused('invalid loader');
    },
  },
  { name: 'PAE_MODE', isPv: false, take: takePaeMode },
];

/** Each text is compared, so that each may run past the segment. */
function takePaeMode(info: MutableGrubInfo, desc: Descriptor): void {
  if (desc.wide) return;
  if (desc.begins('yes')) info.arch = 'i386-pae';
  if (desc.begins('bimodal') || desc.begins('yes,bimodal')) info.arch = 'i386-pae-bimodal';
  if (desc.begins('no')) info.arch = 'i386';
}

const BY_TYPE = new Map<number, GrubRow>(ROWS.map((row) => [XEN_ELFNOTE[row.name], row]));

const ITEMS = ROWS.flatMap(({ name, address }) => {
  const key = infoOf(name).legacyKey;
  return key === undefined || address === undefined ? [] : [{ begin: `${key}=`, address }];
});

/** The row of a note type of Xen's; undefined when GRUB takes nothing from it. */
export function grubRow(type: number): GrubRow | undefined {
  return BY_TYPE.get(type);
}

/** Where the address of an item of the `__xen_guest` string goes, and what stands in front of it; undefined: it has none. */
export function grubItem(item: string): { readonly begin: string; readonly address: AddressField } | undefined {
  return ITEMS.find(({ begin }) => item.startsWith(begin));
}

/** GRUB's strtoull with base 16 (grub-core/kern/misc.c): blanks, a small `0x`, digits; no sign. Errors: Refused. */
export function grubNumber(text: string): bigint {
  const [, digits = ''] = /^[ \t\n\v\f\r]*(?:0x)?([0-9a-fA-F]*)/.exec(text) ?? [];
  if (digits === '') throw new Refused('unrecognized number');
  const value = BigInt(`0x${digits}`);
  if (value >= 1n << 64n) throw new Refused('overflow is detected');
  return value;
}
