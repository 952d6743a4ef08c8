/**
 * What `--help` prints and every JSON document, recorded in test/golden: a change of a promise is a line of a diff.
 * `npx vitest run test/cli/unchanged.slow.test.ts --update` records them anew.
 */
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.js';

const FIXTURES = resolve('fixtures/bin');
const GOLDEN = resolve('test/golden');
const COMMANDS = 'patch notes verify explain mkelf32 layout diff stamp fix linearize completion'.split(' ');

/** One folder, so that the names in the documents are those of the fixtures. */
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'unchanged-'));
  for (const name of readdirSync(FIXTURES)) copyFileSync(join(FIXTURES, name), join(folder, name));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('--help says what it said', () => {
  it.each(['', ...COMMANDS])('%s', async (command) => {
    const { status, stdout } = runCli([...(command === '' ? [] : [command]), '--help'], { env: { COLUMNS: '80' } });
    expect(status).toBe(0);
    await expect(stdout).toMatchFileSnapshot(join(GOLDEN, 'help', `${command === '' ? 'overview' : command}.txt`));
  });

  it.each(['bash', 'zsh'])('completion %s', async (shell) => {
    const { stdout } = runCli(['completion', shell]);
    await expect(stdout).toMatchFileSnapshot(join(GOLDEN, 'help', `completion.${shell}`));
  });
});

/** Command lines by what they are about; IMAGE stands for a fixture. */
const DOCUMENTS: readonly (readonly [name: string, args: string, kinds: RegExp])[] = [
  ['notes', 'notes IMAGE --json', /./],
  ['verify', 'verify IMAGE --json', /^(pv32-bare|pv64-notes|pvh64-notes|pvh64-bare|mb1|dual\.efi)$/],
  ['verify-baseline', 'verify IMAGE --baseline pvh64-bare --json', /^pvh64/],
  ['layout', 'layout IMAGE --json', /./],
  ['diff', 'diff IMAGE pvh64-notes --json', /^(pv|mb)/],
  ['diff-pe', 'diff IMAGE dual.efi --json', /efi$/],
  ['patch', 'patch IMAGE --set GUEST_OS=golden --dry-run --json', /^(pv|mb)/],
  ['patch-written', 'patch IMAGE --set GUEST_OS=golden -o written --json', /^(pv|mb)/],
  ['patch-check', 'patch IMAGE --clear --check --json', /^(pv|mb)/],
  ['stamp', 'stamp IMAGE --package-metadata name=golden --dry-run --json', /^(pv|mb)/],
  ['stamp-written', 'stamp IMAGE --package-metadata name=golden -o written --json', /^(pv|mb)/],
  ['fix', 'fix IMAGE --json', /^(pv|mb)/],
  ['fix-pvh', 'fix IMAGE --for xen-pvh --for qemu-pvh --json', /^(pv|mb)/],
  ['linearize', 'linearize IMAGE --dry-run --json', /efi$/],
  ['linearize-written', 'linearize IMAGE -o written --json', /efi$/],
  ['linearize-verify', 'linearize IMAGE --verify --json', /efi$/],
  ['mkelf32', 'mkelf32 IMAGE written 0x100000 --json', /^(pv64|pvh64|mb)/],
  ['mkelf32-tidy', 'mkelf32 --tidy IMAGE written 0x100000 --json', /^(pv64|pvh64)/],
  ['explain', 'explain PHYS32_ENTRY --json', /^mb1$/],
];

/** Numbers that hang on this machine, not on the tool. */
function settled(document: string): string {
  return document.replaceAll(folder, 'FOLDER');
}

describe('JSON documents say what they said', () => {
  const images = readdirSync(FIXTURES).map((name) => basename(name));
  it.each(DOCUMENTS)('%s', async (name, args, kinds) => {
    for (const image of images.filter((each) => kinds.test(each))) {
      rmSync(join(folder, 'written'), { force: true });
      const { status, stdout, stderr } = runCli(args.replace('IMAGE', image).split(' '), { cwd: folder });
      const said = settled(`exit ${status}\n${stdout}${stderr}`);
      await expect(said).toMatchFileSnapshot(join(GOLDEN, 'json', name, `${image}.txt`));
    }
  });
});
