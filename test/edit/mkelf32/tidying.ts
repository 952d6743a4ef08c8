/** Tidied containers, read back. */
import { expect } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { planTidy, type TidyRequest } from '../../../src/edit/mkelf32/tidy.js';
import type { ElfImage } from '../../../src/formats/elf/image.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { parseSetting } from '../../../src/formats/note/value.js';
import { verifyImage } from '../../../src/verify/elf/verify.js';
import { outputOf } from './support.js';

export interface Wish extends Partial<Omit<TidyRequest, 'settings'>> {
  readonly set?: readonly string[];
}

function request({ set = [], ...options }: Wish): TidyRequest {
  const settings = set.map(parseSetting);
  return { notes: false, loadBase: 0x200000n, keepSections: false, keepSymbols: false, ...options, settings };
}

/** The result read back, its bytes, and the warnings; its structure has to be sound. */
export function tidy(bytes: Uint8Array, options: Wish = {}) {
  const container = planTidy(readElf(new BufferSource(bytes, 'in')), request(options));
  const out = outputOf(bytes, container);
  expect(BigInt(out.length)).toBe(container.fileSize);
  const image = readElf(new BufferSource(out, 'out'));
  expect(verifyImage({ image }).filter(({ level }) => level === 'error')).toEqual([]);
  return { out, image, warnings: container.warnings };
}

/** The bytes of its PT_LOAD, which the headers put at 128. */
export const data = ({ image, out }: { image: ElfImage; out: Uint8Array }) => {
  const [load] = image.segments;
  return out.subarray(128, 128 + Number(load?.p_filesz));
};
