/**
 * PE sections that were stamped behind an attached payload come in front of it when that payload is written anew or taken off:
 * what follows the kernel is sections first, the payload last.
 */
import { alignUp, isAlignment } from '../../base/bytes/align.js';
import type { Write } from '../../base/bytes/source.js';
import type { BzImage } from '../../formats/container/bzimage.js';
import { readWhole, wordBytes } from '../../formats/container/limits.js';
import { sectionsBehindPayload } from '../../formats/container/sections-behind.js';
import { kernelEnd } from '../../formats/container/signature-and-checksums.js';

/** The largest FileAlignment that the PE format knows. */
const MOST_ALIGNMENT = 0x10000n;

/** Sections at their new places, with their headers, and where the last of them ends; where the kernel ends without any. */
export interface MovedSections {
  readonly writes: readonly Write[];
  readonly end: bigint;
}

/** Moves what stands behind the attached payload to the end of the kernel. */
export function movedSections(image: BzImage): MovedSections {
  const stated = image.pe?.fileAlignment ?? 1n;
  const unit = !isAlignment(stated) ? 1n : stated < MOST_ALIGNMENT ? stated : MOST_ALIGNMENT;
  const writes: Write[] = [];
  let end = kernelEnd(image);
  for (const { range, pointer, name } of sectionsBehindPayload(image)) {
    const start = alignUp(end, unit);
    // Bytes of the old payload stood there.
    if (start > end) writes.push({ offset: end, bytes: new Uint8Array(Number(start - end)) });
    writes.push({ offset: start, bytes: readWhole(image.source, range, `section ${name}`) });
    writes.push({ offset: pointer, bytes: wordBytes(start) });
    end = start + (range.end - range.start);
  }
  return { writes, end };
}
