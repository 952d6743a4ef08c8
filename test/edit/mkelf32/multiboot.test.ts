import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { multibootWarnings } from '../../../src/edit/mkelf32/multiboot.js';
import { plan, simple } from './support.js';

/** Magic, flags and checksum of version 1; magic, architecture, length and checksum of version 2. */
const HEADERS = {
  1: [0x1badb002, 3, 0],
  2: [0xe85250d6, 0, 16, 0],
} as const;

function warnings(...places: readonly (readonly [version: 1 | 2, at: number])[]): string[] {
  const bytes = simple(0x18000, 0x18000n);
  const view = new DataView(bytes.buffer);
  for (const [version, at] of places) {
    const words: number[] = [...HEADERS[version]];
    words[words.length - 1] = -words.reduce((sum, word) => sum + word, 0) >>> 0;
    // In the output the data stands at 128, in the input at 0x1000.
    for (const [i, word] of words.entries()) view.setUint32(0x1000 - 128 + at + 4 * i, word, true);
  }
  return multibootWarnings(new BufferSource(bytes), plan(bytes));
}

describe('multibootWarnings()', () => {
  it.each([
    [[], []],
    [[[1, 8192 - 52]], []],
    [[[1, 8192 - 48]], ['the Multiboot header is at 0x1fd0, and loaders look into the first 0x2000 bytes only']],
    [[[1, 0x4000]], ['the Multiboot header is at 0x4000, and loaders look into the first 0x2000 bytes only']],
    [[[2, 32768 - 16]], []],
    [[[2, 32768]], ['the Multiboot2 header is at 0x8000, and loaders look into the first 0x8000 bytes only']],
    [
      [
        [1, 0x100],
        [1, 0x4000],
        [2, 0x200],
        [2, 0x9000],
      ],
      [],
    ],
    [
      [
        [1, 0x3000],
        [2, 0x9000],
      ],
      [
        'the Multiboot header is at 0x3000, and loaders look into the first 0x2000 bytes only',
        'the Multiboot2 header is at 0x9000, and loaders look into the first 0x8000 bytes only',
      ],
    ],
  ] as const)('%j', (places, expected) => {
    expect(warnings(...places)).toEqual(expected);
  });
});
