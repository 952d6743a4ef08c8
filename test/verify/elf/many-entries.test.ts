/**
 * What two images with thousands of headers cost to compare: looks at headers and at notes, counted at n, 2n and 4n. Twice as
 * many cost twice as much and not four times.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { Phdr } from '../../../src/formats/elf/headers.js';
import type { ElfImage } from '../../../src/formats/elf/image.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { diffImages } from '../../../src/inspect/diff/diff.js';
import { verifyImage } from '../../../src/verify/elf/verify.js';
import { elf } from '../../support/elf-builder.js';

afterEach(() => vi.restoreAllMocks());

const encoding = { bits: 64, endian: 'little' } as const;
const FIELDS = Object.keys(Phdr.fields);
let looks = 0;

/** The image, with every look at a field of a program header counted. */
function counted(bytes: Uint8Array): ElfImage {
  const image = readElf(new BufferSource(bytes, 'counted'));
  const segments = image.segments.map((segment) => {
    const watched = { ...segment };
    for (const field of FIELDS) {
      const value = Reflect.get(segment, field);
      const get = () => {
        looks += 1;
        return value;
      };
      Object.defineProperty(watched, field, { get, enumerable: true });
    }
    return watched;
  });
  return { ...image, segments };
}

const other = { name: 'GNU', type: 1, desc: Uint8Array.of(1, 2, 3, 4) };

/** n PT_LOADs, n sections, n PT_NOTEs over n notes; `last` tells two images apart. */
const SHAPES: Readonly<Record<string, (n: number, last: number) => Uint8Array>> = {
  'PT_LOADs in a row': (n, last) => {
    const image = elf(encoding).load(0x100000n, Uint8Array.of(last));
    for (let i = 1; i < n; i++) {
      const vaddr = 0x200000n + BigInt(64 * i);
      image.segment(1, undefined, { offset: 0n, vaddr, memsz: 64n, filesz: 64n });
    }
    return image.build();
  },
  'PT_LOADs of nothing': (n, last) => {
    const image = elf(encoding).load(0x100000n, Uint8Array.of(last));
    const at = BigInt(last) << 32n;
    for (let i = 1; i < n; i++) image.segment(1, undefined, { offset: 0n, vaddr: at, memsz: 0n, filesz: 0n });
    return image.build();
  },
  'sections over notes': (n, last) => {
    const image = elf(encoding).load(0x100000n, new Uint8Array(64).fill(last));
    for (let i = 1; i < n; i++) {
      image.noteSegment(new Uint8Array(0), { inside: { load: 0, at: i % 60 }, filesz: 2n, memsz: 2n });
      const inside = { load: 0, at: i % 61, size: 3 };
      image.section(`.s${i}`, { type: last === 1 ? 7 : 1, flags: 2n, addr: 0x100000n, inside });
    }
    return image.build();
  },
  'PT_NOTEs over the same notes': (n, last) => {
    const notes = Array.from({ length: n }, () => other);
    const image = elf(encoding).load(0x100000n, new Uint8Array(64).fill(last)).noteSegment(notes);
    for (let i = 1; i < n; i++) image.segment(4, undefined, { offset: 0n, filesz: 0n, memsz: 0n });
    const bytes = image.build();
    const [at, size] = [readElf(new BufferSource(bytes)).segments[1]?.p_offset ?? 0n, BigInt(20 * n)];
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let i = 2; i <= n; i++) {
      view.setBigUint64(64 + 56 * i + 8, at, true);
      view.setBigUint64(64 + 56 * i + 32, size, true);
      view.setUint32(64 + 56 * i + 48, 4, true);
    }
    return bytes;
  },
};

const WAYS: Readonly<Record<string, (a: ElfImage, b: ElfImage) => unknown>> = {
  diff: (a, b) => diffImages(a, b),
  'verify --baseline': (a, b) => verifyImage({ image: b, baseline: a }),
};

const N = 100;

describe.each(Object.entries(SHAPES))('%s', (_, make) => {
  it.each(Object.entries(WAYS))('%s', (_way, compare) => {
    const costs = [N, 2 * N, 4 * N].map((n) => {
      const [a, b] = [counted(make(n, 1)), counted(make(n, 2))];
      looks = 0;
      const gets = vi.spyOn(Map.prototype, 'get');
      compare(a, b);
      const all = looks + gets.mock.calls.length;
      gets.mockRestore();
      return all;
    });
    const [first = 0, ...larger] = costs;
    expect(first).toBeGreaterThan(N);
    for (const [i, cost] of larger.entries()) expect(cost / first).toBeLessThan(2 ** (i + 1) * 1.4);
  });
});
