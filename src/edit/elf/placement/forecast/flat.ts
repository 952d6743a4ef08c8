/** What `objcopy -O binary` makes of an image: its allocated sections with bytes, at their load addresses (bfd/binary.c). */
import { contains, overlaps } from '../../../../base/bytes/range.js';
import { hex } from '../../../../base/errors/hex.js';
import {
  type ElfImage,
  hasFileBytes,
  isAllocated,
  sectionFileRange,
  segmentFileRange,
} from '../../../../formats/elf/image.js';
import { SHT_NOTE } from '../../../../formats/elf/names.js';
import { PADDING_LIMIT } from '../placement-input.js';
import { sectionsOf } from './bfd.js';
import { bfdRefusal } from './bfd-refusal.js';
import { firstNonZero, kept, loadsBroken, noteSegments, type Outcome } from './outcome.js';

/** The outcome of making a flat binary of the result, held against one made of the image before the edit. */
export function flat(image: ElfImage, before: ElfImage): Outcome {
  const refused = bfdRefusal(image);
  if (refused !== undefined) return loadsBroken(`objcopy refuses the image: ${refused}`);
  const [now, was] = [spanOf(image), spanOf(before)];
  const broken = (why: string): Outcome => ({
    verdict: 'broken',
    why: `objcopy -O binary writes allocated sections at their address, and ${why}`,
  });
  if (now === undefined || was === undefined) return kept('no allocated section has bytes: there is no flat binary');
  const covered = coveredByNotes(image, before);
  if (covered !== undefined) return broken(covered);
  const holdsMore = loadedParts(before).some(
    ({ isNote, file }) => !isNote && firstNonZero(before, [file]) !== undefined,
  );
  if (holdsMore && now.start !== was.start)
    return broken(`this one begins at ${hex(now.start)}, not at ${hex(was.start)}`);
  const [size, old] = [now.end - now.start, was.end - was.start];
  if (size - old > PADDING_LIMIT) return broken(`this one has ${hex(size)} bytes, not ${hex(old)}`);
  return kept('the flat binary is the same as without the edit, or holds the notes where they are loaded');
}

/** Do notes that stand elsewhere than before lie over what the image had at those addresses? */
function coveredByNotes(image: ElfImage, before: ElfImage): string | undefined {
  const parts = loadedParts(image);
  const known = loadedParts(before);
  // The notes that were written anew elsewhere are in that section as well.
  const former = noteSegments(before).map(({ segment }) => segmentFileRange(segment));
  for (const part of parts) {
    const was = known.find(({ index }) => index === part.index);
    if (was !== undefined && was.start === part.start && was.end === part.end) continue;
    const other = parts.find(
      (p) =>
        // Of two that share bytes, the later one is written over the earlier.
        p.index < part.index &&
        overlaps(p, part) &&
        !(was !== undefined && overlaps(p, was)) &&
        !former.some((range) => contains(range, p.file)) &&
        firstNonZero(image, [p.file]) !== undefined,
    );
    if (other !== undefined)
      return `section ${part.index} would lie over section ${other.index} at ${hex(other.start)}`;
  }
  return undefined;
}

function loadedParts(image: ElfImage) {
  return sectionsOf(image)
    .filter(({ shdr }) => isAllocated(shdr) && hasFileBytes(shdr))
    .map(({ index, shdr, lma }) => ({
      index,
      start: lma,
      end: lma + shdr.sh_size,
      file: sectionFileRange(shdr),
      isNote: shdr.sh_type === SHT_NOTE,
    }));
}

function spanOf(image: ElfImage): { readonly start: bigint; readonly end: bigint } | undefined {
  const [first, ...rest] = loadedParts(image);
  return rest.reduce<{ readonly start: bigint; readonly end: bigint } | undefined>(
    (span, { start, end }) =>
      span && { start: start < span.start ? start : span.start, end: end > span.end ? end : span.end },
    first,
  );
}
