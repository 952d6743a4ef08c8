/** Debian's own kernels: what is read out of them, and every way of writing into them and back. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { payloadOf, unpackForTest } from '../support/bzimage.js';
import { runCli, workFolder } from '../support/cli.js';
import { realImage, realImagesHad, requireTools } from '../support/images.js';
import { validDocument } from '../support/schema.js';

requireTools('readelf', 'xz', 'zstd', 'lz4', 'gzip');
const folder = workFolder();
afterAll(() => folder.remove());

const GENERATIONS = [
  ['vmlinuz', 'xz'],
  ['vmlinuz-cloud', 'lz4'],
  ['vmlinuz-6.12-cloud', 'zstd'],
  ['vmlinuz-686-pae', 'xz'],
  ['vmlinuz-cloud-bullseye', 'lz4'],
  ['vmlinuz-cloud-sid', 'zstd'],
] as const;
/** Other releases come and go on a mirror; the four that this one has, or that the proof stands on, have to be there. */
const had = realImagesHad(...GENERATIONS.map(([name]) => name)).map(({ name }) => name);
const KERNELS = GENERATIONS.filter(([name], index) => index < 4 || had.includes(name));
for (const [name] of GENERATIONS.slice(4)) if (!had.includes(name)) it.skip(`not to be had here: ${name}`);

interface NoteRow {
  readonly type: number;
  readonly desc: string;
}

/** readelf takes some numbers for generic types, whoever the owner is. */
const READELF_NAMES: Readonly<Record<string, number>> = {
  'GO BUILDID': 4,
  'NT_VERSION (version)': 1,
  'NT_ARCH (architecture)': 2,
};

/** Xen's notes by readelf, out of an ELF that the host's own program unpacked. */
function byReadelf(elf: Uint8Array): NoteRow[] {
  const path = folder.write('unpacked', elf);
  const { stdout } = spawnSync('readelf', ['-nW', path], { encoding: 'utf8', maxBuffer: 1 << 26 });
  const rows = stdout.matchAll(/^\s+Xen\s+0x[0-9a-f]+\s+(\S.*?)\s+description data: ?([0-9a-f ]*)$/gm);
  return [...rows].map(([, name = '', desc = '']) => {
    const number = /\(0x([0-9a-f]+)\)/.exec(name)?.[1];
    const type = number === undefined ? READELF_NAMES[name] : Number.parseInt(number, 16);
    if (type === undefined) throw new Error(`readelf calls a note ${name}`);
    return { type, desc: desc.replaceAll(' ', '') };
  });
}

function byUs(path: string): { rows: NoteRow[]; container: Record<string, unknown> } {
  const run = runCli(['notes', '--xen', '--raw', '--json', path]);
  expect(run.stderr).toBe('');
  const { images } = validDocument(run.stdout) as {
    images: { container: Record<string, unknown>; notes: NoteRow[] }[];
  };
  const [image] = images;
  if (image === undefined) throw new Error('no image');
  return { rows: image.notes.map(({ type, desc }) => ({ type, desc })), container: image.container };
}

describe.each(KERNELS)('%s', (name, format) => {
  it('is read, note for note, as readelf reads what the host unpacks', () => {
    const { path } = realImage(name);
    const { stream, size } = payloadOf(readFileSync(path));
    const elf = unpackForTest(format, stream);
    expect(elf.length).toBe(size);
    const { rows, container } = byUs(path);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows).toEqual(byReadelf(elf));
    expect(container).toMatchObject({ kind: 'bzimage', format, attached: false });
  });
});

describe.each(KERNELS.map(([name]) => name).filter((name) => name !== 'vmlinuz' && name !== 'vmlinuz-cloud'))(
  'patching %s',
  (name) => {
    it('attach, read by the host, and detach', () => {
      const { path } = realImage(name);
      const work = join(folder.path, name);
      copyFileSync(path, work);
      const edit = ['--set', 'GUEST_VERSION=patched'];
      const refused = runCli(['patch', work, '-o', `${work}.out`, ...edit]);
      expect(refused.status).toBe(2);
      expect(refused.stderr).toContain('[pe.signed]');
      expect(existsSync(`${work}.out`)).toBe(false);
      const unsigned = `${work}.unsigned`;
      expect(runCli(['patch', path, '-o', unsigned, '--payload', 'attach', '--strip-signature']).status).toBe(0);
      const out = runCli(['patch', path, '-o', `${work}.out`, '--strip-signature', ...edit, '--json']);
      expect(out.stderr).toBe('');
      expect(validDocument(out.stdout)).toMatchObject({ changed: true, container: { way: 'attach' } });
      const result = readFileSync(`${work}.out`);
      const elf = unpackForTest('gzip', payloadOf(result).stream);
      expect(byReadelf(elf)).toContainEqual({ type: 7, desc: '7061746368656400' });
      expect(runCli(['patch', `${work}.out`, '--check', ...edit]).status).toBe(0);
      expect(runCli(['verify', `${work}.out`]).status).toBe(0);
      expect(runCli(['patch', `${work}.out`, '-o', `${work}.detached`, '--payload', 'detach']).status).toBe(0);
      expect(Buffer.compare(readFileSync(`${work}.detached`), readFileSync(unsigned))).toBe(0);
    }, 300_000);
  },
);

describe('--strip-signature', () => {
  it("gives Debian's own unsigned image, byte for byte", () => {
    const [unsigned] = realImagesHad('vmlinuz-cloud-unsigned');
    if (unsigned === undefined) throw new Error('no unsigned kernel: node scripts/fetch-images.mjs images --retry');
    const out = join(folder.path, 'stripped');
    expect(runCli(['patch', realImage('vmlinuz-cloud').path, '-o', out, '--strip-signature']).status).toBe(0);
    expect(Buffer.compare(readFileSync(out), readFileSync(unsigned.path))).toBe(0);
    // Attached and taken off again it is that image, too.
    const edit = ['--set', 'GUEST_VERSION=patched'];
    expect(runCli(['patch', unsigned.path, '-o', `${out}.attached`, ...edit]).status).toBe(0);
    expect(runCli(['patch', `${out}.attached`, '-o', `${out}.detached`, '--payload', 'detach']).status).toBe(0);
    expect(Buffer.compare(readFileSync(`${out}.detached`), readFileSync(unsigned.path))).toBe(0);
  }, 300_000);
});

describe('replacing the payload of vmlinuz-cloud', () => {
  it('keeps the size of the file; lz4 finds the wanted kernel, relocations at its end', () => {
    const { path } = realImage('vmlinuz-cloud');
    const out = join(folder.path, 'replaced');
    const args = ['--strip-signature', '--payload', 'replace', '--set', 'SUPPORTED_FEATURES=0x8001'];
    const run = runCli(['patch', path, '-o', out, ...args]);
    // The edit is one that loses loaders, and it is said which.
    expect(run.stderr.match(/xen-dom0-pvh? took it so far, and will not any more/g)).toHaveLength(2);
    expect(run.status).toBe(0);
    const before = payloadOf(readFileSync(path));
    const after = payloadOf(readFileSync(out));
    const [was, is] = [unpackForTest('lz4', before.stream), unpackForTest('lz4', after.stream)];
    expect(is.length).toBe(after.size);
    expect(byReadelf(is)).toContainEqual({ type: 17, desc: '01800000' });
    const different: number[] = [];
    for (let i = 0; i < was.length; i++) if (was[i] !== is[i]) different.push(i);
    // 0x8801 to 0x8001: one byte of 53 MB.
    expect(different.length).toBe(1);
  }, 300_000);

  it('says what does not fit, and what to do', () => {
    const { path } = realImage('vmlinuz-cloud');
    const noise = folder.write(
      'noise',
      Uint8Array.from({ length: 60_000 }, (_, i) => (i * i * 2654435761) >>> 13),
    );
    const out = join(folder.path, 'never');
    const run = runCli([
      'patch',
      path,
      '-o',
      out,
      '--strip-signature',
      '--payload',
      'replace',
      '--set',
      `99=file:${noise}`,
    ]);
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(/needs \d+ bytes, \d+ are there .*\[bzimage.no-room\]\n {2}hint: --payload attach/);
  }, 300_000);
});

describe('xen.gz', () => {
  it('stays a gzip file that gzip accepts', () => {
    const { path } = realImage('xen-gz');
    const out = join(folder.path, 'xen.gz');
    expect(runCli(['patch', path, '-o', out, '--set', 'GUEST_OS=xen']).status).toBe(0);
    expect(spawnSync('gzip', ['-t', out]).status).toBe(0);
    expect(byReadelf(unpackForTest('gzip', readFileSync(out)))).toEqual([{ type: 6, desc: '78656e00' }]);
  });
});

describe('what borrows the header of a bzImage', () => {
  it('is refused: memtest86+', () => {
    const run = runCli(['notes', realImage('memtest86+').path]);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('[bzimage.no-payload]');
    expect(run.stderr).toContain('it calls itself "Memtest86+ v');
  });

  it('verify: the table of loaders, and what it is; with --for their word decides', () => {
    const { path } = realImage('memtest86+');
    const table = runCli(['verify', path]);
    expect(table.status).toBe(2);
    expect(table.stdout).toMatch(/^ {2}kexec +otherwise +loaded as a bzImage/m);
    expect(table.stdout).toMatch(/^ {2}xen-pvh +no +xc_dom_find_loader: no loader found/m);
    expect(table.stdout).toMatch(/^ {2}xen-dom0-pv +no +Could not construct domain 0/m);
    expect(table.stdout).toMatch(/^ {2}grub-xen +no +not xen image/m);
    expect(table.stderr).toContain('[bzimage.no-payload]');
    const asked = runCli(['verify', path, '--for', 'xen-pv', '--json']);
    expect(asked.status).toBe(1);
    expect(asked.stderr).toBe('');
    expect(JSON.parse(asked.stdout)).toMatchObject({ schema: 'xen-elfpatch/verify/1' });
    expect(runCli(['verify', path, '--for', 'xen-pv']).stdout).toContain(': not looked into: ');
    const json = runCli(['verify', path, '--json']);
    expect([json.status, JSON.parse(json.stdout).schema]).toEqual([2, 'xen-elfpatch/error/1']);
  });
});

describe('an ELF on the command line', () => {
  it('takes no --payload', () => {
    writeFileSync(join(folder.path, 'elf'), Uint8Array.of(0x7f, 0x45, 0x4c, 0x46));
    const run = runCli(['patch', join(folder.path, 'elf'), '--dry-run', '--payload', 'extract']);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('[usage.bad]');
  });
});
