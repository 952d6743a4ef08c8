/** What patchelf does: it edits what ld.so reads, so an image without .dynamic is refused (patchelf 0.14, src/patchelf.cc, findSection). */
import type { ElfImage } from '../../../../formats/elf/image.js';
import { sectionName } from '../../../../formats/elf/section-names.js';
import { kept, type Outcome } from './outcome.js';

const WHY =
  'of a dynamic program patchelf moves sections and headers or not, by the option and by how long the new text is';

/** The outcome of patchelf with an option that changes the file, `--set-rpath` among them. */
export function patchelf(image: ElfImage): Outcome {
  const isDynamic = image.sections.some((_, index) => sectionName(image, index) === '.dynamic');
  if (!isDynamic) return kept('without a .dynamic section patchelf refuses the image and leaves it alone');
  return { verdict: 'unknown', why: WHY };
}
