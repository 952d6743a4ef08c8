/**
 * `stamp` of EFI programs as Debian ships them: systemd-boot and its stub by two linkers, GRUB, shim, a unified kernel image,
 * kernels, xen.efi before and after linearize. What went in is read back by other programs, and all else is what it was.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import '../../src/base/platform/node.js';
import { signedDigest } from '../../src/formats/pe/authenticode.js';
import { readPeHeaders } from '../../src/formats/pe/read.js';
import { runCli, workFolder } from '../support/cli.js';
import { foreignTool, foreignToolHad, realImage, realImagesHad, requireTools } from '../support/images.js';

const FACTS = fileURLToPath(new URL('./pe-facts.py', import.meta.url));
/** Debian's own: a version manager's would not see Debian's modules. */
const PYTHON = '/usr/bin/python3';
/** Short: .sbat of systemd-boot 252 has 30 bytes up to the next section. */
const LINE = 'x.y,3,Test,x,1,https://y.z';
const OWN = Buffer.from('any bytes at all\n');
const folder = workFolder();
afterAll(() => folder.remove());
const path = (name: string) => join(folder.path, name);

interface PeFacts {
  readonly fields: Readonly<Record<string, number>>;
  readonly directories: readonly (readonly [number, number])[];
  readonly checkSum: 'none' | 'right' | 'wrong';
  readonly sections: readonly {
    readonly name: string;
    readonly VirtualAddress: number;
    readonly VirtualSize: number;
    readonly Characteristics: number;
    readonly data: string;
  }[];
  readonly stub: string;
  readonly overlay: string;
}

function output(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  expect(status, `${program} ${args.join(' ')}: ${stderr}`).toBe(0);
  return stdout + stderr;
}

const factsOf = (...files: readonly string[]) =>
  output(PYTHON, FACTS, ...files)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as PeFacts);

function ok(...args: readonly string[]): string {
  const { status, stdout, stderr } = runCli(args);
  expect(status, `${args.join(' ')}: ${stderr}`).toBe(0);
  return stdout;
}

/** Hash of the image by pesign, and by what a signature of ours would be held against. */
function agreedHash(file: string): string {
  const [, hash = ''] = /^(?:hash: )?([0-9a-f]{64})/.exec(output('pesign', '-h', '-i', file)) ?? [];
  const source = new BufferSource(readFileSync(file), file);
  const headers = readPeHeaders(source);
  const own = headers === undefined ? undefined : signedDigest({ source, ...headers });
  expect(Buffer.from(own ?? []).toString('hex')).toBe(hash);
  return hash;
}

const ukify = foreignToolHad('ukify');
// Both linkers' and both releases' shapes, each once.
const programs = [
  ['systemd-boot', foreignTool('systemd-boot')],
  ['systemd-stub', foreignToolHad('systemd-stub-of-trixie')],
  ['grub', foreignTool('grub-signed')],
].flatMap(([name = '', file]) => (file === undefined ? [] : [{ name, file, sections: 3 }]));
const kernels = realImagesHad('vmlinuz').map(({ name, path: file }) => ({
  name,
  file,
  sections: 2,
}));
const bullseye = realImagesHad('vmlinuz-cloud-bullseye').map(({ name, path: file }) => ({ name, file, sections: 0 }));
const made = [
  { name: 'xen.efi', file: realImage('xen-efi').path, sections: 3 },
  { name: 'xen.efi, linear', file: path('linear.efi'), sections: 3 },
  ...(ukify === undefined ? [] : [{ name: 'unified kernel image', file: path('uki.efi'), sections: 3 }]),
];
const IMAGES = [...programs, ...kernels, ...made];

beforeAll(() => {
  requireTools('objdump', 'pesign', 'sbsign', 'sbverify', 'openssl');
  writeFileSync(path('own'), OWN);
  ok('linearize', realImage('xen-efi').path, '-o', path('linear.efi'), '--keep-reloc');
  const stub = foreignToolHad('systemd-stub-of-trixie');
  if (ukify !== undefined && stub !== undefined) {
    const [linux] = realImagesHad('vmlinuz-cloud');
    const parts = ['--linux', linux?.path ?? '', '--cmdline', 'console=ttyS0', '--uname', '6.1', '--stub', stub];
    output(PYTHON, ukify, 'build', ...parts, '--output', path('uki.efi'));
  }
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', path('key'), '-out', path('cert'), '-days', '2'];
  output('openssl', 'req', '-x509', ...key, '-subj', '/CN=test');
});

describe.each(IMAGES)('$name, stamped', ({ name, file, sections }) => {
  const stamped = path(`${name}.stamped`);
  const stamps = [
    ['--sbat', LINE],
    ['--package-metadata', 'name=test', '--package-metadata', 'version=1.0'],
    ['--add-section', `.own=file:${path('own')}`],
  ].slice(0, sections);
  const ofElf = kernels.some((kernel) => kernel.name === name);
  const words = (ofElf ? [stamps[0] ?? [], ['--add-section', `.own=file:${path('own')}`]] : stamps).flat();

  beforeAll(() => {
    ok('stamp', file, '-o', stamped, ...words, '--strip-signature');
  });

  it('holds what was asked by pefile, and all else as it was', () => {
    const [before, after] = factsOf(file, stamped);
    if (before === undefined || after === undefined) throw new Error('no facts');
    const added = after.sections.length - before.sections.length;
    const free = ['NumberOfSections', 'PointerToSymbolTable', 'SizeOfHeaders', 'SizeOfImage', 'CheckSum'];
    const differing = Object.keys(before.fields).filter((field) => before.fields[field] !== after.fields[field]);
    expect(differing.filter((field) => !free.includes(field))).toEqual([]);
    expect(after.fields['NumberOfSections']).toBe((before.fields['NumberOfSections'] ?? 0) + added);
    // Number 4 is that of the signature.
    const others = ({ directories }: PeFacts) => directories.filter((_, index) => index !== 4);
    expect(others(after)).toEqual(others(before));
    for (const [index, section] of before.sections.entries()) {
      const now = after.sections[index];
      if (section.name === '.sbat')
        expect(now).toMatchObject({ name: '.sbat', VirtualAddress: section.VirtualAddress });
      // A debug entry in it holds a file offset.
      else if (section.name === '.buildid') expect(now).toEqual({ ...section, data: now?.data });
      else expect(now).toEqual(section);
    }
    expect(after.stub).toBe(before.stub);
    expect(after.overlay).toBe(before.overlay);
    expect(after.checkSum).toBe(before.checkSum === 'none' ? 'none' : 'right');
    expect(after.fields['SizeOfImage']).toBeGreaterThanOrEqual(before.fields['SizeOfImage'] ?? 0);
  });

  it('is read back by objdump, ukify and the other commands', () => {
    const listed = output('objdump', '-h', stamped);
    expect(listed).toMatch(/ \.sbat /);
    expect(listed).toMatch(/ \.own +0+11 /);
    if (ukify !== undefined) {
      const inspect = (of: string) => output(PYTHON, ukify, 'inspect', of);
      const after = inspect(stamped);
      expect(after).toContain(LINE);
      const [, old = ''] = /^\.sbat:\n(?: {2}\S.*\n)* {2}text:\n((?: {4}.*\n)*)/m.exec(inspect(file)) ?? [];
      for (const line of old.trim().split(/\n\s*/)) expect(after).toContain(line);
    }
    expect(ok('stamp', stamped)).toContain(ofElf ? '' : LINE);
    if (ofElf) return;
    expect(ok('notes', stamped)).toContain(LINE);
    expect(ok('layout', stamped)).toContain('.pkgnote');
    expect(runCli(['diff', file, stamped]).stdout).toMatch(/\.pkgnote +is new/);
    const verified = ok('verify', stamped, '--baseline', file);
    expect(verified).toContain('section .pkgnote: was not there');
  });

  it('has one hash for pesign, sbsign and verify, and is signed and taken by sbverify', () => {
    const hash = agreedHash(stamped);
    const signed = path('signed');
    output('sbsign', '--key', path('key'), '--cert', path('cert'), '--output', signed, stamped);
    expect(output('sbverify', '--cert', path('cert'), signed)).toContain('Signature verification OK');
    // sbsign pads the end of a file to a multiple of 8 and counts that in.
    const aligned = readFileSync(stamped).length % 8 === 0;
    if (aligned) expect(readFileSync(signed).includes(Buffer.from(hash, 'hex'))).toBe(true);
    expect(readFileSync(signed).includes(Buffer.from(agreedHash(signed), 'hex'))).toBe(true);
  });

  it('is not changed by the same stamps once more', () => {
    const again = path('again');
    copyFileSync(stamped, again);
    expect(ok('stamp', again, '--in-place', ...words)).toContain('nothing to change');
    expect(readFileSync(again).equals(readFileSync(stamped))).toBe(true);
  });
});

describe.each(bullseye)('$name', ({ file }) => {
  it('has no room in front of its boot sector for one more section, which is said', () => {
    const { status, stderr } = runCli(['stamp', file, '-o', path('none'), '--sbat', LINE, '--strip-signature']);
    expect(stderr).toContain('[pe.no-header-room]');
    expect(status).toBe(2);
  });
});

describe('a kernel that was stamped', () => {
  it('is edited for Xen with what was stamped kept, in any order', () => {
    const { path: file } = realImage('vmlinuz');
    ok('stamp', file, '-o', path('k1'), '--sbat', LINE, '--strip-signature');
    ok('patch', path('k1'), '-o', path('k2'), '--set', 'GUEST_OS=other');
    ok('stamp', path('k2'), '-o', path('k3'), '--add-section', `.own=file:${path('own')}`);
    ok('patch', path('k3'), '-o', path('k4'), '--set', 'GUEST_OS=third');
    expect(ok('notes', path('k4'))).toContain('"third"');
    const [first, last] = factsOf(path('k1'), path('k4'));
    const data = (facts: PeFacts | undefined, called: string) =>
      facts?.sections.find(({ name }) => name === called)?.data ?? called;
    expect(data(last, '.sbat')).toBe(data(first, '.sbat'));
    expect(output('objdump', '-s', '-j', '.own', path('k4'))).toContain('any bytes at al');
    ok('patch', path('k4'), '-o', path('k5'), '--payload', 'detach');
    expect(data(factsOf(path('k5'))[0], '.sbat')).toBe(data(first, '.sbat'));
  });
});
