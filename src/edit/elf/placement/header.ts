/** The ELF header of the result, extended numbering included (gABI, "ELF Header": e_phnum, e_shnum, e_shstrndx). */

import type { Ehdr } from '../../../formats/elf/headers.js';
import { Phdr, Shdr } from '../../../formats/elf/headers.js';
import type { ElfImage } from '../../../formats/elf/image.js';
import { PN_XNUM, SHN_LORESERVE } from '../../../formats/elf/names.js';

/** The header with these counts and places; everything else stays as it is. */
export function headerFor(
  { header, encoding }: ElfImage,
  counts: { readonly segments: number; readonly sections: number; readonly phoff?: bigint; readonly shoff?: bigint },
): Ehdr {
  const { segments, sections } = counts;
  return {
    ...header,
    e_phoff: counts.phoff ?? header.e_phoff,
    e_shoff: counts.shoff ?? header.e_shoff,
    e_phentsize: segments > 0 ? Phdr.size(encoding) : header.e_phentsize,
    e_phnum: segments >= PN_XNUM ? PN_XNUM : segments,
    e_shentsize: sections > 0 ? Shdr.size(encoding) : header.e_shentsize,
    e_shnum: sections >= SHN_LORESERVE ? 0 : sections,
  };
}

/** The section header table with section header 0 holding what the ELF header has no room for, and nothing else. */
export function withCounts(image: ElfImage, sections: readonly Shdr[], segments: number): readonly Shdr[] {
  const [first, ...rest] = sections;
  if (first === undefined) return sections;
  const escaped = (is: boolean, was: boolean, value: number, present: number) => (is ? value : was ? 0 : present);
  const { header } = image;
  const size = escaped(sections.length >= SHN_LORESERVE, header.e_shnum === 0, sections.length, Number(first.sh_size));
  const info = escaped(segments >= PN_XNUM, header.e_phnum === PN_XNUM, segments, first.sh_info);
  return [{ ...first, sh_size: BigInt(size), sh_info: info }, ...rest];
}
