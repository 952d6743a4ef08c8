/**
 * PE sections whose data stands behind a Linux boot image: SBAT, package metadata and what else was stamped into its PE header
 * after the kernel was built. Firmware finds them by that header alone, so that they may move, and must not get lost.
 */
import { compare, overlaps, subtract } from '../../base/bytes/range.js';
import { fits } from '../../base/bytes/source.js';
import type { BzImage } from './bzimage.js';
import type { StubSection } from './efi-stub.js';
import { isKernelTail } from './kernel-tail.js';

/** Those sections in the order of the file, disjoint and inside it. What overlaps is nothing that a header explains. */
export function sectionsBehind({ source, pe, sysEnd, attached, payload }: BzImage): readonly StubSection[] {
  const behind: StubSection[] = [];
  const sections = [...(pe?.sections ?? [])].sort((a, b) => compare(a.range.start, b.range.start));
  let end = sysEnd;
  for (const section of sections) {
    const { range } = section;
    if (range.start < end || !fits(range.start, range.end - range.start, source.size)) continue;
    if (attached && overlaps(range, payload)) continue;
    behind.push(section);
    ({ end } = range);
  }
  return behind;
}

/** Is what stands between two file offsets behind the kernel its own, or a section's? */
export function isExplained(image: BzImage, start: bigint, end: bigint): boolean {
  const known = sectionsBehind(image).map(({ range }) => range);
  return subtract({ start, end }, known).every((range) => isKernelTail(image.source, range));
}

/** Sections that stand behind an attached payload: stamped after it was attached. */
export function sectionsBehindPayload(image: BzImage): readonly StubSection[] {
  if (!image.attached) return [];
  return sectionsBehind(image).filter(({ range }) => range.start >= image.payload.end);
}
