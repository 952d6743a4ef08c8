/** Stamped and mended kernels still start. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { Phdr } from '../../src/formats/elf/headers.js';
import { bootInQemu } from '../support/boot.js';
import { runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';

const folder = workFolder();
afterAll(() => folder.remove());
const le = { bits: 64, endian: 'little' } as const;

describe('stamped kernels boot', () => {
  it.each(['pvh64-notes', 'pvh64-high-notes', 'pvh32-notes', 'mb1', 'mb1-late', 'mb1-fields'])('%s', async (name) => {
    const output = `${folder.path}/${name}`;
    const stamps = ['--package-metadata', 'name=kernel', '--build-id', 'sha256', '--note', 'Example:1=x'];
    expect(runCli(['stamp', fixture(name), '-o', output, ...stamps])).toMatchObject({ status: 0 });
    expect(runCli(['stamp', output, '--check'])).toMatchObject({ status: 0 });
    expect(await bootInQemu(output)).toMatchObject({ verdict: 'booted' });
  });
});

describe('a kernel that QEMU refuses boots once it is mended', () => {
  it.each([
    // p_align 8 over records padded by 4, and a PT_NOTE that leads nowhere any more.
    ['p_align 8', { p_align: 8n }],
    ['no PT_NOTE over the note section', { p_type: 0 }],
  ])('%s', async (name, change) => {
    const broken = `${folder.path}/broken ${name}`;
    copyFileSync(fixture('pvh64-notes'), broken);
    const bytes = Uint8Array.from(readFileSync(broken));
    const at = [0, 1, 2]
      .map((index) => 64 + index * Phdr.size(le))
      .find((place) => Phdr.decode(bytes, place, le).p_type === 4);
    if (at === undefined) throw new Error('no PT_NOTE');
    Phdr.encodeInto(bytes, at, { ...Phdr.decode(bytes, at, le), ...change }, le);
    writeFileSync(`${broken}.elf`, bytes);
    expect((await bootInQemu(`${broken}.elf`, { limit: 5_000 })).verdict).not.toBe('booted');
    const mended = `${broken}.mended`;
    expect(runCli(['fix', `${broken}.elf`, '--for', 'qemu-pvh', '-o', mended])).toMatchObject({ status: 0 });
    expect(await bootInQemu(mended)).toMatchObject({ verdict: 'booted' });
  });
});
