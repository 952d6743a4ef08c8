import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { LOADER_NAMES } from '../../src/loaders/names.js';
import { runCli, workFolder } from '../support/cli.js';
import { cstr, elf, num } from '../support/elf-builder.js';
import { fixture } from '../support/fixtures.js';
import { validDocument } from '../support/schema.js';

const folder = workFolder();
afterAll(() => folder.remove());
const pvh = fixture('pvh64-notes');
const pv = fixture('pv64-notes');

interface Verdicts {
  readonly ok: boolean;
  readonly xenVersion: string;
  readonly loaders: readonly { readonly loader: string; readonly outcome: string; readonly values: object }[];
}
const document = (...args: string[]) =>
  validDocument(runCli(['verify', '--json', ...args]).stdout) as unknown as Verdicts;

describe('verify: would it load?', () => {
  it('one line for each loader, and none of them decides', () => {
    const { status, stdout, stderr } = runCli(['verify', pvh]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/would it load\? \(Xen 4\.22\)\n {2}xen-pv +no +xc_dom_find_loader/);
    expect(stdout).toMatch(/\n {2}xen-pvh +yes +enters 0x100000, 32-bit, paging off\n/);
    expect(stdout).not.toContain('cure:');
  });

  it('--for decides, and tells the reason and the cure', () => {
    expect(runCli(['verify', pvh, '--for', 'xen-pvh', '--for', 'qemu-pvh']).status).toBe(0);
    const { status, stdout } = runCli(['verify', pvh, '--for', 'xen-pvh', '--for', 'xen-pv']);
    expect(status).toBe(1);
    expect(stdout).toContain('because: ERROR: Will only load images built for the generic loader');
    expect(stdout).not.toContain('grub-xen');
    // A PVH kernel has no code for a PV guest: no note makes it one, and how it is started is the answer.
    expect(stdout).toContain('what to do: this is a PVH kernel');
    expect(stdout).not.toContain('cure:');

    const bytes = readFileSync(pv);
    bytes.write('9', bytes.indexOf('xen-3.0\0') + 4, 'latin1');
    const misspelt = folder.write('misspelt', bytes);
    const told = runCli(['verify', misspelt, '--for', 'xen-pv']);
    expect(told.status).toBe(1);
    expect(told.stdout).toContain("because: ERROR: Xen will only load images built for Xen v3.0 (Not 'xen-9.0')");
    expect(told.stdout).toContain(`fix: xen-elfpatch patch ${misspelt} --set XEN_VERSION=xen-3.0`);
  });

  it('--xen-version chooses the rules, point releases included', () => {
    expect(runCli(['verify', pvh, '--for', 'xen-dom0-pvh', '--xen-version', '4.10']).status).toBe(1);
    expect(runCli(['verify', pvh, '--for', 'xen-dom0-pvh', '--xen-version', '4.11.4']).status).toBe(0);
    expect(document(pvh, '--xen-version', '4.17').xenVersion).toBe('4.17');
  });

  it.each([
    [['--for', 'xen-dom0-pvh@4.20'], ''],
    [['--for', 'xen-dom0-pvh@4.20', '--memory', '1G'], ' (1024 MiB of memory)'],
    [['--for', 'xen-dom0-pvh@4.20', '--for', 'xen-pv'], ' (Xen 4.22)'],
    [['--for', 'xen-pv', '--xen-version', '4.17'], ' (Xen 4.17)'],
  ])('names the release that the rows go by: %j', (words, conditions) => {
    expect(runCli(['verify', pvh, ...words]).stdout).toContain(`would it load?${conditions}\n`);
  });

  it('--for NAME@VERSION chooses the release of one loader, a branch its newest, and names it', () => {
    const image = 'fixtures/cases/xen-dom0-pvh-supported-no-dom0';
    expect(runCli(['verify', image, '--for', 'xen-dom0-pvh@4.20.3']).status).toBe(0);
    const { status, stdout } = runCli(['verify', image, '--for', 'xen-dom0-pvh@4.20']);
    expect(status).toBe(1);
    expect(stdout).toContain('\nxen-dom0-pvh@4.20.4: ');
    expect(stdout).toContain('holds: Xen since 4.22 (and from 4.20.4, 4.21.2)');
    expect(document(image, '--for', 'xen-dom0-pvh@4.20').loaders).toMatchObject([
      { loader: 'xen-dom0-pvh', version: '4.20.4', outcome: 'refused' },
    ]);
    expect(document(image, '--for', 'xen-dom0-pvh', '--xen-version', '4.21.1').loaders).toMatchObject([
      { version: '4.21.1', accepts: true },
    ]);
  });

  it('judges one loader by several releases', () => {
    const image = 'fixtures/cases/grub212-no-section-headers.elf';
    const both = document(image, '--for', 'multiboot@2.06', '--for', 'multiboot@2.12');
    expect(both).toMatchObject({
      ok: false,
      loaders: [
        { version: '2.06', accepts: true },
        { version: '2.12', accepts: false },
      ],
    });
  });

  it.each([
    [['--for', 'xen-pv@4.99'], 'Known are: 4.7.0 to 4.7.6'],
    [['--for', 'qemu-pvh@8'], '7.2.0 to 7.2.22'],
    [['--for', 'xen-pv@4.20', '--xen-version', '4.19'], 'contradicts'],
    [['--for', 'xen-pv@4.20.3', '--xen-version', '4.20'], 'contradicts'],
    [['--xen-version', '4.20.9'], '4.20.0 to 4.20.4'],
  ])('%j is usage.bad', (options, says) => {
    for (const command of ['verify', 'fix']) {
      const { status, stderr } = runCli([command, pvh, ...options]);
      expect(status).toBe(2);
      expect(stderr).toContain('[usage.bad]');
      expect(stderr).toContain(says);
    }
  });

  it('--rules lists them in order', () => {
    const { stdout } = runCli(['verify', pvh, '--for', 'xen-pvh', '--rules']);
    expect(stdout).toMatch(/rules, in xen-pvh's order:\n {4}file-size +passed/);
  });

  it('--json holds every verdict, and is valid', () => {
    const all = document(pv);
    expect(all).toMatchObject({ ok: true, xenVersion: '4.22' });
    expect(all.loaders).toHaveLength(LOADER_NAMES.length);
    expect(all.loaders.find(({ loader }) => loader === 'xen-pv')).toMatchObject({
      outcome: 'accepted',
      accepts: true,
      values: { entry: '0xffffffff80100000', virtBase: '0xffffffff80000000', xenVersion: 'xen-3.0' },
    });
    expect(document(pv, '--for', 'xen-pvh')).toMatchObject({ ok: false });
  });

  it('loaders are asked about an image that this reader refuses, when they are named', () => {
    const lax = elf()
      .header({ e_machine: 62, e_entry: 0x100000n })
      .load(0x100000n, new Uint8Array(64))
      .noteSegment([{ type: 18, desc: num(0x100000n, 4, { bits: 64, endian: 'little' }) }])
      .build();
    lax[6] = 0;
    const path = folder.write('ei-version-0', lax);
    expect(runCli(['verify', path]).status).toBe(2);
    const { status, stdout } = runCli(['verify', path, '--for', 'qemu-pvh', '--json']);
    expect(status).toBe(0);
    expect(validDocument(stdout)).toMatchObject({ ok: true, malformed: { id: 'read.bad-class' } });
    expect(runCli(['verify', path, '--for', 'kexec']).status).toBe(1);
  });

  it('a loader or a release that does not exist is a mistake', () => {
    expect(runCli(['verify', pvh, '--for', 'xen-pvhh'])).toMatchObject({ status: 2, stdout: '' });
    expect(runCli(['verify', pvh, '--for', 'xen-pvhh']).stderr).toContain('--for xen-pvh');
    expect(runCli(['verify', pvh, '--xen-version', '4.6']).stderr).toContain('wanted 4.7 to 4.22');
  });
});

describe('patch: a loader that the edit loses', () => {
  it('is warned of, and nothing is said when none is lost', () => {
    const lost = runCli(['patch', pv, '--unset', 'XEN_VERSION', '-o', `${folder.path}/lost`]);
    expect(lost.status).toBe(0);
    expect(lost.stderr).toMatch(/xen-pv took it so far, and will not any more: .*built for Xen v3\.0 \(Not ''\)/);
    const kept = runCli(['patch', pv, '--set', 'GUEST_VERSION=1', '-o', `${folder.path}/kept`]);
    expect(kept).toMatchObject({ status: 0, stderr: '' });
  });

  it('a multiboot kernel keeps its loaders', () => {
    const { status, stderr } = runCli([
      'patch',
      fixture('mb1'),
      '--set',
      `GUEST_OS=hex:${Buffer.from(cstr('x')).toString('hex')}`,
      '-o',
      `${folder.path}/mb1`,
    ]);
    expect(status).toBe(0);
    expect(stderr).not.toContain('multiboot took it');
  });
});
