import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../src/base/errors/problems.js';
import { PRESET_SYMBOLS, PVH_START_SYMBOLS } from '../../src/edit/elf/plan/presets.js';
import {
  explainIndex,
  explainTopic,
  indexTopic,
  problemIndex,
  type Topic,
  topicNames,
} from '../../src/explain/index.js';
import { FEATURE_MEANINGS } from '../../src/explain/topics/features.js';
import { FEATURES } from '../../src/formats/note/features.js';
import { XEN_NOTES } from '../../src/formats/note/xen-notes.js';
import { complaint, split } from './commands.js';

const names = topicNames();

function topic(name: string): Topic {
  const found = explainTopic(name);
  if (found === undefined) throw new Error(`no topic ${name}`);
  return found;
}

const bodies: [string, string][] = [
  ['(index)', explainIndex()],
  ...names.map((n): [string, string] => [n, topic(n).body]),
];

/** Command lines of a text, continuation lines joined. */
function commandsIn(body: string): string[] {
  return body
    .replace(/ \\\n\s+/g, ' ')
    .split('\n')
    .map((line) => /^\s+\$ (xen-elfpatch .*)$/.exec(line)?.[1])
    .filter((line) => line !== undefined);
}

describe('explainTopic(), notes', () => {
  it.each(XEN_NOTES.map((info) => [info.name, info] as const))(
    '%s by name, any case, prefix and number',
    (name, info) => {
      const { body, json } = topic(name);
      expect(body.startsWith(`XEN_ELFNOTE_${name}\n`)).toBe(true);
      for (const way of [
        `XEN_ELFNOTE_${name}`,
        `xen_elfnote_${name.toLowerCase()}`,
        String(info.type),
        `0x${info.type.toString(16)}`,
      ]) {
        expect(explainTopic(way)?.body).toBe(body);
      }
      expect(json).toMatchObject({ kind: 'note', note: name, type: info.type, legacyKey: info.legacyKey ?? null });
      expect(body).toContain(`${info.type} (0x${info.type.toString(16)})`);
      expect(body).toContain(info.legacyKey ?? 'none');
    },
  );

  it.each(XEN_NOTES.map((info) => [info.name] as const))(
    '%s tells readers, mistakes and an example that sets it',
    (name) => {
      const { body } = topic(name);
      expect(body).toMatch(/\nWho reads it\n-+\n\n {2}\S/);
      expect(body).toMatch(/\nWhat goes wrong\n-+\n\n {2}\S/);
      const uses = commandsIn(body).some((line) => split(line).some((word) => word.startsWith(`${name}=`)));
      const byPreset = commandsIn(body).some((line) => line.includes('--preset'));
      expect(uses || byPreset).toBe(true);
    },
  );

  it('names all four kinds of guest wherever a loader acts on the note', () => {
    const silent = ['INFO', 'GUEST_VERSION', 'L1_MFN_VALID'];
    for (const { name } of XEN_NOTES.filter((info) => !silent.includes(info.name))) {
      for (const guest of ['PV DomU', 'PV dom0', 'PVH DomU', 'PVH dom0'])
        expect(topic(name).body, name).toContain(guest);
    }
  });

  it('answers nothing for a number Xen has no name for', () => {
    expect(explainTopic('20')).toBeUndefined();
    expect(explainTopic('0x1b')).toBeUndefined();
    expect(explainTopic('99999999999999999999')).toBeUndefined();
  });
});

describe('explainTopic(), topics', () => {
  it.each([
    'pvh',
    'pv',
    'presets',
    'values',
    'placements',
    'survival',
    'loaders',
    'features',
    'legacy',
    'messages',
    'problems',
  ])('%s is a topic of the index', (name) => {
    expect(names).toContain(name);
    expect(explainIndex()).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  });

  it('keeps the topic features and the note FEATURES apart', () => {
    expect(topic('features').body).toContain('writable_page_tables');
    expect(topic('FEATURES').body).toMatch(/^XEN_ELFNOTE_FEATURES\n/);
  });

  it.each([
    'pv32',
    'pvh+dom0',
    'extend',
    'in-place',
    'qemu-pvh',
    'grub-xen',
    'firecracker',
    'linux-loader',
    'multiboot',
    'multiboot2',
    '__xen_guest',
    'PVH',
    'dom0',
    'ARM_SMCCC_supported',
  ])('knows %s', (name) => {
    expect(explainTopic(name)).toBeDefined();
  });

  it.each(['', ' ', 'nonsense', 'placementz', 'kernel', 'toString', 'constructor', '__proto__', 'hasOwnProperty'])(
    'answers nothing for %j',
    (name) => {
      expect(explainTopic(name)).toBeUndefined();
    },
  );

  it('describes every preset, placement and loader of the contract', () => {
    for (const preset of ['pv', 'pv32', 'pvh', 'pv+pvh', '+dom0']) expect(topic('presets').body).toContain(preset);
    for (const name of ['in-place', 'grow', 'append', 'extend', 'move-table', 'shift', 'new-load', 'new-table']) {
      expect(topic('placements').body).toContain(`\n${name}\n---`);
      expect(topic(name).title).toContain(name);
    }
    for (const name of [
      'xen-pv',
      'xen-pvh',
      'xen-dom0-pv',
      'xen-dom0-pvh',
      'qemu-pvh',
      'qemu-multiboot',
      'firecracker',
      'cloud-hypervisor',
      'libkrun',
      'grub-xen',
      'grub-multiboot',
      'grub-multiboot2',
    ]) {
      expect(topic('loaders').body).toContain(`\n${name}: `);
      expect(topic(name).title).toContain(name);
    }
  });
});

describe('features', () => {
  it('have words for names that exist, and a row for each bit', () => {
    const known = FEATURES.map((feature) => feature.name);
    for (const name of Object.keys(FEATURE_MEANINGS)) expect(known).toContain(name);
    for (const { bit, name } of FEATURES) {
      expect(topic('features').body).toMatch(new RegExp(`^ {2}${bit} +0x${(2 ** bit).toString(16)} +${name} `, 'm'));
    }
  });
});

describe('problems', () => {
  it.each(Object.entries(PROBLEMS))('%s has a meaning, and a page of its own', (id, problem) => {
    expect(problem.meaning.length).toBeGreaterThan(40);
    const { body, json } = topic(id);
    expect(body.replace(/\s+/g, ' ')).toContain(problem.meaning);
    expect(body).toContain(`exit status  ${problem.exit}`);
    expect(json).toMatchObject({ kind: 'problem', id, exit: problem.exit });
    expect(topic('problems').body).toContain(`  ${id} `);
  });

  it('problemIndex() adds what it is given', () => {
    const { body, json } = problemIndex([
      { id: 'load-in-file', meaning: 'A loader copies p_filesz bytes from p_offset.' },
    ]);
    expect(body).toMatch(/load-in-file\s+A loader copies/);
    expect(body).toContain('read.truncated');
    expect(json).toMatchObject({ checks: [{ id: 'load-in-file' }] });
  });
});

describe('the texts', () => {
  it.each(bodies)('%s stays within 80 columns, without tabs and trailing blanks', (_, body) => {
    for (const line of body.split('\n')) {
      expect(line.length, line).toBeLessThanOrEqual(80);
      expect(line).not.toMatch(/\s$|\t/);
    }
    expect(body).toMatch(/[^\n]\n$/);
  });

  it.each(bodies)('%s shows only command lines that the command takes', (_, body) => {
    for (const line of commandsIn(body)) expect(complaint(line), line).toBeUndefined();
  });

  it('there are command lines to check', () => {
    expect(bodies.flatMap(([, body]) => commandsIn(body)).length).toBeGreaterThan(60);
    expect(complaint('xen-elfpatch patch a --set PHYS32_ENTRI=1 -o b')).toBe('--set PHYS32_ENTRI=1');
    expect(complaint('xen-elfpatch patch a --set ENTRY=startup -o b')).toBe('--set ENTRY=startup');
    expect(complaint('xen-elfpatch patch a --preset pvx -o b')).toBe('--preset pvx');
    expect(complaint('xen-elfpatch patch a --preset pvh')).toBeDefined();
  });

  it.each(bodies)('%s refers only to what explain knows', (name, body) => {
    const flat = body.replace(/\s+/g, ' ');
    for (const [, quoted, word] of flat.matchAll(/explain (?:"([^"]+)"|([A-Za-z_][\w.+-]*\w))/g)) {
      const asked = quoted ?? word ?? '';
      if (['takes', 'tells', 'describes'].includes(asked) || asked === 'NAME' || asked === 'ID') continue;
      expect(explainTopic(asked), `${name}: explain ${asked}`).toBeDefined();
    }
  });

  it('every json is plain data', () => {
    expect(JSON.parse(JSON.stringify(indexTopic().json))).toEqual(indexTopic().json);
    expect(indexTopic().json).toMatchObject({
      kind: 'index',
      notes: XEN_NOTES.map(({ type, name }) => ({ type, name })),
    });
    for (const name of names) {
      const { json } = topic(name);
      expect(JSON.parse(JSON.stringify(json)), name).toEqual(json);
    }
  });
});

describe('explain presets', () => {
  it('names every symbol that a preset looks for, those of PVH in the order in which they are tried', () => {
    const { body } = topic('presets');
    for (const symbol of PRESET_SYMBOLS) expect(body).toMatch(new RegExp(`(?<![\\w])${symbol}(?!\\w)`));
    expect(body.replace(/\s+/g, ' ')).toContain([...PVH_START_SYMBOLS, '_start'].join(', '));
  });
});
