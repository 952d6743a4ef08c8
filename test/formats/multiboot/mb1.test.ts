/** Vectors typed by hand from Multiboot 0.6.96, "The layout of Multiboot header" and "The address fields of Multiboot header". */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { encodeMb1, findMb1, mb1FlagsAt, mb1Headers } from '../../../src/formats/multiboot/mb1.js';
import { QEMU_MB1 } from '../../../src/formats/multiboot/windows.js';
import { hexToBytes } from '../../support/elf-builder.js';

/** Flags 3: modules page-aligned, memory information. */
const PLAIN = hexToBytes('02 b0 ad 1b 03 00 00 00 fb 4f 52 e4');
/** Flags 0x10003, then header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr. */
const WITH_ADDRESSES = hexToBytes(`02 b0 ad 1b 03 00 01 00 fb 4f 51 e4
  40 00 10 00 00 00 10 00 00 20 10 00 00 30 10 00 80 ff 1f f0`);
const FIELDS = {
  header_addr: 0x100040n,
  load_addr: 0x100000n,
  load_end_addr: 0x102000n,
  bss_end_addr: 0x103000n,
  entry_addr: 0xf01fff80n,
};
/** Flags 7: linear graphics of 1024x768x32 as well, in words 8 to 11; the address fields between are not valid. */
const WITH_VIDEO = hexToBytes(`02 b0 ad 1b 07 00 00 00 f7 4f 52 e4 ${'ee '.repeat(20)}
  00 00 00 00 00 04 00 00 00 03 00 00 20 00 00 00`);
const MODE = { mode_type: 0, width: 1024, height: 768, depth: 32 };

function fileWith(size: number, ...headers: readonly (readonly [Uint8Array, number])[]): BufferSource {
  const bytes = new Uint8Array(size);
  for (const [header, at] of headers) bytes.set(header.subarray(0, Math.max(0, size - at)), at);
  // The buffer begins earlier than the bytes: a view that forgets byteOffset reads the wrong ones.
  const shifted = new Uint8Array(size + 7);
  shifted.set(bytes, 7);
  return new BufferSource(shifted.subarray(7));
}

describe('findMb1()', () => {
  it.each([
    ['without addresses', PLAIN, { flags: 3, size: 12n, fields: undefined, mode: undefined }],
    ['with address fields', WITH_ADDRESSES, { flags: 0x10003, size: 32n, fields: FIELDS, mode: undefined }],
    ['with a video mode', WITH_VIDEO, { flags: 7, size: 48n, fields: undefined, mode: MODE }],
  ])('reads a header %s', (_, header, expected) => {
    expect(findMb1(fileWith(9000, [header, 0x40]))).toEqual({ offset: 0x40n, ...expected });
  });

  it('takes the first, passing over a wrong checksum and a place that is no multiple of 4', () => {
    const wrong = PLAIN.slice();
    wrong[11] = 0;
    const source = fileWith(9000, [wrong, 0], [PLAIN, 0x22], [WITH_ADDRESSES, 0x100], [PLAIN, 0x200]);
    expect(findMb1(source)?.offset).toBe(0x100n);
    expect([...mb1Headers(source, QEMU_MB1)].map(({ offset }) => offset)).toEqual([0x100n, 0x200n]);
  });

  it.each([
    ['GRUB', undefined, 8180, 8184],
    ['QEMU', QEMU_MB1, 8140, 8144],
  ])('looks as far as %s does', (_, window, last, next) => {
    expect(findMb1(fileWith(9000, [PLAIN, last]), window)?.offset).toBe(BigInt(last));
    expect(findMb1(fileWith(9000, [PLAIN, next]), window)).toBeUndefined();
  });

  it('reads address fields behind the window from the file, and zeros behind its end', () => {
    expect(findMb1(fileWith(9000, [WITH_ADDRESSES, 8180]))?.fields).toEqual(FIELDS);
    const cut = findMb1(fileWith(0x40 + 18, [WITH_ADDRESSES, 0x40]));
    expect(cut?.fields).toEqual({
      header_addr: 0x100040n,
      load_addr: 0n,
      load_end_addr: 0n,
      bss_end_addr: 0n,
      entry_addr: 0n,
    });
  });

  it.each([0, 1, 11])('finds nothing in the first %i bytes of a header', (size) => {
    expect(findMb1(fileWith(size, [PLAIN, 0]))).toBeUndefined();
    expect(mb1FlagsAt(PLAIN.subarray(0, size), 0)).toBeUndefined();
  });
});

describe('encodeMb1()', () => {
  it('writes the vector with address fields', () => {
    expect(encodeMb1(0x10003, FIELDS)).toEqual(WITH_ADDRESSES);
  });

  it('writes the video mode behind the address fields where the flags speak of one', () => {
    const bytes = encodeMb1(0x10007, FIELDS, MODE);
    expect(bytes.subarray(12, 32)).toEqual(WITH_ADDRESSES.subarray(12));
    expect(bytes.subarray(32)).toEqual(WITH_VIDEO.subarray(32));
    expect(findMb1(fileWith(9000, [bytes, 0x40]))).toMatchObject({ size: 48n, fields: FIELDS, mode: MODE });
  });

  it.each([0, 0xffffffff, 0xe4524ffe])('makes a checksum that fits flags %i', (flags) => {
    expect(mb1FlagsAt(encodeMb1(flags, FIELDS), 0)).toBe(flags);
  });
});
