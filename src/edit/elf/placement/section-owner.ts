/**
 * Whose notes a section holds. A linker makes a section for each owner (.note.gnu.build-id, .note.Linux), and build systems
 * cut them out by name: a note of another owner inside one changes what they get.
 */
import { overlaps, type Range } from '../../../base/bytes/range.js';
import { hasFileBytes, sectionFileRange } from '../../../formats/elf/image.js';
import { SHT_NOTE } from '../../../formats/elf/names.js';
import { sectionName } from '../../../formats/elf/section-names.js';
import { isXens, type NoteContent, ownerOf } from '../../../formats/note/record.js';
import type { Analysis } from '../plan/analyze.js';
import { PACKAGE_SECTION, packageTail } from './package-part.js';
import type { PlacementInput } from './placement-input.js';

/** The owners of the records that a note section shows; empty for any other section. Xen's is `Xen`, however it is spelled. */
export function ownersIn({ areas }: Analysis, index: number): ReadonlySet<string> {
  const area = areas.find((a) => a.kind === 'section' && a.index === index);
  return new Set(area?.walk.records.map(ownerNamed));
}

/**
 * Why new notes may not join the section that ends with these ones: it holds notes of other owners only. Sections with Xen's
 * notes, and those in which owners are mixed already, take any. Undefined: they may.
 */
export function strangerObstacle(input: PlacementInput, notes: Range): string | undefined {
  const { analysis, wanted, otherOwners } = input;
  const fresh = [
    ...wanted.filter(({ original }) => original === undefined).map(({ content }) => content),
    ...otherOwners.added,
  ].map(ownerNamed);
  if (fresh.length === 0) return undefined;
  const last = { start: notes.end - 1n, end: notes.end };
  const index = analysis.image.sections.findIndex(
    (s) => s.sh_type === SHT_NOTE && hasFileBytes(s) && overlaps(sectionFileRange(s), last),
  );
  const owners = index < 0 ? new Set<string>() : ownersIn(analysis, index);
  const name = sectionName(analysis.image, Math.max(index, 0));
  if (name === PACKAGE_SECTION && fresh.includes(XENS) && packageTail(analysis, notes) === undefined) {
    return `${name} is for package metadata, and notes of ${XENS} do not belong there`;
  }
  if (!isOneOwners(name, input.options.section)) return undefined;
  const [owner] = owners;
  const stranger = fresh.find((name) => owners.size === 1 && owner !== XENS && name !== owner);
  if (owner === undefined || stranger === undefined) return undefined;
  return `${name} holds notes of ${owner} only, and one of ${stranger} does not belong there`;
}

const XENS = 'Xen';

/**
 * Is this the name of a section for one owner, as linkers and assembler sources give it? `.note` and `.notes` are anybody's, and
 * the names that edits give take what an edit puts there.
 */
export function isOneOwners(name: string, wanted: string): boolean {
  return name.startsWith('.note.') && name !== wanted && !NAMES_OF_EDITS.has(name);
}

const NAMES_OF_EDITS: ReadonlySet<string> = new Set(['.note.Xen', '.note.package', '.note.stamp']);

function ownerNamed(note: NoteContent): string {
  return isXens(note) ? XENS : ownerOf(note.name);
}
