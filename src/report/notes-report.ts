/** NotesFacts as text for people and as the members of a `xen-elfpatch/notes/1` document. */

import { hex, hexBytes } from '../base/errors/hex.js';
import { oneLine, printable, quoted } from '../base/printable.js';
import { containerText } from '../formats/container/facts.js';
import { fileTypeName, machineName } from '../formats/elf/names.js';
import { XEN } from '../formats/note/note-types.js';
import { descSize } from '../formats/note/record.js';
import { type Meaning, typeName } from '../inspect/notes/note-meanings.js';
import type { AreaFact, NoteFact, NotesFacts } from '../inspect/notes/notes-facts.js';
import { containerJson } from './container-json.js';
import { bytesToJson, type Json, Lazy, type Streamed } from './json.js';
import { type Cell, counted, type Style, table, tableLines } from './text.js';

/** How much of the notes is shown. */
export interface NotesReportOptions {
  /** Only Xen's notes. */
  readonly xen: boolean;
  /** The bytes of each descriptor as well. */
  readonly raw: boolean;
}

/** Headers of one range that are named; the rest is counted. */
const PLACES_SHOWN = 4;

/** The report of `notes` on one ELF image, for people. */
export function notesText(facts: NotesFacts, options: NotesReportOptions, style: Style): string {
  return [...notesPieces(facts, options, style)].join('');
}

/** The same in pieces of whole lines: there may be many notes, and no text about all of them is held. */
export function* notesPieces(facts: NotesFacts, options: NotesReportOptions, style: Style): Generator<string> {
  const { encoding, header, source } = facts.image;
  const format = `ELF${encoding.bits} ${encoding.endian}-endian`;
  const title = `${style.bold(printable(source.name))}: ${format}, ${machineName(header.e_machine)}, ${fileTypeName(header.e_type)}\n`;
  const { container } = facts;
  const through = container === undefined ? '' : `looked through: ${containerText(container)}\n`;
  yield `${title}${through}`;
  yield* groupPieces(facts, options, style);
  yield `${legacyText(facts, style)}\n${xenText(facts)}\n`;
}

function shownNotes({ notes }: NotesFacts, { xen }: NotesReportOptions): readonly NoteFact[] {
  return xen ? notes.filter(({ owner }) => owner === XEN) : notes;
}

/** Notes that stand in the same segments and sections, under one heading; the columns are the same for all groups. */
function* groupPieces(facts: NotesFacts, options: NotesReportOptions, style: Style): Generator<string> {
  const groups = new Map<string, NoteFact[]>();
  for (const note of shownNotes(facts, options)) {
    const key = note.areas.join(' ');
    const known = groups.get(key);
    if (known === undefined) groups.set(key, [note]);
    else known.push(note);
  }
  const head = ['OFFSET', 'OWNER', 'NOTE', 'VALUE', 'XEN USES IT FOR'].map(
    (text): Cell => ({ text, paint: style.dim }),
  );
  const lines = tableLines(function* () {
    yield head;
    for (const notes of groups.values()) for (const note of notes) yield noteRow(note, style);
  }, '  ');
  const next = () => String(lines.next().value ?? '');
  const titles = next();
  for (const notes of groups.values()) {
    yield `\n${headingText(facts, notes)}\n${titles}`;
    for (const { record } of notes) yield `${next()}${options.raw ? dump(record.desc, style) : ''}`;
  }
}

function noteRow(note: NoteFact, style: Style): (string | Cell)[] {
  const verdict = note.owner === XEN ? note.xen.text : '';
  return [
    hex(note.record.offset),
    printable(note.owner),
    typeName(note.name, note.record.type),
    valueText(note.meaning),
    { text: verdict, paint: note.xen.used ? style.good : style.warn },
  ];
}

/** The innermost range, then the ones around it. */
function headingText(facts: NotesFacts, [note]: readonly NoteFact[]): string {
  const areas = (note?.areas ?? []).map((index) => facts.areas[index]).filter((area) => area !== undefined);
  const inner = areas.at(-1);
  if (inner === undefined) return `Begins in ${beginsIn(facts, note)} and reaches behind its end`;
  const { range, memory } = inner;
  const where = memory === undefined ? 'not in memory' : `in memory at ${hex(memory.vaddr)}`;
  const around = areas.slice(0, -1).map((area) => `, within ${placesText(area)}`);
  return `${placesText(inner)}: ${hex(range.end - range.start)} bytes at ${hex(range.start)}, ${where}${around.join('')}`;
}

/** The range in which a record begins that none holds as a whole. */
function beginsIn({ areas }: NotesFacts, note: NoteFact | undefined): string {
  const at = note?.record.offset ?? 0n;
  const area = areas.find(({ range }) => at >= range.start && at < range.end);
  return area === undefined ? 'no range of notes' : placesText(area);
}

function placesText({ places }: AreaFact): string {
  const named = places.slice(0, PLACES_SHOWN).map(({ kind, index, name }) => {
    return kind === 'segment' ? name : `section ${index}${name === '' ? '' : ` ${printable(name)}`}`;
  });
  const more = places.length > PLACES_SHOWN ? ` and ${places.length - PLACES_SHOWN} more` : '';
  return `${named.join(' = ')}${more}`;
}

/** A decoded value on one line. */
export function valueText(meaning: Meaning): string {
  switch (meaning.kind) {
    case 'number':
      return `${hex(meaning.value)} (${counted(meaning.width, 'byte')})`;
    case 'string':
      return `${quoted(meaning.text)}${meaning.terminated ? '' : ' (no NUL)'}`;
    case 'list':
      return `${few(meaning.items.map(hex))} (${meaning.items.length} × ${counted(meaning.width, 'byte')})`;
    case 'build-id':
      return bytesToJson(meaning.id.subarray(0, 64));
    case 'abi-tag':
      return `${meaning.os} ${meaning.version}`;
    case 'metadata':
      return printable(meaning.text.slice(0, 400));
    case 'properties':
      return few(meaning.items.map(({ type, name, data }) => `${name ?? hex(type)} ${hexBytes(data.subarray(0, 16))}`));
    case 'raw':
      return meaning.bytes.length === 0 ? 'empty' : few([...meaning.bytes.subarray(0, 17)].map(byteText), 16, ' ');
  }
}

function byteText(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

function few(items: readonly string[], most = 8, between = ', '): string {
  return items.length > most ? `${items.slice(0, most).join(between)}${between}…` : items.join(between);
}

function dump(bytes: Uint8Array, style: Style): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16)
    lines.push(`      ${style.dim(hexBytes(bytes.subarray(at, at + 16)))}\n`);
  return lines.join('');
}

function legacyText({ legacy }: NotesFacts, style: Style): string {
  if (legacy === undefined) return '';
  const { section, offset, items, xen } = legacy;
  const verdict = (xen.used ? style.good : style.warn)(xen.text);
  const rows = items.map(({ key, value }) => [printable(key), printable(value)]);
  return `\nsection ${section} __xen_guest: string at ${hex(offset)}, ${verdict}\n${table(rows, '  ')}`;
}

/** The last lines: where Xen takes its notes from, and what it would complain about. */
function xenText({ xen }: NotesFacts): string {
  const count = counted(xen.notes.length, 'note');
  const from = {
    segments: `Xen reads ${count} from PT_NOTE segments.`,
    sections: `Xen reads ${count} from SHT_NOTE sections; QEMU and other PVH loaders look at segments only.`,
    legacy: 'Xen finds no note of its own; PV guests get the __xen_guest string.',
    none: 'Xen finds no note of its own.',
  }[xen.from];
  const broken = xen.broken === undefined ? '' : `\nXen would call the image broken: ${oneLine(xen.broken)}.`;
  const refused = xen.refused === undefined ? '' : `\nXen refuses it: ${oneLine(xen.refused)}.`;
  return `${from}${broken}${refused}`;
}

/** The report of `notes` on one ELF image, for `--json`. */
export function notesJson(facts: NotesFacts, options: NotesReportOptions): { readonly [key: string]: Json } {
  return { ...frameJson(facts), notes: [...notesOf(facts, options)], legacy: legacyJson(facts) };
}

/** The same for jsonPieces(): a note is made when it is written. */
export function notesStream(facts: NotesFacts, options: NotesReportOptions): { readonly [key: string]: Streamed } {
  return { ...frameJson(facts), notes: new Lazy(() => notesOf(facts, options)), legacy: legacyJson(facts) };
}

function* notesOf(facts: NotesFacts, options: NotesReportOptions): Generator<Json> {
  for (const note of shownNotes(facts, options)) yield noteJson(note, facts, options);
}

function frameJson(facts: NotesFacts): { readonly [key: string]: Json } {
  const { source, encoding, header } = facts.image;
  const { from, notes, broken, refused } = facts.xen;
  return {
    file: facts.container?.file ?? source.name,
    ...(facts.container === undefined ? {} : { container: containerJson(facts.container) }),
    class: encoding.bits,
    endian: encoding.endian,
    machine: machineName(header.e_machine),
    type: fileTypeName(header.e_type),
    xen: { from, notes: notes.length, broken, refused },
    areas: facts.areas.map(areaJson),
  };
}

function legacyJson({ legacy }: NotesFacts): Json {
  if (legacy === undefined) return undefined;
  const { section, offset, text, items, xen } = legacy;
  return { section, offset, text, items: items.map(({ key, value }) => ({ key, value })), xen: { ...xen } };
}

function areaJson({ range, padding, places, memory, problem }: AreaFact): Json {
  return {
    offset: range.start,
    size: range.end - range.start,
    padding,
    segments: places.filter(({ kind }) => kind === 'segment').map(({ index }) => index),
    sections: places.filter(({ kind }) => kind === 'section').map(({ index, name }) => ({ index, name })),
    memory: memory === undefined ? null : { ...memory },
    problem,
  };
}

function noteJson(note: NoteFact, { areas }: NotesFacts, { raw }: NotesReportOptions): Json {
  const { record, owner, name, meaning, xen } = note;
  return {
    owner,
    type: record.type,
    name: name ?? null,
    value: meaningJson(meaning),
    offset: record.offset,
    size: record.size,
    descOffset: record.descOffset,
    descSize: BigInt(descSize(record)),
    areas: note.areas,
    inMemory: note.areas.some((index) => areas[index]?.memory !== undefined),
    xen: { ...xen },
    desc: raw ? bytesToJson(record.desc) : undefined,
  };
}

function meaningJson(meaning: Meaning): Json {
  switch (meaning.kind) {
    case 'build-id':
      return { kind: meaning.kind, id: bytesToJson(meaning.id) };
    case 'metadata':
      // What JSON.parse gave is JSON.
      return { kind: meaning.kind, metadata: meaning.metadata as Json };
    case 'properties':
      return {
        kind: meaning.kind,
        items: meaning.items.map(({ type, name, data }) => ({ type, name: name ?? null, data: bytesToJson(data) })),
      };
    case 'raw':
      return { kind: meaning.kind, bytes: bytesToJson(meaning.bytes) };
    default:
      return { ...meaning };
  }
}
