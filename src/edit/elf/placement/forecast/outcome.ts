/** What a later tool does to an image, as its model works it out, and what the models ask of the image. */
import { normalize, type Range, rangeOf, subtractSorted } from '../../../../base/bytes/range.js';
import { allZero } from '../../../../base/bytes/zeros.js';
import type { Phdr } from '../../../../formats/elf/headers.js';
import {
  type ElfImage,
  ehdrSize,
  hasFileBytes,
  phdrTable,
  sectionFileRange,
  segmentFileRange,
} from '../../../../formats/elf/image.js';
import { noteAreas } from '../../../../formats/note/areas.js';
import { walkAsXen } from '../../../../loaders/read/loader-walks.js';
import type { Survival } from '../layout.js';

/** What a tool does. `about`: what it spoils; an image that it spoils unpatched as well is said to be so. */
export interface Outcome extends Pick<Survival, 'verdict' | 'why'> {
  readonly about?: 'loads' | 'notes';
}

/** The notes are found afterwards, and memory is the same. */
export function kept(why: string): Outcome {
  return { verdict: 'kept', why };
}

/** PT_LOADs or what they hold change. */
export function loadsBroken(why: string): Outcome {
  return { verdict: 'broken', why, about: 'loads' };
}

/** The notes are no longer found through a PT_NOTE. */
export function notesBroken(why: string, verdict: 'broken' | 'dropped' = 'broken'): Outcome {
  return { verdict, why, about: 'notes' };
}

/** The PT_NOTEs that matter: those with Xen's notes; where no segment has any, all that show records. */
export function noteSegments(image: ElfImage): { readonly index: number; readonly segment: Phdr }[] {
  const { from, notes } = walkAsXen(image);
  const areas =
    from === 'segments'
      ? []
      : noteAreas(image).filter(({ kind, walk }) => kind === 'segment' && walk.records.length > 0);
  const matter = new Set(from === 'segments' ? notes.map(({ index }) => index) : areas.map(({ index }) => index));
  return image.segments.flatMap((segment, index) => (matter.has(index) ? [{ segment, index }] : []));
}

/** The first of these ranges with a byte that is not zero; bytes behind the end of the file are none. */
export function firstNonZero({ source }: ElfImage, ranges: readonly Range[]): Range | undefined {
  return ranges.find((range) => !allZero(source, range, 'bytes between sections'));
}

/** What of a segment's file bytes none of these sections covers; headers, which a tool writes itself, left out: `table` is where it puts them. */
export function uncovered(
  image: ElfImage,
  segment: Phdr,
  sections: readonly number[],
  table: Range = phdrTable(image),
): Range[] {
  const covered = sections.flatMap((index) => {
    const section = image.sections[index];
    return section !== undefined && hasFileBytes(section) ? [sectionFileRange(section)] : [];
  });
  const headers = [rangeOf(0n, ehdrSize(image.encoding)), phdrTable(image), table];
  return subtractSorted(segmentFileRange(segment), normalize([...covered, ...headers]));
}
