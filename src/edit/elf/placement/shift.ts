/**
 * `shift`: the program header table grows where it is, and everything behind it moves by a multiple of the largest p_align,
 * which keeps every offset congruent to its address (gABI, "Program Loading"), and of the pages that it could be mapped by.
 */
import { alignUp } from '../../../base/bytes/align.js';
import { rangeOf } from '../../../base/bytes/range.js';
import { hex } from '../../../base/errors/hex.js';
import { hasFileBytes, loads, sectionFileRange, segmentFileRange, shdrTable } from '../../../formats/elf/image.js';
import { PT_NULL } from '../../../formats/elf/names.js';
import { lastMultibootOffset, multibootWindow } from '../../../formats/multiboot/windows.js';
import { compose, mergeFor } from './compose.js';
import { refusedBy } from './conditions.js';
import type { Layout, Refusal } from './layout.js';
import { mappedStep } from './pages.js';
import { bytesText, PADDING_LIMIT, type PlacementInput } from './placement-input.js';
import { phdrSize } from './program-headers.js';

/** The layout of `shift`, or why this image cannot have one. */
export function shift(input: PlacementInput): Layout | Refusal {
  const refuse = (reason: string): Refusal => ({ placement: 'shift', reason });
  const { analysis, target } = input;
  const { image } = analysis;
  const refused = refusedBy('shift', input);
  if (refused !== undefined) return refused;
  const merged = mergeFor(input);
  if ('reason' in merged) return refuse(merged.reason);
  const more = target.segments.length > 0 ? 0n : 1n;
  const at = analysis.tableEnd;
  const cut = straddler(input, at);
  if (cut !== undefined)
    return refuse(`${cut} starts before the end of the program headers at ${hex(at)} and ends behind it`);
  const pages = mappedStep(image);
  const least = pages > 16n ? pages : 16n;
  const step = loads(image).reduce((largest, { segment: s }) => (s.p_align > largest ? s.p_align : largest), least);
  const start = alignUp(at + phdrSize(analysis) * more, merged.align);
  const by = alignUp(start + merged.size - at, step);
  if (by > PADDING_LIMIT) return refuse(`p_align ${hex(step)} of a PT_LOAD would make the file larger by ${hex(by)}`);
  if (image.encoding.bits === 32 && analysis.fileSize + by >= 1n << 32n) return refuse('offsets would exceed 32 bits');
  for (const header of analysis.multiboot) {
    const to = header.offset + by;
    if (to > lastMultibootOffset(header)) {
      const window = multibootWindow(header);
      return refuse(
        `the Multiboot ${header.version} header at ${hex(header.offset)} would move to ${hex(to)}, too near the end of the first ${window} bytes`,
      );
    }
  }
  const index = target.segments.at(-1);
  return compose(input, merged, {
    placement: 'shift',
    summary: `everything behind the program headers moved by ${hex(by)}, notes in the gap (${bytesText(merged.size)})`,
    slot: index === undefined ? { kind: 'grown' } : { kind: 'merged', index },
    range: rangeOf(start, merged.size),
    loadedAt: undefined,
    end: analysis.fileSize + by,
    shift: { at, by },
  });
}

/** What would be torn apart by an insertion at `at`. */
function straddler({ analysis }: PlacementInput, at: bigint): string | undefined {
  const { image } = analysis;
  const torn = ({ start, end }: { start: bigint; end: bigint }) => start < at && end > at;
  const segment = image.segments.findIndex((s) => s.p_type !== PT_NULL && torn(segmentFileRange(s)));
  if (segment >= 0) return `program header ${segment}`;
  const section = image.sections.findIndex((s) => hasFileBytes(s) && torn(sectionFileRange(s)));
  if (section >= 0) return `section ${section}`;
  return torn(shdrTable(image)) ? 'the section header table' : undefined;
}
