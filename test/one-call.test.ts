/** The functions that do the work of a command in one call, and the types and schemas of what is printed. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, it } from 'vitest';
import { fixFile, notesOf, patchFile, verifyFile } from '../src/index.js';
import { workFolder } from './support/cli.js';
import { fixture } from './support/fixtures.js';

const folder = workFolder();
afterAll(() => folder.remove());
const at = (name: string) => join(folder.path, name);

describe('patchFile()', () => {
  it('writes what was asked for beside the image, and says so', async () => {
    const output = at('patched');
    const set = { GUEST_OS: 'one call', PHYS32_ENTRY: 'phys:_start' };
    const result = await patchFile(fixture('pvh64-high-bare'), { preset: 'pvh', set, output });
    expect(result).toMatchObject({ changed: true, written: { how: 'clone' } });
    const { notes } = await notesOf(output);
    expect(notes.map(({ name }) => name)).toEqual(expect.arrayContaining(['GUEST_OS', 'PHYS32_ENTRY']));
    expect(await verifyFile(output, { baseline: fixture('pvh64-high-bare'), loaders: ['qemu-pvh'] })).toMatchObject({
      ok: true,
      findings: [],
    });
  });

  it('in place, and once more without a change', async () => {
    copyFileSync(fixture('pvh64-notes'), at('mine'));
    expect(await patchFile(at('mine'), { unset: ['PHYS32_ENTRY'], set: { GUEST_OS: 'x' } })).toMatchObject({
      changed: true,
    });
    expect(await patchFile(at('mine'), { set: { GUEST_OS: 'x' } })).toMatchObject({
      changed: false,
      written: { how: 'unchanged' },
    });
    expect(await patchFile(at('mine'), { clear: true })).toMatchObject({ changed: true });
    expect((await notesOf(at('mine'))).xen.notes).toEqual([]);
  });

  it('looks through a gzip file, as the others do', async () => {
    writeFileSync(at('k.gz'), gzipSync(readFileSync(fixture('pvh64-high-bare'))));
    expect(await patchFile(at('k.gz'), { set: { GUEST_OS: 'packed' }, output: at('k2.gz') })).toMatchObject({
      changed: true,
    });
    expect((await notesOf(at('k2.gz'))).notes.map(({ name }) => name)).toContain('GUEST_OS');
    // Xen unpacks gzip, QEMU does not.
    expect((await verifyFile(at('k2.gz'), { loaders: ['qemu-pvh'] })).ok).toBe(false);
  });

  it('rejects with an id of the catalogue, and writes nothing', async () => {
    await expect(
      patchFile(fixture('pvh64-high-bare'), { set: { GUEST_SO: 'x' }, output: at('not') }),
    ).rejects.toMatchObject({ id: 'note.unknown-name' });
    await expect(notesOf(at('not'))).rejects.toMatchObject({ id: 'read.open' });
  });
});

describe('verifyFile() and fixFile()', () => {
  it('answers as verify does: loaders that were named decide', async () => {
    expect((await verifyFile(fixture('pvh64-bare'))).ok).toBe(true);
    const { ok, verdicts } = await verifyFile(fixture('pvh64-bare'), { loaders: ['qemu-pvh'] });
    expect({ ok, verdicts }).toMatchObject({ ok: false, verdicts: [{ loader: 'qemu-pvh', outcome: 'refused' }] });
    expect((await verifyFile(fixture('pv64-notes'), { baseline: fixture('pvh64-bare') })).ok).toBe(false);
  });

  it('finds what mends an image, and writes it where a place is named', async () => {
    await patchFile(fixture('pvh64-notes'), { set: { FEATURES: 'supervisor_mode_kernel' }, output: at('ill') });
    const { found } = await fixFile(at('ill'), { loaders: ['qemu-pvh'] });
    expect(found.cured).toBe(true);
    expect(
      (await fixFile(fixture('pvh64-notes'), { loaders: ['qemu-pvh'], output: at('fixed') })).written,
    ).toBeUndefined();
  });
});

describe('examples of the API pages', () => {
  const EXAMPLES = ['src/one-call.ts', 'src/index.ts'].flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^ \* ```ts\n((?: \*.*\n)*?) \* ```$/gm)].map(([, lines = '']) =>
      lines.replaceAll(/^ \* ?/gm, ''),
    ),
  );

  it('are there for each function', () => {
    for (const name of ['patchFile', 'verifyFile', 'notesOf', 'fixFile']) {
      expect(EXAMPLES.filter((each) => each.includes(`import { ${name} }`))).toHaveLength(1);
    }
  });

  it.each(EXAMPLES)('%s', (program) => {
    copyFileSync(fixture('pvh64-high-bare'), at('kernel.elf'));
    copyFileSync(fixture('pvh64-high-bare'), at('vmlinux'));
    const entry = join(process.cwd(), 'dist/lib/index.js');
    const named = program.replaceAll("'xen-elfpatch'", JSON.stringify(entry)).replaceAll('pvh_start_xen', '_start');
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', named], {
      cwd: folder.path,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('schemas', () => {
  const files = readdirSync('schema');

  it('are all of the draft 2020-12, and hold before a strict validator', () => {
    const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false });
    for (const file of files) {
      const schema = JSON.parse(readFileSync(join('schema', file), 'utf8'));
      expect({ file, draft: schema.$schema }).toEqual({ file, draft: 'https://json-schema.org/draft/2020-12/schema' });
      ajv.addSchema(schema);
    }
    for (const file of files) expect(ajv.getSchema(file)).toBeTypeOf('function');
  });

  it('make the types that the library exports', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/document-types.mjs'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
