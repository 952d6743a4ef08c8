/** verify and notes on archives that the programs of distributions made, and on those that somebody made with evil in mind. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { validDocument } from '../support/schema.js';
import { requireTools } from '../support/tools.js';

const folder = workFolder();
afterAll(() => folder.remove());
const at = (name: string) => join(folder.path, name);

function made(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { cwd: folder.path, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

const KERNEL = readFileSync(fixture('pvh64-notes'));

beforeAll(() => {
  requireTools('tar', 'gzip', 'bzip2', 'xz', 'zstd', 'lz4', 'lzop', 'dpkg-deb', 'rpmbuild', 'rpm2cpio');
  for (const name of ['root', 'root/boot', 'root/lib', 'root/DEBIAN']) mkdirSync(at(name));
  writeFileSync(at('root/boot/vmlinuz-1'), KERNEL);
  copyFileSync(fixture('dual.efi'), at('root/boot/xen.efi'));
  // Cut short behind its headers: an image that cannot be read is told.
  writeFileSync(at('root/boot/broken'), KERNEL.subarray(0, 300));
  copyFileSync('/bin/true', at('root/lib/program'));
  writeFileSync(at('root/lib/module.ko'), KERNEL);
  writeFileSync(at('root/lib/text'), 'no image\n'.repeat(1000));
  symlinkSync('vmlinuz-1', at('root/boot/vmlinuz'));
  linkSync(at('root/lib/text'), at('root/lib/text-too'));
  writeFileSync(
    at('root/DEBIAN/control'),
    'Package: k\nVersion: 1\nArchitecture: all\nMaintainer: t <t@t>\nDescription: t\n',
  );
});

const PARTS = ['boot', 'lib'];
const ARCHIVES: readonly (readonly [name: string, make: () => void])[] = [
  ...['gnu', 'pax', 'ustar', 'v7'].map(
    (format) =>
      [
        `${format}.tar`,
        () => made('tar', ['-C', 'root', `--format=${format}`, '-cf', `${format}.tar`, ...PARTS]),
      ] as const,
  ),
  ...[
    'gzip:tar.gz',
    'gzip:tgz',
    'bzip2:tar.bz2',
    'xz:tar.xz',
    'xz:txz',
    'lzma:tar.lzma',
    'zstd:tar.zst',
    'lz4:tar.lz4',
    'lzop:tar.lzo',
  ].map((word) => {
    const [program = '', suffix = ''] = word.split(':');
    const packer = program === 'lzma' ? 'xz --format=lzma' : program;
    return [
      `packed.${suffix}`,
      () => made('tar', ['-C', 'root', '-I', packer, '-cf', `packed.${suffix}`, ...PARTS]),
    ] as const;
  }),
  ...['xz', 'gzip', 'zstd', 'none'].map(
    (packer) =>
      [
        `${packer}.deb`,
        () => made('dpkg-deb', [`-Z${packer}`, '--root-owner-group', '-b', 'root', `${packer}.deb`]),
      ] as const,
  ),
  ['k.rpm', rpm],
];

function rpm(): void {
  const spec = `Name: k
Version: 1
Release: 1
Summary: t
License: MIT
BuildArch: noarch
AutoReqProv: no
%description
t
%install
mkdir -p %{buildroot}
cp -a ${at('root')}/boot ${at('root')}/lib %{buildroot}/
%files
/boot
/lib
`;
  writeFileSync(at('k.spec'), spec);
  const plain = ['__os_install_post', '_build_id_links'].flatMap((name) => [
    '--define',
    `${name} ${name.startsWith('__') ? '%{nil}' : 'none'}`,
  ]);
  made('rpmbuild', [
    '-bb',
    '--define',
    `_topdir ${at('rpm')}`,
    '--define',
    '_binaries_in_noarch_packages_terminate_build 0',
    ...plain,
    'k.spec',
  ]);
  copyFileSync(at('rpm/RPMS/noarch/k-1-1.noarch.rpm'), at('k.rpm'));
}

interface Document {
  readonly images: readonly {
    readonly file: string;
    readonly exit: number;
    readonly errors?: readonly { id: string }[];
  }[];
  readonly counts: Readonly<Record<string, number>>;
}

describe.each(ARCHIVES)('%s', (name, make) => {
  it('verify finds its kernels and Xen images, and nothing is left', () => {
    make();
    const temporary = mkdtempSync(at('tmp-'));
    const { status, stdout } = runCli(['verify', '--json', name], { cwd: folder.path, env: { TMPDIR: temporary } });
    expect(status).toBe(2);
    const { images, counts } = validDocument(stdout) as unknown as Document;
    expect(images.map(({ file, exit, errors }) => [file, exit, errors?.[0]?.id]).sort()).toEqual([
      [`${name}:boot/broken`, 2, 'read.truncated'],
      [`${name}:boot/vmlinuz-1`, 0, undefined],
      [`${name}:boot/xen.efi`, 0, undefined],
    ]);
    expect(counts).toMatchObject({ good: 2, failed: 1 });
    expect(counts['passedOver']).toBeGreaterThanOrEqual(3);
    expect(readdirSync(temporary)).toEqual([]);
    const alone = JSON.parse(runCli(['verify', '--json', 'root/boot/vmlinuz-1'], { cwd: folder.path }).stdout);
    const found = (validDocument(stdout) as { images: { file: string; result: { loaders: { outcome: string }[] } }[] })
      .images;
    const kernel = found.find(({ file }) => file.endsWith('vmlinuz-1'));
    expect(kernel?.result.loaders.map(({ outcome }) => outcome)).toEqual(
      alone.loaders.map(({ outcome }: { outcome: string }) => outcome),
    );
  });
});

describe('several', () => {
  it('one table for all, notes as well, and nothing says a name that cannot be named again', () => {
    made('tar', ['-C', 'root', '-cf', 'one.tar', 'boot/vmlinuz-1']);
    const { status, stdout, stderr } = runCli(['verify', 'one.tar', 'root/boot/xen.efi', '--for', 'xen-pv'], {
      cwd: folder.path,
    });
    expect([status, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(
      /\nIMAGE +RESULT +xen-pv\none\.tar:boot\/vmlinuz-1 +sound +no\nroot\/boot\/xen\.efi +sound +no\n2 images: 0 good, 2 not\n$/,
    );
    const { stdout: json } = runCli(['verify', '--json', 'one.tar', '--for', 'xen-pvh'], { cwd: folder.path });
    expect(json).not.toContain('/xen-elfpatch-');
    const notes = runCli(['notes', 'one.tar'], { cwd: folder.path });
    expect(notes).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/\none\.tar:boot\/vmlinuz-1 +1 Xen note\n/),
    });
  });
});

describe('what is no good', () => {
  it('names that lead out of a folder write nothing there, links are not followed', () => {
    const name = '../../escaped';
    const evil = spawnSync(
      'tar',
      [
        '-P',
        '--transform',
        `s,boot/vmlinuz-1,${name},`,
        '-C',
        'root',
        '-cf',
        at('evil.tar'),
        'boot/vmlinuz-1',
        'boot/vmlinuz',
      ],
      { cwd: folder.path },
    );
    expect(evil.status).toBe(0);
    const temporary = mkdtempSync(at('deep-'));
    const { status, stdout } = runCli(['verify', '--json', 'evil.tar'], {
      cwd: folder.path,
      env: { TMPDIR: temporary },
    });
    expect(status).toBe(0);
    expect((validDocument(stdout) as unknown as Document).images).toMatchObject([
      { file: `evil.tar:${name}`, exit: 0 },
    ]);
    expect(existsSync(join(folder.path, '..', 'escaped'))).toBe(false);
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('a member above --limit is an error of its own', () => {
    made('tar', ['-C', 'root', '-cf', 'large.tar', 'boot/vmlinuz-1', 'boot/xen.efi']);
    const { status, stdout } = runCli(['verify', '--json', 'large.tar', '--limit', String(KERNEL.length)], {
      cwd: folder.path,
    });
    expect(status).toBe(2);
    const { images } = validDocument(stdout) as unknown as Document;
    expect(images.map(({ file, exit, errors }) => [file, exit, errors?.[0]?.id])).toEqual([
      ['large.tar:boot/vmlinuz-1', 0, undefined],
      ['large.tar:boot/xen.efi', 2, 'container.limit'],
    ]);
  });

  it.each([
    ['cut.tar.xz', 'xz'],
    ['cut.deb', 'dpkg-deb'],
    ['cut.rpm', 'rpm2cpio'],
  ])('%s: what there is, and an error', (name) => {
    const whole = { 'cut.tar.xz': 'packed.tar.xz', 'cut.deb': 'xz.deb', 'cut.rpm': 'k.rpm' }[name] ?? '';
    const bytes = readFileSync(at(whole));
    writeFileSync(at(name), bytes.subarray(0, bytes.length * 0.6));
    const { status, stderr } = runCli(['verify', name], { cwd: folder.path });
    expect(status).toBe(2);
    expect(stderr).toMatch(/: the archive cannot be looked through: .* \[archive\.bad\]/);
  });

  it.each([
    ['text.tar', 'text '.repeat(1000)],
    ['empty.tar', ''],
    ['text.deb', 'text'],
  ])('%s is no archive', (name, content) => {
    writeFileSync(at(name), content);
    const { status, stderr } = runCli(['verify', name], { cwd: folder.path });
    expect(status).toBe(2);
    expect(stderr).toContain(`${name}: the archive cannot be looked through`);
  });

  it.each([
    ['none.deb', 'dpkg-deb', 'dpkg'],
    ['k.rpm', 'rpm2cpio', 'rpm2cpio'],
    ['packed.tar.xz', 'xz', 'xz-utils'],
  ])('%s without %s', (name, program, debianPackage) => {
    mkdirSync(at('empty'), { recursive: true });
    chmodSync(at('empty'), 0o755);
    const { status, stderr } = runCli(['verify', name], { cwd: folder.path, env: { PATH: at('empty') } });
    expect(status).toBe(2);
    expect(stderr).toContain(`${name}: cannot run ${program}`);
    expect(stderr).toContain(`hint: Install it (the Debian package is ${debianPackage})`);
  });

  it('one that is missing', () => {
    expect(runCli(['verify', 'gone.deb'], { cwd: folder.path })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('gone.deb: cannot open'),
    });
  });
});
