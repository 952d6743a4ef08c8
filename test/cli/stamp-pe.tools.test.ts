/** `stamp` of PE images as a packager runs it, and what other programs then read. */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { validDocument } from '../support/schema.js';

const XEN = 'xen,1,Xen Project,xen,4.20.0,https://xenproject.org';
const folder = workFolder();
afterAll(() => folder.remove());
const path = (name: string) => join(folder.path, name);

/** A program's output; it has to end well. */
function output(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'latin1' });
  expect(status, `${program} ${args.join(' ')}: ${stderr}`).toBe(0);
  return stdout + stderr;
}

/** The bytes of a section, as objcopy takes them out. */
function section(file: string, name: string): Buffer {
  output('objcopy', '-O', 'binary', `--only-section=${name}`, file, path('section'));
  return readFileSync(path('section'));
}

const SBOM = Buffer.concat([
  Buffer.from('53424f4dd6ba2eaca3e67a52aaee3baf', 'hex'),
  Buffer.of(2, 24, 0, 4, 0, 0, 0, 0),
  Buffer.from('{}\n\n'),
]);

describe('stamp of a PE image', () => {
  const stamped = path('stamped.efi');
  beforeAll(() => {
    writeFileSync(path('sbom.uswid'), SBOM);
    writeFileSync(path('extra'), 'any bytes');
    const stamps = ['--sbat', XEN, '--package-metadata', 'name=dual', '--sbom', path('sbom.uswid')];
    const run = runCli([
      'stamp',
      fixture('dual.efi'),
      '-o',
      stamped,
      ...stamps,
      '--add-section',
      `.own=file:${path('extra')}`,
    ]);
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('verified');
  });

  it('is read by objdump and objcopy', () => {
    const listed = output('objdump', '-h', stamped);
    for (const name of ['.sbat', '.pkgnote', '.sbom', '.own']) expect(listed).toMatch(new RegExp(`\\d \\${name} `));
    expect(section(stamped, '.sbat').toString()).toMatch(/^sbat,1,SBAT Version,.*\nxen,1,Xen Project,.*\n$/);
    expect(section(stamped, '.pkgnote').toString('latin1')).toBe('{"name":"dual"}\0');
    expect(section(stamped, '.sbom').equals(SBOM)).toBe(true);
    expect(section(stamped, '.own').toString()).toBe('any bytes');
    expect(output('nm', stamped)).toBe(output('nm', fixture('dual.efi')));
  });

  it('is signed by sbsign without a gap, and taken by sbverify', () => {
    const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', path('key'), '-out', path('cert')];
    output('openssl', ...made, '-subj', '/CN=test', '-days', '2');
    expect(runCli(['linearize', stamped, '-o', path('linear.efi'), '--tail', '.own']).status).toBe(0);
    const signed = path('signed.efi');
    const told = output('sbsign', '--key', path('key'), '--cert', path('cert'), '--output', signed, path('linear.efi'));
    expect(told).not.toContain('gap in section table');
    expect(output('sbverify', '--cert', path('cert'), signed)).toContain('Signature verification OK');
    const refused = runCli(['stamp', signed, '-o', path('again.efi'), '--sbat', XEN.replace(',1,', ',2,')]);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('[pe.signed]');
    const run = runCli([
      'stamp',
      signed,
      '-o',
      path('again.efi'),
      '--sbat',
      XEN.replace(',1,', ',2,'),
      '--strip-signature',
    ]);
    expect(run.status).toBe(0);
    expect(run.stderr).toContain('sign the result');
    expect(
      output('sbsign', '--key', path('key'), '--cert', path('cert'), '--output', signed, path('again.efi')),
    ).not.toContain('gap in section table');
  });

  it('is shown, checked, compared and verified by the other commands', () => {
    expect(runCli(['stamp', stamped]).stdout).toContain(XEN);
    expect(runCli(['stamp', stamped, '--check']).status).toBe(0);
    const bare = runCli(['stamp', fixture('dual.efi'), '--check']);
    expect(bare.status).toBe(1);
    expect(bare.stderr).toContain('found no SBAT');
    expect(runCli(['notes', stamped]).stdout).toMatch(/SBAT .*\n.*xen,1,/);
    expect(runCli(['diff', fixture('dual.efi'), stamped]).stdout).toContain('.sbat');
    const verified = runCli(['verify', stamped, '--baseline', fixture('dual.efi')]);
    expect(verified.status).toBe(0);
    expect(verified.stdout).toContain('section .sbat: was not there');
  });

  it('prints documents that keep to their schemas', () => {
    const valid = (...args: readonly string[]) => validDocument(runCli([...args, '--json']).stdout);
    valid('stamp', stamped);
    valid('stamp', fixture('dual.efi'));
    valid('stamp', fixture('dual.efi'), '--dry-run', '--sbat', XEN);
    valid('stamp', fixture('dual.efi'), '-o', path('json.efi'), '--sbat', XEN);
    valid('notes', stamped);
  });

  it('is done once, in place too', () => {
    const file = folder.write('once.efi', readFileSync(fixture('dual.efi')));
    expect(runCli(['stamp', file, '--in-place', '--sbat', XEN]).status).toBe(0);
    const { ino, mtimeMs } = statSync(file);
    expect(runCli(['stamp', file, '--in-place', '--sbat', XEN, '--check']).status).toBe(0);
    expect(runCli(['stamp', file, '--in-place', '--sbat', XEN]).stdout).toContain('nothing to change');
    expect([statSync(file).ino, statSync(file).mtimeMs]).toEqual([ino, mtimeMs]);
  });

  it('says whether the output was written, copied or left alone', () => {
    const stamp = (input: string, ...rest: readonly string[]) =>
      runCli(['stamp', input, '-o', path('if.efi'), '--sbat', XEN, ...rest]).stdout;
    expect(stamp(fixture('dual.efi'), '--if-changed')).toMatch(/written to \S*if\.efi, .*\n(.*\n)* {2}verified/);
    expect(stamp(fixture('dual.efi'), '--if-changed')).toMatch(
      /if\.efi holds the result already and was left alone\n$/,
    );
    expect(stamp(stamped)).toMatch(/holds all of that already, copied unchanged to \S*if\.efi\n$/);
    expect(readFileSync(path('if.efi')).equals(readFileSync(stamped))).toBe(true);
  });

  it.each([
    ['--placement', 'append'],
    ['--loaded'],
    ['--not-loaded'],
    ['--must-survive', 'strip'],
    ['--kind', 'kernel'],
    ['--payload', 'extract'],
    ['--compressor', 'gzip', '--payload', 'replace'],
    ['--keep-tail', '--payload', 'extract'],
    ['--build-id', 'sha1'],
    ['--remove', 'A:1'],
    ['--add-note', 'A:1=x'],
  ])('%s is for an ELF, and is not passed over', (...words) => {
    const { status, stderr } = runCli([
      'stamp',
      fixture('dual.efi'),
      '-o',
      path('refused.efi'),
      '--sbat',
      XEN,
      ...words,
    ]);
    expect(stderr).toMatch(/--\S+ is for an ELF file, and \S*dual\.efi is stamped as a PE image/);
    expect(status).toBe(2);
    expect(() => statSync(path('refused.efi'))).toThrow();
  });

  it.each([
    ['a note', ['--note', 'A:1=x', '--sbat', XEN], 'usage.bad'],
    ['a lower generation', ['--sbat', XEN.replace(',1,', ',2,'), '--sbat', XEN], 'pe.sbat-downgrade'],
    ['a line of five fields', ['--sbat', 'xen,1,a,b,c'], 'pe.bad-sbat'],
    ['a bill of materials that is none', ['--sbom', fixture('dual.efi')], 'pe.bad-sbom'],
    ['a section that is there', ['--add-section', `.text=file:${fixture('dual.efi')}`], 'pe.section-exists'],
    ['a section without a file', ['--add-section', '.x=text'], 'usage.bad'],
    ['a file that is not there', ['--sbat', '/nowhere/sbat.csv'], 'plan.bad-file'],
  ])('refuses %s and writes nothing', (_what, stamps, id) => {
    const { status, stderr } = runCli(['stamp', fixture('dual.efi'), '-o', path('refused.efi'), ...stamps]);
    expect(stderr).toContain(`[${id}]`);
    expect(status).toBe(2);
    expect(() => statSync(path('refused.efi'))).toThrow();
  });

  it('says of an ELF that it is no PE image', () => {
    const { status, stderr } = runCli(['stamp', fixture('pvh64-notes'), '-o', path('refused.elf'), '--sbat', XEN]);
    expect(status).toBe(2);
    expect(stderr).toContain('are for a PE image');
  });
});
