import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainTopic } from '../../src/explain/index.js';
import { LOADERS as DOCS } from '../../src/explain/topics/loaders.js';
import { LOADERS } from '../../src/loaders/loaders.js';
import {
  buildsDom0,
  EFI_NAMES,
  guestLoaders,
  isOfFamily,
  LOADER_NAMES,
  LOADER_ROWS,
  rowTargets,
  TARGET_NAMES,
} from '../../src/loaders/names.js';
import { runCli } from '../support/cli.js';

describe('LOADER_ROWS', () => {
  it('has rules and a page of explain for each row, in its order, and no others', () => {
    expect(LOADERS.map(({ name, title }) => ({ name, title }))).toEqual(
      LOADER_ROWS.map(({ name, title }) => ({ name, title })),
    );
    expect(DOCS.map(({ name }) => name)).toEqual([...LOADER_NAMES, ...EFI_NAMES]);
  });

  it.each(TARGET_NAMES)('--for takes %s, and names it where another word is close', (name) => {
    const { stderr } = runCli(['verify', 'no-such-file', '--for', name]);
    expect(stderr).not.toContain('no such loader');
    expect(runCli(['verify', 'no-such-file', '--for', `${name}x`]).stderr).toContain(`--for ${name}`);
  });

  it('leads from the programs behind a loader to its page', () => {
    const names = {
      'linux-loader': 'firecracker',
      multiboot: 'grub-multiboot',
      multiboot2: 'grub-multiboot2',
      qemu: 'qemu-pvh',
      grub: 'grub-xen',
    };
    for (const [alias, name] of Object.entries(names)) {
      expect(explainTopic(alias)).toBeDefined();
      expect(explainTopic(alias)).toEqual(explainTopic(name));
    }
  });

  it('is the only list of loaders: no other file of src has more than one of the four PVH names in code', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const pvh = ["'xen-pvh'", "'xen-dom0-pvh'", "'qemu-pvh'", "'cloud-hypervisor'"];
    const lists = files.filter((file) => {
      const code = readFileSync(join('src', file), 'utf8');
      return pvh.filter((name) => code.includes(name)).length > 1;
    });
    // The rules, the pages and what is said of a kernel of the other kind stand in a table by name; the Xen ones are defined
    // side by side.
    const tables = [
      'edit/fix/entry-advice.ts',
      'explain/topics/loaders.ts',
      'loaders/loaders.ts',
      'loaders/names.ts',
      'loaders/wrapped.ts',
      'web/page/fix-view.ts',
    ];
    expect(lists.sort()).toEqual(tables);
  });
});

const VMMS = ['firecracker', 'cloud-hypervisor', 'libkrun'];

describe('names that stand for rows', () => {
  it('are taken apart, with a version where one program is meant', () => {
    expect(rowTargets(['linux-loader', 'multiboot', 'libkrun@1.19'])).toEqual([
      ...VMMS,
      'grub-multiboot',
      'libkrun@1.19',
    ]);
    expect(rowTargets(['multiboot@2.06', 'multiboot2', 'grub-multiboot@2.06'])).toEqual([
      'grub-multiboot@2.06',
      'grub-multiboot2',
    ]);
    expect(() => rowTargets(['linux-loader@0.14'])).toThrow(expect.objectContaining({ id: 'usage.bad' }));
  });

  it('are what JSON calls a loader that was asked for by them, beside the name of its row', () => {
    const loaders = (...names: string[]) => {
      const asked = names.flatMap((name) => ['--for', name]);
      const { stdout } = runCli(['verify', 'fixtures/cases/libkrun-low-e_entry', '--json', ...asked]);
      const document: { loaders: { loader: string; row: string; version: string }[] } = JSON.parse(stdout);
      return document.loaders.map(({ loader, row, version }) => `${loader} ${row} ${version}`);
    };
    expect(loaders('multiboot@2.06', 'linux-loader', 'grub-multiboot2')).toEqual([
      'linux-loader firecracker main',
      'linux-loader cloud-hypervisor 53.0',
      'linux-loader libkrun main',
      'multiboot grub-multiboot 2.06',
      'grub-multiboot2 grub-multiboot2 2.14',
    ]);
    expect(loaders()).toHaveLength(LOADER_NAMES.length);
  });
});

describe('groups of loaders', () => {
  const all = (is: (name: string) => boolean) => LOADER_NAMES.filter(is);

  it('come from the rows', () => {
    expect(all((name) => isOfFamily(name, 'pv'))).toEqual(['xen-pv', 'xen-dom0-pv', 'grub-xen']);
    expect(all((name) => isOfFamily(name, 'pvh'))).toEqual(['xen-pvh', 'xen-dom0-pvh', 'qemu-pvh', ...VMMS]);
    expect(all((name) => isOfFamily(name, 'multiboot'))).toEqual([
      'qemu-multiboot',
      'grub-multiboot',
      'grub-multiboot2',
    ]);
    expect(all((name) => isOfFamily(name, 'elf'))).toEqual(['crosvm', 'openvmm', 'limine', 'kexec']);
    expect(all(buildsDom0)).toEqual(['xen-dom0-pv', 'xen-dom0-pvh']);
  });

  it('of guests are those that notes alone speak to', () => {
    expect(guestLoaders('pv', 64)).toEqual(['xen-pv']);
    expect(guestLoaders('pvh', 64)).toEqual(['xen-pvh', 'qemu-pvh', ...VMMS]);
    expect(guestLoaders('pvh', 32)).toEqual(['xen-pvh', 'qemu-pvh']);
  });
});
