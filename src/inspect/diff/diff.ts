/**
 * What differs between two images: notes, headers, segments, sections, bytes. Entries are matched by what they are, not by
 * their index alone, so that an inserted one is an insertion and not a difference of all behind it.
 */
import { equalBytes } from '../../base/bytes/text.js';
import { hexBytes } from '../../base/errors/hex.js';
import { Ehdr, Phdr, Shdr } from '../../formats/elf/headers.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { segmentTypeName } from '../../formats/elf/names.js';
import { sectionName } from '../../formats/elf/section-names.js';
import { pairOf } from '../../verify/elf/pair.js';
import { subjectOf } from '../../verify/elf/subject.js';
import { verifyImage } from '../../verify/elf/verify.js';
import { type ByteComparison, compareBytes } from './bytes.js';
import { EHDR_WORDS, type EntryDifference, type FieldDifference, fieldsOf, PHDR_WORDS, SHDR_WORDS } from './fields.js';
import { diffNotes, type NoteDifference } from './notes.js';
import { placeFinder } from './places.js';

/** How two ELF images differ. */
export interface ImageDifference {
  readonly same: boolean;
  readonly header: readonly FieldDifference[];
  readonly segments: readonly EntryDifference[];
  readonly sections: readonly EntryDifference[];
  readonly notes: readonly NoteDifference[];
  /** Everything behind this offset of the first image stands later in the second. */
  readonly shift: { readonly at: bigint; readonly by: bigint } | undefined;
  readonly bytes: ByteComparison;
  /** Does the second image differ from the first in notes and headers only, as after `patch`? */
  readonly onlyNotes: boolean;
}

/** Laws about what notes of other owners say; breaking them is a difference of notes. */
const ABOUT_NOTES: ReadonlySet<string> = new Set(['foreign-notes', 'build-id-kept']);

/** Compares two images. Errors: those of noteAreas and of reading. */
export function diffImages(
  a: ElfImage,
  b: ElfImage,
  onProgress?: (done: bigint, total: bigint) => void,
): ImageDifference {
  const pair = pairOf(subjectOf(b), { baseline: a });
  const counterparts = pair?.counterparts ?? [];
  const shift = pair?.shift;
  const bytes = compareBytes({
    a: a.source,
    b: b.source,
    shift,
    placeInA: placeFinder(a),
    placeInB: placeFinder(b),
    onProgress,
  });
  const same = bytes.count === 0;
  return {
    same,
    header: same ? [] : headerFields(a, b),
    segments: same ? [] : diffSegments(a, b, counterparts),
    sections: same ? [] : diffSections(a, b),
    notes: same ? [] : diffNotes(a, b),
    shift,
    bytes,
    onlyNotes:
      same ||
      verifyImage({ image: b, baseline: a }).every(({ level, check }) => level !== 'error' || ABOUT_NOTES.has(check)),
  };
}

function headerFields(a: ElfImage, b: ElfImage): FieldDifference[] {
  const ident = equalBytes(a.ident, b.ident)
    ? []
    : [
        {
          field: 'e_ident',
          before: hexBytes(a.ident),
          after: hexBytes(b.ident),
          meaning: EHDR_WORDS['e_ident'] ?? '',
        },
      ];
  return [...ident, ...fieldsOf(Object.keys(Ehdr.fields), a.header, b.header, EHDR_WORDS)];
}

function diffSegments(a: ElfImage, b: ElfImage, counterparts: readonly (number | undefined)[]): EntryDifference[] {
  const kept = new Set(counterparts);
  const old = a.segments.flatMap((segment, before): EntryDifference[] => {
    const after = counterparts[before];
    const now = after === undefined ? undefined : b.segments[after];
    const name = segmentTypeName(segment.p_type);
    if (after === undefined || now === undefined) return [{ before, after: undefined, name, fields: [] }];
    const fields = fieldsOf(Object.keys(Phdr.fields), segment, now, PHDR_WORDS);
    return fields.length === 0 && before === after ? [] : [{ before, after, name, fields }];
  });
  const fresh = b.segments.flatMap((segment, after): EntryDifference[] =>
    kept.has(after) ? [] : [{ before: undefined, after, name: segmentTypeName(segment.p_type), fields: [] }],
  );
  return [...old, ...fresh];
}

/** Sections are matched by name, the first of a name with the first of that name. */
function diffSections(a: ElfImage, b: ElfImage): EntryDifference[] {
  const names = Object.keys(Shdr.fields).filter((field) => field !== 'sh_name');
  const left = byName(b);
  const taken = new Set<number>();
  const old = a.sections.flatMap((section, before): EntryDifference[] => {
    const name = sectionName(a, before);
    const after = before === 0 ? 0 : left.get(name)?.shift();
    const now = after === undefined ? undefined : b.sections[after];
    if (after === undefined || now === undefined) return [{ before, after: undefined, name, fields: [] }];
    taken.add(after);
    const fields = fieldsOf(names, section, now, SHDR_WORDS);
    return fields.length === 0 ? [] : [{ before, after, name, fields }];
  });
  const fresh = b.sections.flatMap((_, after): EntryDifference[] =>
    taken.has(after) ? [] : [{ before: undefined, after, name: sectionName(b, after), fields: [] }],
  );
  return [...old, ...fresh];
}

function byName(image: ElfImage): Map<string, number[]> {
  const names = new Map<string, number[]>();
  for (const index of image.sections.keys()) {
    if (index === 0) continue;
    const name = sectionName(image, index);
    const same = names.get(name);
    if (same === undefined) names.set(name, [index]);
    else same.push(index);
  }
  return names;
}
