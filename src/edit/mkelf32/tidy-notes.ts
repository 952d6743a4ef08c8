/**
 * The notes of a tidy container. One PT_NOTE inside the load segment stays where it is; anything else (notes outside it,
 * several PT_NOTEs, notes to be set) makes one list of records behind the data, because the headers have room for one.
 */

import { fail } from '../../base/errors/patch-error.js';
import { fileOffset, paddr, vaddr } from '../../formats/elf/address.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { PT_NOTE } from '../../formats/elf/names.js';
import { noteAreas } from '../../formats/note/areas.js';
import { chooseWidth, evaluate, Resolver, symbolsIn } from '../../formats/note/evaluate.js';
import { encodeNotes, isXens, type NoteContent, xenNote } from '../../formats/note/record.js';
import type { Setting } from '../../formats/note/value.js';
import { OUTPUT } from './container.js';
import type { Flat } from './flatten.js';
import { withPropertiesOf } from './tidy-properties.js';

/** Where the notes of the result stand. */
export type TidyNotes =
  | { readonly kind: 'none' }
  /** In the load segment, so far from its start. */
  | { readonly kind: 'inside'; readonly distance: bigint; readonly size: bigint }
  /** Records that go behind the data; not in memory. */
  | { readonly kind: 'behind'; readonly bytes: Uint8Array };

/** Which notes the result shall have. */
export interface NotesWish {
  /** Carry the notes of the input over. */
  readonly notes: boolean;
  readonly settings: readonly Setting[];
}

/**
 * `moved` is how much higher than in the input the image will be loaded; physical addresses in values follow it.
 * Errors: `mkelf32.unfit` when notes are wanted and there are none, those of noteAreas() and evaluate().
 */
export function tidyNotes(
  image: ElfImage,
  flat: Flat,
  moved: bigint,
  { notes, settings }: NotesWish,
  warnings: string[],
): TidyNotes {
  const inside = notes && settings.length === 0 ? onlyInside(image, flat) : undefined;
  if (inside !== undefined) return inside;
  const records: NoteContent[] = notes ? recordsOf(image, warnings) : [];
  if (notes && records.length === 0 && settings.length === 0) {
    fail('mkelf32.unfit', { file: image.source.name }, { what: 'found no notes, wanted some for --notes' });
  }
  if (settings.length > 0) set(records, settings, atNewPlace(image, flat, moved));
  return records.length === 0 ? { kind: 'none' } : { kind: 'behind', bytes: encodeNotes(records, OUTPUT.endian) };
}

function onlyInside(image: ElfImage, flat: Flat): TidyNotes | undefined {
  const [only, ...others] = image.segments.filter(({ p_type, p_filesz }) => p_type === PT_NOTE && p_filesz > 0n);
  // Padding to 8 is what only few readers understand in an ELF32 file.
  if (only === undefined || others.length > 0 || only.p_align === 8n) return undefined;
  const distance = flat.distanceOfOffset(fileOffset(only.p_offset), only.p_filesz);
  return distance === undefined ? undefined : { kind: 'inside', distance, size: only.p_filesz };
}

/** Every record once: segments may overlap, and sections are looked at only where no segment has a note. */
function recordsOf(image: ElfImage, warnings: string[]): NoteContent[] {
  const areas = noteAreas(image);
  const found = new Map<bigint, NoteContent>();
  for (const kind of ['segment', 'section'] as const) {
    for (const area of areas) {
      if (area.kind !== kind) continue;
      for (const record of area.walk.records) found.set(record.offset, record);
      if (area.walk.problem !== undefined)
        warnings.push(`${area.name} cannot be read to its end: ${area.walk.problem}`);
    }
    if (found.size > 0) break;
  }
  return [...found.values()].map((record) => withPropertiesOf(record, image.encoding));
}

/** Sets notes as `patch --set` does: in the place of Xen's note of that type, else behind the last. */
function set(records: NoteContent[], settings: readonly Setting[], image: ElfImage): void {
  const resolver = new Resolver(
    image,
    settings.flatMap(({ expr }) => symbolsIn(expr)),
  );
  // Numbers are as wide as the class of the result, not of the input, wants them.
  const result = { ...image, encoding: OUTPUT };
  for (const { type, width, expr } of settings) {
    const note = xenNote(type, evaluate(expr, type, chooseWidth(result, type, width, undefined), resolver));
    const present = records.findIndex((record) => record.type === type && isXens(record));
    if (present < 0) records.push(note);
    else records[present] = note;
  }
}

/** The input as it will be loaded: `phys:` values are addresses in the result. */
function atNewPlace(image: ElfImage, flat: Flat, moved: bigint): ElfImage {
  const { e_entry } = image.header;
  const isVirtual = flat.distanceOfVaddr(vaddr(e_entry)) !== undefined;
  const isPhysical = !isVirtual && flat.distanceOfPaddr(paddr(e_entry)) !== undefined;
  return {
    ...image,
    header: { ...image.header, e_entry: isPhysical ? e_entry + moved : e_entry },
    segments: image.segments.map((segment) => ({ ...segment, p_paddr: segment.p_paddr + moved })),
  };
}
