/** An ImageDifference as text for people and as the members of a `xen-elfpatch/diff/1` document. */

import { hex, hexRange } from '../base/errors/hex.js';
import { printable } from '../base/printable.js';
import type { ElfImage } from '../formats/elf/image.js';
import type { ByteComparison, ByteGroup } from '../inspect/diff/bytes.js';
import type { ImageDifference } from '../inspect/diff/diff.js';
import type { EntryDifference, FieldDifference } from '../inspect/diff/fields.js';
import type { NoteDifference, NoteSeen } from '../inspect/diff/notes.js';
import { meaningOf, typeName } from '../inspect/notes/note-meanings.js';
import { bytesToJson, type Json } from './json.js';
import { valueText } from './notes-report.js';
import { counted, type Style, table } from './text.js';

/** Entries told one by one for people; a document has all of them. */
const SHOWN = 40;

/** The report for people. */
export function diffText(a: ElfImage, b: ElfImage, difference: ImageDifference, style: Style): string {
  const names = `${style.bold(printable(a.source.name))} and ${style.bold(printable(b.source.name))}`;
  if (difference.same) return `${names} are the same, byte for byte\n`;
  const { header, segments, sections, notes, shift, bytes } = difference;
  return [
    `${names} differ in ${counted(bytes.count, 'range')}, ${counted(Number(bytes.bytes), 'byte')}: ${conclusion(difference)}\n`,
    block(
      'notes',
      notes.map((note) => noteLine(a, b, note, style)),
    ),
    block(
      'ELF header',
      header.map((field) => fieldLine(field)),
    ),
    block(
      'program headers',
      segments.flatMap((entry) => entryLines(entry, style)),
    ),
    block(
      'sections',
      sections.flatMap((entry) => entryLines(entry, style)),
    ),
    shift === undefined ? '' : `  everything behind ${hex(shift.at)} stands ${hex(shift.by)} later\n`,
    block('bytes', bytes.groups.map(groupLine)),
  ].join('');
}

function conclusion({ onlyNotes }: ImageDifference): string {
  return onlyNotes ? 'notes and headers only, nothing else was touched' : 'more than notes and headers';
}

type Row = readonly string[];

/** Rows under a title, cut where they are many; empty without rows. */
export function block(title: string, rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const more = rows.length > SHOWN ? `    and ${rows.length - SHOWN} more\n` : '';
  return `  ${title}:\n${table(rows.slice(0, SHOWN), '    ', 40)}${more}`;
}

const SIGNS = { new: '+', gone: '-', changed: '~', moved: '>' } as const;

function noteLine(a: ElfImage, b: ElfImage, { kind, owner, type, before, after }: NoteDifference, style: Style): Row {
  const value = (image: ElfImage, seen: NoteSeen | undefined) =>
    seen === undefined ? '' : valueText(meaningOf(owner, type, seen.desc, image.encoding).meaning);
  const [old, now] = [value(a, before), value(b, after)];
  const place = (seen: NoteSeen | undefined) =>
    seen === undefined ? '' : `${placesText(seen)} at ${hex(seen.offset)}`;
  const said = {
    new: `${now}, in ${place(after)}`,
    gone: `${old}, was in ${place(before)}`,
    changed: old === now ? `${now}, other bytes` : `${old} became ${now}`,
    moved: `unchanged, from ${place(before)} to ${place(after)}`,
  }[kind];
  const { name } = meaningOf(owner, type, (after ?? before)?.desc ?? new Uint8Array(0), b.encoding);
  const paint = kind === 'gone' ? style.bad : kind === 'new' ? style.good : (text: string) => text;
  return [SIGNS[kind], printable(owner), typeName(name, type), paint(said)];
}

function placesText({ places }: NoteSeen): string {
  return places.map(printable).join(' = ');
}

/** A field that differs, as a row. */
export function fieldLine({ field, before, after, meaning }: FieldDifference): Row {
  return [field, `${number(before)} became ${number(after)}`, meaning];
}

function number(value: bigint | number | string): string {
  return typeof value === 'string' ? value : hex(value);
}

/** A table entry that differs, is gone or is new, as rows. */
export function entryLines({ before, after, name, fields }: EntryDifference, style: Style): Row[] {
  const label = printable(name);
  if (after === undefined) return [['-', `${before} ${label}`, style.bad('is gone')]];
  if (before === undefined) return [['+', `${after} ${label}`, style.good('is new')]];
  const moved = before === after ? '' : ` (was ${before})`;
  if (fields.length === 0) return [['>', `${after} ${label}`, `has another index${moved}`]];
  return fields.map((field, i) => [
    i === 0 ? '~' : '',
    i === 0 ? `${after} ${label}${moved}` : '',
    `${field.field} ${number(field.before)} became ${number(field.after)}: ${field.meaning}`,
  ]);
}

/** Differing bytes of one part of the file, as a row. */
export function groupLine({ place, kind, ranges, bytes, first }: ByteGroup): Row {
  const size = `${counted(Number(bytes), 'byte')} in ${counted(ranges, 'range')}`;
  const loaded = place.loaded ? ', loaded into memory' : '';
  return [hex(first), size, `${printable(place.name)}${loaded}${kind === 'changed' ? '' : `, ${kind}`}`];
}

/** The members of the JSON document. */
export function diffJson(a: ElfImage, b: ElfImage, difference: ImageDifference): { readonly [key: string]: Json } {
  const { same, onlyNotes, header, segments, sections, notes, shift, bytes } = difference;
  const seen = (note: NoteSeen | undefined) =>
    note === undefined
      ? null
      : { bytes: bytesToJson(note.desc), offset: note.offset, places: note.places.map(printable) };
  return {
    first: a.source.name,
    second: b.source.name,
    same,
    onlyNotes,
    notes: notes.map((d) => ({
      kind: d.kind,
      owner: printable(d.owner),
      type: d.type,
      name: meaningOf(d.owner, d.type, (d.after ?? d.before)?.desc ?? new Uint8Array(0), b.encoding).name ?? null,
      before: seen(d.before),
      after: seen(d.after),
    })),
    header: header.map(fieldJson),
    segments: segments.map(entryJson),
    sections: sections.map(entryJson),
    shift: shift === undefined ? null : { at: shift.at, by: shift.by },
    bytes: bytesJson(bytes),
  };
}

/** A field that differs, for `--json`. */
export function fieldJson({ field, before, after, meaning }: FieldDifference): Json {
  return { field, before: wide(before), after: wide(after), meaning };
}

/** A table entry that differs, for `--json`; null on the side that does not have it. */
export function entryJson({ before, after, name, fields }: EntryDifference): Json {
  return { before: before ?? null, after: after ?? null, name: printable(name), fields: fields.map(fieldJson) };
}

/** Differing bytes, for `--json`; sizes in bytes. */
export function bytesJson(bytes: ByteComparison): Json {
  return {
    ranges: bytes.count,
    size: bytes.bytes,
    groups: bytes.groups.map((g) => ({
      part: printable(g.place.name),
      kind: g.kind,
      loaded: g.place.loaded,
      ranges: g.ranges,
      size: g.bytes,
      first: g.first,
    })),
    first: bytes.ranges.map((r) => ({
      range: hexRange(r.start, r.end),
      kind: r.kind,
      part: printable(r.place.name),
    })),
  };
}

/** Numbers of a header are addresses, offsets and sizes here: hexadecimal strings. */
function wide(value: bigint | number | string): string {
  return typeof value === 'string' ? value : hex(value);
}
