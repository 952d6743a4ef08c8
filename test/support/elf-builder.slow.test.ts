import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { readElf } from '../../src/formats/elf/read.js';
import { findSection, sectionName } from '../../src/formats/elf/section-names.js';
import { ENCODINGS } from '../../src/formats/elf/struct.js';
import { cstr, elf } from './elf-builder.js';

describe.each(ENCODINGS)('the ELF builder, ELF$bits $endian', (encoding) => {
  it('puts everything where its headers say', () => {
    const bytes = elf(encoding)
      .load(0x100010n, cstr('text'), { align: 0x1000n, paddr: 0x10n })
      .noteSegment([{ type: 6, desc: cstr('x') }], { inside: { load: 0, at: 0x0 }, section: '.note' })
      .segment(0x6474e551, undefined, { flags: 6 })
      .section('.text', { inside: { load: 0, at: 0, size: 4 } })
      .symbol('start', 0x100010n)
      .with({ slack: 64, trailing: cstr('tail'), order: [1, 2, 0] })
      .build();
    const image = readElf(new BufferSource(bytes));
    expect(image.segments.map((s) => s.p_type)).toEqual([4, 0x6474e551, 1]);
    expect(image.segments[2]).toMatchObject({ p_vaddr: 0x100010n, p_paddr: 0x10n, p_offset: 0x1010n });
    expect(image.segments[0]).toMatchObject({ p_vaddr: 0x100010n, p_paddr: 0x10n, p_offset: 0x1010n });
    expect(image.sections.map((_, i) => sectionName(image, i))).toEqual([
      '',
      '.note',
      '.text',
      '.symtab',
      '.strtab',
      '.shstrtab',
    ]);
    expect(Buffer.from(bytes.slice(-5)).toString()).toBe('tail\0');
  });

  it('takes extended numbering when counts ask for it', () => {
    const builder = elf(encoding);
    for (let i = 0; i < 65_536; i++) builder.segment(0, undefined, { vaddr: BigInt(i) });
    for (let i = 0; i < 65_300; i++) builder.section(i === 65_000 ? '.here' : '.s');
    const image = readElf(new BufferSource(builder.build()));
    expect([image.segments.length, image.sections.length, image.shstrndx]).toEqual([65_536, 65_302, 65_301]);
    expect(image.header).toMatchObject({ e_phnum: 0xffff, e_shnum: 0, e_shstrndx: 0xffff });
    expect(findSection(image, '.here')).toBe(65_001);
    expect(image.segments.at(-1)?.p_vaddr).toBe(65_535n);
  });
});
