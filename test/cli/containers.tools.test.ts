/** What holds for every command that edits holds for kernels in wrappers, too. */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { bzImage, packForTest, payloadOf, relocationTail, unpackForTest } from '../support/bzimage.js';
import { BIN, runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { validDocument } from '../support/schema.js';

const folder = workFolder();
afterAll(() => folder.remove());

const kernel = readFileSync(fixture('pvh64-notes'));
const data = Buffer.concat([kernel, relocationTail()]);
const SET = ['--set', 'PHYS32_ENTRY=0x100010'];
let count = 0;

/** A fresh copy in a folder of its own, so that whatever is left beside it is seen. */
function fresh(bytes: Uint8Array): { path: string; beside(): string[] } {
  count += 1;
  const place = join(folder.path, `case-${count}`);
  spawnSync('mkdir', [place]);
  const path = join(place, 'vmlinuz');
  writeFileSync(path, bytes);
  return { path, beside: () => readdirSync(place).sort() };
}

/** PHYS32_ENTRY of what stands in a file, by the host's programs and readelf's eyes. */
function entryIn(elf: Uint8Array): string {
  const { stdout } = spawnSync('readelf', ['-nW', folder.write('elf', elf)], { encoding: 'utf8' });
  return /\(0x00000012\)\s+description data: ([0-9a-f ]+)/.exec(stdout)?.[1]?.trim() ?? stdout;
}

const WRAPPERS = [
  ['a bzImage', bzImage({ data, format: 'xz', pe: 'new' })],
  ['a gzip file', gzipSync(data)],
] as const;

describe.each(WRAPPERS)('patch, %s', (_what, bytes) => {
  it('--dry-run and --check write nothing; --check tells by its status', () => {
    const { path, beside } = fresh(bytes);
    const plan = runCli(['patch', path, '--dry-run', ...SET]);
    expect(plan).toMatchObject({ status: 0, stderr: '' });
    expect(plan.stdout).toContain('byte ranges of the file that change');
    expect(runCli(['patch', path, '--check', ...SET]).status).toBe(1);
    expect(Buffer.compare(readFileSync(path), bytes)).toBe(0);
    expect(beside()).toEqual(['vmlinuz']);
    expect(runCli(['patch', path, '--in-place', ...SET]).status).toBe(0);
    expect(runCli(['patch', path, '--check', ...SET]).status).toBe(0);
  });

  it('--in-place keeps the mode, follows a link, leaves nothing beside, and the second time touches nothing', () => {
    const { path, beside } = fresh(bytes);
    chmodSync(path, 0o640);
    symlinkSync('vmlinuz', `${path}.link`);
    expect(runCli(['patch', `${path}.link`, '--in-place', ...SET])).toMatchObject({ status: 0, stderr: '' });
    expect(lstatSync(`${path}.link`).isSymbolicLink()).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(beside()).toEqual(['vmlinuz', 'vmlinuz.link']);
    const [once, times] = [readFileSync(path), statSync(path, { bigint: true })];
    expect(runCli(['patch', path, '--in-place', ...SET]).stdout).toContain('nothing to change');
    expect(Buffer.compare(readFileSync(path), once)).toBe(0);
    expect(statSync(path, { bigint: true })).toMatchObject({ mtimeNs: times.mtimeNs, ino: times.ino });
  });

  it('-o, -o - and - give the same bytes, each time', () => {
    const { path, beside } = fresh(bytes);
    expect(runCli(['patch', path, '-o', `${path}.out`, ...SET]).status).toBe(0);
    const out = readFileSync(`${path}.out`);
    const piped = spawnSync(process.execPath, [BIN, 'patch', '-', '-o', '-', ...SET], { input: bytes });
    expect(piped.status).toBe(0);
    expect(Buffer.compare(piped.stdout, out)).toBe(0);
    expect(piped.stderr.toString()).toContain('verified');
    expect(Buffer.compare(readFileSync(path), bytes)).toBe(0);
    expect(beside()).toEqual(['vmlinuz', 'vmlinuz.out']);
    const elf = bytes[0] === 0x1f ? out : payloadOf(out).stream;
    expect(entryIn(unpackForTest('gzip', elf))).toContain('10 00 10 00');
  });

  it('--if-changed leaves an output alone that is right already, and --depfile names what it depends on', () => {
    const { path } = fresh(bytes);
    const file = folder.write('desc', Uint8Array.of(1, 2, 3, 4));
    const args = [
      'patch',
      path,
      '-o',
      `${path}.out`,
      '--if-changed',
      '--depfile',
      `${path}.d`,
      '--set',
      `99=file:${file}`,
    ];
    expect(runCli(args).status).toBe(0);
    const before = statSync(`${path}.out`, { bigint: true });
    expect(readFileSync(`${path}.d`, 'utf8')).toBe(`${path}.out: ${path} ${file}\n${file}:\n`);
    const again = runCli(args);
    expect(again.status).toBe(0);
    expect(statSync(`${path}.out`, { bigint: true })).toMatchObject({ mtimeNs: before.mtimeNs, ino: before.ino });
    writeFileSync(`${path}.out`, 'something else');
    expect(runCli(args).status).toBe(0);
    expect(statSync(`${path}.out`).size).toBe(Number(before.size));
  });

  it('--json is one valid document, with the wrapper in it', () => {
    const { path } = fresh(bytes);
    const kind = bytes[0] === 0x1f ? 'gzip' : 'bzimage';
    const planned = validDocument(runCli(['patch', path, '--dry-run', '--json', ...SET]).stdout);
    expect(planned).toMatchObject({ changed: true, written: null, container: { kind } });
    const written = validDocument(runCli(['patch', path, '--in-place', '--json', ...SET]).stdout);
    expect(written).toMatchObject({ changed: true, written: { how: 'clone' }, container: { kind } });
  });

  it('says that a hard link keeps the old file', () => {
    const { path } = fresh(bytes);
    linkSync(path, `${path}.other`);
    const run = runCli(['patch', path, '--in-place', ...SET]);
    expect(run.stderr).toContain('another name of the file (a hard link) leads to the file as it was');
    expect(Buffer.compare(readFileSync(`${path}.other`), bytes)).toBe(0);
  });

  it('refuses a file without write permission, a folder, and the input as output, and writes nothing', () => {
    const { path, beside } = fresh(bytes);
    chmodSync(path, 0o444);
    expect(runCli(['patch', path, '--in-place', ...SET]).stderr).toContain('[write.read-only]');
    expect(runCli(['patch', path, '-o', folder.path, ...SET]).stderr).toContain('[write.not-a-file]');
    expect(runCli(['patch', path, '-o', path, ...SET]).stderr).toContain('[write.same-file]');
    expect(runCli(['patch', path, '-o', `${path}/no/where`, ...SET])).toMatchObject({ status: 2 });
    expect(Buffer.compare(readFileSync(path), bytes)).toBe(0);
    expect(beside()).toEqual(['vmlinuz']);
  });
});

describe('killed at any moment', () => {
  it('leaves the old kernel or the new one, and nothing that is half made under its name', async () => {
    const image = bzImage({ data, format: 'gzip', pe: 'new' });
    const { path } = fresh(image);
    expect(runCli(['patch', path, '-o', `${path}.new`, ...SET]).status).toBe(0);
    const after = readFileSync(`${path}.new`);
    const seen = new Set<string>();
    for (let delay = 60; delay <= 900; delay += 120) {
      writeFileSync(path, image);
      const child = spawn(process.execPath, [BIN, 'patch', path, '--in-place', ...SET], { stdio: 'ignore' });
      const timer = setTimeout(() => child.kill('SIGKILL'), delay);
      await new Promise((resolve) => child.on('close', resolve));
      clearTimeout(timer);
      const now = readFileSync(path);
      const is = Buffer.compare(now, image) === 0 ? 'old' : Buffer.compare(now, after) === 0 ? 'new' : 'neither';
      seen.add(is);
    }
    expect(seen).not.toContain('neither');
  });
});

describe('fix', () => {
  const lacking = bzImage({ data: readFileSync(fixture('pv64-notes')), format: 'lz4', pe: 'new' });

  it('looks through, says what mends it, and applies it in place', () => {
    const { path } = fresh(lacking);
    expect(runCli(['patch', path, '--in-place', '--set', 'SUPPORTED_FEATURES=0x1']).status).toBe(0);
    const shown = runCli(['fix', path, '--for', 'xen-dom0-pv']);
    expect(shown.status).toBe(0);
    expect(shown.stdout).toContain('Kernel does not support Dom0 operation');
    expect(shown.stdout.startsWith(`${path}: an edit fixes it`)).toBe(true);
    expect(runCli(['fix', path, '--for', 'xen-dom0-pv', '--check']).status).toBe(1);
    const done = runCli(['fix', path, '--for', 'xen-dom0-pv', '--in-place', '--json']);
    expect(done).toMatchObject({ status: 0, stderr: '' });
    expect(validDocument(done.stdout)).toMatchObject({ cured: true, changed: true, container: { way: 'attach' } });
    expect(runCli(['verify', path, '--for', 'xen-dom0-pv']).status).toBe(0);
    expect(runCli(['fix', path, '--for', 'xen-dom0-pv', '--check']).status).toBe(0);
  });

  it('asks for --strip-signature as patch does, and takes the ways of writing', () => {
    const notes = ['--set', 'SUPPORTED_FEATURES=0x1'];
    const { path } = fresh(lacking);
    expect(runCli(['patch', path, '-o', `${path}.bad`, '--payload', 'extract', '--keep-tail', ...notes]).status).toBe(
      0,
    );
    const signed = bzImage({ data: readFileSync(`${path}.bad`), pe: 'new', certificate: 1472 });
    const { path: image } = fresh(signed);
    const target = ['fix', image, '--for', 'xen-dom0-pv', '-o', `${image}.out`];
    expect(runCli(target).stderr).toContain('[pe.signed]');
    expect(runCli([...target, '--strip-signature']).status).toBe(0);
    expect(runCli([...target, '--payload', 'extract']).status).toBe(0);
    expect([...readFileSync(`${image}.out`).subarray(0, 4)]).toEqual([0x7f, 0x45, 0x4c, 0x46]);
    expect(runCli([...target, '--payload', 'detach']).stderr).toContain('[usage.bad]');
  });

  it('says what the loader cannot unpack, and does what verify names for it', () => {
    const { path } = fresh(bzImage({ data: readFileSync(fixture('pv64-notes')), format: 'lzo' }));
    const run = runCli(['fix', path, '--for', 'xen-pv']);
    expect(run.stdout).toContain('LZO decompress support unavailable');
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('edit: --payload extract --compressor gzip');
    expect(runCli(['fix', path, '--for', 'xen-pv', '--check']).status).toBe(1);
    expect(runCli(['fix', path, '--for', 'xen-pv', '-o', `${path}.fixed`]).status).toBe(0);
    expect(runCli(['verify', `${path}.fixed`, '--for', 'xen-pv']).status).toBe(0);
  });
});

describe('stamp', () => {
  it.each(WRAPPERS)('writes into %s and shows what is there', (_what, bytes) => {
    const { path } = fresh(bytes);
    const stamp = ['--package-metadata', 'name=kernel', '--note', 'Vendor:1=ci'];
    const run = runCli(['stamp', path, '--in-place', '--json', ...stamp]);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(validDocument(run.stdout)).toMatchObject({ changed: true, container: { unpackedSize: expect.any(String) } });
    const shown = runCli(['stamp', path]);
    expect(shown.stdout).toContain('looked through: ');
    expect(shown.stdout).toContain('"name": "kernel"'.replace(': ', ':'));
    expect(runCli(['stamp', path, '--check', ...stamp]).status).toBe(0);
    expect(runCli(['verify', path]).status).toBe(0);
  });
});

describe('an ELF packed as a whole', () => {
  const stream = packForTest('zstd', kernel);

  it('is read, never rewritten, and can be extracted as gzip', () => {
    const { path, beside } = fresh(stream);
    const shown = runCli(['notes', '--json', path]);
    expect(shown.status).toBe(0);
    expect(validDocument(shown.stdout)).toMatchObject({
      images: [{ container: { kind: 'stream', format: 'zstd', sizeWord: false } }],
    });
    const refused = runCli(['patch', path, '--in-place', ...SET]);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('[container.bare-stream]\n  hint: --payload extract --compressor gzip');
    expect(beside()).toEqual(['vmlinuz']);
    const out = `${path}.gz`;
    expect(runCli(['patch', path, '-o', out, '--payload', 'extract', '--compressor', 'gzip', ...SET]).status).toBe(0);
    expect(entryIn(unpackForTest('gzip', readFileSync(out)))).toContain('10 00 10 00');
  });
});

describe('options that do not fit', () => {
  const { path } = fresh(bzImage({ data }));
  const elf = folder.write('plain', kernel);
  it.each([
    [['patch', path, '-o', 'x', '--compressor', 'xz', ...SET], '--compressor is for'],
    [['patch', path, '-o', 'x', '--payload', 'extract', '--compressor', 'xz'], 'wanted gzip'],
    [['patch', path, '-o', 'x', '--keep-tail', ...SET], '--keep-tail is for'],
    [['patch', path, '--in-place', '--payload', 'extract'], 'wanted -o OUT'],
    [['patch', path, '-o', 'x', '--payload', 'detach', ...SET], 'takes no edits'],
    [['patch', elf, '-o', 'x', '--payload', 'attach', ...SET], 'is an ELF'],
    [['fix', elf, '-o', 'x', '--payload', 'attach'], 'is an ELF'],
    [['stamp', elf, '-o', 'x', '--payload', 'attach', '--note', 'A:1=x'], 'is an ELF'],
    [['stamp', path, '--in-place', '--payload', 'extract', '--note', 'A:1=x'], 'wanted -o OUT'],
  ])('%j', (args, words) => {
    const run = runCli(args as readonly string[], { cwd: folder.path });
    expect(run.status).toBe(2);
    expect(run.stderr).toContain(words);
    expect(readdirSync(folder.path)).not.toContain('x');
  });

  it('a compressor that is not there, or is no compressor', () => {
    const replace = ['patch', path, '-o', `${path}.x`, '--payload', 'replace', ...SET];
    expect(runCli([...replace, '--compressor', '/no/such/gzip']).stderr).toContain('[codec.missing]');
    expect(runCli([...replace, '--compressor', '']).stderr).toContain('[codec.missing]');
    expect(runCli([...replace, '--compressor', 'false']).stderr).toContain('[codec.failed]');
    for (const program of ['true', 'echo']) {
      expect(runCli([...replace, '--compressor', program]).stderr).toContain('is no gzip data [codec.failed]');
    }
    // It begins like gzip, and is none: seen when the result is opened.
    const liar = folder.write(
      'liar',
      Buffer.from('#!/bin/sh\ncat > /dev/null\nprintf "\\037\\213\\010\\000and so on"\n'),
    );
    chmodSync(liar, 0o755);
    const lied = runCli([...replace, '--compressor', liar]);
    expect(lied.status).toBe(1);
    expect(lied.stderr).toContain('container-opens');
    expect(readdirSync(join(path, '..'))).toEqual(['vmlinuz']);
  });
});
