/** `extend`: a PT_LOAD grows over the hole behind it. Every condition is tried where it holds by one byte, and where not. */
import { describe, expect, it } from 'vitest';
import { extend } from '../../../../src/edit/elf/placement/extend.js';
import type { Encoding } from '../../../../src/formats/elf/struct.js';
import type { SegmentOptions } from '../../../support/elf-builder.js';
import { elf } from '../../../support/elf-builder.js';
import { inputFor, osEdit, osNote, patched, perClass, placed, refused } from '../../../support/placing.js';

/** Room for one program header behind a table of two, and where the first PT_LOAD then starts and ends. */
const CLASSES = perClass({
  32: { slack: 32, start: 148n, end: 212n, limit: 1n << 32n },
  64: { slack: 56, start: 232n, end: 296n, limit: 1n << 64n },
});

interface Shape {
  readonly slack: number;
  /** Zero bytes behind the 64 of the first PT_LOAD, in front of the second. */
  readonly hole?: number;
  readonly first?: SegmentOptions & { readonly at?: bigint };
  readonly second?: SegmentOptions & { readonly at?: bigint };
}

/** Two PT_LOADs of 64 bytes. The first is read-only, so that it is taken where both could be. */
function twoLoads(encoding: Encoding, { slack, hole = 20, first = {}, second = {} }: Shape) {
  const bytes = new Uint8Array(64 + hole);
  bytes.fill(0x90, 0, 64);
  return elf(encoding)
    .load(first.at ?? 0x100000n, bytes, { flags: 4, align: 1n, filesz: 64n, memsz: 64n, ...first })
    .load(second.at ?? 0x200000n, new Uint8Array(64).fill(0x91), { flags: 7, align: 1n, ...second })
    .with({ slack });
}

describe.each(CLASSES)('extend, ELF$encoding.bits $encoding.endian', ({ encoding, slack, start, end, limit }) => {
  /** The second PT_LOAD is of no use, so that a refusal of the first is one of all. */
  const none = { memsz: 65n };

  it('takes a hole that the notes fill to the last byte', () => {
    const layout = placed(extend(inputFor(twoLoads(encoding, { slack, second: none }))));
    expect(layout).toMatchObject({
      noteRange: { start: end, end: end + 20n },
      extendedLoad: { index: 0, by: 20n },
      loaded: true,
      fileSize: end + 84n,
    });
    expect(layout.segments[0]).toMatchObject({ p_offset: start, p_filesz: 84n, p_memsz: 84n, p_vaddr: 0x100000n });
    expect(layout.segments[2]).toMatchObject({ p_type: 4, p_offset: end, p_vaddr: 0x100040n, p_paddr: 0x100040n });
  });

  it.each([
    [19, '20 bytes needed, 19 free behind it'],
    [0, '20 bytes needed, 0 free behind it'],
  ])('refuses a hole of %i bytes', (hole, why) => {
    const image = twoLoads(encoding, { slack, hole, second: none });
    expect(refused(extend(inputFor(image)))).toContain(`PT_LOAD 0: ${why}`);
  });

  it('counts the alignment of the notes', () => {
    const shape = { slack, second: none, first: { filesz: 61n, memsz: 61n } };
    const image = patched(twoLoads(encoding, shape).build(), Number(start) + 61, 0, 0, 0);
    expect(placed(extend(inputFor(image)))).toMatchObject({
      noteRange: { start: end },
      extendedLoad: { index: 0, by: 23n },
    });
    expect(refused(extend(inputFor(image, osEdit(24))))).toContain('PT_LOAD 0: 27 bytes needed, 23 free behind it');
  });

  it('wants zeros in the hole, and only there', () => {
    const image = twoLoads(encoding, { slack, second: none }).build();
    for (const at of [0, 19]) {
      expect(refused(extend(inputFor(patched(image, Number(end) + at, 1))))).toContain(
        'the bytes behind it are not zero',
      );
    }
    expect(placed(extend(inputFor(patched(image, Number(end) + 20, 1)))).noteRange?.start).toBe(end);
  });

  it.each<[string, SegmentOptions, string]>([
    ['not readable', { flags: 1 }, 'PT_LOAD 0: not readable'],
    ['without bytes in the file', { filesz: 0n, memsz: 0n }, 'PT_LOAD 0: no file bytes'],
    ['with a byte of .bss', { memsz: 65n }, 'PT_LOAD 0: 1 byte of .bss follow its file bytes'],
  ])('refuses a PT_LOAD that is %s', (_, first, why) => {
    expect(refused(extend(inputFor(twoLoads(encoding, { slack, first, second: none }))))).toContain(why);
  });

  it.each<[string, Shape, Shape, string]>([
    [
      'virtual addresses of another PT_LOAD',
      { slack, second: { ...none, at: 0x100054n, paddr: 0x900000n } },
      { slack, second: { ...none, at: 0x100053n, paddr: 0x900000n } },
      'PT_LOAD 1 has the addresses from 0x100040',
    ],
    [
      'physical addresses of another PT_LOAD',
      { slack, second: { ...none, paddr: 0x100054n } },
      { slack, second: { ...none, paddr: 0x100053n } },
      'PT_LOAD 1 has the physical addresses from 0x100040',
    ],
    [
      'the end of the virtual address space',
      { slack, first: { at: limit - 84n, paddr: 0x100000n }, second: none },
      { slack, first: { at: limit - 83n, paddr: 0x100000n }, second: none },
      'its addresses would wrap',
    ],
    [
      'the end of the physical address space',
      { slack, first: { paddr: limit - 84n }, second: none },
      { slack, first: { paddr: limit - 83n }, second: none },
      'its addresses would wrap',
    ],
  ])('stops at %s', (_, fits, tooFar, why) => {
    expect(placed(extend(inputFor(twoLoads(encoding, fits)))).extendedLoad).toEqual({ index: 0, by: 20n });
    expect(refused(extend(inputFor(twoLoads(encoding, tooFar))))).toContain(`PT_LOAD 0: ${why}`);
  });

  it('stops at addresses of an allocated section', () => {
    const at = (addr: bigint) =>
      inputFor(twoLoads(encoding, { slack, second: none }).section('.x', { type: 8, flags: 2n, addr, size: 4n }));
    expect(placed(extend(at(0x100054n))).extendedLoad).toEqual({ index: 0, by: 20n });
    expect(refused(extend(at(0x100053n)))).toContain('PT_LOAD 0: section 1 has the addresses from 0x100040');
  });

  it('stops at a section or a segment that starts inside the PT_LOAD and reaches over its end', () => {
    const section = (size: bigint) =>
      inputFor(twoLoads(encoding, { slack, second: none }).section('.x', { offset: end - 4n, size }));
    expect(placed(extend(section(4n))).extendedLoad).toEqual({ index: 0, by: 20n });
    expect(refused(extend(section(5n)))).toContain('PT_LOAD 0: section 1 stands behind it');
    // A third entry takes the room of the new one.
    const entry = BigInt(encoding.bits === 64 ? 56 : 32);
    const segment = (filesz: bigint) => {
      const image = twoLoads(encoding, { slack, second: none });
      return inputFor(image.segment(0x60000000, undefined, { offset: end + entry - 4n, filesz, memsz: filesz }));
    };
    expect(placed(extend(segment(4n))).extendedLoad).toEqual({ index: 0, by: 20n });
    expect(refused(extend(segment(5n)))).toContain('PT_LOAD 0: program header 2 covers the bytes behind it');
  });

  it.each([
    ['fills its last page', 0x100fecn - 64n, 'fits'],
    ['needs a byte of another page', 0x100fedn - 64n, 'it ends the kernel in memory at 0x100fed, and 20 bytes more'],
    ['ends with a page', 0x101000n - 64n, 'it ends the kernel in memory at 0x101000, and 20 bytes more'],
  ])('the last PT_LOAD in memory: %s', (_, paddr, why) => {
    const image = twoLoads(encoding, { slack, first: { paddr }, second: { ...none, paddr: 0x1000n } });
    const outcome = extend(inputFor(image));
    if (why === 'fits') expect(placed(outcome).extendedLoad).toEqual({ index: 0, by: 20n });
    else expect(refused(outcome)).toContain(`PT_LOAD 0: ${why}`);
  });

  it('prefers read-only data to code and code to what is written, and the first of equals', () => {
    const flags = (first: number, second: number) => {
      const shape = { slack, first: { flags: first }, second: { flags: second } };
      return placed(extend(inputFor(twoLoads(encoding, shape)))).extendedLoad?.index;
    };
    expect([flags(4, 5), flags(5, 4), flags(5, 6), flags(7, 6), flags(5, 5)]).toEqual([0, 1, 0, 1, 0]);
  });

  it('grows the last PT_LOAD over the end of the file', () => {
    const layout = placed(extend(inputFor(twoLoads(encoding, { slack, first: { flags: 1 } }))));
    // 64 bytes, a hole of 20 and 64 more bytes.
    expect(layout).toMatchObject({
      noteRange: { start: end + 84n, end: end + 104n },
      extendedLoad: { index: 1, by: 20n },
      fileSize: end + 104n,
    });
  });

  it('rewrites notes that end a PT_LOAD where they stand, up to the last byte of the hole', () => {
    const image = (hole: number) => {
      const bytes = new Uint8Array(84 + hole);
      bytes.fill(0x90, 0, 64);
      return elf(encoding)
        .load(0x100000n, bytes, { flags: 4, align: 1n, filesz: 84n, memsz: 84n })
        .noteSegment([osNote(20)], { inside: { load: 0, at: 64 } })
        .load(0x200000n, new Uint8Array(64).fill(0x91), { align: 1n, ...none })
        .with({ slack: 0 });
    };
    const layout = placed(extend(inputFor(image(4), osEdit(24))));
    expect(layout).toMatchObject({ extendedLoad: { index: 0, by: 4n }, replacedSegments: [1] });
    // The PT_NOTE goes behind every PT_LOAD.
    const note = { p_type: 4, p_filesz: 24n, p_vaddr: 0x100040n, p_offset: layout.noteRange?.start };
    expect(layout.segments[2]).toMatchObject(note);
    // One byte less: neither there nor as a copy behind it.
    expect(refused(extend(inputFor(image(3), osEdit(24))))).toContain('PT_LOAD 0: 24 bytes needed, 3 free behind it');
  });

  it('refuses notes outside memory, and an image without a PT_LOAD', () => {
    const image = twoLoads(encoding, { slack });
    expect(refused(extend(inputFor(image, osEdit(), { loaded: false })))).toBe('the notes would be inside a PT_LOAD');
    expect(refused(extend(inputFor(elf(encoding).segment(0))))).toBe('the image has no PT_LOAD');
  });

  it.each([
    [256, 'PT_LOAD 0: not readable'],
    [257, '257 PT_LOADs, looked at are at most 256'],
  ])('looks at 256 PT_LOADs: %i', (count, why) => {
    const builder = elf(encoding).with({ slack });
    for (let i = 0; i < count; i++) builder.load(0x1000n * BigInt(i), new Uint8Array(0), { flags: 0, align: 1n });
    expect(refused(extend(inputFor(builder)))).toContain(why);
  });
});
