/**
 * Xen records that stand whole in an image and that no loader finds: in a section which the linker made data of, or
 * behind bytes that are no record (a tool that zeroed notes in place). They are taken over byte for byte.
 */
import { type Range, rangeOf } from '../../base/bytes/range.js';
import { findBytes } from '../../base/bytes/text.js';
import { type ElfImage, hasFileBytes } from '../../formats/elf/image.js';
import { SHT_NOTE } from '../../formats/elf/names.js';
import { sectionName } from '../../formats/elf/section-names.js';
import { noteAreas } from '../../formats/note/areas.js';
import { NHDR_SIZE, type NoteContent, sameNote, walkNotes, XEN_OWNER } from '../../formats/note/record.js';
import { noteInfo } from '../../formats/note/xen-notes.js';

/** Xen's records of one place that no loader finds, byte for byte. */
export interface RecoveredRecords {
  /** `section .note.Xen`, `PT_NOTE 2`. */
  readonly where: string;
  readonly kind: 'data section' | 'note area';
  readonly notes: readonly NoteContent[];
}

/** No note area of a kernel is larger. */
const MOST_BYTES = 0x10000n;
const MOST_PLACES = 64;

/** The first place with whole Xen records; undefined when there is none, or when two of a type say different things. */
export function recoverRecords(image: ElfImage): RecoveredRecords | undefined {
  for (const { where, kind, range } of places(image).slice(0, MOST_PLACES)) {
    if (range.end - range.start > MOST_BYTES || range.start >= range.end) continue;
    const notes = recordsIn(image, range);
    if (notes.length === 0) continue;
    const contradicts = notes.some((a) => notes.some((b) => a.type === b.type && !sameNote(a, b)));
    return contradicts ? undefined : { where, kind, notes };
  }
  return undefined;
}

function places(image: ElfImage): { where: string; kind: RecoveredRecords['kind']; range: Range }[] {
  const areas = noteAreas(image).map(({ name, kind, range }) => ({
    where: kind === 'section' ? `section ${name}` : name,
    kind: 'note area' as const,
    range,
  }));
  const data = image.sections.flatMap((section, index) => {
    const name = sectionName(image, index);
    if (section.sh_type === SHT_NOTE || !hasFileBytes(section) || !/^\.notes?(\.|$)/.test(name)) return [];
    const range = rangeOf(section.sh_offset, section.sh_size);
    if (range.end > image.source.size) return [];
    return [{ where: `section ${name}`, kind: 'data section' as const, range }];
  });
  return [...areas, ...data];
}

/** Records of owner Xen and a known type that stand whole in the range, wherever they begin. */
function recordsIn(image: ElfImage, { start, end }: Range): NoteContent[] {
  const bytes = image.source.read(start, end - start, 'notes');
  const found: NoteContent[] = [];
  let from = NHDR_SIZE;
  for (let name = findBytes(bytes, XEN_OWNER, from); name >= 0; name = findBytes(bytes, XEN_OWNER, from)) {
    const at = name - NHDR_SIZE;
    const [record] = walkNotes(bytes.subarray(at), start + BigInt(at), image.encoding.endian, 4n).records;
    const whole =
      record !== undefined && record.name.length === XEN_OWNER.length && noteInfo(record.type) !== undefined;
    if (whole && record.desc.length > 0) {
      found.push({ name: record.name, type: record.type, desc: record.desc });
      from = at + Number(record.size) + NHDR_SIZE;
    } else from = name + 1;
  }
  return found;
}
