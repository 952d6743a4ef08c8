/** Real hypervisors and kernels in a tidy container: every byte and every symbol at its distance. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { Sym } from '../../../src/formats/elf/headers.js';
import type { ElfImage } from '../../../src/formats/elf/image.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { ownerOf } from '../../../src/formats/note/record.js';
import { walkAsXen } from '../../../src/loaders/read/loader-walks.js';
import { realImage } from '../../support/images.js';
import { data, tidy } from './tidying.js';

const KERNEL = 0xffff82d040200000n;

it('symbols of a real hypervisor: local ones first, as many as sh_info says, every name with its address', () => {
  const bytes = readFileSync(realImage('xen-syms').path);
  const { image } = tidy(bytes, { keepSymbols: true });
  const before = allSymbols(readElf(new BufferSource(bytes)));
  const after = allSymbols(image);
  const firstGlobal = after.findIndex(({ st_info }, index) => index > 0 && st_info >> 4 !== 0);
  expect(image.sections.find(({ sh_type }) => sh_type === 2)?.sh_info).toBe(firstGlobal);
  const moved = 0x200000n - KERNEL;
  const expected = before
    .filter(({ st_shndx }) => st_shndx > 0 && st_shndx < 9)
    .map(({ st_name, st_value }) => [st_name, st_value + moved]);
  const defined = after.filter(({ st_shndx }) => st_shndx > 0 && st_shndx < 0xff00);
  expect(defined.map(({ st_name, st_value }) => [st_name, st_value])).toEqual(expected);
});

function allSymbols(image: ElfImage): Sym[] {
  const table = image.sections.find(({ sh_type }) => sh_type === 2);
  if (table === undefined) throw new Error('no symbols');
  const bytes = image.source.read(table.sh_offset, table.sh_size, 'symbols');
  const size = Sym.size(image.encoding);
  return Array.from({ length: bytes.length / size }, (_, i) => Sym.decode(bytes, i * size, image.encoding));
}

describe('real images', () => {
  it.each(['xen-syms', 'gnumach-x86_64', 'hvmloader', 'grub-i386-xen_pvh', 'xen-shim'])(
    '%s, everything kept',
    (name) => {
      const bytes = readFileSync(realImage(name).path);
      const image = readElf(new BufferSource(bytes, name));
      const [first] = image.segments.filter(({ p_type }) => p_type === 1).sort((a, b) => Number(a.p_paddr - b.p_paddr));
      const base = first?.p_paddr ?? 0n;
      const result = tidy(bytes, { loadBase: base, keepSymbols: true, set: ['GUEST_OS=test'] });
      // Every byte of every PT_LOAD is at its distance from the first.
      for (const { p_type, p_offset, p_filesz, p_paddr } of image.segments) {
        if (p_type !== 1) continue;
        const at = Number(p_paddr - base);
        const there = data(result).subarray(at, at + Number(p_filesz));
        const here = bytes.subarray(Number(p_offset), Number(p_offset + p_filesz));
        expect(Buffer.compare(there, here)).toBe(0);
      }
      const [note] = walkAsXen(result.image).notes;
      expect(note && ownerOf(note.record.name)).toBe('Xen');
    },
  );
});
