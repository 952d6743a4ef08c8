/** Vectors typed by hand from Multiboot2 2.0, "The layout of Multiboot2 header" and "Multiboot2 header tags". */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { findMb2, mb2HeaderAt, mb2Headers, mb2Values, sealMb2, walkTags } from '../../../src/formats/multiboot/mb2.js';
import { isKnownTag, leastTagSize, tagName } from '../../../src/formats/multiboot/tags.js';
import { GRUB_MB2 } from '../../../src/formats/multiboot/windows.js';
import { concat, hexToBytes } from '../../support/elf-builder.js';

const END = '00 00 00 00 08 00 00 00';
/** Tag 2: header_addr 0x100008, load_addr 0x100000, load_end_addr 0x102000, bss_end_addr 0xf0103000. */
const ADDRESS = '02 00 00 00 18 00 00 00 08 00 10 00 00 00 10 00 00 20 10 00 00 30 10 f0';
/** Tag 3: entry_addr 0x100123; 12 bytes, and 4 of padding. */
const ENTRY = '03 00 00 00 0c 00 00 00 23 01 10 00 aa aa aa aa';
/** Tag 7, optional. */
const BOOT_SERVICES = '07 00 01 00 08 00 00 00';
/** Tag 9: entry_addr 0x100456. */
const EFI64 = '09 00 00 00 0c 00 00 00 56 04 10 00 00 00 00 00';
/** Tag 10: min_addr 0x200000, max_addr 0xffffffff, align 0x200000, preference 2 (high). */
const RELOCATABLE = '0a 00 00 00 18 00 00 00 00 00 20 00 ff ff ff ff 00 00 20 00 02 00 00 00';
/** Tag 1 with two requests: 6 and 8; 16 bytes. */
const REQUEST = '01 00 00 00 10 00 00 00 06 00 00 00 08 00 00 00';

/** Magic, architecture 0, the length and a checksum worked out here, by 64-bit numbers. */
function header(tags: readonly string[], change: { length?: number; architecture?: number; sum?: number } = {}) {
  const body = concat(tags.map((text) => hexToBytes(text)));
  const { length = 16 + body.length, architecture = 0, sum = 0 } = change;
  const head = new Uint8Array(16);
  const view = new DataView(head.buffer);
  view.setUint32(0, 0xe85250d6, true);
  view.setUint32(4, architecture, true);
  view.setUint32(8, length, true);
  view.setUint32(
    12,
    Number((0x1_0000_0000n * 2n - 0xe85250d6n - BigInt(architecture) - BigInt(length)) & 0xffffffffn) + sum,
    true,
  );
  return concat([head, body]);
}

function fileWith(size: number, ...headers: readonly (readonly [Uint8Array, number])[]): BufferSource {
  const bytes = new Uint8Array(size + 5);
  for (const [made, at] of headers) bytes.set(made.subarray(0, Math.max(0, size - at)), at + 5);
  return new BufferSource(bytes.subarray(5));
}

describe('findMb2()', () => {
  it('reads every tag that decides how an image is loaded', () => {
    const made = header([REQUEST, ADDRESS, ENTRY, BOOT_SERVICES, EFI64, RELOCATABLE, END]);
    const found = findMb2(fileWith(40000, [made, 0x1000]));
    expect(found).toMatchObject({ offset: 0x1000n, architecture: 0, header_length: 128, problem: undefined });
    expect(found?.bytes).toEqual(made);
    expect(found?.tags).toEqual([
      { type: 1, flags: 0, size: 16, at: 16 },
      { type: 2, flags: 0, size: 24, at: 32 },
      { type: 3, flags: 0, size: 12, at: 56 },
      { type: 7, flags: 1, size: 8, at: 72 },
      { type: 9, flags: 0, size: 12, at: 80 },
      { type: 10, flags: 0, size: 24, at: 96 },
      { type: 0, flags: 0, size: 8, at: 120 },
    ]);
    expect(found && mb2Values(found)).toEqual({
      address: { header_addr: 0x100008n, load_addr: 0x100000n, load_end_addr: 0x102000n, bss_end_addr: 0xf0103000n },
      entry: 0x100123n,
      entryEfi64: 0x100456n,
      relocatable: { min_addr: 0x200000n, max_addr: 0xffffffffn, align: 0x200000n, preference: 2 },
      keepsBootServices: true,
    });
  });

  it('keeps the later one of a tag that occurs twice, as GRUB does', () => {
    const second = ENTRY.replace('23 01', '99 09');
    const found = findMb2(fileWith(256, [header([ENTRY, second, END]), 0]));
    expect(found && mb2Values(found).entry).toBe(0x100999n);
  });

  it('passes over wrong checksums, other architectures and places that are no multiple of 8', () => {
    const good = header([END]);
    const mips = header([END], { architecture: 4 });
    const source = fileWith(512, [header([END], { sum: 1 }), 0], [mips, 64], [good, 132], [good, 200]);
    expect(findMb2(source)?.offset).toBe(200n);
    expect([...mb2Headers(source, GRUB_MB2)].map(({ offset, architecture }) => [offset, architecture])).toEqual([
      [64n, 4],
      [200n, 0],
    ]);
  });

  it.each([
    [32744, undefined],
    [32752, 'header_length is 0x18, 0x10 bytes are left where loaders look'],
  ])('finds a header at %i, and says what GRUB would not hold of it', (at, problem) => {
    expect(findMb2(fileWith(40000, [header([END]), at]))).toMatchObject({ offset: BigInt(at), problem });
  });

  it('looks no further than 32752', () => {
    expect(findMb2(fileWith(40000, [header([END]), 32760]))).toBeUndefined();
  });

  it.each([
    ['no end tag', [ENTRY], 'there is no end tag'],
    ['an address tag of 8 bytes', ['02 00 00 00 08 00 00 00', END], 'the size of tag 2 is 0x8, wanted 0x18 to 0x10'],
    ['a tag of no size', ['04 00 00 00 00 00 00 00', END], 'the size of tag 4 is 0x0, wanted 0x8 to 0x10'],
    ['a tag that leaves the header', ['04 00 00 00 18 00 00 00', END], 'the size of tag 4 is 0x18, wanted 0x8 to 0x10'],
    ['an end tag of no size', ['00 00 00 00 00 00 00 00'], 'the size of tag 0 is 0x0, wanted 0x8 to 0x8'],
  ])('tells of %s', (_, tags, problem) => {
    expect(findMb2(fileWith(256, [header(tags), 0]))?.problem).toBe(problem);
  });
});

describe('walkTags()', () => {
  const types = (tags: readonly string[]) => [...walkTags(header(tags))].map(({ type }) => type);

  it.each([
    ['to the end tag and no further', [ENTRY, END, ADDRESS], [3, 0]],
    ['to the end of the bytes', [ENTRY, ADDRESS], [3, 2]],
    ['to a size that leads nowhere', [ENTRY, '04 00 00 00 07 00 00 00', END], [3, 4]],
    ['over a body that leaves the bytes', [ENTRY, '04 00 00 00 ff 00 00 00', END], [3, 4]],
    ['over types that nobody knows', ['4d 00 01 00 09 00 00 00 01 00 00 00 00 00 00 00', END], [77, 0]],
  ])('goes %s', (_, tags, expected) => {
    expect(types(tags)).toEqual(expected);
  });
});

describe('headers cut short', () => {
  const whole = header([REQUEST, ADDRESS, ENTRY, EFI64, RELOCATABLE, END]);

  it('reads every beginning of a header without leaving it', () => {
    for (let size = 0; size <= whole.length; size += 1) {
      const found = mb2HeaderAt(whole.subarray(0, size), 0, 0n);
      expect(found !== undefined).toBe(size >= 16);
      if (found !== undefined) mb2Values({ bytes: found.bytes, tags: [...walkTags(found.bytes)] });
    }
  });

  it('reads every header_length, from 0 to beyond the file', () => {
    for (const length of [0, 4, 8, 12, 15, 16, 17, 23, 24, 100, 0x7fffffff, 0xffffffff]) {
      const found = mb2HeaderAt(header([ADDRESS, END], { length }), 0, 0n);
      expect(found?.header_length).toBe(length);
      expect(found?.problem).toBeTypeOf('string');
      if (found !== undefined) mb2Values({ bytes: found.bytes, tags: [...walkTags(found.bytes)] });
    }
  });

  it('reads a body that is not there as zeros', () => {
    const { bytes } = mb2HeaderAt(header(['03 00 00 00 0c 00 00 00']), 0, 0n) ?? { bytes: new Uint8Array(0) };
    expect(mb2Values({ bytes, tags: [...walkTags(bytes)] }).entry).toBe(0n);
  });
});

describe('sealMb2()', () => {
  it('makes a header that is found', () => {
    const bytes = header([ENTRY, END], { length: 1, sum: 5 });
    sealMb2(bytes);
    expect(bytes).toEqual(header([ENTRY, END]));
  });
});

describe('tags', () => {
  it('have the numbers and sizes of the specification', () => {
    expect(Array.from({ length: 12 }, (_, type) => [type, isKnownTag(type), leastTagSize(type)])).toEqual([
      [0, true, 8],
      [1, true, 8],
      [2, true, 24],
      [3, true, 12],
      [4, true, 8],
      [5, true, 8],
      [6, true, 8],
      [7, true, 8],
      [8, true, 8],
      [9, true, 12],
      [10, true, 24],
      [11, false, 8],
    ]);
    expect([tagName(3), tagName(77)]).toEqual(['entry address', 'tag 77']);
  });
});
