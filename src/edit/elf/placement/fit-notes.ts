/**
 * Notes that are written where they stood, and the sections over them: where record boundaries begin to differ, which headers
 * follow, and which section comes for package metadata that join the notes of others.
 */
import type { Range } from '../../../base/bytes/range.js';
import type { Shdr } from '../../../formats/elf/headers.js';
import { hasFileBytes, isAllocated, sectionFileRange } from '../../../formats/elf/image.js';
import { SHT_NOTE } from '../../../formats/elf/names.js';
import type { NoteArea } from '../../../formats/note/areas.js';
import { notesSize } from '../../../formats/note/large-notes.js';
import { encodedSize, type NoteContent } from '../../../formats/note/record.js';
import { frontSize, isPackage, PACKAGE_SECTION, packageTail } from './package-part.js';
import type { PlacementInput } from './placement-input.js';
import { appendedBytes } from './program.js';
import { type Cover, canBeNamed, fitSections } from './section-headers.js';

/** The first file offset at which a record of the area no longer stands where it stood; undefined: none moves. */
export function firstMoved(area: NoteArea, notes: readonly NoteContent[]): bigint | undefined {
  let at: bigint = area.range.start;
  for (const [index, record] of area.walk.records.entries()) {
    const note = notes[index];
    if (note === undefined || record.offset !== at) return record.offset;
    const size = BigInt(encodedSize(note));
    const last = index === area.walk.records.length - 1;
    // The padding of the last record may be missing.
    if (size !== record.size && !(last && size > record.size && size - record.size < 4n)) return record.offset;
    at += size;
  }
  return at === area.range.end || area.walk.problem === undefined ? undefined : at;
}

/**
 * The headers of the sections over these notes, and the section that package metadata get which come to notes of others; or why
 * they cannot be had.
 */
export function fitOf(
  input: PlacementInput,
  area: NoteArea,
  notes: readonly NoteContent[],
): { readonly changes: ReadonlyMap<number, Shdr>; readonly added: Cover | undefined } | { readonly reason: string } {
  const { analysis, options } = input;
  const end = area.range.start + notesSize(notes);
  const packagesAt = area.range.start + frontSize(notes);
  const added = addedCover(input, area, { start: packagesAt, end });
  const moved = firstMoved(area, notes);
  const changes = fitSections(analysis, area.range, added === undefined ? end : packagesAt, moved, packagesAt);
  if ('reason' in changes) return changes;
  return { changes, added: added && { ...added, align: BigInt(options.notesAlign) } };
}

/** The section for package metadata that are new in the area; undefined: none is added. */
function addedCover(
  { analysis, otherOwners, options }: PlacementInput,
  area: NoteArea,
  packages: Range,
): Omit<Cover, 'align'> | undefined {
  const { image } = analysis;
  if (!otherOwners.added.some(isPackage) || packages.start === area.range.start) return undefined;
  if (options.section === PACKAGE_SECTION || !canBeNamed(analysis, PACKAGE_SECTION)) return undefined;
  if (packageTail(analysis, area.range) !== undefined) return undefined;
  // The section headers would go behind what is appended to the image, which may be found from the end of the file.
  if (appendedBytes(analysis) !== undefined) return undefined;
  const last = image.sections.find(
    (s) => s.sh_type === SHT_NOTE && hasFileBytes(s) && sectionFileRange(s).end === area.range.end,
  );
  if (last === undefined) return undefined;
  const allocated = isAllocated(last);
  return { range: packages, allocated, sh_addr: allocated ? last.sh_addr + (packages.start - last.sh_offset) : 0n };
}
