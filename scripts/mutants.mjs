/**
 * Does a test notice when the code is wrong? Changes one sign of a source file at a time, runs tests, and tells which changes
 * none of them noticed. By hand, not in CI: a run of the tests is needed for each change.
 *
 *     node scripts/mutants.mjs [--share N] [--seed N] [--test PATTERN]… FILE…
 *
 * --share: so many changes in all, drawn by the seed; without it, all. Types, imports, comments and texts stay as they are.
 * Without --test the tests nearest to each file run, those first that end soon; what hangs counts as noticed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    share: { type: 'string' },
    seed: { type: 'string', default: '1' },
    test: { type: 'string', multiple: true },
  },
});

/**
 * Where a file begins like this, these tests are asked, a line after the other, until one is red. The first that fits counts.
 * Where all that a file decides shows in files on disk, the tests are the ones that run the command.
 */
const NEAREST = [
  [
    'src/verify/elf/',
    ['test/verify/elf/breaks.slow.test.ts', 'test/verify/elf/memory-image.slow.test.ts'],
    [
      'test/verify/check',
      'test/verify/tables',
      'test/verify/second',
      'test/verify/elf/untouched',
      'test/verify/elf/many-entries',
    ],
    ['test/verify/elf/verify.slow.test.ts', 'test/edit/elf/expectation'],
    ['test/edit/elf/undo.slow.test.ts', 'test/edit/elf/generated.slow.test.ts', 'test/edit/elf/placement/'],
  ],
  [
    'src/verify/pe/',
    ['test/verify/pe/verify', 'test/verify/tables', 'test/edit/pe', 'test/edit/linear/lay-out'],
    ['test/edit/linear', 'test/verify/pe/mistakes'],
  ],
  ['src/verify/container/', ['test/verify/tables', 'test/edit/container'], ['test/cli/containers']],
  [
    'src/verify/',
    ['test/verify/check', 'test/verify/second', 'test/verify/tables', 'test/report/findings'],
    ['test/verify/elf'],
  ],
  [
    'src/write/',
    ['test/write/direct', 'test/write/sparse', 'test/write/leftovers'],
    ['test/write/lock', 'test/write/odd-targets', 'test/write/planted', 'test/write/metadata'],
    ['test/write/targets', 'test/write/disk-full', 'test/write/interrupted'],
    ['test/write/crash', 'test/write/power-loss'],
  ],
  ['src/edit/elf/placement/forecast/', ['test/edit/elf/placement/survival', 'test/edit/elf/forecasts.images.test.ts']],
  [
    'src/edit/elf/placement/',
    ['test/edit/elf/placement/'],
    ['test/edit/elf/plan/', 'test/edit/elf/preconditions', 'test/edit/elf/expectation', 'test/edit/stamp/'],
    ['test/edit/elf/undo.slow.test.ts', 'test/edit/elf/generated.slow.test.ts'],
    ['test/edit/elf/properties.slow.test.ts', 'test/edit/elf/many-edits.slow.test.ts', 'test/edit/fix/'],
  ],
];

/** The lists of tests for a file, in their order. */
function testsFor(file) {
  if (values.test !== undefined) return [values.test];
  const row = NEAREST.find(([start]) => file.startsWith(start));
  if (row === undefined) throw new Error(`${file}: no tests are named as its nearest: --test`);
  // placement/extend.ts → placement/extend.test.ts, where there is one.
  const own = file.replace(/^src\/(.*)\.ts$/, 'test/$1.test.ts');
  // A run without a test is red too, and would say nothing.
  for (const start of row.slice(1).flat()) {
    if (existsSync(start)) continue;
    const name = basename(start);
    if (!readdirSync(dirname(start)).some((other) => other.startsWith(name))) throw new Error(`${start}: no such test`);
  }
  return [...(existsSync(own) ? [[own]] : []), ...row.slice(1)];
}

/** Seconds that a list of tests may take. */
const MOST = '400';

/** Is one of them red? Its workers end with it, those too that a change sent round in circles. */
function isRed(tests) {
  const words = ['-k', '5', MOST, 'npx', 'vitest', 'run', '--bail', '1', '--maxWorkers', '1', '--testTimeout', '60000'];
  return spawnSync('timeout', [...words, ...tests], { stdio: 'ignore' }).status !== 0;
}

/** A sign, and what is put in its place. */
const CHANGES = [
  [/ === /g, ' !== '],
  [/ !== /g, ' === '],
  [/ <= /g, ' < '],
  [/ >= /g, ' > '],
  [/ < /g, ' <= '],
  [/ > /g, ' >= '],
  [/ && /g, ' || '],
  [/ \|\| /g, ' && '],
  [/ \+ /g, ' - '],
  [/ - /g, ' + '],
  [/\b0n\b/g, '1n'],
  [/\b1n\b/g, '2n'],
  [/\btrue\b/g, 'false'],
  [/\bfalse\b/g, 'true'],
  [/\bcontinue;/g, ';'],
  [/\bsome\(/g, 'every('],
  [/\bevery\(/g, 'some('],
];

/** Lines of types, imports, comments, and texts of messages hold no decision. */
const PASSED_OVER =
  /^\s*(\/\*|\*|\/\/|import |export type |readonly |because:|name:|\| )|=>\s*(void|string|bigint);$|interface |\btext = |text: /;

function mutantsOf(file) {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    if (PASSED_OVER.test(line)) return [];
    return CHANGES.flatMap(([sign, put]) =>
      [...line.matchAll(sign)]
        // Within quotes it is a text.
        .filter(({ index: at }) => (line.slice(0, at).match(/['`]/g) ?? []).length % 2 === 0)
        .map(({ index: at, 0: found }) => ({
          file,
          index,
          line,
          now: line.slice(0, at) + put + line.slice(at + found.length),
        })),
    );
  });
}

function drawn(all) {
  if (values.share === undefined) return all;
  let state = (Number(values.seed) % 2_147_483_646) + 1;
  const next = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  return all
    .map((mutant) => ({ mutant, at: next() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, Number(values.share))
    .map(({ mutant }) => mutant);
}

let restore = () => {};
process.on('exit', () => restore());
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

const all = drawn(positionals.flatMap(mutantsOf));
let killed = 0;
let survived = 0;
for (const { file, index, line, now } of all) {
  const text = readFileSync(file, 'utf8');
  restore = () => writeFileSync(file, text);
  const lines = text.split('\n');
  lines[index] = now;
  writeFileSync(file, lines.join('\n'));
  const red = testsFor(file).find(isRed);
  restore();
  restore = () => {};
  if (red === undefined) survived += 1;
  else killed += 1;
  const change = `${file}:${index + 1}\n  - ${line.trim()}\n  + ${now.trim()}`;
  console.log(`${red === undefined ? 'SURVIVED' : `noticed by ${red.join(' ')}`}: ${change}`);
  console.log(`${killed} killed, ${survived} survived, of ${all.length}`);
}
