/**
 * Every command that the text of verify and fix shows, as a person copies it off the terminal: by bash, whatever the file is
 * called. The other tests of fixes read the JSON document, in which nothing is escaped.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { inLines } from '../../src/base/printable.js';
import { bzImage } from '../support/bzimage.js';
import { workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { runHere } from '../support/in-process.js';
import { shellIn } from '../support/shell.js';
import { SHAPES, xenEfi } from './report-shapes.js';

vi.mock('../../src/cli/output.js', async (original) => {
  const { captured } = await import('../support/captured-output.js');
  return captured(await original<typeof import('../../src/cli/output.js')>());
});

const folder = workFolder();
afterAll(() => folder.remove());

const NAMES = [
  'vmlinux',
  "the kernel's image",
  'two  blanks "and quotes"',
  'back\\slash \\n \\\\ end\\',
  '$HOME `id` $(id) ; & | < > * ? ~ ! #',
  '-o',
  '--in-place',
  'new\nline and \x1b[31m colour',
  'übung ‮ kernel',
];

const HARD = NAMES.filter((name) => /['\\\n]/.test(name));

/** Images of which one of the two says a command, and the loader. */
const IMAGES: readonly (readonly [what: string, loader: string, bytes: Uint8Array, lines: number])[] = [
  // What only a person who knows the code can say is a whole command, too.
  ['no note, PVH asked for', 'xen-pvh', readFileSync(fixture('pvh64-bare')), 2],
  ['no note, PV asked for', 'xen-dom0-pv', readFileSync(fixture('pv64-bare')), 2],
  ['an edit', 'xen-pv', SHAPES['XEN_VERSION of a release'], 2],
  ['gzip', 'firecracker', gzipSync(readFileSync(fixture('pvh64-notes'))), 2],
  [
    'a signed bzImage',
    'xen-dom0-pv',
    bzImage({ format: 'gzip', data: SHAPES['Linux with SUPPORTED_FEATURES 0x8001'], pe: 'new', certificate: 1472 }),
    2,
  ],
  ['xen.efi', 'multiboot2', xenEfi(), 2],
  ['a header repair', 'multiboot', readFileSync('fixtures/cases/grub212-no-section-headers.elf'), 2],
];

/** The words of a line that goes to its end; what a shell would make another command of is an error. */
function wordsOf(line: string): string[] {
  const script = `words() { printf '%s\\0' "$@"; }\nset -e\nwords ${line}\n`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  expect({ line, status, stderr }).toEqual({ line, status: 0, stderr: '' });
  return stdout.split('\0').slice(0, -1);
}

const LINE = /\bxen-elfpatch (?:patch|fix|linearize) .*/g;

describe.each(IMAGES)('%s', (what, loader, bytes, lines) => {
  // How a name is spelled does not hang on what is wrong: the hardest are enough for the others.
  it.each(loader === 'xen-pvh' ? NAMES : HARD)('%j', async (name) => {
    const path = folder.write(name, bytes);
    const word = name.startsWith('-') ? `./${name}` : name;
    const back = process.cwd();
    process.chdir(folder.path);
    try {
      const said: string[] = [];
      for (const command of ['verify', 'fix']) {
        const { stdout, stderr } = await runHere([command, word, '--for', loader]);
        said.push(...(inLines(stdout + stderr, false).match(LINE) ?? []));
      }
      expect({ what, said: said.length }).toEqual({ what, said: lines });
      for (const line of new Set(said)) {
        const words = wordsOf(line);
        const output = words.at(-1) ?? '';
        expect({ line, ...(await runHere(words.slice(1))) }).toMatchObject({ line, status: 0 });
        expect(await runHere(['verify', output, '--for', loader])).toMatchObject({ status: 0 });
        expect(existsSync(output)).toBe(true);
        rmSync(output);
      }
    } finally {
      process.chdir(back);
      rmSync(path);
    }
  });
});

it('one of them in a shell', () => {
  const [, , bytes] = IMAGES[0] ?? ['', '', new Uint8Array(0)];
  for (const name of NAMES) folder.write(name, bytes);
  const run = shellIn(folder.path);
  const verified = NAMES.map((name) => `'./${name.replaceAll("'", "'\\''")}'`);
  // All in one run: what each says stands behind the other.
  const listing = join(folder.path, 'said');
  run(`xen-elfpatch verify ${verified.join(' ')} --for xen-pvh > said`);
  const said = readFileSync(listing, 'utf8').match(LINE) ?? [];
  expect(said).toHaveLength(NAMES.length);
  const joined = said.join(' && ');
  expect(run(joined)).toMatchObject({ status: 0 });
});
