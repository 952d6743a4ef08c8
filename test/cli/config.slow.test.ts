/** `--config`: settings of a project, as if they had been typed, and only where the file is named. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { COMMANDS } from '../../src/cli/commands.js';
import { CONFIG_KEYS, loadConfig, parseConfig } from '../../src/cli/config.js';
import { runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';

const folder = workFolder();
afterAll(() => folder.remove());
const at = (name: string) => join(folder.path, name);
const KERNEL = fixture('pvh64-high-bare');
const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(
  JSON.parse(readFileSync('schema/config.schema.json', 'utf8')),
);

const FULL = `loaders: [qemu-pvh, xen-pvh@4.20]
mustSurvive: [strip, eu-strip]
preset: pvh
notes:
  GUEST_OS: from the file
  PHYS32_ENTRY: phys:_start
packageMetadata: { name: kernel, version: "1.10" }
buildId: sha256
`;

describe('--config', () => {
  const config = folder.write('elfpatch.yaml', Buffer.from(FULL));
  it('patch takes its notes from it, and what is typed comes first', () => {
    expect(runCli(['patch', KERNEL, '-o', at('a'), '--config', config]).status).toBe(0);
    expect(runCli(['notes', at('a')]).stdout).toContain('"from the file"');
    expect(runCli(['patch', KERNEL, '-o', at('b'), '--config', config, '--set', 'GUEST_OS=typed']).status).toBe(0);
    expect(runCli(['notes', at('b')]).stdout).toContain('"typed"');
    expect(runCli(['notes', at('b')]).stdout).not.toContain('"from the file"');
  });

  it('verify asks the loaders of it, fix too, and stamp writes its stamps', () => {
    expect(runCli(['verify', fixture('pvh64-bare'), '--config', config]).status).toBe(1);
    expect(runCli(['verify', fixture('pvh64-bare')]).status).toBe(0);
    expect(runCli(['verify', at('a'), '--config', config, '--json']).stdout).toContain('"version": "4.20');
    expect(runCli(['fix', fixture('pvh64-bare'), '--config', config, '--json']).stdout).toContain(
      '"loader": "qemu-pvh"',
    );
    expect(runCli(['stamp', KERNEL, '-o', at('s'), '--config', config])).toMatchObject({ status: 0 });
    expect(runCli(['stamp', at('s')]).stdout).toContain('"version":"1.10"');
  });

  it('nothing is read that is not named', () => {
    const { stdout } = runCli(['patch', KERNEL, '--preset', 'pvh', '-o', at('c'), '-v'], { cwd: folder.path });
    expect(stdout).not.toContain('from the file');
  });

  it('--print-config says what is read of it, as options, and does nothing', () => {
    const { status, stdout } = runCli(['verify', '--config', config, '--print-config']);
    expect(status).toBe(0);
    expect(stdout).toContain('--for=qemu-pvh\n--for=xen-pvh@4.20\n# not for verify: --must-survive=strip\n');
    expect(runCli(['verify', KERNEL, '--print-config']).stderr).toContain('--print-config goes with --config');
  });

  it.each([
    ['loader: qemu-pvh\n', ':1: loader: found an unknown key, wanted loaders'],
    ['preset: pvh\nloaders:\n  - [x]\n', ':3: loaders[0]: found no word, wanted one'],
    ['preset: pvh\nnotes: GUEST_OS\n', ':2: notes: found no mapping, wanted names with a value each'],
    ['notes:\n  A:\n    b: c\n', ':3: notes.A: found no word, wanted one'],
    ['- a\n', ':1: found no mapping, wanted settings by name'],
    ['a: [\n', ':'],
    ['buildId:\n', 'buildId: found no word, wanted one'],
    ['{"preset": "pvh",\n"loadrs": []}\n', ':2: loadrs: found an unknown key, wanted loaders'],
  ])('%j is refused with file, line and key, and nothing is written', (text, told) => {
    const bad = folder.write('bad.yaml', Buffer.from(text));
    const { status, stderr } = runCli(['patch', KERNEL, '--preset', 'pvh', '-o', at('not'), '--config', bad]);
    expect(status).toBe(2);
    expect(stderr).toContain(`xen-elfpatch: ${bad}${told.startsWith(':') ? told : ''}`);
    expect(stderr).toContain(told);
    expect(stderr).toMatch(/\[config\.bad\]\n {2}hint: /);
    expect(runCli(['notes', at('not')]).status).toBe(2);
  });

  it.each([
    ['xenVersion: 4.17\n', ['--for', 'xen-pvh@4.20'], 'xenVersion'],
    ['loaders: [xen-pvh@4.20]\n', ['--xen-version', '4.17'], 'loaders'],
  ])('%j against %j, which was typed, is refused by the file and the key', (text, words, key) => {
    const one = folder.write('one.yaml', Buffer.from(text));
    const { status, stderr } = runCli(['verify', KERNEL, ...words, '--config', one]);
    expect(status).toBe(2);
    expect(stderr).toContain(
      `xen-elfpatch: ${one}: ${key}: --xen-version 4.17 (4.17.7) contradicts --for xen-pvh@4.20`,
    );
    expect(stderr).toContain('hint: One stands in this file, the other was typed');
  });

  it('what is wrong with the words that were typed is not laid to the file', () => {
    const one = folder.write('two.yaml', Buffer.from('xenVersion: 4.17\n'));
    for (const word of ['xen-pv@9', 'xen-vp']) {
      expect(runCli(['verify', KERNEL, '--for', word, '--config', one]).stderr).toContain(
        `xen-elfpatch: --for ${word}: no such`,
      );
    }
  });

  it('a file that is not there is refused', () => {
    expect(runCli(['verify', KERNEL, '--config', 'nowhere.yaml']).status).toBe(2);
  });

  // Each key with a word that its option does not take: where in the file, what was found, and what was likely meant.
  const BAD_VALUES: readonly (readonly [text: string, key: string, place: string, told: string, hint: string])[] = [
    ['loaders: [qemu-phv]', 'loaders', '1: loaders[0]', 'no such loader', 'Did you mean --for qemu-pvh?'],
    ['loaders:\n- xen-pv\n- xen-pvh@9', 'loaders', '3: loaders[1]', 'no such release of Xen', 'Known are: '],
    ['xenVersion: 9.9', 'xenVersion', '1: xenVersion', 'wanted 4.', ''],
    ['xenVersion: "4.17"\nloaders: xen-pv@4.20', 'xenVersion', '1: xenVersion', 'contradicts', 'Name the release once'],
    ['preset: pvh\nmemory: 512', 'memory', '2: memory', 'wanted a size', '--memory 512M is MiB'],
    ['mustSurvive: [strip, stripp]', 'mustSurvive', '1: mustSurvive[1]', 'is stripp', 'Did you mean strip?'],
    ['mustSurvive: strip,objcpy', 'mustSurvive', '1: mustSurvive', 'is objcpy', 'Did you mean objcopy?'],
    ['preset: phv', 'preset', '1: preset', 'found the preset phv', 'Did you mean pvh?'],
    ['notes:\n  INIT_P2M: 0\n  GUESTOS: x', 'notes', '3: notes.GUESTOS', 'GUESTOS', 'Did you mean GUEST_OS'],
    ['notes: { PHYS32_ENTRY: start }', 'notes', '1: notes.PHYS32_ENTRY', 'wanted a decimal', ''],
    ['notes: { FEATURES: "!dmo0" }', 'notes', '1: notes.FEATURES', 'dmo0', 'Did you mean !dom0?'],
    ['placement: apend', 'placement', '1: placement', 'is apend', 'Did you mean append?'],
    ['packageMetadata:\n  "": x', 'packageMetadata', '2: packageMetadata.', 'found the key ""', ''],
    ['packageMetadata: { name: "a\\tb" }', 'packageMetadata', '1: packageMetadata.name', 'control character', ''],
    ['buildId: sha265', 'buildId', '1: buildId', 'is sha265', 'Did you mean sha256?'],
    ['stamps:\n  "Vendor": x', 'stamps', '2: stamps.Vendor', 'wanted OWNER:TYPE', '--note Vendor:1=text'],
    ['stamps: { "A:1/3": 1 }', 'stamps', '1: stamps.A:1/3', 'wanted a width', ''],
    ['stamps: { "Xen:18/3=file:x": 1 }', 'stamps', '1: stamps.Xen:18/3', '', ''],
  ];
  it.each(BAD_VALUES)('%j is refused by its line and member', (text, _key, place, told, hint) => {
    expect(() => parseConfig(text, 'x.yaml')).toThrow(
      expect.objectContaining({
        id: 'config.bad',
        message: expect.stringContaining(`x.yaml:${place}`),
        detail: expect.stringContaining(told),
        hint: expect.stringMatching(/./),
      }),
    );
    expect(() => parseConfig(text, 'x.yaml')).toThrow(expect.objectContaining({ hint: expect.stringContaining(hint) }));
  });

  it('so it is by every command, whether it has that option or not', () => {
    const bad = folder.write('value.yaml', Buffer.from('preset: phv\n'));
    for (const words of [
      ['patch', KERNEL, '--preset', 'pvh', '-o', at('not')],
      ['verify', KERNEL],
      ['verify', '--print-config'],
    ]) {
      const { status, stdout, stderr } = runCli([...words, '--config', bad]);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toContain(`xen-elfpatch: ${bad}:1: preset: found the preset phv`);
      expect(stderr).toContain('[config.bad]\n  hint: Did you mean pvh?\n');
    }
    expect(existsSync(at('not'))).toBe(false);
  });

  it('bytes that are no UTF-8, and nesting without end, are refused', () => {
    const latin = folder.write('latin.yaml', Buffer.from('packageMetadata: { name: caf\xe9 }\n', 'latin1'));
    expect(() => loadConfig(latin)).toThrow('latin.yaml: found bytes that are no UTF-8, wanted text [config.bad]');
    expect(loadConfig(folder.write('mark.yaml', Buffer.from('\ufeffpreset: pvh\n'))).get('preset')).toEqual(['pvh']);
    expect(() => parseConfig(`preset: ${'['.repeat(10_000)}`, 'x.yaml')).toThrow(
      expect.objectContaining({ id: 'config.bad', message: expect.stringContaining('x.yaml:1: ') }),
    );
  });

  it('a row above is about each key', () => {
    expect([...new Set(BAD_VALUES.map(([, key]) => key))].sort()).toEqual(Object.keys(CONFIG_KEYS).sort());
  });
});

describe('the schema for editors', () => {
  it('has the keys that are read, with their shapes', () => {
    const { properties } = JSON.parse(readFileSync('schema/config.schema.json', 'utf8'));
    const shapes = Object.entries<{ $ref: string }>(properties).map(([key, { $ref }]) => [
      key,
      $ref.replace('#/$defs/', ''),
    ]);
    expect(shapes).toEqual(Object.entries(CONFIG_KEYS).map(([key, { shape }]) => [key, shape]));
  });

  it('takes what is taken, and refuses what is refused', () => {
    for (const text of [FULL, '', 'loaders: qemu-pvh\n']) {
      expect(validate(parse(text))).toBe(true);
    }
    for (const text of ['loader: x\n', 'loaders: [[x]]\n', 'notes: x\n', '- a\n'])
      expect(validate(parse(text))).toBe(false);
  });

  it('every key stands for an option of a command', () => {
    const all = new Set(COMMANDS.flatMap(({ shape }) => Object.keys(shape.options)));
    for (const { option } of Object.values(CONFIG_KEYS)) expect([...all]).toContain(option);
  });
});
