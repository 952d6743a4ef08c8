import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import * as library from '../src/index.js';
import { workFolder } from './support/cli.js';
import { elf, num } from './support/elf-builder.js';

const folder = workFolder();
/** How a command words its own errors, and reads the words of a command line. */
const NOT_THE_LIBRARYS = /base\/(errors|bytes)\/|note-words/;
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

  it('stamps, mends, compares and draws', async () => {
    const { diffImages, FileSource, findFix, fixText, imageMap, mapSvg, mapText, planStamp, readElf, stampsOf } =
      library;
    const { diffText, preview, styleOf, writePatch } = library;
    const bare = elf().load(0x100000n, new Uint8Array(64)).header({ e_entry: 0x100000n }).with({ slack: 512 });
    // A note section that no PT_NOTE leads to.
    const image = bare
      .noteSection('.note.Xen', [{ type: 18, desc: num(0x100000n, 4, { endian: 'little', bits: 64 }) }])
      .build();
    const inputPath = folder.write('hidden', image);
    const source = FileSource.open(inputPath);
    const fix = findFix(source, ['qemu-pvh']);
    expect(fix.diagnoses).toMatchObject([{ before: { outcome: 'refused' }, after: { outcome: 'accepted' } }]);
    expect(fixText(fix, styleOf(false))).toContain('an edit fixes it');
    if (fix.plan === undefined) throw new Error('no plan');
    const mended = readElf(preview(fix.plan.image, fix.plan.rendered));
    const options = { metadata: { name: 'k' }, members: {}, buildId: undefined, notes: [], remove: [], placement: {} };
    const output = join(folder.path, 'stamped');
    await writePatch(planStamp(readElf(source), options), { inputPath, output });
    const stamped = FileSource.open(output);
    expect(stampsOf(readElf(stamped))).toMatchObject([{ owner: 'FDO', text: '{"name":"k"}', problem: undefined }]);
    const difference = diffImages(fix.image, mended);
    expect(difference).toMatchObject({ same: false, onlyNotes: true });
    expect(diffText(fix.image, mended, difference, styleOf(false))).toContain('notes and headers only');
    expect(mapText(imageMap(mended), styleOf(false), 80)).toContain('Xen PHYS32_ENTRY');
    expect(mapSvg(imageMap(fix.image), imageMap(mended))).toMatch(/^<svg /);
    source.close();
    stamped.close();
  });

  it('has everything that stamp, fix, diff and layout are made of', () => {
    const missing = ['stamp', 'fix', 'diff', 'layout'].flatMap((name) => {
      const code = readFileSync(`src/cli/commands/${name}.run.ts`, 'utf8');
      const imports = [...code.matchAll(/^import \{([^}]*)\} from '\.\.\/\.\.\/([^']*)';$/gm)];
      expect(imports.length).toBeGreaterThan(4);
      return imports
        .filter(([, , path = '']) => !NOT_THE_LIBRARYS.test(path))
        .flatMap(([, names = '']) => names.split(','))
        .map((word) => word.trim())
        .filter((word) => word !== '' && !word.startsWith('type ') && !Object.hasOwn(library, word));
    });
    expect(missing).toEqual([]);
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
