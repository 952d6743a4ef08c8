/**
 * What later tools will do to a result: each is followed by a model of where it puts headers, segments and sections, worked out
 * from the headers of the result itself. A model holds for the versions that it was tried with.
 */
import type { ElfImage } from '../../../formats/elf/image.js';
import { readElf } from '../../../formats/elf/read.js';
import { partsOf, SURVIVORS, type Survivor, type SurvivorWish, TRIED } from '../plan/placement-options.js';
import { preview, render } from '../render.js';
import { euStrip, euStripTo } from './forecast/elfutils.js';
import { flat } from './forecast/flat.js';
import { gnu } from './forecast/gnu.js';
import { llvmObjcopy, llvmStrip } from './forecast/llvm.js';
import type { Outcome } from './forecast/outcome.js';
import { patchelf } from './forecast/patchelf.js';
import type { Layout, Survival } from './layout.js';

type Model = (result: ElfImage, before: ElfImage) => Outcome;

/** The model of each tool; it is the same for every version that was tried. */
const MODELS: Readonly<Record<Survivor, Model>> = {
  strip: gnu,
  objcopy: gnu,
  'llvm-strip': llvmStrip,
  'llvm-objcopy': llvmObjcopy,
  'eu-strip': euStrip,
  'eu-strip-o': euStripTo,
  patchelf,
  flat,
};

/** What each of these tools does to a result; `before` is the image without the edit. */
export function survivalOf(
  result: ElfImage,
  before: ElfImage,
  wishes: readonly SurvivorWish[] = SURVIVORS,
): readonly Survival[] {
  const known = new Map<Model, Outcome>();
  return wishes.map((wish) => {
    const { tool, version } = partsOf(wish);
    const tried = triedText(tool);
    if (version !== undefined && !isTried(tool, version)) {
      const why = `${TRIED[tool].program} ${version} was not tried; forecasts hold for ${tried}`;
      return { tool: wish, verdict: 'unknown', why, tried };
    }
    const model = MODELS[tool];
    const outcome = known.get(model) ?? model(result, before);
    known.set(model, outcome);
    const { verdict, why, about } = outcome;
    const anyway = about === 'loads' && result !== before && model(before, before).about === 'loads';
    return { tool: wish, verdict, why: anyway ? `${why}; without the edit as well` : why, tried };
  });
}

function triedText(tool: Survivor): string {
  const { program, versions } = TRIED[tool];
  return `${program} ${versions.join(', ')}`;
}

/** Is it one of those tried? `14` is every 14.x that was. */
function isTried(tool: Survivor, version: string): boolean {
  return TRIED[tool].versions.some((known) => known === version || known.startsWith(`${version}.`));
}

/** The tools of `wanted` that the result does not survive, or of which nothing is known. */
export function lostTo(result: ElfImage, before: ElfImage, wanted: readonly SurvivorWish[]): readonly Survival[] {
  return survivalOf(result, before, wanted).filter(({ verdict: v }) => v !== 'kept' && v !== 'kept with a warning');
}

/** The image that a layout makes, as it would be read back; nothing is written. Errors: those of readElf. */
export function resultOf(image: ElfImage, layout: Layout): ElfImage {
  return readElf(preview(image, render(image, layout)));
}
