/**
 * The catalogue of Xen's guest notes (xen/include/public/elfnote.h): names, kinds, legacy keys, and what each is for. One
 * row per type; the index is the type.
 */
import { fail } from '../../base/errors/patch-error.js';
import { nearest } from './nearest.js';
import { XEN_ELFNOTE, type XenNoteName } from './note-types.js';

export type { XenNoteName } from './note-types.js';

/** How the descriptor is read: one number, a C string, or several numbers of one width. */
export type NoteKind = 'number' | 'string' | 'list';

/** How much a kind of guest needs a note. */
export type Need = 'required' | 'used' | 'ignored';

/** What is known of a type of Xen's notes (xen/include/public/elfnote.h). */
export interface XenNoteInfo {
  readonly name: XenNoteName;
  readonly type: number;
  readonly kind: NoteKind;
  /** The key of the `__xen_guest` string that says the same; undefined when there is none. */
  readonly legacyKey: string | undefined;
  /** Bytes of a number, or of one item of a list, as written by default; native is 8 in ELF64 and 4 in ELF32. */
  readonly width: 'native' | 4;
  /** What Xen assumes when the note is absent, in words. */
  readonly absent: string;
  /** Who needs it. PV and PVH guests of the toolstack, and the kernel of dom0 as the hypervisor's builder sees it. */
  readonly pv: Need;
  readonly pvh: Need;
  readonly dom0: Need;
  /** One line: what Xen does with it. */
  readonly summary: string;
  /** The first release that reads it, for guests where that differs; undefined: since notes exist (3.0). */
  readonly since: string | undefined;
}

type Row = Omit<XenNoteInfo, 'name' | 'type'>;

const address = (row: Partial<Row> & Pick<Row, 'absent' | 'summary'>): Row => ({ ...COMMON, kind: 'number', ...row });
const text = (row: Partial<Row> & Pick<Row, 'absent' | 'summary'>): Row => ({ ...COMMON, kind: 'string', ...row });

const COMMON = {
  legacyKey: undefined,
  width: 'native',
  pv: 'ignored',
  pvh: 'ignored',
  dom0: 'ignored',
  since: undefined,
} as const;

const ROWS = {
  INFO: text({
    absent: 'nothing',
    summary: 'free text of the form NAME=VALUE; no loader reads it, only readnotes prints it',
  }),
  ENTRY: address({
    legacyKey: 'VIRT_ENTRY',
    absent: 'e_entry of the ELF header',
    pv: 'used',
    dom0: 'used',
    summary: 'virtual address at which a PV guest starts',
  }),
  HYPERCALL_PAGE: address({
    legacyKey: 'HYPERCALL_PAGE',
    absent: 'no page is filled',
    pv: 'used',
    dom0: 'used',
    summary: 'virtual address of a page that Xen fills with hypercall stubs',
  }),
  VIRT_BASE: address({
    legacyKey: 'VIRT_BASE',
    absent: '0',
    pv: 'used',
    dom0: 'used',
    summary: 'virtual address at which guest pseudo-physical memory begins',
  }),
  PADDR_OFFSET: address({
    legacyKey: 'ELF_PADDR_OFFSET',
    absent: '0 with notes, VIRT_BASE with the __xen_guest string',
    pv: 'used',
    dom0: 'used',
    summary: 'subtracted from p_paddr to get the pseudo-physical address; needs VIRT_BASE',
  }),
  XEN_VERSION: text({
    legacyKey: 'XEN_VER',
    absent: 'empty, which a PV guest may not be',
    pv: 'required',
    dom0: 'required',
    summary: 'interface version; must begin with xen-3.0, whatever Xen runs it',
  }),
  GUEST_OS: text({
    legacyKey: 'GUEST_OS',
    absent: 'empty',
    pv: 'used',
    pvh: 'used',
    dom0: 'used',
    summary: 'name of the operating system; one that begins with linux stands in for LOADER',
  }),
  GUEST_VERSION: text({
    legacyKey: 'GUEST_VER',
    absent: 'empty',
    summary: 'version of the operating system; stored and printed, nothing depends on it',
  }),
  LOADER: text({
    legacyKey: 'LOADER',
    absent: 'empty, which a PV guest may be only if GUEST_OS begins with linux',
    pv: 'required',
    dom0: 'required',
    summary: 'loader protocol; must begin with generic',
  }),
  PAE_MODE: text({
    legacyKey: 'PAE',
    absent: 'no PAE, which every 64-bit Xen refuses for a 32-bit guest',
    pv: 'used',
    dom0: 'used',
    summary: '32-bit PV only: yes, or a text with bimodal in it',
  }),
  FEATURES: text({
    legacyKey: 'FEATURES',
    absent: 'none',
    pv: 'used',
    pvh: 'used',
    dom0: 'used',
    summary: 'feature names joined by |, those with ! required; an unknown required one fails the load',
  }),
  BSD_SYMTAB: text({
    legacyKey: 'BSD_SYMTAB',
    absent: 'off',
    pv: 'used',
    pvh: 'used',
    dom0: 'used',
    summary: 'yes appends the symbol table behind the loaded image, as the BSDs want it',
  }),
  HV_START_LOW: address({
    absent: 'nothing is asked',
    dom0: 'used',
    summary: '32-bit PV dom0 only: lowest address at which the hole for Xen may begin',
  }),
  L1_MFN_VALID: {
    ...COMMON,
    kind: 'list',
    absent: 'nothing',
    since: '4.18 (older releases log it as unknown)',
    summary: 'pairs of mask and value that mark a valid level 1 page table entry; Xen only logs it',
  },
  SUSPEND_CANCEL: address({
    width: 4,
    absent: '0',
    summary: '1 if the guest survives a suspend that is cancelled; stored, nothing reads it any more',
  }),
  INIT_P2M: address({
    absent: 'the table follows the kernel',
    pv: 'used',
    dom0: 'used',
    since: '4.0 for dom0, 4.7 for guests',
    summary: '64-bit PV: virtual address for the initial physical-to-machine table, outside the image',
  }),
  MOD_START_PFN: address({
    width: 4,
    absent: '0',
    pv: 'used',
    pvh: 'used',
    dom0: 'used',
    since: '4.1 for dom0, 4.7 for guests',
    summary: 'not 0: the initrd need not be mapped, start info gives its page frame number',
  }),
  SUPPORTED_FEATURES: address({
    width: 4,
    absent: 'nothing is added to FEATURES',
    pv: 'used',
    pvh: 'used',
    dom0: 'used',
    since: '4.2',
    summary: 'bit mask of features, one 32-bit word; with it, a dom0 kernel must have bit 11 (dom0)',
  }),
  PHYS32_ENTRY: address({
    width: 4,
    absent: 'the image cannot start in a PVH guest',
    pvh: 'required',
    dom0: 'used',
    since: '4.7',
    summary: 'physical address at which a PVH guest starts, 32-bit mode, paging off',
  }),
  PHYS32_RELOC: {
    ...COMMON,
    kind: 'list',
    width: 4,
    absent: 'the image must stand at its p_paddr',
    dom0: 'used',
    since: '4.19',
    summary: 'alignment, lowest start and highest last byte: the PVH dom0 builder may move the image',
  },
} as const satisfies Record<XenNoteName, Row>;

/** The catalogue, indexed by type: the numbers leave no gap. */
export const XEN_NOTES: readonly XenNoteInfo[] = (Object.keys(XEN_ELFNOTE) as XenNoteName[]).map((name) => ({
  name,
  type: XEN_ELFNOTE[name],
  ...ROWS[name],
}));

const BY_NAME = new Map<string, XenNoteInfo>(XEN_NOTES.map((info) => [info.name, info]));

/** The row of a type; undefined when Xen has no such note. */
export function noteInfo(type: number): XenNoteInfo | undefined {
  return XEN_NOTES[type];
}

/** The row of a name of the catalogue. */
export function infoOf(name: XenNoteName): XenNoteInfo {
  const info = BY_NAME.get(name);
  if (info === undefined) throw new RangeError(`no note ${name}`);
  return info;
}

/** `PHYS32_ENTRY`, or `0x1b` where Xen has no name. */
export function noteName(type: number): string {
  return noteInfo(type)?.name ?? `0x${type.toString(16)}`;
}

/** What the name of a note says. */
export interface ParsedNoteName {
  readonly type: number;
  /** Undefined for a number that has no name. */
  readonly info: XenNoteInfo | undefined;
  /** Bytes, from a `/4` behind the name. */
  readonly width: number | undefined;
}

/**
 * Reads `PHYS32_ENTRY`, `xen_elfnote_phys32_entry`, `18`, `0x12`, each with an optional `/1`, `/2`, `/4` or `/8`.
 * Errors: `note.unknown-name` with the nearest names, `note.bad-width`.
 */
export function parseNoteName(text: string): ParsedNoteName {
  const slash = text.indexOf('/');
  const name = (slash < 0 ? text : text.slice(0, slash)).trim();
  const width = slash < 0 ? undefined : parseWidth(text, text.slice(slash + 1));
  if (/^(0x[0-9a-f]+|[0-9]+)$/i.test(name)) {
    const type = BigInt(name);
    if (type >> 32n !== 0n) fail('note.unknown-name', {}, { name, nearest: [], number: true });
    return { type: Number(type), info: noteInfo(Number(type)), width };
  }
  const bare = name.toUpperCase().replace(/^XEN_ELFNOTE_/, '');
  const info = BY_NAME.get(bare);
  if (info === undefined) fail('note.unknown-name', {}, { name, nearest: nearestNotes(bare), number: false });
  return { type: info.type, info, width };
}

/** The catalogue's names that are likely meant. */
export function nearestNotes(name: string): string[] {
  return nearest(name.toUpperCase(), [...BY_NAME.keys()]);
}

function parseWidth(name: string, digits: string): number {
  const width = ['1', '2', '4', '8'].includes(digits) ? Number(digits) : undefined;
  if (width === undefined) fail('note.bad-width', {}, { name, found: digits });
  return width;
}
