/**
 * The `__xen_guest` string, older than notes: KEY=VALUE items joined by commas. Read as Xen reads it
 * (xen/common/libelf/libelf-dominfo.c, elf_xen_parse_guest_info), and turned into the notes that mean the same, for its
 * defaults are not those of notes.
 */
import { latin1 } from '../../base/bytes/text.js';
import { hex } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { findSection } from '../../formats/elf/section-names.js';
import { type Encoding, nativeSize } from '../../formats/elf/struct.js';
import { encodeNumber, encodeString, fitsWidth } from '../../formats/note/desc.js';
import { featureItems, nearestFeatures } from '../../formats/note/features.js';
import { nearest } from '../../formats/note/nearest.js';
import { type NoteContent, xenNote } from '../../formats/note/record.js';
import { infoOf, XEN_NOTES, type XenNoteName } from '../../formats/note/xen-notes.js';
import { LoaderReader } from './loader-reader.js';

/** One item as Xen cuts it: a key of at most 31 characters, a value of at most 127. */
export interface LegacyItem {
  readonly key: string;
  readonly value: string;
}

/** The string of an image. */
export interface LegacyString {
  /** Index of the section. */
  readonly section: number;
  /** File offset of the string. */
  readonly offset: bigint;
  /** Up to the first NUL, wherever that is; one character a byte. */
  readonly text: string;
  readonly items: readonly LegacyItem[];
}

/** The longest string read; real ones stay below 300 characters. */
const TEXT_LIMIT = 0x10000n;
const KEY_LIMIT = 31;
const VALUE_LIMIT = 127;
/** What Xen takes for "not given" in a number of 64 bits. */
export const UNSET = (1n << 64n) - 1n;

/**
 * The string of the section named `__xen_guest`; undefined when there is no such section. It ends at the first NUL, not
 * at the end of the section; behind the end of the file there are only NULs. Errors: `note.too-large` above 64 KiB.
 */
export function readLegacy(image: ElfImage): LegacyString | undefined {
  const section = findSection(image, '__xen_guest');
  const header = section === undefined ? undefined : image.sections[section];
  if (section === undefined || header === undefined) return undefined;
  const offset = header.sh_offset;
  const bytes = new LoaderReader(image.source, image.encoding.endian).bytes(offset, TEXT_LIMIT + 1n);
  const nul = bytes.indexOf(0);
  const end = nul < 0 ? bytes.length : nul;
  if (BigInt(end) > TEXT_LIMIT) {
    const place = { file: image.source.name, offset, part: '__xen_guest' };
    fail('note.too-large', place, { what: 'the __xen_guest string', found: BigInt(end), limit: TEXT_LIMIT });
  }
  const text = latin1(bytes.subarray(0, end));
  return { section, offset, text, items: parseLegacy(text) };
}

/** Splits the string as Xen does. What is cut off a long key or value is parsed as an item of its own. */
export function parseLegacy(text: string): LegacyItem[] {
  const items: LegacyItem[] = [];
  let at = 0;
  while (at < text.length) {
    const key = take(text, at, KEY_LIMIT, ',=');
    if (text[key.end] !== '=' || key.cut) {
      items.push({ key: key.text, value: '' });
      at = key.next;
      continue;
    }
    const value = take(text, key.end + 1, VALUE_LIMIT, ',');
    items.push({ key: key.text, value: value.text });
    at = value.next;
  }
  return items;
}

/** Up to `limit` characters before one of `stops`; `next` is behind the stop, or at the place of the cut. */
function take(text: string, from: number, limit: number, stops: string) {
  let end = from;
  while (end < text.length && end - from < limit && !stops.includes(text.charAt(end))) end++;
  const cut = end - from === limit;
  return { text: text.slice(from, end), end, cut, next: cut ? end : end + 1 };
}

/** The notes that mean the same as a legacy string, with what could not be kept. */
export interface LegacyConversion {
  /** By type. */
  readonly notes: readonly NoteContent[];
  /** One line each. */
  readonly warnings: readonly string[];
}

/** convertLegacy() without its warnings. */
export function legacyToNotes(legacy: LegacyString, encoding: Encoding): NoteContent[] {
  return [...convertLegacy(legacy, encoding).notes];
}

/**
 * Works out what Xen takes from the string and says it in notes. PADDR_OFFSET is written when the key is absent, for
 * its default is VIRT_BASE here and 0 there. HYPERCALL_PAGE is a page number here and an address there. A required
 * feature that Xen does not know only ends this string's parse, where a note would refuse the image: it is left out.
 */
export function convertLegacy(legacy: LegacyString, encoding: Encoding): LegacyConversion {
  const taken = takeItems(legacy.items);
  const warnings = [...taken.warnings];
  const notes = new Map<XenNoteName, Uint8Array>();

  for (const [name, text] of taken.strings) notes.set(name, encodeString(text));
  for (const [name, value] of addresses(taken.numbers)) {
    const width = nativeSize(encoding);
    const fits = fitsWidth(value, width);
    if (!fits) warnings.push(`${name} ${hex(value)} does not fit ${width} bytes; the note has 8`);
    notes.set(name, encodeNumber(value, fits ? width : 8, encoding.endian));
  }
  return {
    notes: XEN_NOTES.flatMap(({ name, type }) => {
      const desc = notes.get(name);
      return desc === undefined ? [] : [xenNote(type, desc)];
    }),
    warnings,
  };
}

interface Taken {
  readonly strings: Map<XenNoteName, string>;
  readonly numbers: Map<XenNoteName, bigint>;
  readonly warnings: string[];
}

/** The note that says what an item says, and how its value is taken; false ends the string, `behind` unseen. */
interface Row {
  readonly name: XenNoteName;
  readonly take: (taken: Taken, value: string, behind: () => readonly LegacyItem[]) => boolean;
}

const textRow = (name: XenNoteName): Row => ({
  name,
  take(taken, value) {
    taken.strings.set(name, value);
    return true;
  },
});

const numberRow = (name: XenNoteName): Row => ({
  name,
  take(taken, value) {
    taken.numbers.set(name, parseNumber(value));
    return true;
  },
});

/** Every note that has a legacy key, in the order of their numbers. */
const ROWS: readonly Row[] = [
  numberRow('ENTRY'),
  numberRow('HYPERCALL_PAGE'),
  numberRow('VIRT_BASE'),
  numberRow('PADDR_OFFSET'),
  textRow('XEN_VERSION'),
  textRow('GUEST_OS'),
  textRow('GUEST_VERSION'),
  textRow('LOADER'),
  { name: 'PAE_MODE', take: takePae },
  { name: 'FEATURES', take: takeFeatures },
  {
    name: 'BSD_SYMTAB',
    // Whatever the value.
    take(taken) {
      taken.strings.set('BSD_SYMTAB', 'yes');
      return true;
    },
  },
];

const BY_KEY = new Map<string, Row>(ROWS.map((row) => [infoOf(row.name).legacyKey ?? row.name, row]));

/** Item by item, the last of a key winning, until a required feature that Xen does not know ends it all. */
function takeItems(items: readonly LegacyItem[]): Taken {
  const taken: Taken = { strings: new Map(), numbers: new Map(), warnings: [] };
  for (const [index, { key, value }] of items.entries()) {
    const row = BY_KEY.get(key);
    if (row === undefined) {
      if (key !== '') taken.warnings.push(unknownKey(key));
    } else if (!row.take(taken, value, () => items.slice(index + 1))) break;
  }
  return taken;
}

/** No note says "PAE without extended CR3"; yes comes nearest. */
function takePae({ strings, warnings }: Taken, value: string): boolean {
  if (!value.startsWith('yes')) return true;
  strings.set('PAE_MODE', 'yes');
  if (value !== 'yes[extended-cr3]') {
    warnings.push(`PAE=${value} claims no extended CR3, and the note PAE_MODE yes does: no note says it without`);
  }
  return true;
}

/** Features add up. */
function takeFeatures({ strings, warnings }: Taken, value: string, behind: () => readonly LegacyItem[]): boolean {
  const { kept, unknown } = knownFeatures(value);
  const before = strings.get('FEATURES');
  strings.set('FEATURES', before === undefined ? kept : `${before}|${kept}`);
  if (unknown !== undefined) warnings.push(...unknownFeature(unknown, behind()));
  return unknown === undefined;
}

/** The text up to the first required feature that Xen does not know. */
function knownFeatures(text: string): { kept: string; unknown: string | undefined } {
  const items = featureItems(text);
  const stop = items.findIndex((item) => item.required && item.bit === undefined);
  if (stop < 0) return { kept: text, unknown: undefined };
  const kept = items.slice(0, stop).map(({ name, required }) => (required ? `!${name}` : name));
  return { kept: kept.join('|'), unknown: items[stop]?.name };
}

function unknownFeature(name: string, unseen: readonly LegacyItem[]): string[] {
  const near = nearestFeatures(name);
  const meant = near.length > 0 ? ` (nearest: ${near.join(', ')})` : '';
  const keys = unseen.map(({ key }) => key).filter((key) => key !== '');
  return [
    `the required feature "${name}" is unknown to Xen${meant} and left out with the features behind it`,
    ...(keys.length > 0 ? [`Xen stops there, so these were never seen: ${keys.join(', ')}`] : []),
  ];
}

function unknownKey(key: string): string {
  const near = nearest(key, [...BY_KEY.keys()]);
  return `the key "${key}" is unknown to Xen${near.length > 0 ? ` (nearest: ${near.join(', ')})` : ''}`;
}

/** The addresses that Xen ends up with, "not given" left out. */
function addresses(given: ReadonlyMap<XenNoteName, bigint>): Map<XenNoteName, bigint> {
  const numbers = new Map([...given].filter(([, value]) => value !== UNSET));
  const base = numbers.get('VIRT_BASE');
  const page = numbers.get('HYPERCALL_PAGE');
  if (page !== undefined) numbers.set('HYPERCALL_PAGE', BigInt.asUintN(64, (page << 12n) + (base ?? 0n)));
  if (base !== undefined && !numbers.has('PADDR_OFFSET')) numbers.set('PADDR_OFFSET', base);
  return numbers;
}

/** C's strtoull with base 0: 0x is hexadecimal, a leading 0 octal; it stops at the first character that does not fit. */
export function parseNumber(text: string): bigint {
  const [, sign = '', rest = ''] = /^[ \t\n\v\f\r]*([+-]?)(.*)$/s.exec(text) ?? [];
  const digits =
    /^0x[0-9a-f]+/i.exec(rest)?.[0] ?? octal(/^0[0-7]*/.exec(rest)?.[0]) ?? /^[1-9][0-9]*/.exec(rest)?.[0] ?? '0';
  const value = BigInt(digits);
  if (value > UNSET) return UNSET;
  return sign === '-' ? BigInt.asUintN(64, -value) : value;
}

function octal(digits: string | undefined): string | undefined {
  return digits === undefined ? undefined : `0o0${digits}`;
}
