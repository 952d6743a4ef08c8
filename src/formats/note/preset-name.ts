/** The names of presets: kinds of guest with + between them, and +dom0 behind. What a preset sets is the plan's to say. */
import { fail } from '../../base/errors/patch-error.js';
import { didYouMean } from './nearest.js';

const BASES = ['pv', 'pv32', 'pvh'] as const;
/** A kind of guest. */
export type Base = (typeof BASES)[number];

/** Every preset that there is. */
export const PRESET_NAMES: readonly string[] = [...BASES, 'pv+pvh', 'pv32+pvh'].flatMap((name) => [
  name,
  `${name}+dom0`,
]);

/** A preset as parsed: the kinds of guest, and whether the kernel shall be a dom0. */
export interface Preset {
  readonly name: string;
  readonly bases: readonly Base[];
  readonly dom0: boolean;
}

/** `pv+pvh+dom0` to its parts. Errors: `plan.unknown-preset`. */
export function parsePreset(name: string): Preset {
  const words = name.toLowerCase().split('+');
  const bases = BASES.filter((base) => words.includes(base));
  const known = words.every((word) => word === 'dom0' || BASES.some((base) => base === word));
  const repeats = new Set(words).size !== words.length;
  if (!known || repeats || bases.length === 0 || (bases.includes('pv') && bases.includes('pv32'))) {
    fail(
      'plan.unknown-preset',
      {},
      {
        name,
        known: 'pv, pv32, pvh, pv+pvh or pv32+pvh, with +dom0 if wanted',
        hint: didYouMean(name, PRESET_NAMES),
      },
    );
  }
  return { name, bases, dom0: words.includes('dom0') };
}
