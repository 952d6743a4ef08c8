/** Walks over 60,000 PT_NOTEs on the same bytes end, and end soon. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { physEntryAsLinuxLoader, physEntryAsQemu, walkAsXen } from '../../../src/loaders/read/loader-walks.js';
import { concat, elf, noteBytes } from '../../support/elf-builder.js';

const LE64 = { bits: 64, endian: 'little' } as const;

describe('walkAsXen()', () => {
  it('is linear: 60,000 segments over one record of 60 KiB', () => {
    const note = { type: 0, desc: new Uint8Array(60_000) };
    const builder = elf(LE64).noteSegment([note]);
    const [first] = readElf(new BufferSource(builder.build())).segments;
    const many = elf(LE64);
    for (let i = 0; i < 60_000; i++) many.noteSegment([], { offset: 0x400000n, filesz: 60_016n });
    expect(first?.p_filesz).toBe(60_016n);
    const head = many.build();
    const bytes = concat([head, new Uint8Array(0x400000 - head.length), noteBytes([note], LE64)]);
    expect(walkAsXen(readElf(new BufferSource(bytes))).notes).toHaveLength(60_000);
  });
});

describe('physEntryAsLinuxLoader() and physEntryAsQemu()', () => {
  /** 60,000 headers over zeros; `offsetOf` says where each begins. */
  function overZeros(offsetOf: (i: number) => bigint) {
    const builder = elf(LE64);
    for (let i = 0; i < 60_000; i++) builder.noteSegment([], { offset: offsetOf(i), filesz: 0x3000n });
    const head = builder.build();
    return readElf(new BufferSource(concat([head, new Uint8Array(0x408000 - head.length)])));
  }

  it('walks the same bytes once: 60,000 segments over 12 KiB of empty records', () => {
    const image = overZeros(() => 0x400000n);
    expect(physEntryAsLinuxLoader(image)).toMatchObject({ found: false });
    expect(physEntryAsLinuxLoader(image).problem).toBeUndefined();
  });

  it('gives up in time: 60,000 segments, each 12 bytes behind the one before', () => {
    const image = overZeros((i) => 0x400000n + 12n * BigInt(i % 1000));
    expect(physEntryAsLinuxLoader(image).problem).toMatch(/more than 262144 records/);
    expect(physEntryAsQemu(image).problem).toMatch(/QEMU (walks on|reads behind)/);
  });
});
