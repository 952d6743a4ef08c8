/** Which notes two images have that differ, by owner and type, whatever their place. */
import type { ElfImage } from '../../formats/elf/image.js';
import { type NoteArea, noteAreas } from '../../formats/note/areas.js';
import { type NoteRecord, ownerOf, sameBytes, sameDesc } from '../../formats/note/record.js';

/** A note that is gone, new, says something else, or stands in another segment or section. */
export interface NoteDifference {
  readonly kind: 'gone' | 'new' | 'changed' | 'moved';
  readonly owner: string;
  readonly type: number;
  readonly before: NoteSeen | undefined;
  readonly after: NoteSeen | undefined;
}

/** A note as one of the two images has it; `offset` is of the file. */
export interface NoteSeen {
  readonly desc: Uint8Array;
  readonly offset: bigint;
  /** `PT_NOTE 2, .note.Xen`. */
  readonly places: readonly string[];
}

/** Headers named for one note; thousands may show the same bytes. */
const PLACES_KEPT = 4;

/** Compares the notes of two images, in the order of the first. Errors: those of noteAreas. */
export function diffNotes(a: ElfImage, b: ElfImage): NoteDifference[] {
  const before = notesByKey(noteAreas(a));
  const after = notesByKey(noteAreas(b));
  const differences: NoteDifference[] = [];
  for (const [key, old] of before) {
    const now = after.get(key) ?? [];
    for (let i = 0; i < Math.max(old.length, now.length); i += 1) {
      differences.push(...difference(old[i], now[i]));
    }
  }
  for (const [key, now] of after)
    if (!before.has(key)) differences.push(...now.flatMap((note) => difference(undefined, note)));
  return differences;
}

interface Seen extends NoteSeen {
  readonly record: NoteRecord;
}

function difference(old: Seen | undefined, now: Seen | undefined): NoteDifference[] {
  const record = old?.record ?? now?.record;
  if (record === undefined) return [];
  const told = { owner: ownerOf(record.name), type: record.type, before: old, after: now };
  if (old === undefined) return [{ kind: 'new', ...told }];
  if (now === undefined) return [{ kind: 'gone', ...told }];
  if (!sameDesc(old.record, now.record) || !sameBytes(old.record.name, now.record.name))
    return [{ kind: 'changed', ...told }];
  const stays = old.places.join() === now.places.join() && old.offset === now.offset;
  return stays ? [] : [{ kind: 'moved', ...told }];
}

/** Segments first: what a loader sees comes before what only sections still show. Each walk is gone through once. */
function notesByKey(areas: readonly NoteArea[]): Map<string, Seen[]> {
  const byOffset = new Map<bigint, { readonly record: NoteRecord; at: Place[] }>();
  for (const [walk, places] of placesOf(areas)) {
    for (const record of walk.records) {
      const seen = byOffset.get(record.offset);
      if (seen === undefined) byOffset.set(record.offset, { record, at: places });
      else seen.at = [...seen.at, ...places].sort((a, b) => a.order - b.order).slice(0, PLACES_KEPT);
    }
  }
  const byKey = new Map<string, Seen[]>();
  for (const { record, at } of byOffset.values()) {
    const key = `${record.type} ${ownerOf(record.name)}`;
    const places = at.map(({ name }) => name);
    const seen = { record, desc: record.desc, offset: record.offset, places };
    const same = byKey.get(key);
    if (same === undefined) byKey.set(key, [seen]);
    else same.push(seen);
  }
  return byKey;
}

interface Place {
  readonly order: number;
  readonly name: string;
}

/** The areas of each walk that are named, the first ones. */
function placesOf(areas: readonly NoteArea[]): Map<NoteArea['walk'], Place[]> {
  const places = new Map<NoteArea['walk'], Place[]>();
  for (const [order, { walk, name }] of areas.entries()) {
    const known = places.get(walk);
    if (known === undefined) places.set(walk, [{ order, name }]);
    else if (known.length < PLACES_KEPT) known.push({ order, name });
  }
  return places;
}
