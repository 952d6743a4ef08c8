/** Notes of other owners overwritten where they stand, with as many bytes: nothing moves and no header changes. */
import { fileRange } from '../../../formats/elf/address.js';
import { loadAtOffset } from '../../../formats/elf/image.js';
import { headerFor } from './header.js';
import type { Layout } from './layout.js';
import { overwriteParts, type PlacementInput } from './placement-input.js';

/** The layout of an edit that is nothing but overwriting; undefined when something else is asked for. */
export function overwriteOnly(input: PlacementInput): Layout | undefined {
  const { analysis, otherOwners, target, options, xenEdited } = input;
  const { image } = analysis;
  const [first] = otherOwners.overwritten;
  if (first === undefined || xenEdited || otherOwners.changed.size > 0 || otherOwners.added.length > 0)
    return undefined;
  if (options.placement !== 'auto' && options.placement !== 'in-place') return undefined;
  if (options.mustSurvive.length > 0) return undefined;
  const isLoaded = ({ record }: typeof first) =>
    loadAtOffset(image, fileRange(record.offset, record.size)) !== undefined;
  const loaded = isLoaded(first);
  const asAsked =
    options.loaded === undefined || otherOwners.overwritten.every((one) => isLoaded(one) === options.loaded);
  if (!asAsked) return undefined;
  return {
    placement: 'in-place',
    summary: 'descriptors overwritten where they are, no header changes',
    header: headerFor(image, { segments: image.segments.length, sections: image.sections.length }),
    segments: image.segments,
    sections: image.sections,
    ...overwriteParts(input),
    shift: undefined,
    fileSize: analysis.fileSize,
    xenNotes: target.xen,
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
