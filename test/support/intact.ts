/** Is an image that a run was killed in still the old one to whoever reads it? */
import { BufferSource } from '../../src/base/bytes/source.js';
import { analyze } from '../../src/edit/elf/plan/analyze.js';
import { looksLikeElf, readElf } from '../../src/formats/elf/read.js';

/** Every byte that belongs to the old image is as it was; what else is there nobody looks at. Only an ELF is ever changed in its place. */
export function intact(old: Buffer, now: Buffer): boolean {
  const source = new BufferSource(old, 'old');
  if (!looksLikeElf(source)) return false;
  return analyze(readElf(source)).usedRanges.every(({ start, end }) =>
    now.subarray(Number(start), Number(end)).equals(old.subarray(Number(start), Number(end))),
  );
}
