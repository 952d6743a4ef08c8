/** Sections that were moved out of the way: not where they stood, but with the same bytes. */
import { type Blocks, newBlocks, sameStretch } from '../../base/bytes/byte-comparison.js';
import { movedOffset } from '../../base/bytes/shifted.js';
import { fits } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { hasFileBytes } from '../../formats/elf/image.js';
import type { Violation } from '../check.js';
import { isTouched, type Pair } from './pair.js';
import { sectionPart } from './subject.js';

/** Bytes of moved sections that are compared; only sections in no segment may move, and few have to. */
const BUDGET = 0x40000000n;

/** Did a section with bytes go elsewhere, not just along with a shift? */
export function wentElsewhere({ before, after, shift }: Pair, index: number): boolean {
  const old = before.image.sections[index];
  const now = after.image.sections[index];
  if (old === undefined || now === undefined || !hasFileBytes(old)) return false;
  return now.sh_offset !== movedOffset(shift, old.sh_offset);
}

/** Every moved section whose bytes are not the ones it had. Sections meant to change are judged elsewhere. */
export function* movedSectionViolations(pair: Pair): Generator<Violation> {
  const { before, after } = pair;
  let left = BUDGET;
  let blocks: Blocks | undefined;
  for (const [index, old] of before.image.sections.entries()) {
    const now = after.image.sections[index];
    if (now === undefined || isTouched(pair, index) || !wentElsewhere(pair, index)) continue;
    // Bytes outside a file are the finding of section-in-file.
    if (!fits(old.sh_offset, old.sh_size, before.fileSize) || !fits(now.sh_offset, old.sh_size, after.fileSize)) {
      continue;
    }
    left -= old.sh_size;
    const violation = { offset: now.sh_offset, part: sectionPart(after.image, index) };
    if (left < 0n) {
      yield { ...violation, text: 'moved, with more bytes than are compared' };
      return;
    }
    blocks ??= newBlocks(before.fileSize);
    const a = { source: before.image.source, offset: old.sh_offset };
    const b = { source: after.image.source, offset: now.sh_offset };
    if (sameStretch(a, b, old.sh_size, blocks)) continue;
    yield { ...violation, text: `moved from ${hex(old.sh_offset)} and holds other bytes than before` };
  }
}
