/**
 * What a test file needs besides Node, read off its imports and the programs it starts: the rule behind the suffixes
 * (CONTRIBUTING.md). Pure, so that the rule can be tried on files that are not there.
 */
import { posix } from 'node:path';

/** Suffixes from the least to the most that is needed; `slow` needs nothing but time. */
export const LAYERS = ['quick', 'slow', 'tools', 'images', 'boot'] as const;
export type Layer = (typeof LAYERS)[number];

/** Helpers that lead to something outside the clone, by what it is. */
const MODULES: ReadonlyMap<string, Layer> = new Map([
  ['test/support/tools.ts', 'tools'],
  ['test/support/inject.ts', 'tools'],
  ['test/support/browser.ts', 'tools'],
  ['test/support/shell.ts', 'tools'],
  ['test/oracle/programs.ts', 'tools'],
  ['test/support/images.ts', 'images'],
  // Fetches them into the cache.
  ['scripts/bench/nodes.mjs', 'images'],
  ['test/support/boot.ts', 'boot'],
  ['test/support/machine.ts', 'boot'],
]);

/** Functions of helpers that need nothing otherwise. */
const FUNCTIONS = /\b(packForTest|unpackForTest|wrappedKernels)\(|\.shell\(/;

/**
 * Helpers whose functions of that list are the only ones that start programs, and the one that starts the command, in whichever
 * form of it is tried.
 */
const DEFINING: ReadonlySet<string> = new Set([
  'test/support/bzimage.ts',
  'test/support/patching.ts',
  'test/support/cli.ts',
]);

const IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'(\.[^']+)'/gm;
const START = /(?<![.\w])(?:spawn|spawnSync|exec|execSync|execFile|execFileSync|fork)\(\s*([^,)]+)/g;
/** `ownCommand` is what test/support/cli.ts runs: the command, by Node or as a stand-alone program. */
const OWN_PROGRAMS: ReadonlySet<string> = new Set(['process.execPath', "'sh'", 'ownCommand']);

/** The layer that a file's name claims. */
export function claimedLayer(path: string): Layer {
  const suffix = /\.([a-z]+)\.test\.ts$/.exec(path)?.[1];
  return LAYERS.find((layer) => layer === suffix) ?? 'quick';
}

/** The least layer in which a test file works; `slow` is never needed. `text` gives the contents of a file of test/. */
export function neededLayer(path: string, text: (path: string) => string): Layer {
  const seen = new Set<string>();
  const visit = (file: string): number => {
    const known = MODULES.get(file);
    if (known !== undefined) return LAYERS.indexOf(known);
    if (seen.has(file) || !file.startsWith('test/')) return 0;
    seen.add(file);
    const contents = text(file);
    const imported = [...contents.matchAll(IMPORT)].map(([, to = '']) =>
      visit(posix.join(posix.dirname(file), to).replace(/\.js$/, '.ts')),
    );
    const starts = [...contents.matchAll(START)].some(([, program = '']) => !OWN_PROGRAMS.has(program.trim()));
    const foreign = !DEFINING.has(file) && (starts || FUNCTIONS.test(contents));
    return Math.max(foreign ? LAYERS.indexOf('tools') : 0, ...imported);
  };
  return LAYERS[visit(path)] ?? 'quick';
}
