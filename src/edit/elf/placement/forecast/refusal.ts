/** What makes a tool give an image back unread: demands on headers, as tables; each tool has its own. */
import type { Phdr, Shdr } from '../../../../formats/elf/headers.js';
import type { ElfImage } from '../../../../formats/elf/image.js';

/** What a tool wants of a section header. */
export interface SectionDemand {
  /** What a section is that breaks it, for the reason: `ends behind the file`. */
  readonly fault: string;
  readonly breaks: (section: Shdr, image: ElfImage, index: number) => boolean;
}

/** What it wants of a program header. */
export interface SegmentDemand {
  readonly fault: string;
  readonly breaks: (segment: Phdr, image: ElfImage) => boolean;
}

/** Everything that a tool wants. */
export interface Demands {
  readonly sections: readonly SectionDemand[];
  readonly segments: readonly SegmentDemand[];
}

/** The first demand that the image does not meet, in words; `looksAt` tells the sections that the tool reads. */
export function refusal(
  image: ElfImage,
  { sections, segments }: Demands,
  looksAt: (index: number) => boolean = (index) => index > 0,
): string | undefined {
  for (const [index, section] of image.sections.entries()) {
    const broken = looksAt(index) ? sections.find(({ breaks }) => breaks(section, image, index)) : undefined;
    if (broken !== undefined) return `section ${index} ${broken.fault}`;
  }
  for (const [index, segment] of image.segments.entries()) {
    const broken = segments.find(({ breaks }) => breaks(segment, image));
    if (broken !== undefined) return `program header ${index} ${broken.fault}`;
  }
  return undefined;
}

/** Does the section claim bytes that the file has not? */
export function endsBehindFile({ sh_offset, sh_size }: Shdr, { source }: ElfImage): boolean {
  return sh_offset > source.size || sh_size > source.size - sh_offset;
}

/** Does the name of a section stand outside the name table? */
export function isNameless({ sh_name }: Shdr, { sections, shstrndx }: ElfImage): boolean {
  return BigInt(sh_name) >= (sections[shstrndx]?.sh_size ?? 0n);
}
