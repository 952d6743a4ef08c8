/** `xen-elfpatch mkelf32`, spawned. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli, workFolder } from '../../support/cli.js';
import { realImage } from '../../support/images.js';
import { validDocument } from '../../support/schema.js';
import { simple, wrap } from './support.js';

const folder = workFolder();
afterAll(() => folder.remove());
const bytes = simple(0x2000, 0x3000n, { at: 0x100n, size: 0x24n });
const file = folder.write('in', bytes);
const out = join(folder.path, 'out');
const result = () => readFileSync(out);

const run = (...args: string[]) => runCli(['mkelf32', ...args]);

describe('mkelf32', () => {
  it('writes as the newest release and tells what', () => {
    const { status, stdout, stderr } = run('--notes', file, out, '0x200000');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/out: \d+ bytes, as Xen 4\.20\.4, 4\.21\.2, 4\.22 writes it\n {2}entry +0x200000\n/);
    expect(result().equals(wrap(bytes, { notes: true }))).toBe(true);
  });

  it('--compat: as the release named, with its final address; --notes in any place', () => {
    expect(run(file, out, '--compat', '4.17.7', '0x200000', '0xffff82d040205001', '--notes').status).toBe(0);
    const request = { notes: true, release: '4.17.7', finalExec: 0xffff82d040205001n };
    expect(result().equals(wrap(bytes, request))).toBe(true);
  });

  it('reads standard input and writes standard output', () => {
    const { status, stdout } = runCli(['mkelf32', '--notes', '-', out, '200000'], { input: bytes });
    expect(status).toBe(0);
    expect(stdout).toContain('as Xen');
    expect(result().equals(wrap(bytes, { notes: true }))).toBe(true);
    expect(run('--notes', file, '-', '200000').stdout.slice(1, 4)).toBe('ELF');
  });

  it('says which loaders would start the result', () => {
    const xen = run('--notes', realImage('xen-syms').path, out, '0x200000');
    expect(xen.stdout).toMatch(/\n {2}loaders {2}.*\bgrub-multiboot, grub-multiboot2\b.* would start it\n$/);
    expect(run('--notes', file, out, '0').stdout).toContain('loaders  none would start it');
    const json = validDocument(run('--json', '--notes', realImage('xen-syms').path, out, '0x200000').stdout);
    expect(json['loaders']).toContainEqual({ name: 'grub-multiboot2', accepts: true });
    expect(json['loaders']).toContainEqual({ name: 'xen-pv', accepts: false });
    expect(validDocument(run('--json', '--notes', file, '/dev/null', '0').stdout)).toMatchObject({ loaders: null });
  });

  it('--json is a valid document', () => {
    const document = validDocument(run('--notes', '--json', file, out, '0x200000').stdout);
    expect(document).toMatchObject({ compat: '4.22.0', notes: { address: '0x100', size: '0x24' }, warnings: [] });
  });

  it('--list-compat lists every behaviour, as text and as a valid document', () => {
    const lines = run('--list-compat').stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(9);
    expect(lines.filter((line) => line.includes('4.22.0 (default)'))).toHaveLength(1);
    expect(validDocument(run('--list-compat', '--json').stdout)).toMatchObject({ variants: { length: 8 } });
  });

  it.each([
    ['a number that only C takes', ['zz'], 'LOAD-BASE zz is no plain hexadecimal number; it counts as 0x0'],
    ['a final address that is not used', ['0', '0x1'], 'FINAL-EXEC is ignored'],
    ['padding left to chance', ['0', '0x0', '--compat', '4.7.0'], 'leaves 12 or 44 bytes'],
  ])('warns of %s', (_, words, warning) => {
    const { status, stderr } = run('--notes', file, out, ...words);
    expect(status).toBe(0);
    expect(stderr).toContain(`xen-elfpatch: warning: ${file}: `);
    expect(stderr).toContain(warning);
  });

  it.each([
    ['no words', [], 'usage.bad'],
    ['too many', ['--notes', file, out, '0', '0', '0'], 'usage.bad'],
    ['a release that is not known', ['--compat', '9.9', file, out, '0'], 'mkelf32.release'],
    ['--compat with --tidy', ['--compat', '4.17', '--tidy', file, out, '0'], 'usage.bad'],
    ['--compat with --note', ['--compat', '4.17', '--note', 'LOADER=generic', file, out, '0'], 'usage.bad'],
    ['an unknown --keep', ['--keep', 'all', file, out, '0'], 'usage.bad'],
    ['no final address', ['--compat', '4.17', '--notes', file, out, '0'], 'mkelf32.no-final'],
    ['output that is input', ['--notes', file, file, '0'], 'mkelf32.same-file'],
    ['a note that nobody knows', ['--note', 'ENTRI=1', file, out, '0'], 'note.unknown-name'],
    ['a text for --tidy', ['--tidy', file, out, 'zz'], 'usage.bad'],
  ])('refuses %s: exit 2, the output as it was', (_, words, id) => {
    writeFileSync(out, 'old');
    const { status, stdout, stderr } = run(...words);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr.split('\n')[0]).toMatch(new RegExp(`^xen-elfpatch: .* \\[${id.replace('.', '\\.')}\\]$`));
    expect(result().toString()).toBe('old');
  });

  it('refuses - as OUT with --json: both want standard output', () => {
    const { status, stdout } = run('--json', '--notes', file, '-', '0');
    expect(status).toBe(2);
    expect(validDocument(stdout)).toMatchObject({ errors: [{ id: 'usage.bad' }] });
  });

  it('says in one line what the original says in two', () => {
    const late = folder.write('late', simple(0x800, 0x3000n, { at: 0x100n, size: 0x24n }));
    const { status, stderr } = run('--compat', '4.17.7', '--notes', late, out, '0', '0');
    expect(status).toBe(2);
    expect(stderr).toContain(
      `${late}: Expected .note section within .text section! Offset 4352 not within 2048! [mkelf32.note-outside]\n  hint: `,
    );
  });
});
