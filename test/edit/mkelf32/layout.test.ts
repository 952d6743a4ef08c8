import { describe, expect, it } from 'vitest';
import { hexToBytes } from '../../support/elf-builder.js';
import { input, outputOf, pattern, plan, simple, word, wrap } from './support.js';

const LETTERS = {
  C: '4.7.0',
  D: '4.7.6',
  E: '4.16.0',
  F: '4.17.7',
  G: '4.18.6',
  H: '4.21.1',
  I: '4.22.0',
  J: '4.20.4+63',
};
/** A final address that makes p_memsz a whole number of pages. */
const FINAL = 0xffff82d040200000n + 0x3000n;

describe('the size of the output', () => {
  it.each([
    [0, false, 268],
    [0x800, false, 2316],
    [0x800, true, 2364],
    [0x1800, true, 6460],
  ])('for %i bytes, notes %s: %i', (filesz, notes, size) => {
    const bytes = simple(filesz, 0x3000n, notes ? { at: 0n, size: 0n } : undefined);
    const container = plan(bytes, { notes });
    expect(container.fileSize).toBe(BigInt(size));
    expect(outputOf(bytes, container).length).toBe(size);
  });
});

describe('p_memsz', () => {
  it.each([
    [0x0n, 0x200000n, 0x0],
    [0x3000n, 0x200000n, 0x200000],
    [0x200000n, 0x200000n, 0x200000],
    [0x200001n, 0x200000n, 0x400000],
    [0xffffffffn, 0x200000n, 0x0],
    [0x100001000n, 0x200000n, 0x200000],
    [0x3000n, 0x200801n, 0x2007ff],
  ])('of 0x%s at base 0x%s, newest', (memsz, loadBase, out) => {
    expect(word(wrap(simple(0x10, memsz), { loadBase }), 52 + 20)).toBe(out);
  });

  it.each([
    [0x1n, 0x100000],
    [0x100000n, 0x100000],
    [0x3a6140n, 0x400000],
    [0x2fffffn, 0x300000],
  ])('of 0x%s is rounded to 1 MiB in 4.21.1', (memsz, out) => {
    expect(word(wrap(simple(0x10, memsz), { release: '4.21.1' }), 52 + 20)).toBe(out);
  });

  it.each([
    [0xffff82d0405a7000n, 0x3a7000],
    [0xffff82d040200001n, 0x1000],
    [0n, 0xbfe00000],
    [0xffff82d0401ff000n, 0xfffff000],
  ])('ends at the final address 0x%s in 4.17, in 32 bits and whole pages', (finalExec, out) => {
    expect(word(wrap(simple(0x10, 0x3000n), { release: '4.17', finalExec }), 52 + 20)).toBe(out);
  });

  it('may be less than p_filesz: nothing is checked', () => {
    const out = wrap(simple(0x4000, 0n), {});
    expect([word(out, 68), word(out, 72)]).toEqual([0x4000, 0]);
  });
});

describe('the headers', () => {
  it('are those of the shipped 4.17.7 image, for its numbers', () => {
    // The data is cut short and the note is moved to its end; the fields that say so are put back.
    const load = { offset: 0x8000n, vaddr: 0xffff82d040200000n, filesz: 0x271920n, memsz: 0x3a6140n };
    const note = { type: 4, offset: 0x1beec8n, vaddr: 0xffff82d0403b6ec8n, filesz: 0x24n };
    const bytes = input([load, note], 0x8000 + 0x271920);
    const container = plan(bytes, { notes: true, release: '4.17.7', finalExec: 0xffff82d0405a7000n });
    const [head] = container.parts;
    expect(head?.kind === 'bytes' && head.bytes).toEqual(
      hexToBytes(`
        7f454c46010101000000000000000000 02000300010000000000200034000000
        a0192700000000003400200002002800 04000200010000008000000000002000
        000020002019270000703a0007000000 4000000004000000486f1b00c86e1b00
        c86e1b00240000002400000004000000 04000000000000000000000000000000`),
    );
    expect(container.fileSize).toBe(2562652n);
    expect(container.sections.map(({ sh_offset }) => sh_offset)).toEqual([0n, 0x80n, 0x271a40n, 0x1b6f48n]);
  });

  it('have the section headers of the contract', () => {
    const out = wrap(simple(0x800, 0x3000n, { at: 0x100n, size: 0x24n }), { notes: true });
    const at = 128 + 0x800;
    const rows = [0, 1, 2, 3].map((row) =>
      Array.from({ length: 10 }, (_, field) => word(out, at + 40 * row + 4 * field)),
    );
    expect(rows).toEqual([
      [0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      [1, 1, 7, 0x200000, 128, 0x800, 0, 0, 64, 0],
      [7, 3, 0, 0, at + 160, 24, 0, 0, 1, 0],
      [17, 7, 0, 0x100, 0x180, 0x24, 0, 0, 4, 0],
    ]);
    expect(Buffer.from(out.subarray(at + 160, at + 184)).toString('latin1')).toBe('\0.text\0.shstrtab\0.note\0\0');
  });

  it('take the size of the note from p_memsz', () => {
    const load = { offset: 0x1000n, vaddr: 0x1000n, filesz: 0x100n };
    const note = { type: 4, offset: 0x1010n, vaddr: 0x1010n, filesz: 0x20n, memsz: 0n };
    const out = wrap(input([load, note], 0x1100), { notes: true });
    expect([word(out, 84 + 16), word(out, 84 + 20)]).toEqual([0, 0]);
  });

  it('do not care for types, flags, addresses or e_entry', () => {
    const first = { type: 4, offset: 0x1000n, vaddr: 0n, paddr: 77n, filesz: 0x100n };
    const second = { type: 1, offset: 0x1000n, vaddr: 5n, filesz: 0x100n };
    const out = wrap(input([first, second], 0x1100), { notes: true });
    expect([word(out, 52), word(out, 84), word(out, 84 + 8)]).toEqual([1, 4, 5]);
  });
});

describe('the tail', () => {
  const cases = [1, 2, 3, 4, 5, 1022, 1023, 1024, 1025, 1026, 1027, 1028, 2047, 2048, 2049, 3001];
  it.each(cases.flatMap((size) => [[size, false] as const, [size, true] as const]))(
    'of %i bytes, notes %s, is what the copy buffer held',
    (size, notes) => {
      const bytes = simple(size, 0x3000n, notes ? { at: 0n, size: 0n } : undefined);
      const out = wrap(bytes, { notes });
      const names = notes ? 24 : 17;
      const length = 4 - ((names + size) % 4);
      // The buffer, copied into as read() would.
      const buffer = new Uint8Array(1024);
      const data = bytes.subarray(0x1000);
      for (let at = 0; at < size; at += 1024) buffer.set(data.subarray(at, Math.min(at + 1024, size)));
      expect([...out.subarray(out.length - length)]).toEqual([...buffer.subarray(0, length)]);
      expect(out.length).toBe(128 + size + 40 * (notes ? 4 : 3) + names + length);
    },
  );

  it('is zeros when there is no data', () => {
    expect([...wrap(simple(0, 0x3000n)).subarray(-3)]).toEqual([0, 0, 0]);
  });
});

describe('what differs between releases', () => {
  // Long enough for the releases that compare the offset of the note, 0x1100, with the size.
  const bytes = simple(0x2000, 0x3000n, { at: 0x100n, size: 0x24n });
  const out = (release: string) => wrap(bytes, { notes: true, release, finalExec: FINAL });
  const differences = (a: Uint8Array, b: Uint8Array) =>
    Array.from({ length: a.length / 4 }, (_, i) => i * 4).filter((at) => word(a, at) !== word(b, at));

  it('D, E, F and G are the same bytes when the end is on a page', () => {
    for (const release of [LETTERS.E, LETTERS.F, LETTERS.G]) expect(out(release)).toEqual(out(LETTERS.D));
  });

  it('C has the PT_NOTE 128 bytes early and its section right', () => {
    expect(differences(out(LETTERS.C), out(LETTERS.D))).toEqual([84 + 4]);
    expect(word(out(LETTERS.C), 84 + 4)).toBe(0x100);
    expect(word(out(LETTERS.D), 84 + 4)).toBe(0x180);
  });

  it('C and D say that padding was left to chance, E does not', () => {
    const warnings = (release: string) => plan(bytes, { notes: true, release, finalExec: FINAL }).warnings.length;
    expect([LETTERS.C, LETTERS.D, LETTERS.E].map(warnings)).toEqual([1, 1, 0]);
  });

  it('H and I differ in p_memsz', () => {
    expect(differences(out(LETTERS.H), out(LETTERS.I))).toEqual([52 + 20]);
  });

  it('J differs from I in three words, each larger by the load base', () => {
    const places = differences(out(LETTERS.I), out(LETTERS.J));
    expect(places).toEqual([84 + 8, 84 + 12, 128 + 0x2000 + 40 * 3 + 12]);
    for (const at of places) expect(word(out(LETTERS.J), at) - word(out(LETTERS.I), at)).toBe(0x200000);
  });

  it('a final address changes nothing where it is not taken, and is missed where it is', () => {
    expect(wrap(bytes, { notes: true, finalExec: 1n })).toEqual(wrap(bytes, { notes: true }));
    expect(() => wrap(bytes, { notes: true, release: LETTERS.F })).toThrow('No final address given');
  });
});

it('data is copied whole and stands at 128', () => {
  const bytes = simple(3000, 0x3000n);
  expect(wrap(bytes).subarray(128, 3128)).toEqual(pattern(0x1000 + 3000).subarray(0x1000));
});
