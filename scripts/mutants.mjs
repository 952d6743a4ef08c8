/**
 * Does a test notice when the code is wrong? Changes one sign of a source file at a time, runs tests, and tells which changes
 * none of them noticed. By hand, not in CI: a run of the tests is needed for each change.
 *
 *     node scripts/mutants.mjs [--share N] [--seed N] [--test PATTERN]… FILE…
 *
 * --share: so many changes in all, drawn by the seed; without it, all. Types, imports, comments and texts stay as they are.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    share: { type: 'string' },
    seed: { type: 'string', default: '1' },
    test: { type: 'string', multiple: true },
  },
});

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

const tests = values.test ?? ['test/verify'];
const all = drawn(positionals.flatMap(mutantsOf));
let killed = 0;
const survivors = [];
for (const { file, index, line, now } of all) {
  const text = readFileSync(file, 'utf8');
  restore = () => writeFileSync(file, text);
  const lines = text.split('\n');
  lines[index] = now;
  writeFileSync(file, lines.join('\n'));
  const words = ['vitest', 'run', '--project', 'quick', '--bail', '1', '--testTimeout', '60000', ...tests];
  const { status, signal } = spawnSync('npx', words, { stdio: 'ignore', timeout: 300_000 });
  restore();
  restore = () => {};
  if (status === 0) {
    survivors.push(`${file}:${index + 1}\n  - ${line.trim()}\n  + ${now.trim()}`);
    console.log(survivors.at(-1));
  } else killed += 1;
  console.log(
    `${killed} killed, ${survivors.length} survived, of ${all.length}${signal === null ? '' : ` (${signal})`}`,
  );
}
