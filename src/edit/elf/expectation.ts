/**
 * What an edit is meant to change, as plain data for the verifier; and the verifier's word on a layout before it is taken:
 * the same checks, asked of the bytes that would be written. So a plan that was made is a plan that is not stopped.
 */
import { PatchError } from '../../base/errors/patch-error.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { readElf } from '../../formats/elf/read.js';
import { distinctAreas } from '../../formats/note/areas.js';
import { isXens, type NoteContent } from '../../formats/note/record.js';
import { verifyImage } from '../../verify/elf/verify.js';
import type { Expectation } from '../../verify/finding.js';
import type { Layout } from './placement/layout.js';
import type { Analysis } from './plan/analyze.js';
import type { OtherOwnersNotes } from './plan/other-owners.js';
import type { ImageKind } from './plan/placement-options.js';
import type { RewriteTarget } from './plan/rewrite-target.js';
import { preview, type Rendered } from './render.js';

/** What of a plan decides which changes were meant. */
export interface Meant {
  readonly image: ElfImage;
  readonly analysis: Analysis;
  readonly target: RewriteTarget;
  readonly kind: ImageKind;
  readonly otherOwners: OtherOwnersNotes;
  readonly xenRewritten: boolean;
  readonly xenNotes: readonly NoteContent[];
  readonly layout: Layout | undefined;
  readonly rendered: Rendered;
}

/** What the plan means to change, as plain data for the verifier. */
export function expectationOf(meant: Meant): Expectation {
  const { layout, rendered } = meant;
  const hidden = inSectionsOnly(meant);
  return {
    xenNotes: meant.xenNotes,
    xenKept: !meant.xenRewritten,
    isProgram: meant.kind === 'program',
    planned: rendered.planned,
    shift: rendered.shift,
    fileSize: rendered.fileSize,
    extendedLoad: layout?.extendedLoad,
    shrunkLoad: layout?.shrunkLoad,
    addedLoads: layout?.addedLoads ?? 0,
    droppedSections: layout?.droppedSections ?? 0,
    freed: layout?.freed ?? [],
    replacedSegments: layout?.replacedSegments ?? [],
    touchedSections: layout?.touchedSections ?? [],
    foreignAdded: [...meant.otherOwners.fresh.filter((note) => !hidden.added.includes(note)), ...promoted(meant)],
    foreignRemoved: meant.otherOwners.gone.filter((note) => !hidden.removed.some((other) => other === note)),
    foreignInSections: hidden,
  };
}

/**
 * Why the verifier would stop this result, in one line; undefined when it would not. Nothing is written: the result is the
 * input with the planned pieces laid over it, and what was copied where it stands is not read again.
 */
export function stoppedBy(meant: Meant): string | undefined {
  try {
    const result = readElf(preview(meant.image, meant.rendered));
    const findings = verifyImage({ image: result, baseline: meant.image, expectation: expectationOf(meant) });
    const broken = findings.find(({ level }) => level === 'error');
    if (broken === undefined) return undefined;
    const part = broken.place.part === undefined ? '' : `${broken.place.part}: `;
    return `the result would break ${broken.check}: ${part}${broken.text}`;
  } catch (error) {
    // Headers that cannot be read back; what the operating system refuses is no word on the layout.
    if (!(error instanceof PatchError) || error.id === 'read.open' || error.id === 'read.changed') throw error;
    return `the result could not be read: ${error.detail}`;
  }
}

/** Notes of other owners that are overwritten where no segment shows them and none will: what goes, and what comes. */
function inSectionsOnly({ analysis, otherOwners, target }: Meant) {
  const segments = distinctAreas(analysis.areas, 'segment');
  const shown = new Set(
    [...segments.flatMap(({ walk }) => walk.records), ...target.records].map(({ offset }) => offset),
  );
  const unseen = otherOwners.overwritten.filter(({ record }) => !shown.has(record.offset));
  return { removed: unseen.map(({ record }) => record), added: unseen.map(({ content }) => content) };
}

/** Notes of other owners that only sections showed, in an area that becomes a segment. */
function promoted({ analysis, layout, otherOwners, target }: Meant): NoteContent[] {
  if (layout?.noteRange === undefined || target.segments.length > 0) return [];
  const segments = distinctAreas(analysis.areas, 'segment');
  const shown = new Set(segments.flatMap(({ walk }) => walk.records));
  return target.records.filter((record) => !isXens(record) && !shown.has(record) && !otherOwners.gone.includes(record));
}
