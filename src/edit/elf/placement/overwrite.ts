/** Notes of other owners overwritten where they stand, with as many bytes: nothing moves and no header changes. */
import { loadAtOffset } from '../../../formats/elf/image.js';
import { headerFor } from './header.js';
import type { Layout } from './layout.js';
import { type Job, overwriteBlobs } from './placement-input.js';

/** The layout of an edit that is nothing but overwriting; undefined when something else is asked for. */
export function overwriteOnly(job: Job): Layout | undefined {
  const { facts, foreign, home, wish, xenEdited } = job;
  const { image } = facts;
  const [first] = foreign.overwritten;
  if (first === undefined || xenEdited || foreign.changed.size > 0 || foreign.added.length > 0) return undefined;
  if (wish.placement !== 'auto' && wish.placement !== 'in-place') return undefined;
  if (wish.loaded !== undefined || wish.mustSurvive.length > 0) return undefined;
  const { record } = first;
  const loaded = loadAtOffset(image, { start: record.offset, end: record.offset + record.size }) !== undefined;
  return {
    placement: 'in-place',
    summary: 'descriptors overwritten where they are, no header changes',
    header: headerFor(image, { segments: image.segments.length, sections: image.sections.length }),
    segments: image.segments,
    sections: image.sections,
    blobs: overwriteBlobs(job),
    shift: undefined,
    fileSize: facts.fileSize,
    xenNotes: home.xen,
    noteRange: undefined,
    loaded,
    cover: 'plain',
    extendedLoad: undefined,
    addedLoads: 0,
    replacedSegments: [],
    touchedSections: [],
    warnings: [],
  };
}
