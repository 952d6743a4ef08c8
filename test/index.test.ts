import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import * as library from '../src/index.js';
import { workFolder } from './support/cli.js';
import { elf } from './support/elf-builder.js';

const folder = workFolder();
afterAll(() => folder.remove());

describe('the library', () => {
  it('opens, reads, plans, writes and verifies, as its documentation says', async () => {
    const { FileSource, notesFacts, parseSetting, planPatch, readElf, secondReader, verifyImage, writePatch } = library;
    const image = elf().load(0x100000n, new Uint8Array(64)).with({ slack: 256 }).build();
    const inputPath = folder.write('kernel', image);
    const output = join(folder.path, 'patched');
    const source = FileSource.open(inputPath);
    const baseline = readElf(source);
    const plan = planPatch(baseline, [{ kind: 'set', setting: parseSetting('PHYS32_ENTRY=entry') }]);
    expect(await writePatch(plan, { inputPath, output })).toMatchObject({ how: 'clone' });
    const result = FileSource.open(output);
    expect(verifyImage({ image: readElf(result), baseline })).toEqual([]);
    expect((await secondReader(readElf(result))).verdict).toBe('agrees');
    expect(notesFacts(readElf(result)).notes).toMatchObject([{ name: 'PHYS32_ENTRY', meaning: { value: 0x100000n } }]);
    source.close();
    result.close();
  });

  it('throws PatchError with an id of the catalogue', () => {
    const { BufferSource, PatchError, PROBLEMS, readElf } = library;
    let thrown: unknown;
    try {
      readElf(new BufferSource(Uint8Array.of(1, 2, 3, 4)));
    } catch (error) {
      thrown = error;
    }
    if (!(thrown instanceof PatchError)) throw new Error('not a PatchError');
    expect(Object.keys(PROBLEMS)).toContain(thrown.id);
  });

  it('has the version of the package', () => {
    expect(library.VERSION).toBe(JSON.parse(readFileSync('package.json', 'utf8')).version);
  });

  it('neither prints nor ends the process: only src/cli does', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' });
    const guilty = files.filter((file) => {
      if (!file.endsWith('.ts') || file.startsWith('cli/')) return false;
      const code = readFileSync(join('src', file), 'utf8');
      return /\bconsole\.(log|error|warn|info)\(|\bprocess\.(exit\(|exitCode|stdout|stderr)/.test(code);
    });
    expect(guilty).toEqual([]);
  });
});

describe('the built library', () => {
  it('is importable by its name, and its exports are those of the source', () => {
    const program = "import * as all from 'xen-elfpatch'; process.stdout.write(JSON.stringify(Object.keys(all)));";
    const run = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    expect(run.stderr).toBe('');
    expect(JSON.parse(run.stdout).sort()).toEqual(Object.keys(library).sort());
  });
});
