/**
 * What a file with tens of thousands of headers costs: counted in bytes that are asked of it, at n, 2n and 4n. Every loader
 * reads its headers and the second half of them walks its notes; the answers are kept, the work is done once.
 */
import { describe, expect, it } from 'vitest';
import { BufferSource, type ByteSource } from '../../../src/base/bytes/source.js';
import { MOST_HEADERS } from '../../../src/edit/elf/plan/most-headers.js';
import { proveCure } from '../../../src/edit/fix/cure.js';
import { findFix } from '../../../src/edit/fix/fix.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { verifyImage } from '../../../src/verify/elf/verify.js';
import { elf, noteBytes, num } from '../../support/elf-builder.js';

const encoding = { bits: 64, endian: 'little' } as const;

/** A source that counts what is asked of it. */
class Counted implements ByteSource {
  readonly name = 'counted';
  readonly size: bigint;
  readonly #source: BufferSource;
  bytes = 0n;

  constructor(image: Uint8Array) {
    this.#source = new BufferSource(image);
    this.size = this.#source.size;
  }

  read(offset: bigint, length: bigint, part: string): Uint8Array {
    this.bytes += length;
    return this.#source.read(offset, length, part);
  }

  readInto(offset: bigint, target: Uint8Array, part: string): void {
    this.bytes += BigInt(target.length);
    this.#source.readInto(offset, target, part);
  }
}

const entry = { type: 18, desc: num(0x100000n, 4, encoding) };
const other = { name: 'GNU', type: 1, desc: Uint8Array.of(1, 2, 3, 4) };

/** n headers over the same bytes, over bytes of their own, and over stretches that grow; n loads on top of each other. */
const SHAPES: Readonly<Record<string, (n: number) => Uint8Array>> = {
  'PT_LOADs on top of each other': (n) => {
    const image = elf(encoding).load(0x100000n, new Uint8Array(64)).noteSegment([entry]);
    for (let i = 2; i < n; i++) image.segment(1, undefined, { offset: 0n, vaddr: 0x100000n, memsz: 64n, filesz: 64n });
    return image.build();
  },
  'PT_NOTEs over the same bytes': (n) => many(n, () => [0n, 400n]),
  'PT_NOTEs over bytes of their own': (n) => many(n, (i) => [BigInt(20 * (i % 1000)), 20n]),
};

function many(n: number, place: (i: number) => readonly [bigint, bigint]): Uint8Array {
  const notes = noteBytes(
    Array.from({ length: 1000 }, () => other),
    encoding,
    4,
  );
  const image = elf(encoding).load(0x100000n, notes);
  for (let i = 1; i < n; i++) {
    const [at, size] = place(i);
    image.noteSegment(new Uint8Array(0), { inside: { load: 0, at: Number(at) }, filesz: size, memsz: size });
  }
  return image.build();
}

const N = 1500;

describe.each(Object.entries(SHAPES))('%s', (name, make) => {
  const tables = name.startsWith('PT_LOADs') ? 'once' : 'with notes';

  it('are read a few times, however many loaders there are', () => {
    const costs = [N, 2 * N, 4 * N].map((n) => {
      const image = make(n);
      const source = new Counted(image);
      judgeLoaders(source);
      const judged = source.bytes;
      verifyImage({ image: readElf(source) });
      return { judged: Number(judged) / image.length, all: Number(source.bytes) / image.length };
    });
    // A walk that jumps about reads a window for each jump: a number of times the file, and the same at every size.
    const [first, ...larger] = costs;
    for (const { judged, all } of larger) {
      expect(judged).toBeLessThan((first?.judged ?? 0) * 1.2);
      expect(all).toBeLessThan((first?.all ?? 0) * 1.2);
      expect(all).toBeLessThan(tables === 'once' ? 8 : 40);
    }
  });

  it('are too many to look for an edit', () => {
    const source = new Counted(make(MOST_HEADERS + 1));
    expect(() => findFix(source, ['qemu-pvh'])).toThrow(
      `found ${MOST_HEADERS + 1} program headers, wanted at most ${MOST_HEADERS} [plan.too-many-headers]`,
    );
    for (const verdict of judgeLoaders(source)) expect(proveCure(source, verdict).cure).toBeUndefined();
  });
});
