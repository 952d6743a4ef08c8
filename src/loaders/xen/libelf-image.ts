/** The headers of an image as libelf reads them (xen/common/libelf/libelf-loader.c, elf_init). */
import { type ByteSource, fits } from '../../base/bytes/source.js';
import { Shdr } from '../../formats/elf/headers.js';
import { EI_CLASS, EI_DATA, ELFCLASS64, ELFDATA2LSB } from '../../formats/elf/names.js';
import { nativeSize } from '../../formats/elf/struct.js';
import { hasElfMagic, type LaxImage, laxIdent, lenientElf } from '../read/lenient-elf.js';

/** The least that elf_is_elfbinary wants: the magic, and room for an ELF32 header. */
const LEAST = 52n;

/** Does libelf take the file for ELF at all? */
export function isElfBinary(source: ByteSource): boolean {
  return source.size >= LEAST && hasElfMagic(source);
}

/** EI_CLASS 2 is 64 bits, anything else 32; EI_DATA 1 is little-endian, anything else swaps. Nothing is refused. */
export function libelfImage(source: ByteSource): LaxImage {
  const ident = laxIdent(source);
  const encoding = {
    bits: ident[EI_CLASS] === ELFCLASS64 ? 64 : 32,
    endian: ident[EI_DATA] === ELFDATA2LSB ? 'little' : 'big',
  } as const;
  const maxSections = source.size / BigInt(Shdr.size({ bits: 32, endian: 'little' }));
  return lenientElf(source, encoding, { stride: 'declared', sections: true, maxSections });
}

/** What libelf calls an image broken for before it has looked at a note: counts and tables that leave the file. */
export function brokenTables({ header, source, encoding, sectionsCut, segmentsCut }: LaxImage): string | undefined {
  const { e_shnum, e_shoff, e_shentsize, e_shstrndx } = header;
  const most = source.size / BigInt(Shdr.size({ bits: 32, endian: 'little' }));
  if (BigInt(e_shnum) > most) return 'far too many section headers';
  // Of the section that holds the names the offset is read, whether or not that is in the file.
  const names = e_shoff + BigInt(e_shstrndx) * BigInt(e_shentsize) + BigInt(Shdr.offsetOf('sh_offset', encoding));
  const namesCut = e_shstrndx < e_shnum && !fits(BigInt.asUintN(64, names), BigInt(nativeSize(encoding)), source.size);
  return namesCut || sectionsCut || segmentsCut ? 'out of range access' : undefined;
}
