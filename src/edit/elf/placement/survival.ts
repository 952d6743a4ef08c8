/**
 * What later tools will do to a result: each is followed by a model of where it puts headers, segments and sections, worked out
 * from the headers of the result itself. A model holds for the versions that it was tried with.
 */
import type { ElfImage } from '../../../formats/elf/image.js';
import { readElf } from '../../../formats/elf/read.js';
import { SURVIVORS, type Survivor } from '../plan/placement-options.js';
import { preview, render } from '../render.js';
import { euStrip, euStripTo } from './forecast/elfutils.js';
import { flat } from './forecast/flat.js';
import { gnu } from './forecast/gnu.js';
import { llvmObjcopy, llvmStrip } from './forecast/llvm.js';
import type { Outcome } from './forecast/outcome.js';
import { patchelf } from './forecast/patchelf.js';
import type { Layout, Survival } from './layout.js';

interface Model {
  /** The versions that it was held against; of others nothing is known. */
  readonly tried: string;
  readonly outcome: (result: ElfImage, before: ElfImage) => Outcome;
}

const BINUTILS = 'binutils 2.40';
const LLVM = 'LLVM 14';
const ELFUTILS = 'elfutils 0.188';

/** The model of each tool. */
export const MODELS: Readonly<Record<Survivor, Model>> = {
  strip: { tried: BINUTILS, outcome: gnu },
  objcopy: { tried: BINUTILS, outcome: gnu },
  'llvm-strip': { tried: LLVM, outcome: llvmStrip },
  'llvm-objcopy': { tried: LLVM, outcome: llvmObjcopy },
  'eu-strip': { tried: ELFUTILS, outcome: euStrip },
  'eu-strip-o': { tried: ELFUTILS, outcome: euStripTo },
  patchelf: { tried: 'patchelf 0.14', outcome: patchelf },
  flat: { tried: BINUTILS, outcome: flat },
};

/** What each of these tools does to a result; `before` is the image without the edit. */
export function survivalOf(
  result: ElfImage,
  before: ElfImage,
  tools: readonly Survivor[] = SURVIVORS,
): readonly Survival[] {
  const known = new Map<Model['outcome'], Outcome>();
  return tools.map((tool) => {
    const { tried, outcome: model } = MODELS[tool];
    const outcome = known.get(model) ?? model(result, before);
    known.set(model, outcome);
    const { verdict, why, about } = outcome;
    const anyway = about === 'loads' && result !== before && model(before, before).about === 'loads';
    return { tool, verdict, why: anyway ? `${why}; without the edit as well` : why, tried };
  });
}

/** The tools of `wanted` that the result does not survive, or of which nothing is known. */
export function lostTo(result: ElfImage, before: ElfImage, wanted: readonly Survivor[]): readonly Survival[] {
  return survivalOf(result, before, wanted).filter(({ verdict: v }) => v !== 'kept' && v !== 'kept with a warning');
}

/** The image that a layout makes, as it would be read back; nothing is written. Errors: those of readElf. */
export function resultOf(image: ElfImage, layout: Layout): ElfImage {
  return readElf(preview(image, render(image, layout)));
}
