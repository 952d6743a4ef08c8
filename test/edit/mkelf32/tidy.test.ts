import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import type { ElfImage } from '../../../src/formats/elf/image.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { sectionName } from '../../../src/formats/elf/section-names.js';
import { findSymbols } from '../../../src/formats/elf/symbols.js';
import { walkAsXen } from '../../../src/loaders/read/loader-walks.js';
import { cstr, elf, num } from '../../support/elf-builder.js';
import { pattern, simple, wrap } from './support.js';
import { data, tidy, type Wish } from './tidying.js';

const le64 = { bits: 64, endian: 'little' } as const;
const le32 = { bits: 32, endian: 'little' } as const;
const KERNEL = 0xffff82d040200000n;

const refuse =
  (bytes: Uint8Array, options: Wish = {}) =>
  () =>
    tidy(bytes, options);
const names = (image: ElfImage) => image.sections.map((_, index) => sectionName(image, index));
describe('what the original writes, tidied', () => {
  const bytes = simple(0x801, 0x3000n, { at: 0x100n, size: 0x24n });
  const result = tidy(bytes, { notes: true });

  it('has the same data and the same load segment', () => {
    const [load] = readElf(new BufferSource(wrap(bytes, { notes: true }))).segments;
    expect(result.image.segments[0]).toEqual(load);
    expect(data(result)).toEqual(pattern(0x1801).subarray(0x1000));
  });

  it('has real addresses on the note', () => {
    const { p_offset, p_vaddr, p_paddr } = result.image.segments[1] ?? {};
    expect([p_offset, p_vaddr, p_paddr]).toEqual([0x180n, 0x200100n, 0x200100n]);
    expect(result.image.sections[2]).toMatchObject({ sh_addr: 0x200100n, sh_offset: 0x180n, sh_size: 0x24n });
  });

  it('has exact names, aligned headers and zeros behind', () => {
    expect(names(result.image)).toEqual(['', '.text', '.note', '.shstrtab']);
    const { e_shoff } = result.image.header;
    const table = result.image.sections[3];
    expect(e_shoff).toBe(128n + 0x804n);
    expect(table?.sh_size).toBe(23n);
    const end = Number((table?.sh_offset ?? 0n) + (table?.sh_size ?? 0n));
    expect([...result.out.subarray(end)]).toEqual([0]);
    expect(result.out.length % 4).toBe(0);
    expect([...result.out.subarray(128 + 0x801, 128 + 0x804)]).toEqual([0, 0, 0]);
  });

  it('is one PT_LOAD without --notes', () => {
    expect(tidy(bytes).image.segments).toHaveLength(1);
  });
});

describe('several PT_LOADs', () => {
  const a = Uint8Array.of(1, 2, 3, 4);
  const b = Uint8Array.of(5, 6);

  it('become one, at their distances, zeros between, whatever their order in the file', () => {
    const bytes = elf(le64)
      .header({ e_entry: KERNEL + 0x11n })
      .load(KERNEL + 0x10n, b, { paddr: 0x100010n, memsz: 0x30n })
      .load(KERNEL, a, { paddr: 0x100000n, memsz: 0x8n })
      .build();
    const result = tidy(bytes, { loadBase: 0x300000n });
    expect([...data(result)]).toEqual([1, 2, 3, 4, ...Array(12).fill(0), 5, 6]);
    expect(result.image.segments[0]).toMatchObject({ p_paddr: 0x300000n, p_filesz: 18n, p_memsz: 0x200000n });
    expect(result.image.header.e_entry).toBe(0x300011n);
    expect(result.warnings).toEqual([]);
  });

  it('may end in one that has memory only', () => {
    const bytes = elf(le32).load(0x100000n, a).load(0x400000n, new Uint8Array(0), { memsz: 0x1000n }).build();
    const result = tidy(bytes);
    expect(result.image.segments[0]).toMatchObject({ p_filesz: 4n, p_memsz: 0x400000n });
  });

  it.each([
    ['none', elf(le64).build(), 'found no PT_LOAD with contents'],
    ['overlapping', elf(le64).load(0x1000n, a, { memsz: 0x20n }).load(0x1010n, b).build(), 'overlaps the one in front'],
    ['too far apart', elf(le64).load(0x1000n, a).load(0x8000000n, b).build(), 'lie between the PT_LOADs'],
    ['more file than memory', elf(le64).load(0x1000n, a, { memsz: 1n }).build(), 'wanted no more than memory'],
    ['up to 4 GiB', elf(le64).load(0x1000n, a, { memsz: 0xffe00000n }).build(), 'the image would end at 0x100000000'],
    ['behind the file', elf(le64).load(0x1000n, a, { filesz: 0x1000n, memsz: 0x1000n }).build(), 'ends early'],
    ['big-endian', elf({ bits: 64, endian: 'big' }).load(0x1000n, a).build(), 'little-endian Elf image'],
  ])('%s: refused', (_, bytes, words) => {
    expect(refuse(bytes)).toThrow(words);
  });

  it('warns of an entry that is nowhere, and of a base that breaks pages', () => {
    const bytes = elf(le64).header({ e_entry: 0x77n }).load(0x1000n, a).build();
    const { image, warnings } = tidy(bytes, { loadBase: 0x200800n });
    expect(image.header.e_entry).toBe(0x200800n);
    expect(warnings.join('\n')).toMatch(/does not keep the place within a page\n.*entry 0x77 is in no PT_LOAD/);
  });
});

describe('notes', () => {
  const xenNotes = (image: ElfImage) =>
    walkAsXen(image).notes.map(({ record: { type, desc } }) => [type, Buffer.from(desc).toString('hex')]);
  const phys = { type: 18, desc: num(0x200010n, 4, le32) };
  const guest = { type: 6, desc: cstr('linux') };
  const code = new Uint8Array(0x40);

  it('outside the load segment are carried over behind the data, not in memory', () => {
    const result = tidy(elf(le64).load(KERNEL, code, { paddr: 0x200000n }).noteSegment([phys, guest]).build(), {
      notes: true,
    });
    expect(xenNotes(result.image)).toEqual([
      [18, '10002000'],
      [6, '6c696e757800'],
    ]);
    const [load, note] = result.image.segments;
    expect(note).toMatchObject({ p_vaddr: 0n, p_offset: 128n + (load?.p_filesz ?? 0n) });
  });

  it('of several segments become one list, each record once', () => {
    const bytes = elf(le64).load(KERNEL, code).noteSegment([phys]).noteSegment([guest]).build();
    expect(xenNotes(tidy(bytes, { notes: true }).image).map(([type]) => type)).toEqual([18, 6]);
  });

  it('padded to 8 are padded to 4, which every reader of ELF32 takes', () => {
    const bytes = elf(le64).load(KERNEL, code).noteSegment([guest, phys], { unit: 8, align: 8n }).build();
    const { image } = tidy(bytes, { notes: true });
    expect(xenNotes(image).map(([type]) => type)).toEqual([6, 18]);
    expect(image.segments[1]).toMatchObject({ p_align: 4n, p_filesz: 24n + 20n });
  });

  it('in sections only are found, too', () => {
    const bytes = elf(le64)
      .load(KERNEL, code)
      .section('.note.Xen', { type: 7, bytes: Buffer.from('04000000040000001200000058656e0010002000', 'hex') })
      .build();
    expect(xenNotes(tidy(bytes, { notes: true }).image)).toEqual([[18, '10002000']]);
  });

  it('are missed when there are none and they are wanted', () => {
    expect(refuse(elf(le64).load(KERNEL, code).build(), { notes: true })).toThrow('found no notes');
  });

  it('are set: added behind, or in the place of those of their type, four bytes wide', () => {
    const bytes = elf(le64)
      .header({ e_entry: KERNEL + 4n })
      .load(KERNEL, code, { paddr: 0x200000n })
      .noteSegment([{ name: 'GNU', type: 6, desc: cstr('id') }, phys, guest])
      .section('.text', { inside: { load: 0, at: 0, size: 0x40 } })
      .symbol('start', KERNEL + 8n, { section: 1 })
      .build();
    const { image } = tidy(bytes, {
      notes: true,
      loadBase: 0x400000n,
      set: ['PHYS32_ENTRY=phys:start+1', 'GUEST_VERSION=4', 'HYPERCALL_PAGE=phys:entry'],
    });
    expect(xenNotes(image)).toEqual([
      [18, '09004000'],
      [6, '6c696e757800'],
      [7, '3400'],
      [2, '04004000'],
    ]);
  });

  it('are set without carrying others over', () => {
    const bytes = elf(le64).load(KERNEL, code).noteSegment([guest]).build();
    expect(xenNotes(tidy(bytes, { set: ['PHYS32_ENTRY=0x200000'] }).image)).toEqual([[18, '00002000']]);
  });

  it('follow a physical e_entry to the new place', () => {
    const bytes = elf(le64).header({ e_entry: 0x200004n }).load(KERNEL, code, { paddr: 0x200000n }).build();
    expect(xenNotes(tidy(bytes, { loadBase: 0x300000n, set: ['PHYS32_ENTRY=entry'] }).image)).toEqual([
      [18, '04003000'],
    ]);
  });
});

describe('what is kept of the input', () => {
  const bytes = elf(le64)
    .load(KERNEL, pattern(0x100), { paddr: 0x100000n, memsz: 0x1000n })
    .section('.text', { inside: { load: 0, at: 0, size: 0x80 }, flags: 6n })
    .section('.data', { inside: { load: 0, at: 0x80, size: 0x80 }, flags: 3n })
    .section('.bss', { type: 8, flags: 3n, addr: KERNEL + 0x100n, size: 0xf00n })
    .section('.far', { type: 8, flags: 3n, addr: 0x77n, size: 1n })
    .section('.comment', { flags: 0n, bytes: cstr('made by hand') })
    .symbol('start', KERNEL, { section: 1 })
    .symbol('value', KERNEL + 0x90n, { section: 2 })
    .symbol('remark', 0n, { section: 5 })
    .build();

  it('sections: the allocated ones, at their new addresses', () => {
    const { image, out, warnings } = tidy(bytes, { keepSections: true });
    expect(names(image)).toEqual(['', '.text', '.data', '.bss', '.shstrtab']);
    expect(image.sections.map(({ sh_addr }) => sh_addr)).toEqual([0n, 0x200000n, 0x200080n, 0x200100n, 0n]);
    const second = image.sections[2];
    const at = Number(second?.sh_offset);
    expect(out.subarray(at, at + 0x80)).toEqual(pattern(0x100).subarray(0x80));
    expect(warnings).toContain('1 allocated sections are in no PT_LOAD and left out');
  });

  it('symbols: with their sections, each at the address of its byte', () => {
    const { image, warnings } = tidy(bytes, { keepSymbols: true });
    expect(names(image)).toEqual(['', '.text', '.data', '.bss', '.symtab', '.strtab', '.shstrtab']);
    const found = findSymbols(image, ['start', 'value', 'remark']);
    expect([...found].map(([name, hits]) => [name, hits.map(({ value }) => value)])).toEqual([
      ['start', [0x200000n]],
      ['value', [0x200090n]],
      ['remark', []],
    ]);
    expect(warnings.join('\n')).toContain('1 symbols belong to nothing in the result');
  });

  it('says so when there are no symbols', () => {
    const bare = elf(le64).load(KERNEL, pattern(16)).build();
    expect(tidy(bare, { keepSymbols: true }).warnings).toContain('there are no symbols to keep');
  });
});
