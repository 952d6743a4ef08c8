import { describe, expect, it } from 'vitest';
import { type Entry, input, plan, simple, wrap } from './support.js';

const load: Entry = { offset: 0x1000n, vaddr: 0xffff82d040200000n, filesz: 0x800n, memsz: 0x3000n };
const note: Entry = { type: 4, offset: 0x1100n, vaddr: 0xffff82d040200100n, filesz: 0x24n };
const full: Entry = { type: 1, offset: 0x1000n, filesz: 4n };
const empty: Entry = { type: 0x6474e551 };
const SIZE = 0x1800;

function changed(bytes: Uint8Array, at: number, ...values: number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
}

/** Entries, and behind the table a p_memsz that is what the last argument says. */
function table(entries: readonly Entry[], behind: bigint): Uint8Array {
  return input([...entries, { memsz: behind }], SIZE, entries.length);
}

describe('checkInput(), in its order', () => {
  const good = simple(0x800, 0x3000n);
  it.each([
    ['no ELF', changed(good, 0, 0), 'Input image must be a little-endian Elf image.'],
    ['big endian', changed(good, 5, 2), 'Input image must be a little-endian Elf image.'],
    ['ELF32', changed(good, 4, 1), 'Bad program header class - we only do 64-bit!.'],
    ['no class', changed(good, 4, 0), 'Bad program header class - we only do 64-bit!.'],
    ['entry size', changed(good, 54, 32), 'Bad program header size (32 != 56).'],
    ['not ELF before class', changed(good, 3, 0, 1), 'Input image must be a little-endian Elf image.'],
    ['class before entry size', changed(changed(good, 4, 1), 54, 32), 'Bad program header class'],
    ['no headers', changed(good, 56, 0), 'Expect precisly 1 program header; found 0.'],
  ])('%s', (_, bytes, words) => {
    expect(() => plan(bytes)).toThrow(words);
  });

  it('looks at nothing else', () => {
    // e_type, e_machine, e_version, e_entry
    const odd = changed(good, 16, ...Array.from({ length: 16 }, () => 0xee));
    expect(wrap(odd)).toEqual(wrap(good));
  });
});

describe('program headers that are too many', () => {
  it.each([
    ['LOAD, full + zeros behind: dropped unseen', [load, full], 0n, false, undefined],
    ['LOAD, empty + bytes behind: refused', [load, empty], 1n, false, 2],
    ['LOAD, empty + zeros behind: dropped', [load, empty], 0n, false, undefined],
    ['LOAD, NOTE, full, empty: dropped', [load, note, full, empty], 0n, true, undefined],
    ['LOAD, NOTE, empty, full: refused', [load, note, empty, full], 0n, true, 3],
    ['LOAD, NOTE, empty, empty + bytes behind: refused', [load, note, empty, empty], 1n, true, 4],
    ['LOAD, NOTE without --notes: dropped', [load, note], 0n, false, undefined],
    ['LOAD, full, empty, empty: stops at none', [load, full, empty, empty], 0n, false, undefined],
    ['LOAD, empty, full, empty: stops in the middle', [load, empty, full, empty], 0n, false, 2],
  ] as const)('%s', (_, entries, behind, notes, found) => {
    const request = { notes, release: '4.22.0' };
    const bytes = table(entries, behind);
    if (found === undefined) expect(plan(bytes, request).load.p_filesz).toBe(0x800n);
    else {
      const words = `Expect precisly ${notes ? 2 : 1} program header; found ${found}.`;
      expect(() => plan(bytes, request)).toThrow(words);
    }
  });

  it('are not dropped before 4.17', () => {
    const request = { release: '4.16.0', finalExec: 0n };
    expect(() => plan(table([load, empty], 0n), request)).toThrow('Expect precisly 1 program header; found 2.');
    expect(plan(table([load], 0n), request).load.p_filesz).toBe(0x800n);
  });

  it('cost little when there are 65535', () => {
    const bytes = input([load, ...Array.from({ length: 65535 }, () => empty)], 64 + 65536 * 56, 65535);
    expect(plan(bytes).load.p_filesz).toBe(0x800n);
  });

  it('a note is missed', () => {
    expect(() => plan(table([load], 0n), { notes: true })).toThrow('Expect precisly 2 program header; found 1.');
  });
});

describe('the place of the note', () => {
  const at = (offset: bigint, filesz: bigint) => input([load, { type: 4, offset, filesz }], SIZE);
  const refused = (range: string) => `Expected .note section within .text section! .note: ${range} .text: [1000, 1800)`;

  it.each([
    ['from the first byte', 0x1000n, 0x24n, undefined],
    ['up to the last byte', 0x17dcn, 0x24n, undefined],
    ['one byte in front', 0xfffn, 0x24n, '[fff, 1023)'],
    ['one byte behind', 0x17ddn, 0x24n, '[17dd, 1801)'],
    ['empty, at the end', 0x1800n, 0n, undefined],
    ['wrapping round', 0x1000n, 0xffff_ffff_ffff_f000n, undefined],
  ] as const)('%s, by ranges', (_, offset, size, range) => {
    if (range === undefined) expect(plan(at(offset, size), { notes: true }).note).toBeDefined();
    else expect(() => plan(at(offset, size), { notes: true })).toThrow(refused(range));
  });

  it('a table that starts with the note is refused', () => {
    expect(() => plan(input([note, load], SIZE), { notes: true })).toThrow(
      'Expected .note section within .text section! .note: [1000, 1800) .text: [1100, 1124)',
    );
  });

  it.each([
    ['as far as the size, good or not', 0x800n, 0x1000n, undefined],
    ['behind the size', 0x1100n, 0x24n, 'Offset 4352 not within 2048!'],
    ['an absurd offset, signed', 0xffff_ffff_ffff_ffffn, 0n, 'Offset -1 not within 2048!'],
  ] as const)('%s, by offset up to 4.18.4', (_, offset, size, words) => {
    const early = { ...load, offset: 0x100n };
    const bytes = input([early, { type: 4, offset, filesz: size, memsz: size }], SIZE);
    const request = { notes: true, release: '4.17.7', finalExec: 0n };
    if (words === undefined) expect(plan(bytes, request).note).toBeDefined();
    else expect(() => plan(bytes, request)).toThrow(`Expected .note section within .text section! ${words}`);
  });

  it('in front of the load segment is refused by offset, too', () => {
    const bytes = input([load, { type: 4, offset: 0x80n, filesz: 4n }], SIZE);
    expect(() => plan(bytes, { notes: true, release: '4.17.7', finalExec: 0n })).toThrow('Offset 128 not within 2048!');
  });
});

describe('short input, for which the original waits forever', () => {
  it.each([
    ['empty', 0, 'ELF header would end at byte 52, the file has 0'],
    ['a cut header', 51, 'ELF header would end at byte 52, the file has 51'],
    ['a cut ELF64 header', 60, 'ELF header would end at byte 64, the file has 60'],
    ['a cut program header', 100, 'program header 0 would end at byte 120, the file has 100'],
    ['cut data', 0x17ff, 'load segment would end at byte 6144, the file has 6143'],
  ])('%s', (_, size, words) => {
    expect(() => plan(simple(0x800, 0x3000n).slice(0, size))).toThrow(words);
  });

  it('is also a table that ends with the file, because the entry behind it is read', () => {
    const bytes = input([{ ...load, offset: 0n, filesz: 8n }, note], 64 + 112);
    expect(() => plan(bytes)).toThrow('program headers would end at byte 232, the file has 176');
  });
});

describe('places in the file, as a C program has them', () => {
  const NEGATIVE = 1n << 63n;

  it('no data is read from anywhere', () => {
    const bytes = input([{ offset: 0x10_0000n, filesz: 0x1_0000_0000n }], SIZE);
    expect(plan(bytes).load.p_filesz).toBe(0n);
    expect(() => plan(input([{ offset: 0x10_0000n, filesz: 1n }], SIZE))).toThrow('load segment would end');
  });

  it('a seek to a negative place leaves the place as it was', () => {
    const good = input([load], SIZE);
    const bad = good.slice();
    // e_phoff: the table is read from behind the ELF header, where it is.
    new DataView(bad.buffer).setBigUint64(32, NEGATIVE, true);
    expect(wrap(bad)).toEqual(wrap(good));
    // p_offset: the data is what follows the program header.
    const data = wrap(input([{ ...load, offset: NEGATIVE, filesz: 0x100n }], SIZE)).slice(128, 128 + 0x100);
    expect(data).toEqual(good.slice(120, 120 + 0x100));
  });

  it('with --notes the offset of the load segment is cut to 32 bits, and so are its end and what is said of it', () => {
    const far = { ...load, offset: 0x1_0000_1000n };
    expect(wrap(input([far, note], SIZE), { notes: true })).toEqual(wrap(input([load, note], SIZE), { notes: true }));
    expect(() => plan(input([far], SIZE))).toThrow('load segment would end');
    const bytes = input([{ ...load, offset: 0xffff_ffffn }, note], SIZE);
    expect(() => plan(bytes, { notes: true })).toThrow('.note: [1100, 1124) .text: [ffffffff, 7ff)');
  });
});
