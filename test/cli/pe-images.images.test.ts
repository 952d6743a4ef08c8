/** What the commands that read say of PE images: xen.efi before and after linearize. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.js';
import { fixture, realImage, xenEfiImages } from '../support/images.js';
import { linearBytes } from '../support/linear.js';
import { PeBytes } from '../support/pe-edit.js';
import { validDocument } from '../support/schema.js';

const DUAL = fixture('dual.efi');
let folder = '';
let linear = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pe-images-'));
  linear = put('linear.efi', linearBytes(PeBytes.fixture().image(), { mb1: true }).bytes);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** The linear fixture with something done to it. */
function broken(name: string, edit: (file: PeBytes) => void): string {
  const file = new PeBytes(readFileSync(linear));
  edit(file);
  return put(name, file.unsummed().bytes);
}

describe('xen-elfpatch verify of a PE image', () => {
  it('finds the unprocessed fixture sound, and says what does not apply', () => {
    const { status, stdout } = runCli(['verify', DUAL]);
    expect(status).toBe(0);
    expect(stdout).toContain('sound PE image');
    expect(stdout).toContain('what reads those does not apply');
    expect(stdout).toMatch(/multiboot2 +no +invalid arch-dependent ELF magic/);
    expect(stdout).toMatch(/xen-pv +no /);
  });

  it('answers --for multiboot2 and --for multiboot as GRUB and QEMU do', () => {
    for (const loader of ['multiboot', 'multiboot2']) {
      expect(runCli(['verify', linear, '--for', loader]).status, loader).toBe(0);
      expect(runCli(['verify', DUAL, '--for', loader]).status, loader).toBe(1);
    }
    // Without a header of its own the fixture is not asked for ELF.
    expect(runCli(['verify', DUAL, '--for', 'multiboot']).stdout).toContain('no multiboot header found');
    const refused = runCli(['verify', DUAL, '--for', 'multiboot2']).stdout;
    expect(refused).toContain('fix: xen-elfpatch linearize ');
    expect(runCli(['verify', linear, '--for', 'xen-pv']).status).toBe(1);
  });

  it.each<[string, string, (file: PeBytes) => unknown]>([
    ['load_end_addr 0', 'bss_end_addr', (f) => f.word(f.tag(2) + 8, 0).word(f.tag(2) + 12, 0x203000)],
    ['load_addr -1', 'GRUB hangs', (f) => f.word(f.tag(2) + 4, 0xffffffff)],
    ['a load that ends below bss_end', 'negative count', (f) => f.word(f.tag(2) + 12, 0x202000)],
    ['no entry tag', 'without entry address tag', (f) => f.bytes.writeUInt16LE(6, f.tag(3) - 8)],
    [
      'a section moved behind the tags, as strip does',
      'section .rodata is not at the distance',
      (f) => f.section('.rodata', 'PointerToRawData', 0x2004),
    ],
    ['an unknown tag that is not optional', 'unsupported tag: 0x63', (f) => f.word(f.tag(10) - 8, 99)],
  ])('refuses %s for multiboot2', (_what, said, edit) => {
    const { status, stdout } = runCli(['verify', broken('refused.efi', edit), '--for', 'multiboot2']);
    expect(status).toBe(1);
    expect(stdout).toContain(said);
  });

  it('warns of a file that ends before the load does, which GRUB does not notice', () => {
    const file = new PeBytes(readFileSync(linear));
    const cut = put('cut.efi', file.unsummed().bytes.subarray(0, 0x3200));
    const { stdout } = runCli(['verify', cut, '--for', 'multiboot2']);
    expect(stdout).toContain('yes, but');
    expect(stdout).toContain('GRUB does not notice');
  });

  it('tells broken laws, with --baseline also what changed, and prints documents of its schema', () => {
    const bad = broken('size.efi', (f) => f.optional('SizeOfImage', 0x206000));
    expect(runCli(['verify', bad])).toMatchObject({ status: 1 });
    expect(runCli(['verify', bad]).stdout).toContain('[linear.size-of-image]');
    const code = broken('code.efi', (f) => {
      const at = f.section('.text', 'PointerToRawData') + 0x210;
      f.bytes[at] = (f.bytes[at] ?? 0) ^ 1;
    });
    expect(runCli(['verify', code]).status).toBe(0);
    const compared = runCli(['verify', code, '--baseline', DUAL, '--json']);
    expect(compared.status).toBe(1);
    expect(validDocument(compared.stdout)).toMatchObject({
      format: 'pe',
      ok: false,
      structure: { findings: [{ check: 'linear.kept-bytes' }] },
    });
    expect(validDocument(runCli(['verify', linear, '--baseline', DUAL, '--json']).stdout)).toMatchObject({ ok: true });
  });

  it('refuses to hold a PE image against an ELF file, either way', () => {
    expect(runCli(['verify', DUAL, '--baseline', fixture('mb1')]).status).toBe(2);
    expect(runCli(['verify', fixture('mb1'), '--baseline', DUAL]).status).toBe(2);
  });

  it.each(xenEfiImages().images)('finds $name of Debian sound', ({ path }) => {
    expect(runCli(['verify', path])).toMatchObject({ status: 0 });
  });

  it('still looks through a kernel that is PE as well', () => {
    expect(runCli(['verify', realImage('vmlinuz').path, '--for', 'xen-pv'])).toMatchObject({ status: 0 });
  });
});

describe('xen-elfpatch layout of a PE image', () => {
  it('shows sections in the file and in memory, the Multiboot headers and the entry', () => {
    const { status, stdout } = runCli(['layout', linear]);
    expect(status).toBe(0);
    expect(stdout).toContain('PE32+, x86-64, 7 sections');
    expect(stdout).toMatch(/0x1008 +128 bytes +Multiboot2 header, inside \.text/);
    expect(stdout).toMatch(/0x1088 +32 bytes +Multiboot header, inside \.text/);
    expect(stdout).toMatch(/0x2000 +132 bytes +\.rodata R-- to 0xffff82d040201000/);
    expect(stdout).toMatch(/0xffff82d040203000 +12 KiB +\.bss RW-, physical 0x203000\n +zeros/);
    expect(stdout).toMatch(/0xffff82d0402002ec +PE entry/);
    expect(runCli(['layout', linear, '--physical']).stdout).toMatch(/0x201000 .*\.rodata .*virtual 0xffff82d040201000/);
  });

  it('compares two, draws them, and prints documents of its schema', () => {
    const svg = join(folder, 'map.svg');
    expect(runCli(['layout', DUAL, '--compare', linear, '--svg', svg]).status).toBe(0);
    const picture = readFileSync(svg, 'utf8');
    expect(picture).toContain('.data.read_mostly RW-');
    expect(picture).not.toContain('PT_LOAD');
    const compared = runCli(['layout', DUAL, '--compare', linear]).stdout;
    expect(compared).toMatch(/^- +0x6a0 .*\.rodata/m);
    expect(compared).toMatch(/^\+ +0x2000 .*\.rodata/m);
    const document = validDocument(runCli(['layout', DUAL, '--compare', linear, '--json']).stdout);
    expect(document).toMatchObject({
      format: 'pe',
      compare: { format: 'pe', memory: [{ name: '.text', load: 0 }, {}, {}, {}, {}, {}, {}] },
    });
  });
});

describe('xen-elfpatch diff of PE images', () => {
  it('says of a linear image that nothing but layout and Multiboot header differs', () => {
    const { status, stdout } = runCli(['diff', DUAL, linear]);
    expect(status).toBe(1);
    expect(stdout).toContain('as after linearize');
    expect(stdout).toMatch(/load_addr +none became 0x200000/);
    expect(stdout).toMatch(/PointerToRawData 0x6a0 became 0x2000/);
    expect(stdout).toMatch(/Multiboot headers in section \.text, loaded into memory/);
    expect(stdout).not.toMatch(/ section \.(rodata|buildid|data|reloc|debug)[^ ]*, loaded/);
    expect(runCli(['diff', linear, linear])).toMatchObject({ status: 0 });
  });

  it('finds a changed byte of data at its address', () => {
    const other = broken('data.efi', (f) => {
      const at = f.section('.data.read_mostly', 'PointerToRawData') + 0x20;
      f.bytes[at] = (f.bytes[at] ?? 0) ^ 0xff;
    });
    const { stdout } = runCli(['diff', linear, other]);
    expect(stdout).toContain('more than Multiboot headers');
    expect(stdout).toMatch(/0x202020 +1 byte in 1 range +section \.data\.read_mostly, loaded into memory/);
  });

  it('tells a section that only one has, and an overlay', () => {
    const renamed = broken('renamed.efi', (f) => f.rename('.buildid', '.other'));
    const { stdout } = runCli(['diff', linear, renamed]);
    expect(stdout).toMatch(/\.buildid +is gone/);
    expect(stdout).toMatch(/\.other +is new/);
    const overlay = put('overlay.efi', Buffer.concat([readFileSync(linear), Buffer.from('tail')]));
    expect(runCli(['diff', linear, overlay]).stdout).toMatch(/4 bytes in 1 range +COFF symbols, .*only in the second/);
  });

  it('prints a document of its schema, and refuses ELF against PE', () => {
    expect(validDocument(runCli(['diff', DUAL, linear, '--json']).stdout)).toMatchObject({
      format: 'pe',
      same: false,
      onlyNotes: true,
      notes: [],
    });
    expect(validDocument(runCli(['diff', DUAL, DUAL, '--json']).stdout)).toMatchObject({
      same: true,
      bytes: { ranges: 0 },
    });
    expect(runCli(['diff', DUAL, fixture('mb1')])).toMatchObject({ status: 2, stdout: '' });
  });
});

describe('xen-elfpatch notes of a linear image', () => {
  it('shows what the tags say, and names malformed ones', () => {
    const { stdout } = runCli(['notes', linear]);
    expect(stdout).toContain('loadable as it stands');
    expect(stdout).toMatch(/loads +\[0x200000, 0x202331\), zeros up to 0x400000/);
    expect(stdout).toMatch(/entry +0x200000, 32-bit/);
    expect(stdout).toMatch(/on UEFI +0x2003[0-9a-f]+, 64-bit/);
    expect(validDocument(runCli(['notes', '--json', linear]).stdout)).toMatchObject({
      images: [{ multiboot2: { loadable: true, loadAddr: '0x200000', relocatable: { align: '0x200000' } } }],
    });
    const bad = broken('tags.efi', (f) => f.word(f.tag(10) - 4, 4));
    expect(runCli(['notes', bad]).stdout).toContain('malformed: the size of tag 10 is 0x4');
    validDocument(runCli(['notes', '--json', bad]).stdout);
  });
});
