/**
 * The tools that may work on a result after us, by name and version: what forecasts are made of, what `--must-survive` takes,
 * and what an explanation lists. Plain data; it imports nothing.
 */

/** Later tools that a placement may have to survive. `eu-strip-o` is `eu-strip -o OUT`, `flat` is `objcopy -O binary`. */
export const SURVIVORS = [
  'strip',
  'objcopy',
  'llvm-strip',
  'llvm-objcopy',
  'eu-strip',
  'eu-strip-o',
  'patchelf',
  'flat',
] as const;
/** A tool whose work on the image the notes must survive. */
export type Survivor = (typeof SURVIVORS)[number];

/** A tool, or one version of it: `strip`, `strip@2.40`. Without a version it stands for every one that was tried. */
export type SurvivorWish = Survivor | `${Survivor}@${string}`;

/** The package of a tool, and the versions that the forecasts of it were held against; of others nothing is known. */
export interface Tried {
  readonly program: string;
  readonly versions: readonly string[];
}

const BINUTILS: Tried = { program: 'binutils', versions: ['2.40'] };
const LLVM: Tried = { program: 'LLVM', versions: ['14.0.6'] };
const ELFUTILS: Tried = { program: 'elfutils', versions: ['0.188'] };

/** What was tried of each tool. */
export const TRIED: Readonly<Record<Survivor, Tried>> = {
  strip: BINUTILS,
  objcopy: BINUTILS,
  'llvm-strip': LLVM,
  'llvm-objcopy': LLVM,
  'eu-strip': ELFUTILS,
  'eu-strip-o': ELFUTILS,
  patchelf: { program: 'patchelf', versions: ['0.14.3'] },
  flat: BINUTILS,
};

/** The tool and the version of a wish; the version undefined where none was named. */
export function partsOf(wish: SurvivorWish): { readonly tool: Survivor; readonly version: string | undefined } {
  const tool = SURVIVORS.find((name) => wish === name || wish.startsWith(`${name}@`)) ?? SURVIVORS[0];
  return { tool, version: wish === tool ? undefined : wish.slice(tool.length + 1) };
}

/** A word as a wish; undefined when it names no tool that is followed, or no version behind the `@`. */
export function wishOf(word: string): SurvivorWish | undefined {
  const tool = SURVIVORS.find((name) => word === name || word.startsWith(`${name}@`));
  if (tool === undefined) return undefined;
  if (word === tool) return tool;
  const version = word.slice(tool.length + 1);
  return /^\d+(\.\d+)*$/.test(version) ? `${tool}@${version}` : undefined;
}

/** Everything that was tried, each program once, for a sentence: `binutils 2.40, LLVM 14.0.6`. */
export const TRIED_PROGRAMS: readonly string[] = [
  ...new Set(
    SURVIVORS.map((tool) => {
      const { program, versions } = TRIED[tool];
      return `${program} ${versions.join(' and ')}`;
    }),
  ),
];
