import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainIndex, topicNames } from '../../src/explain/index.js';
import { checkNames, topicWithChecks } from '../../src/report/check-pages.js';
import { explainDocument } from '../../src/report/explain-report.js';
import { runCli } from '../support/cli.js';
import { validDocument } from '../support/schema.js';

describe('explain', () => {
  it('without a name prints the index', () => {
    expect(runCli(['explain'])).toMatchObject({ status: 0, stderr: '', stdout: explainIndex() });
  });

  it.each(['ENTRY', 'xen_elfnote_phys32_entry', '0x12', 'presets', 'usage.bad', 'tables-apart'])(
    'explains %s',
    (name) => {
      const { status, stdout, stderr } = runCli(['explain', name]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout.split('\n')[1]).toMatch(/^=+$/);
    },
  );

  it('takes the words of a message without quotes', () => {
    expect(runCli(['explain', 'without', 'PVH', 'ELF', 'Note']).stdout).toContain('QEMU');
  });

  it('lists problems and checks', () => {
    const { stdout } = runCli(['explain', 'problems']);
    expect(stdout).toContain('read.not-elf');
    for (const name of checkNames()) expect(stdout).toContain(name);
  });

  it('an unknown name is refused with the nearest', () => {
    expect(runCli(['explain', 'PHYS32'])).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('hint: Did you mean PHYS32_ENTRY'),
    });
  });

  it('- reads a log, and answers what it says, reasons first', () => {
    const input = Buffer.from(
      '(XEN) *** Building a PV Dom0 ***\r\n(XEN) Panic on CPU 0:\r\n(XEN) Could not construct domain 0\r\n' +
        '(XEN) [2026-08-01 10:11:12] ELF: ERROR: ELF start or entries are out of bounds\r\n',
    );
    const { status, stdout } = runCli(['explain', '-'], { input });
    expect(status).toBe(0);
    expect(stdout.split('\n').slice(0, 10).join('\n')).toContain('ELF start or entries are out of bounds');
    expect(stdout).toContain('The panic that ends every refused dom0 kernel');
    expect(stdout).not.toContain('What Xen read');
  });

  it('a log that nothing is known about is told by its first line and the nearest message', () => {
    const input = Buffer.from(`${'booting\n'.repeat(300)}cannot find a multiboot header\nthe end of it all\n`);
    const { status, stderr } = runCli(['explain', '-'], { input });
    expect(status).toBe(2);
    expect(stderr).toContain('nothing is known about booting and 301 more lines');
    expect(stderr).toContain('"no multiboot header found"');
    expect(runCli(['explain', '-'], { input: Buffer.from('\n') }).stderr).toContain('holds no line, wanted a log');
  });

  it('--json is one valid document', () => {
    expect(validDocument(runCli(['explain', '--json', 'ENTRY']).stdout)).toMatchObject({ topic: { kind: 'note' } });
    expect(validDocument(runCli(['explain', '--json']).stdout)).toMatchObject({ topic: { kind: 'index' } });
    expect(validDocument(runCli(['explain', '--json', 'nothing-of-that-name']).stdout)).toMatchObject({ exit: 2 });
  });

  it('every name of a check that stands in src/verify has a page', () => {
    const folder = join(import.meta.dirname, '../../src/verify');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const names = files.flatMap((file) =>
      [...readFileSync(join(folder, file), 'utf8').matchAll(/^ +name: '([^']+)',$/gm)].map(([, name = '']) => name),
    );
    expect(names.length).toBeGreaterThan(100);
    expect(names.filter((name) => topicWithChecks(name) === undefined)).toEqual([]);
  });

  it.each([...topicNames(), ...checkNames()])('%s has a valid document', (name) => {
    const topic = topicWithChecks(name);
    if (topic === undefined) throw new Error(`nothing about ${name}`);
    validDocument(explainDocument(topic));
  });
});
