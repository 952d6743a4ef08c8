/** A patch plan and what became of it, as text for people and as the members of a `xen-elfpatch/patch/1` document. */
import { compare, type Range } from '../base/bytes/range.js';
import { utf8 } from '../base/bytes/text.js';
import { hex } from '../base/errors/hex.js';
import { printable } from '../base/printable.js';
import { changes, type PatchPlan, type Written, writesOver } from '../edit/elf/pipeline.js';
import { segmentTypeName } from '../formats/elf/names.js';
import { decodeValue } from '../formats/note/desc.js';
import { noteWords } from '../formats/note/note-types.js';
import { descSize, type NoteContent, ownerOf, sameNote } from '../formats/note/record.js';
import { noteName } from '../formats/note/xen-notes.js';
import { bytesToJson, type Json } from './json.js';
import { valueText } from './notes-report.js';
import { type Cell, counted, type Style, table } from './text.js';

/** What was done with a plan. */
export type Outcome =
  | { readonly kind: 'planned' }
  | { readonly kind: 'checked' }
  | { readonly kind: 'written'; readonly written: Written; readonly output: string };

/** Ranges of a plan that are listed; a plan has few, but a layout with many entries could have more. */
const RANGES_SHOWN = 40;

/** How much the report says besides what changes. */
export interface Detail {
  /** Every byte range that changes, and every placement that was refused: a dry run. */
  readonly ranges: boolean;
  /** Notes that stay as they are as well. */
  readonly notes: boolean;
}

/** The report of `patch`, for people. */
export function patchText(plan: PatchPlan, outcome: Outcome, style: Style, detail: Detail): string {
  const file = printable(plan.image.source.name);
  if (outcome.kind === 'written' && !detail.ranges) return `${style.bold(file)}: ${briefly(plan, outcome)}\n`;
  let text = `${style.bold(file)}: ${headline(plan, outcome)}\n${planText(plan, style, detail)}`;
  if (outcome.kind === 'written') text += `  ${proofText(plan, outcome.written)}\n`;
  return text;
}

/** What was written, in one line: a post-link step is one of many lines of a build. */
function briefly(plan: PatchPlan, outcome: Extract<Outcome, { kind: 'written' }>): string {
  const head = headline(plan, outcome);
  if (!changes(plan) || outcome.written.how === 'unchanged') return head;
  return `${head}${changesInWords(plan)}; verified`;
}

/** ` (+PHYS32_ENTRY 0x100000, -LOADER; append)`: the notes that an edit changes, and how room was made. */
export function changesInWords(plan: PatchPlan): string {
  const others = (sign: string, notes: readonly NoteContent[]) =>
    notes.map(({ name, type }) => `${sign}${printable(ownerOf(name))} ${noteWords(ownerOf(name), type) ?? hex(type)}`);
  const words = [
    ...changedNotes(plan).map(({ sign, name, text }) => `${sign}${name}${sign === '-' ? '' : ` ${shortened(text)}`}`),
    ...others('-', plan.otherOwners.gone),
    ...others('+', plan.otherOwners.fresh),
  ];
  const more = words.length > WORDS_SHOWN ? [`${words.length - WORDS_SHOWN} more`] : [];
  const notes = [...words.slice(0, WORDS_SHOWN), ...more].join(', ');
  const parts = [notes, plan.layout?.placement ?? ''].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` (${parts.join('; ')})`;
}

const WORDS_SHOWN = 6;
const VALUE_SHOWN = 40;

/** Without the widths, which only a change of them makes worth a word. */
function shortened(whole: string): string {
  const text = whole.replaceAll(/ \(\d+ bytes?\)/g, '');
  return text.length > VALUE_SHOWN ? `${text.slice(0, VALUE_SHOWN)}…` : text;
}

/** What was decided about the notes: placement, what becomes of the notes, what later tools make of them. */
export function planText(plan: PatchPlan, style: Style, detail: Detail): string {
  const { layout } = plan;
  let text = layout === undefined ? '' : `  placement: ${layout.placement}: ${layout.summary}\n`;
  text += notesText(plan, style, detail) + foreignText(plan) + whereText(plan);
  if (detail.ranges) text += rangesText(plan) + refusedText(plan) + staysText(plan);
  else text += touchedText(plan);
  return text + survivalText(plan, style);
}

interface NoteChange {
  /** A blank: it stays as it is. */
  readonly sign: '+' | '-' | '~' | ' ';
  readonly name: string;
  readonly text: string;
  /** Notes of the type that stay. */
  readonly kept: number;
}

function changedNotes(plan: PatchPlan): readonly NoteChange[] {
  return noteChanges(plan).filter(({ sign }) => sign !== ' ');
}

/** Xen's notes by type, each with what becomes of it. */
function noteChanges(plan: PatchPlan): readonly NoteChange[] {
  const before = byType(plan.target.xen);
  const after = byType(plan.xenNotes);
  const found: NoteChange[] = [];
  for (const type of new Set([...after.keys(), ...before.keys()])) {
    const old = before.get(type) ?? [];
    const now = after.get(type) ?? [];
    const kept = old.length === now.length && old.every((note, i) => now[i] !== undefined && sameNote(note, now[i]));
    const values = (notes: readonly NoteContent[]) => notes.map((note) => printable(noteValue(plan, note))).join(', ');
    const name = noteName(type);
    if (kept) found.push({ sign: ' ', name, text: values(now), kept: now.length });
    else if (now.length === 0) found.push({ sign: '-', name, text: values(old), kept: 0 });
    else if (old.length === 0) found.push({ sign: '+', name, text: values(now), kept: 0 });
    else found.push({ sign: '~', name, text: `${values(old)} → ${values(now)}`, kept: 0 });
  }
  return found;
}

/** Those that come, go or become others, each on a line; the rest is counted. */
function notesText(plan: PatchPlan, style: Style, detail: Detail): string {
  const paints = { '+': style.good, '-': style.bad, '~': style.warn, ' ': undefined };
  const all = noteChanges(plan);
  const same = all.reduce((sum, { kept }) => sum + kept, 0);
  const rows = all
    .filter(({ sign }) => detail.notes || sign !== ' ')
    .map(({ sign, name, text }): (string | Cell)[] => [{ text: sign, paint: paints[sign] }, name, text]);
  const none = plan.xenNotes.length === 0 ? ' none of Xen’s' : '';
  const others = same === 0 || detail.notes ? '' : ` ${counted(same, 'note')} as before`;
  if (rows.length === 0) return `  notes:${none}${others}\n`;
  return `  notes:${none}\n${table(rows, '    ')}${others === '' ? '' : `   ${others}\n`}`;
}

function byType(notes: readonly NoteContent[]): ReadonlyMap<number, readonly NoteContent[]> {
  const found = new Map<number, NoteContent[]>();
  for (const note of notes) {
    const same = found.get(note.type);
    if (same === undefined) found.set(note.type, [note]);
    else same.push(note);
  }
  return found;
}

function whereText({ layout }: PatchPlan): string {
  const range = layout?.noteRange;
  if (range === undefined) return '';
  const memory = layout?.loaded === true ? 'in memory' : 'not in memory';
  return `  they stand at ${hex(range.start)}, ${counted(Number(range.end - range.start), 'byte')}, ${memory}\n`;
}

/** The parts that change, in one line. */
function touchedText(plan: PatchPlan): string {
  const { writes } = writesOver(plan);
  if (writes.length === 0) return '';
  const parts = new Map<string, bigint>();
  for (const { offset } of writes) {
    const what = whatIsAt(plan, offset);
    if (!parts.has(what)) parts.set(what, offset);
  }
  const shown = [...parts].slice(0, PARTS_SHOWN).map(([what, offset]) => `${what} at ${hex(offset)}`);
  const more = parts.size > PARTS_SHOWN ? `, and ${parts.size - PARTS_SHOWN} more` : '';
  return `  changed: ${shown.join(', ')}${more}\n`;
}

const PARTS_SHOWN = 8;

/** What becomes of notes of other owners, one line each. */
function foreignText({ otherOwners }: PatchPlan): string {
  const line = (sign: string, note: NoteContent) => [
    sign,
    printable(ownerOf(note.name)),
    hex(note.type),
    note.rest === undefined ? descText(note.desc) : digitsText(note),
  ];
  const rows = [
    ...otherOwners.gone.map((note) => line('-', note)),
    ...otherOwners.fresh.map((note) => line('+', note)),
  ];
  return rows.length === 0 ? '' : `  notes of other owners:\n${table(rows, '    ')}`;
}

/** A descriptor as text when it is some, else as digits. */
export function descText(desc: Uint8Array): string {
  const end = desc.indexOf(0);
  const text = utf8(desc.subarray(0, end < 0 ? desc.length : end));
  const isText =
    end > 0 && !text.includes('\ufffd') && !/\p{Cc}/u.test(text) && desc.subarray(end).every((byte) => byte === 0);
  if (isText) return printable(text);
  return digitsText({ desc });
}

function digitsText(note: Pick<NoteContent, 'desc' | 'rest'>): string {
  const digits = bytesToJson(note.desc.subarray(0, DIGITS_SHOWN));
  const size = descSize(note);
  return size > DIGITS_SHOWN ? `${digits}… (${counted(size, 'byte')})` : digits;
}

const DIGITS_SHOWN = 32;

function headline(plan: PatchPlan, outcome: Outcome): string {
  if (!changes(plan)) {
    const copied = outcome.kind === 'written' && outcome.written.how === 'clone';
    return `has these notes already, ${copied ? `copied unchanged to ${printable(outcome.output)}` : 'nothing to change'}`;
  }
  if (outcome.kind === 'written' && outcome.written.how === 'unchanged') {
    return `${printable(outcome.output)} holds the result already and was left alone`;
  }
  const ranges = changedRanges(plan);
  const size = ranges.reduce((sum, range) => sum + Number(range.size), 0);
  const what = `${counted(size, 'byte')} in ${counted(ranges.length, 'range')}`;
  switch (outcome.kind) {
    case 'planned':
      return `would change ${what}`;
    case 'checked':
      return `needs patching, ${what}`;
    case 'written':
      return outcome.written.how === 'direct'
        ? `patched where it is, ${what}`
        : `written to ${printable(outcome.output)}, ${what} differ`;
  }
}

function noteValue({ image }: PatchPlan, { type, desc }: NoteContent): string {
  return valueText(decodeValue(type, desc, image.encoding));
}

/** What is written, bytes and copies, by offset. */
function changedRanges(plan: PatchPlan): { offset: bigint; size: bigint }[] {
  const { writes } = writesOver(plan);
  const { copies = [] } = plan.rendered;
  const ranges = [
    ...writes.map(({ offset, bytes }) => ({ offset, size: BigInt(bytes.length) })),
    ...copies.map(({ to, size }) => ({ offset: to, size })),
  ];
  return ranges.sort((a, b) => compare(a.offset, b.offset));
}

function staysText({ layout }: PatchPlan): string {
  return (layout?.stays ?? []).map((what) => `  note: ${printable(what)}\n`).join('');
}

function rangesText(plan: PatchPlan): string {
  const { shift } = writesOver(plan);
  const ranges = changedRanges(plan);
  const rows = ranges
    .slice(0, RANGES_SHOWN)
    .map(({ offset, size }) => [hex(offset), counted(Number(size), 'byte'), whatIsAt(plan, offset)]);
  const more = ranges.length > RANGES_SHOWN ? `    and ${ranges.length - RANGES_SHOWN} more\n` : '';
  const moved = shift === undefined ? '' : `    everything from ${hex(shift.at)} on moves by ${hex(shift.by)}\n`;
  return `  byte ranges that change:\n${table(rows, '    ')}${more}${moved}`;
}

/** Which part of the result a changed byte belongs to. */
function whatIsAt({ layout, image }: PatchPlan, offset: bigint): string {
  const within = (range: Range) => offset >= range.start && offset < range.end;
  const blob = layout?.blobs.find(({ offset: start, bytes }) => within({ start, end: start + BigInt(bytes.length) }));
  if (blob !== undefined) return blob.what;
  const copy = layout?.copies?.find(({ to, size }) => within({ start: to, end: to + size }));
  if (copy !== undefined) return copy.what;
  const wide = image.encoding.bits === 64;
  if (offset < (wide ? 64n : 52n)) return 'ELF header';
  const entry = wide ? 56n : 32n;
  // Without a layout the notes stay, and what the image was read with is written: repairs of its headers.
  const { header, segments } = layout ?? image;
  const { e_phoff } = header;
  const index = (offset - e_phoff) / entry;
  const segment = offset >= e_phoff ? segments[Number(index)] : undefined;
  if (segment !== undefined) return `program header ${index} (${segmentTypeName(segment.p_type)})`;
  return 'section headers';
}

function refusedText({ refused }: PatchPlan): string {
  if (refused.length === 0) return '';
  return `  placements that do not work here:\n${table(
    refused.map(({ placement, reason }) => [placement, reason]),
    '    ',
  )}`;
}

function survivalText({ survives }: PatchPlan, style: Style): string {
  if (survives.length === 0) return '';
  const words = survives.map(({ tool, verdict }) => {
    const paint = verdict === 'kept' ? style.good : verdict === 'kept with a warning' ? style.warn : style.bad;
    return `${tool} ${paint(verdict)}`;
  });
  return `  later tools: ${words.join(', ')}\n`;
}

function proofText({ image, rendered }: PatchPlan, { how, secondReader }: Written): string {
  if (how === 'unchanged') return 'verified: nothing was written';
  const rest =
    how === 'direct'
      ? 'only the ranges above were written, and they read back as planned'
      : `every byte outside them equals ${printable(image.source.name)}`;
  const size = `${rendered.fileSize} bytes`;
  const elfy = {
    agrees: 'elfy agrees',
    'cannot-read': `elfy cannot read this shape (${secondReader.details.join('; ')})`,
    absent: 'no second reader was asked',
  }[secondReader.verdict];
  return `verified: the notes read back, the format holds, ${rest} (${size}); ${elfy}`;
}

/** The report of `patch`, for `--json`. */
export function patchJson(plan: PatchPlan, outcome: Outcome): { readonly [key: string]: Json } {
  const { layout, rendered } = plan;
  return {
    file: plan.image.source.name,
    changed: changes(plan),
    ...(outcome.kind === 'written' ? writtenJson(outcome) : { written: null }),
    placement: layout?.placement ?? null,
    summary: layout?.summary ?? null,
    section: layout === undefined ? null : layout.cover,
    loaded: layout?.loaded ?? null,
    notes: plan.xenNotes.map((note) => ({
      name: noteName(note.type),
      type: note.type,
      size: BigInt(descSize(note)),
      value: printable(noteValue(plan, note)),
      bytes: bytesToJson(note.desc),
    })),
    noteRange: layout?.noteRange === undefined ? null : { ...layout.noteRange },
    fileSize: rendered.fileSize,
    ranges: changedRanges(plan).map((range) => ({ ...range, what: whatIsAt(plan, range.offset) })),
    shift: rendered.shift === undefined ? null : { at: rendered.shift.at, by: rendered.shift.by },
    refused: plan.refused.map(({ placement, reason }) => ({ placement, reason })),
    survives: plan.survives.map(({ tool, verdict, why, tried }) => ({ tool, verdict, why, tried })),
    warnings: [...plan.warnings, ...((outcome.kind === 'written' && outcome.written.warnings) || [])],
  };
}

/** What becomes of notes of other owners, for the commands that write them. */
export function otherNotesJson({ otherOwners }: PatchPlan): Json {
  return { removed: otherOwners.gone.map(foreignJson), added: otherOwners.fresh.map(foreignJson) };
}

/** Of a large descriptor `bytes` is the start. */
function foreignJson(note: NoteContent): { readonly [key: string]: Json } {
  const { name, type, desc } = note;
  return { owner: printable(ownerOf(name)), type, size: BigInt(descSize(note)), bytes: bytesToJson(desc) };
}

function writtenJson({ written, output }: Extract<Outcome, { kind: 'written' }>): { readonly [key: string]: Json } {
  return {
    written: {
      output,
      how: written.how,
      secondReader: { verdict: written.secondReader.verdict, details: [...written.secondReader.details] },
    },
  };
}
