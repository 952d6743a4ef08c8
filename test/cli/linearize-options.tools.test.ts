/** Every option of linearize through the command: what it does to the file, and that the file is proved and final. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { buildPe, CODE, mb2Header } from '../support/pe-builder.js';
import { PeBytes } from '../support/pe-edit.js';
import { loadFlat, rawSections } from '../support/pe-memory.js';
import { validDocument } from '../support/schema.js';
import { requireTools } from '../support/tools.js';

const DUAL = fixture('dual.efi');
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'linearize-options-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
/** Linearizes, proves by the command again, and makes sure that there is nothing left to do with the same options. */
function linear(input: string, options: readonly string[], verifyOptions: readonly string[] = []): PeBytes {
  made += 1;
  const output = join(folder, `made-${made}.efi`);
  expect(runCli(['linearize', input, '-o', output, ...options])).toMatchObject({ status: 0 });
  const proof = runCli(['linearize', '--verify', output, '--baseline', input, ...verifyOptions]);
  expect(proof.status, proof.stdout).toBe(0);
  expect(runCli(['linearize', output, '--check', ...options]).status).toBe(0);
  const twice = join(folder, 'twice.efi');
  expect(runCli(['linearize', output, '-o', twice, ...options]).status).toBe(0);
  const bytes = readFileSync(output);
  expect(readFileSync(twice).equals(bytes)).toBe(true);
  return new PeBytes(bytes);
}

function flat(file: PeBytes) {
  const load = loadFlat(file.bytes);
  if (load === undefined) throw new Error('no address tag');
  return load;
}

describe('options of xen-elfpatch linearize', () => {
  it('--entry takes an RVA and a symbol', () => {
    expect(flat(linear(DUAL, ['--entry', '0x200204'])).entry).toBe(0x200204);
    expect(flat(linear(DUAL, ['--entry', 'sym:enter32'])).entry).toBeGreaterThan(0x200000);
  });

  it('--phys-base moves every address, and is refused where tag 9 would then point elsewhere', () => {
    const code = Buffer.alloc(0x200, 0x90);
    mb2Header({ align: 0x1000 }).copy(code, 8);
    const input = join(folder, 'movable.efi');
    const sections = [{ name: '.text', rva: 0x1000, virtualSize: 0x200, data: code, flags: CODE }];
    writeFileSync(input, buildPe({ sections, symbols: [{ name: 'start', section: 1, value: 16 }] }));
    const { start, end, entry } = flat(linear(input, ['--phys-base', '0x400000']));
    expect({ start, end, entry }).toEqual({ start: 0x401000, end: 0x402000, entry: 0x401010 });
    expect(runCli(['linearize', DUAL, '--dry-run', '--phys-base', '0x200000'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('[mb2.bad-address]'),
    });
  });

  it('--header-size puts the first section there', () => {
    for (const size of ['0x2c0', '0x2000', '4096']) {
      const file = linear(DUAL, ['--header-size', size]);
      expect(file.optional('SizeOfHeaders')).toBe(Number(size));
      expect(file.section('.text', 'PointerToRawData')).toBe(Number(size));
    }
  });

  it('--bss-align rounds bss_end_addr', () => {
    expect(flat(linear(DUAL, [])).end).toBe(0x400000);
    expect(flat(linear(DUAL, ['--bss-align', '0x1000'])).end).toBe(0x206000);
    expect(flat(linear(DUAL, ['--bss-align', '0x800000'])).end).toBe(0x800000);
  });

  it('--mb2 chooses where the tags go', () => {
    expect(flat(linear(DUAL, ['--mb2', 'append'])).header).toBe(0x1008);
    const gap = linear(DUAL, ['--mb2', 'gap']);
    expect(flat(gap).header).toBeLessThan(0x1000);
    // The old one is no header any more.
    expect(gap.bytes.readUInt32LE(0x1008)).toBe(0);
    expect(loadFlat(linear(DUAL, ['--mb2', 'none'], ['--mb2', 'none']).bytes)).toBeUndefined();
    expect(runCli(['linearize', DUAL, '--mb2', 'gap', '--dry-run']).stderr).toContain('header_addr is below load_addr');
  });

  it('--mb1 adds a header with the same addresses', () => {
    const file = linear(DUAL, ['--mb1']);
    const [at, tags] = [file.mb1(), flat(file)];
    expect(file.bytes.readUInt32LE(at + 4) & 0x10000).toBe(0x10000);
    const fields = [12, 16, 20, 24, 28].map((offset) => file.bytes.readUInt32LE(at + offset));
    expect(fields).toEqual([0x200000 + at - 0x1000, tags.start, 0x202331, tags.end, tags.entry]);
  });

  it('--keep-reloc clears DISCARDABLE on the base relocations, and nothing else', () => {
    const input = PeBytes.fixture();
    const was = (input.section('.reloc', 'Characteristics') | 0x02000000) >>> 0;
    input.section('.reloc', 'Characteristics', was);
    const path = join(folder, 'discardable.efi');
    writeFileSync(path, input.bytes);
    expect(linear(path, []).section('.reloc', 'Characteristics')).toBe(was);
    const kept = linear(path, ['--keep-reloc']);
    expect(kept.section('.reloc', 'Characteristics')).toBe(was - 0x02000000);
    expect(kept.section('.debug_dummy', 'Characteristics')).toBe(input.section('.debug_dummy', 'Characteristics'));
  });

  it('--discardable-reloc sets it, and the two are not given together', () => {
    const was = PeBytes.fixture().section('.reloc', 'Characteristics');
    const set = linear(DUAL, ['--discardable-reloc']).section('.reloc', 'Characteristics');
    expect(set).toBe((was | 0x02000000) >>> 0);
    const { status, stderr } = runCli(['linearize', DUAL, '--dry-run', '--keep-reloc', '--discardable-reloc']);
    expect(status).toBe(2);
    expect(stderr).toContain('wanted one of them');
  });

  it('--merge joins sections that share a page; symbols keep their addresses', () => {
    const file = linear(DUAL, ['--merge']);
    expect(rawSections(file.bytes).map(({ rva }) => rva)).toEqual([
      0x200000, 0x201000, 0x202000, 0x203000, 0x206000, 0x20601c,
    ]);
    expect(file.optional('FileAlignment')).toBe(0x200);
    expect(file.section('.rodata', 'VirtualSize')).toBe(0x89);
    requireTools('nm');
    const names = (path: string) =>
      spawnSync('nm', [path], { encoding: 'utf8' })
        .stdout.replace(/^([0-9a-f]+) \w /gm, '$1 ')
        .split('\n')
        .sort();
    const path = join(folder, 'merged.efi');
    writeFileSync(path, file.bytes);
    expect(names(path)).toEqual(names(DUAL));
  });

  it('--file-align writes what was asked for, when it is true', () => {
    expect(linear(DUAL, []).optional('FileAlignment')).toBe(4);
    expect(linear(DUAL, ['--file-align', 'keep']).optional('FileAlignment')).toBe(0x20);
    expect(linear(DUAL, ['--file-align', '2']).optional('FileAlignment')).toBe(2);
    expect(linear(DUAL, ['--file-align', '0x100', '--merge']).optional('FileAlignment')).toBe(0x100);
    for (const wrong of ['8', '3', '0']) {
      expect(runCli(['linearize', DUAL, '--dry-run', '--file-align', wrong]).stderr).toContain('[linear.file-align]');
    }
  });

  it('--image and --tail overrule what the rules say of a section', () => {
    const image = linear(DUAL, ['--image', '.bss']);
    expect(image.section('.bss', 'SizeOfRawData')).toBeGreaterThanOrEqual(0x3000);
    expect(image.section('.bss', 'Characteristics') & 0xc0).toBe(0x40);
    expect(flat(image).memory.length).toBeGreaterThanOrEqual(0x6000);

    const input = PeBytes.fixture().rename('.debug_dummy', '.mydata');
    input.section('.mydata', 'Characteristics', 0xc0000040);
    const path = join(folder, 'mydata.efi');
    writeFileSync(path, input.bytes);
    expect(runCli(['linearize', path, '--dry-run'])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--image .mydata (loaded'),
    });
    linear(path, ['--tail', '.mydata'], ['--tail', '.mydata']);
    const loaded = linear(path, ['--image', '.mydata', '--bss-align', '0x1000']);
    // What is loaded holds the section now, and .bss and .reloc before it as well.
    expect(
      flat(loaded)
        .memory.subarray(0x601c, 0x601c + 0x4000)
        .every((byte) => byte === 0xdd),
    ).toBe(true);
  });

  it('takes the parts of a unified image for tail, wherever they were put', () => {
    requireTools('objcopy');
    const config = join(folder, 'xen.cfg');
    writeFileSync(config, '[global]\ndefault=xen\n');
    const unified = join(folder, 'unified.efi');
    const add = ['--add-section', `.config=${config}`, '--change-section-vma', '.config=0xffff82d040300000'];
    const flags = ['--set-section-flags', '.config=contents,alloc,load,readonly,data'];
    expect(spawnSync('objcopy', [...add, ...flags, DUAL, unified]).status).toBe(0);
    const file = linear(unified, []);
    expect(file.section('.config', 'VirtualAddress')).toBe(0x300000);
    const at = file.section('.config', 'PointerToRawData');
    expect(file.bytes.toString('latin1', at, at + 8)).toBe('[global]');
    // It stands inside what is zeroed for Multiboot, which has no use for it.
    expect(flat(file).memory.every((byte, index) => index < 0x3000 || byte === 0)).toBe(true);
  });

  it('prints documents of its schema for every way to place the tags', () => {
    const options: readonly (readonly string[])[] = [
      [],
      ['--mb1'],
      ['--mb2', 'gap'],
      ['--mb2', 'none'],
      ['--image', '.bss'],
    ];
    for (const option of options) validDocument(runCli(['linearize', DUAL, '--dry-run', '--json', ...option]).stdout);
  });

  it('--depfile names the image, and stays away when nothing was written', () => {
    const [out, rule] = [join(folder, 'dep.efi'), join(folder, 'dep.d')];
    expect(runCli(['linearize', DUAL, '-o', out, '--depfile', rule]).status).toBe(0);
    expect(readFileSync(rule, 'utf8')).toBe(`${out}: ${DUAL}\n`);
    rmSync(rule);
    expect(runCli(['linearize', DUAL, '-o', out, '--depfile', rule, '--entry', '0x1']).status).toBe(2);
    expect(runCli(['linearize', DUAL, '-o', out, '--depfile', DUAL]).status).toBe(2);
    expect(statSync(rule, { throwIfNoEntry: false })).toBeUndefined();
  });

  it.each([
    ['--entry', 'start'],
    ['--header-size', '-8'],
    ['--bss-align', '1e3'],
    ['--phys-base', '0x100000000'],
    ['--mb2', 'below'],
    ['--file-align', 'automatic'],
  ])('refuses %s %s as usage', (option, value) => {
    const { status, stdout, stderr } = runCli(['linearize', DUAL, '--dry-run', option, value]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/^xen-elfpatch: .*\[usage\.bad\]/);
  });
});

describe('a signed image', () => {
  let key = '';
  let certificate = '';
  beforeAll(() => {
    requireTools('openssl', 'sbsign', 'sbverify');
    [key, certificate] = [join(folder, 'k.pem'), join(folder, 'c.pem')];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=test', '-days', '2'];
    expect(spawnSync('openssl', [...request, '-keyout', key, '-out', certificate]).status).toBe(0);
  });

  const sign = (input: string) => {
    const output = `${input}.signed`;
    const { status, stderr } = spawnSync('sbsign', ['--key', key, '--cert', certificate, '--output', output, input], {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    return { output, stderr };
  };

  it('is refused, in words that say what to do, and taken with --drop-signature', () => {
    const input = join(folder, 'to-sign.efi');
    writeFileSync(input, readFileSync(DUAL));
    const { output: signed } = sign(input);
    const refused = runCli(['linearize', signed, '-o', join(folder, 'never.efi')]);
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toContain('[pe.signed]');
    expect(refused.stderr).toContain('--drop-signature');
    expect(statSync(join(folder, 'never.efi'), { throwIfNoEntry: false })).toBeUndefined();
    const file = linear(signed, ['--drop-signature']);
    expect(file.directoryAt(4)).toBe(0);
    // But for the padding in front of a signature it is what the unsigned image gives.
    const plain = linear(DUAL, []).bytes;
    expect(file.bytes.length - plain.length).toBeLessThan(8);
    file.optional('CheckSum', 0);
    expect(file.bytes.subarray(0, plain.length).equals(new PeBytes(plain).unsummed().bytes)).toBe(true);
  });

  it('is made of a linear one, where the signer finds no gap, and is still linear', () => {
    const path = join(folder, 'linear.efi');
    expect(runCli(['linearize', DUAL, '-o', path, '--mb1', '--keep-reloc']).status).toBe(0);
    const { output, stderr } = sign(path);
    // Symbols behind the sections it speaks of as well, in what the linker wrote too.
    expect(stderr).not.toContain('gap in section table');
    expect(spawnSync('sbverify', ['--cert', certificate, output]).status).toBe(0);
    const proof = runCli(['linearize', '--verify', output, '--baseline', DUAL, '--json']);
    expect(proof.status, proof.stdout).toBe(0);
    expect(proof.stdout).not.toContain('advice.unsigned');
    expect(runCli(['verify', output, '--for', 'multiboot2', '--for', 'multiboot']).status).toBe(0);
    expect(runCli(['diff', path, output]).stdout).toContain('nothing in memory but');
    expect(runCli(['layout', output]).stdout).toContain('certificates');
  });

  it('tells a changed byte of a signed file as the signer does', () => {
    const { output } = sign(join(folder, 'linear.efi'));
    const file = new PeBytes(readFileSync(output));
    const at = file.section('.data.read_mostly', 'PointerToRawData') + 0x20;
    file.bytes[at] = (file.bytes[at] ?? 0) ^ 1;
    const path = join(folder, 'changed.efi');
    writeFileSync(path, file.bytes);
    expect(spawnSync('sbverify', ['--cert', certificate, path]).status).not.toBe(0);
    expect(runCli(['linearize', '--verify', path, '--baseline', DUAL]).status).toBe(1);
  });
});
