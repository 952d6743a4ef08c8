/**
 * How the tool differs between releases of Xen (history of xen/arch/x86/boot/mkelf32.c). One row per behaviour; what a row
 * does is data, so that no other file asks for a release.
 */
import { fail } from '../../base/errors/patch-error.js';

/** One behaviour of Xen's mkelf32, and the releases that have it. */
export interface Variant {
  /** The order in which they appeared. */
  readonly letter: Letter;
  /** Releases in words, for people. */
  readonly releases: string;
  /** The version that stands for it on a command line. */
  readonly release: string;
  /** What is particular about it, one line. */
  readonly summary: string;
  /** Words on the command line behind `--notes`. */
  readonly arguments: 3 | 4;
  /** How p_memsz comes about: up to the final address, or the input's rounded up to so many bytes. */
  readonly memory: 'final' | bigint;
  /** Empty program headers behind the wanted ones are dropped. */
  readonly dropsHeaders: boolean;
  /** The note is tested by its file offset against a size, or by file ranges. */
  readonly noteBounds: 'offset' | 'range';
  /** What the p_offset of the PT_NOTE lacks. */
  readonly noteOffsetError: bigint;
  /** Note addresses are distances from the start of the load segment, or addresses. */
  readonly noteAddress: 'distance' | 'address';
  /** The original leaves whatever its stack held in the bytes behind the headers; zeros are written for them here. */
  readonly undefinedPadding: boolean;
}

type Letter = 'C' | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J';

const MiB = 0x100000n;

const FIRST: Variant = {
  letter: 'C',
  releases: '4.7.0',
  release: '4.7.0',
  summary: '--notes is new; the p_offset of the PT_NOTE lacks the 128 bytes of headers',
  arguments: 4,
  memory: 'final',
  dropsHeaders: false,
  noteBounds: 'offset',
  noteOffsetError: 128n,
  noteAddress: 'distance',
  undefinedPadding: true,
};

/** Each row is the one before it and what changed. */
function after(before: Variant, changed: Partial<Variant>): Variant {
  return { ...before, ...changed };
}

const D = after(FIRST, {
  letter: 'D',
  releases: '4.7.1 to 4.7.6',
  release: '4.7.6',
  summary: 'the p_offset is right',
  noteOffsetError: 0n,
});
const E = after(D, {
  letter: 'E',
  releases: '4.8 to 4.16',
  release: '4.16.7',
  summary: 'the bytes behind the headers are zeros',
  undefinedPadding: false,
});
const F = after(E, {
  letter: 'F',
  releases: '4.17, 4.18.0 to 4.18.4, 4.19.0 to 4.19.1, 4.20.0',
  release: '4.17.7',
  summary: 'empty program headers behind the wanted ones are dropped',
  dropsHeaders: true,
});
const G = after(F, {
  letter: 'G',
  releases: '4.18.5 to 4.18.6, 4.19.2 to 4.19.3, 4.20.1',
  release: '4.18.6',
  summary: 'the place of the note is tested by file ranges',
  noteBounds: 'range',
});
const H = after(G, {
  letter: 'H',
  releases: '4.19.4 to 4.19.6, 4.20.2 to 4.20.3, 4.21.0 to 4.21.1',
  release: '4.21.1',
  summary: 'no final address: p_memsz is rounded up to 1 MiB',
  arguments: 3,
  memory: MiB,
});
const I = after(H, {
  letter: 'I',
  releases: '4.20.4, 4.21.2, 4.22',
  release: '4.22.0',
  summary: 'p_memsz is rounded up to 2 MiB',
  memory: 2n * MiB,
});
const J = after(I, {
  letter: 'J',
  releases: '4.20 branch behind 4.20.4 (Debian: 4.20.4+39, 4.20.4+63)',
  release: '4.20.4+63',
  summary: 'the note has real addresses',
  noteAddress: 'address',
});

/** Every behaviour there is a way to ask for, oldest first. */
export const VARIANTS: readonly Variant[] = [FIRST, D, E, F, G, H, I, J];

/** The behaviour of the newest release. J is on a branch only. */
export const NEWEST: Variant = I;

/** For each branch: from which patch level on which behaviour holds. Branches that are not listed have one. */
const BRANCHES: Readonly<Record<number, readonly (readonly [from: number, variant: Variant])[]>> = {
  7: [
    [0, FIRST],
    [1, D],
  ],
  17: [[0, F]],
  18: [
    [0, F],
    [5, G],
  ],
  19: [
    [0, F],
    [2, G],
    [4, H],
  ],
  20: [
    [0, F],
    [1, G],
    [2, H],
    [4, I],
  ],
  21: [
    [0, H],
    [2, I],
  ],
  22: [[0, I]],
};
const LAST_BRANCH = 22;
/** Snapshots of a branch that Debian built, by the number of commits behind the tag. What lies between is not known. */
const SNAPSHOTS: Readonly<Record<string, readonly [from: number, variant: Variant]>> = {
  '4.20.3': [127, I],
  '4.20.4': [39, J],
};

/**
 * The behaviour of a Xen release: `4.17.7`, `4.17`, a Debian version (`4.20.4+63-g7abfd2bce2-0+deb13u1`), or `newest`.
 * Without a patch level the last known one of the branch is meant. Errors: `mkelf32.release`.
 */
export function variantOf(release: string): Variant {
  const refuse = (why: string): never => fail('mkelf32.release', {}, { release, why });
  if (release === 'newest') return NEWEST;
  const [, majorText, minorText, patchText, snapshot] =
    /^(\d+)\.(\d+)(?:\.(\d+))?(?:\+(\d+))?(?![\d.])/.exec(release) ?? [];
  if (majorText === undefined || minorText === undefined) return refuse('wanted a Xen version like 4.17.7');
  const major = Number(majorText);
  const minor = Number(minorText);
  if (major < 4 || (major === 4 && minor < 7)) {
    return refuse('before 4.7 the tool wrote bytes of uninitialised memory, which nothing can repeat');
  }
  if (major > 4 || minor > LAST_BRANCH) return refuse(`newer than 4.${LAST_BRANCH}, the last release known here`);
  const known = SNAPSHOTS[`${majorText}.${minorText}.${patchText}`];
  if (known !== undefined && snapshot !== undefined && Number(snapshot) >= known[0]) return known[1];
  const steps = BRANCHES[minor] ?? [[0, E] as const];
  const patch = patchText === undefined ? Number.POSITIVE_INFINITY : Number(patchText);
  return steps.filter(([from]) => from <= patch).at(-1)?.[1] ?? E;
}
