/** What `objcopy -O binary` makes of an image: its allocated sections with bytes, at their load addresses (bfd/binary.c). */
import { hex } from '../../../../base/errors/hex.js';
import { type ElfImage, hasFileBytes, isAllocated } from '../../../../formats/elf/image.js';
import { PADDING_LIMIT } from '../placement-input.js';
import { sectionsOf } from './bfd.js';
import { kept, type Outcome } from './outcome.js';

/** The outcome of making a flat binary of the result, held against one made of the image before the edit. */
export function flat(image: ElfImage, before: ElfImage): Outcome {
  const [now, was] = [spanOf(image), spanOf(before)];
  const broken = (why: string): Outcome => ({
    verdict: 'broken',
    why: `objcopy -O binary writes allocated sections at their address, and ${why}`,
  });
  if (now === undefined || was === undefined) return kept('no allocated section has bytes: there is no flat binary');
  if (now.start < was.start) return broken(`this one begins at ${hex(now.start)}, not at ${hex(was.start)}`);
  const [size, old] = [now.end - now.start, was.end - was.start];
  if (size - old > PADDING_LIMIT) return broken(`this one has ${hex(size)} bytes, not ${hex(old)}`);
  return kept('the flat binary is the same as without the edit, or holds the notes where they are loaded');
}

function spanOf(image: ElfImage): { readonly start: bigint; readonly end: bigint } | undefined {
  const parts = sectionsOf(image)
    .filter(({ shdr }) => isAllocated(shdr) && hasFileBytes(shdr))
    .map(({ shdr, lma }) => ({ start: lma, end: lma + shdr.sh_size }));
  const [first, ...rest] = parts;
  return rest.reduce(
    (span, { start, end }) =>
      span && { start: start < span.start ? start : span.start, end: end > span.end ? end : span.end },
    first,
  );
}
