import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainTopic } from '../../src/explain/index.js';
import { LOADERS as DOCS } from '../../src/explain/topics/loaders.js';
import { LOADERS } from '../../src/loaders/loaders.js';
import { buildsDom0, guestLoaders, isOfFamily, LOADER_NAMES, LOADER_ROWS } from '../../src/loaders/names.js';
import { runCli } from '../support/cli.js';

describe('LOADER_ROWS', () => {
  it('has rules and a page of explain for each row, in its order, and no others', () => {
    expect(LOADERS.map(({ name, title }) => ({ name, title }))).toEqual(
      LOADER_ROWS.map(({ name, title }) => ({ name, title })),
    );
    expect(DOCS.map(({ name }) => name)).toEqual([...LOADER_NAMES]);
  });

  it.each(LOADER_NAMES)('--for takes %s, and names it where another word is close', (name) => {
    const { stderr } = runCli(['verify', 'no-such-file', '--for', name]);
    expect(stderr).not.toContain('no such loader');
    expect(runCli(['verify', 'no-such-file', '--for', `${name}x`]).stderr).toContain(`--for ${name}`);
  });

  it('leads from the programs behind a loader to its page', () => {
    const names = {
      firecracker: 'linux-loader',
      'cloud-hypervisor': 'linux-loader',
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
    const pvh = ["'xen-pvh'", "'xen-dom0-pvh'", "'qemu-pvh'", "'linux-loader'"];
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
    ];
    expect(lists.sort()).toEqual(tables);
  });
});

describe('groups of loaders', () => {
  const all = (is: (name: string) => boolean) => LOADER_NAMES.filter(is);

  it('come from the rows', () => {
    expect(all((name) => isOfFamily(name, 'pv'))).toEqual(['xen-pv', 'xen-dom0-pv', 'grub-xen']);
    expect(all((name) => isOfFamily(name, 'pvh'))).toEqual(['xen-pvh', 'xen-dom0-pvh', 'qemu-pvh', 'linux-loader']);
    expect(all((name) => isOfFamily(name, 'multiboot'))).toEqual(['multiboot', 'multiboot2']);
    expect(all(buildsDom0)).toEqual(['xen-dom0-pv', 'xen-dom0-pvh']);
  });

  it('of guests are those that notes alone speak to', () => {
    expect(guestLoaders('pv', 64)).toEqual(['xen-pv']);
    expect(guestLoaders('pvh', 64)).toEqual(['xen-pvh', 'qemu-pvh', 'linux-loader']);
    expect(guestLoaders('pvh', 32)).toEqual(['xen-pvh', 'qemu-pvh']);
  });
});
