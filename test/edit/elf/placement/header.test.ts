/** Counts at the edge of 16 bits: where e_phnum and e_shnum stop and section header 0 takes over (gABI, "ELF Header"). */
import { describe, expect, it } from 'vitest';
import { headerFor, withCounts } from '../../../../src/edit/elf/placement/header.js';
import { inputFor, kernel, perClass } from '../../../support/placing.js';

const CLASSES = perClass({ 32: { phdr: 32, shdr: 40 }, 64: { phdr: 56, shdr: 64 } });

describe.each(CLASSES)('ELF$encoding.bits $encoding.endian', ({ encoding, phdr, shdr }) => {
  const bare = inputFor(kernel(encoding, 64)).analysis.image;
  const { image } = inputFor(kernel(encoding, 64).section('.text')).analysis;

  it.each([
    [0xfffe, 0xfffe],
    [0xffff, 0xffff],
    [0x10000, 0xffff],
  ])('headerFor: %i program headers are counted as %i', (segments, e_phnum) => {
    expect(headerFor(image, { segments, sections: 3 })).toMatchObject({ e_phnum, e_phentsize: phdr });
  });

  it.each([
    [0xfeff, 0xfeff],
    [0xff00, 0],
  ])('headerFor: %i section headers are counted as %i', (sections, e_shnum) => {
    expect(headerFor(image, { segments: 1, sections })).toMatchObject({ e_shnum, e_shentsize: shdr });
  });

  it('headerFor keeps what is not given', () => {
    expect(headerFor(bare, { segments: 1, sections: 0 })).toEqual(bare.header);
    const moved = headerFor(bare, { segments: 1, sections: 0, phoff: 0x200n, shoff: 0x300n });
    expect(moved).toEqual({ ...bare.header, e_phoff: 0x200n, e_shoff: 0x300n });
  });

  it.each([
    [3, 0xfffe, { sh_size: 0n, sh_info: 0 }],
    [3, 0xffff, { sh_size: 0n, sh_info: 0xffff }],
    [0xfeff, 1, { sh_size: 0n, sh_info: 0 }],
    [0xff00, 0x10000, { sh_size: 0xff00n, sh_info: 0x10000 }],
  ])('withCounts: %i sections and %i program headers', (sections, segments, fields) => {
    const [first] = image.sections;
    if (first === undefined) throw new Error('no section header 0');
    const table = withCounts(image, Array(sections).fill(first), segments);
    expect(table[0]).toEqual({ ...first, ...fields });
    expect(table).toHaveLength(sections);
    expect(table[1]).toBe(first);
  });

  it('withCounts: section header 0 is cleared of a count that fits again', () => {
    const [first] = image.sections;
    if (first === undefined) throw new Error('no section header 0');
    const was = { ...image, header: { ...image.header, e_shnum: 0, e_phnum: 0xffff } };
    const table = withCounts(was, [{ ...first, sh_size: 0xff00n, sh_info: 0xffff }, first], 1);
    expect(table[0]).toMatchObject({ sh_size: 0n, sh_info: 0 });
    expect(withCounts(image, [], 1)).toEqual([]);
  });
});
