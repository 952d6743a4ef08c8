/** From what an image has and what was asked for to the Xen notes that it shall have, in order. */

import { fail } from '../../../base/errors/patch-error.js';
import type { ElfImage } from '../../../formats/elf/image.js';
import { nativeSize } from '../../../formats/elf/struct.js';
import { decodeValue, encodeNumber, encodeString } from '../../../formats/note/desc.js';
import { chooseWidth, evaluate, Resolver, symbolsIn } from '../../../formats/note/evaluate.js';
import { checkFeatures } from '../../../formats/note/features.js';
import { XEN_ELFNOTE } from '../../../formats/note/note-types.js';
import { parsePreset } from '../../../formats/note/preset-name.js';
import {
  type NoteContent,
  type NoteRecord,
  sameBytes,
  sameNote,
  XEN_OWNER,
  xenNote,
} from '../../../formats/note/record.js';
import type { Setting } from '../../../formats/note/value.js';
import { noteInfo, noteName } from '../../../formats/note/xen-notes.js';
import { convertLegacy, readLegacy } from '../../../loaders/read/legacy.js';
import type { Analysis } from './analyze.js';
import { type Edit, inOrder, type PlainEdit } from './placement-options.js';
import { PRESET_SYMBOLS, presetNotes } from './presets.js';
import type { RewriteTarget } from './rewrite-target.js';

/** A Xen note of the result. `original` is the record it was, when it stays as it is or is replaced in place. */
export interface WantedNote {
  readonly content: NoteContent;
  readonly original: NoteRecord | undefined;
}

/** Xen's notes as they shall be, and what to warn of. */
export interface Wanted {
  readonly notes: readonly WantedNote[];
  readonly warnings: readonly string[];
}

const { FEATURES, PHYS32_ENTRY } = XEN_ELFNOTE;

/**
 * Applies the edits. Errors: those of evaluate and presetNotes, `plan.no-legacy`.
 */
export function wantedNotes({ image }: Analysis, target: RewriteTarget, edits: readonly Edit[]): Wanted {
  const ordered = inOrder(edits);
  const list = new NoteList(target.xen, target.damaged?.record);
  const given = new Set(ordered.flatMap((edit) => (edit.kind === 'set' ? [edit.setting.type] : [])));
  const resolver = new Resolver(image, symbolsNeeded(ordered));
  const warnings: string[] = [];
  for (const edit of ordered) {
    switch (edit.kind) {
      case 'clear':
        list.clear();
        break;
      case 'from-legacy':
        for (const note of notesOfLegacy(image, warnings)) list.put(note);
        break;
      case 'copy-from':
        for (const note of edit.notes) list.put(note);
        break;
      case 'preset':
        applyPreset(list, edit.name, resolver, given, warnings);
        break;
      case 'set':
        list.put(settingNote(list, edit.setting, resolver, warnings));
        break;
      case 'unset':
        list.remove(edit.type);
        break;
      case 'renew':
        list.renew(edit.note);
        break;
      case 'rewrite':
      case 'merge':
      case 'drop-note':
      case 'put-note':
      case 'add-note':
        // Notes of other owners are settled in foreign.ts; rewriting is a matter of the layout.
        break;
    }
  }
  return { notes: list.notes.map(spelledForAll), warnings };
}

/** PHYS32_ENTRY is found by some loaders only if the owner is spelled with its NUL and a length of 4. */
function spelledForAll(note: WantedNote): WantedNote {
  const { content, original } = note;
  if (content.type !== PHYS32_ENTRY || sameBytes(content.name, XEN_OWNER)) return note;
  return { content: xenNote(content.type, content.desc), original };
}

function symbolsNeeded(edits: readonly PlainEdit[]): string[] {
  return edits.flatMap((edit) => {
    if (edit.kind === 'set') return symbolsIn(edit.setting.expr);
    return edit.kind === 'preset' ? PRESET_SYMBOLS : [];
  });
}

/** Xen's notes in order. Putting a note replaces the first of its type and drops the others: Xen would take the last. */
class NoteList {
  /** Removed notes leave a hole, so that no edit costs more than the notes of its type. */
  readonly #slots: (WantedNote | undefined)[];
  readonly #byType = new Map<number, number[]>();

  /** A record that claims more bytes than there are; it never stays, even where the new one means the same. */
  readonly damaged: NoteRecord | undefined;

  constructor(records: readonly NoteRecord[], damaged: NoteRecord | undefined) {
    this.damaged = damaged;
    this.#slots = records.map((original) => ({ content: original, original }));
    for (const [slot, { type }] of records.entries()) {
      const same = this.#byType.get(type);
      if (same === undefined) this.#byType.set(type, [slot]);
      else same.push(slot);
    }
  }

  get notes(): readonly WantedNote[] {
    return this.#slots.filter((note) => note !== undefined);
  }

  /** The note of a type that Xen goes by: the last one. */
  find(type: number): WantedNote | undefined {
    const last = this.#byType.get(type)?.at(-1);
    return last === undefined ? undefined : this.#slots[last];
  }

  put(note: NoteContent): void {
    const [first, ...others] = this.#byType.get(note.type) ?? [];
    if (first === undefined) {
      this.#byType.set(note.type, [this.#slots.length]);
      this.#slots.push({ content: note, original: undefined });
      return;
    }
    const present = this.#slots[first];
    const stays = present !== undefined && present.content !== this.damaged && sameNote(present.content, note);
    if (present !== undefined && !stays) {
      this.#slots[first] = { content: note, original: present.original };
    }
    for (const slot of others) this.#slots[slot] = undefined;
    this.#byType.set(note.type, [first]);
  }

  /** Puts a note even where the one that is there says the same. */
  renew(note: NoteContent): void {
    this.put(note);
    const slot = this.#byType.get(note.type)?.[0];
    const present = slot === undefined ? undefined : this.#slots[slot];
    if (slot !== undefined && present !== undefined) this.#slots[slot] = { content: note, original: present.original };
  }

  remove(type: number): void {
    for (const slot of this.#byType.get(type) ?? []) this.#slots[slot] = undefined;
    this.#byType.delete(type);
  }

  clear(): void {
    this.#slots.fill(undefined);
    this.#byType.clear();
  }
}

/**
 * The note for a setting. A note that already means the same stays as it is, byte for byte, whatever its spelling: an
 * 8-byte PHYS32_ENTRY, a string without its NUL that padding ends.
 */
function settingNote(list: NoteList, setting: Setting, resolver: Resolver, warnings: string[]): NoteContent {
  const { encoding } = resolver.image;
  const { type, expr } = setting;
  const present = list.find(type)?.content;
  const info = noteInfo(type);
  const width =
    expr.kind === 'list'
      ? (setting.width ?? (info === undefined || info.width === 'native' ? nativeSize(encoding) : info.width))
      : chooseWidth(resolver.image, type, setting.width, present?.desc.length);
  const note = xenNote(type, evaluate(expr, type, width, resolver));
  if (type === FEATURES && expr.kind === 'text') judgeFeatures(expr.text, warnings);
  const mayStay = present !== undefined && present !== list.damaged && setting.width === undefined;
  if (mayStay && meansTheSame(present, note, resolver.image)) return present;
  return note;
}

function meansTheSame(present: NoteContent, note: NoteContent, image: ElfImage): boolean {
  const was = decodeValue(present.type, present.desc, image.encoding);
  const is = decodeValue(note.type, note.desc, image.encoding);
  if (was.kind === 'string' && is.kind === 'string') {
    // Without a NUL of its own the string ends in its padding; with none either, it runs into the next record.
    return was.text === is.text && (was.terminated || present.desc.length % 4 !== 0);
  }
  if (was.kind === 'number' && is.kind === 'number') {
    return was.value === is.value && was.width === is.width;
  }
  return false;
}

function judgeFeatures(text: string, warnings: string[]): void {
  // Unknown required ones were refused when the value was read.
  for (const { name, nearest } of checkFeatures(text).unknownOptional) {
    warnings.push(
      `FEATURES: Xen does not know ${name} and will ignore it${nearest.length === 0 ? '' : ` (did you mean ${nearest.join(' or ')}?)`}`,
    );
  }
}

function notesOfLegacy(image: ElfImage, warnings: string[]): NoteContent[] {
  const legacy = readLegacy(image);
  if (legacy === undefined) fail('plan.no-legacy', { file: image.source.name }, {});
  const converted = convertLegacy(legacy, image.encoding);
  warnings.push(...converted.warnings);
  return [...converted.notes];
}

function applyPreset(
  list: NoteList,
  name: string,
  resolver: Resolver,
  given: ReadonlySet<number>,
  warnings: string[],
): void {
  const { image } = resolver;
  const present = (type: number) => {
    const note = list.find(type)?.content;
    const value = note === undefined ? undefined : decodeValue(type, note.desc, image.encoding);
    return value?.kind === 'number' ? value.value : undefined;
  };
  for (const { type, value, merge, caution } of presetNotes({ preset: parsePreset(name), resolver, given, present })) {
    const note = list.find(type)?.content;
    const was = note === undefined ? undefined : decodeValue(type, note.desc, image.encoding);
    if (typeof value === 'string') {
      // What a loader requires is a prefix; a kernel that says more than that keeps saying it.
      if (was?.kind === 'string' && was.text.startsWith(value)) continue;
      list.put(xenNote(type, encodeString(value)));
      continue;
    }
    const wanted = merge && was?.kind === 'number' ? was.value | value : value;
    if (was?.kind === 'number' && was.value === wanted) continue;
    const width = chooseWidth(image, type, undefined, note?.desc.length);
    if (wanted >> BigInt(width * 8) !== 0n) {
      fail('plan.value-too-wide', { file: image.source.name }, { note: noteName(type), value: wanted, width });
    }
    list.put(xenNote(type, encodeNumber(wanted, width, image.encoding.endian)));
    if (caution !== undefined) warnings.push(caution);
  }
}
