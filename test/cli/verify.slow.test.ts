import { afterAll, describe, expect, it } from 'vitest';
import { styleOf } from '../../src/report/text.js';
import { type VerifyFacts, verifyText } from '../../src/report/verify-report.js';
import { runCli, workFolder } from '../support/cli.js';
import { elf, num } from '../support/elf-builder.js';
import { validDocument } from '../support/schema.js';

const folder = workFolder();
afterAll(() => folder.remove());
const le = { bits: 64, endian: 'little' } as const;
const bytes = elf(le)
  .load(0x100000n, new Uint8Array(0x100).fill(0x90))
  .noteSegment([{ type: 18, desc: num(0x100000n, 4, le) }])
  .build();
const good = folder.write('good', bytes);
const changed = Uint8Array.from(bytes);
changed[0x100] = 0xcc;
const other = folder.write('other', changed);
const cut = folder.write(
  'cut',
  elf(le).load(0x100000n, new Uint8Array(64), { filesz: 0x1000n, memsz: 0x1000n }).build(),
);

describe('verify', () => {
  it('a sound image: exit 0, how many checks, and the second reader', () => {
    const { status, stdout, stderr } = runCli(['verify', good]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(
      /^.*good: sound, \d\d checks\n.*good: the second reader \(elfy\) agrees\n {2}section names were not compared.*\n.*good: would it load\?/,
    );
  });

  it('a broken one: exit 1, each breach with its place and the name of the check', () => {
    const { status, stdout } = runCli(['verify', cut]);
    expect(status).toBe(1);
    expect(stdout).toMatch(
      /cut: broken, \d\d checks, \d+ errors?\n {2}error: 0x[0-9a-f]+: program header 0.* \[[a-z-]+\]\n/,
    );
  });

  it('--baseline: the same image, and one in which another byte differs', () => {
    const same = runCli(['verify', good, '--baseline', good]);
    expect(same.status).toBe(0);
    expect(same.stdout).toContain('nothing but notes and headers differs from');
    const differs = runCli(['verify', other, '--baseline', good]);
    expect(differs.status).toBe(1);
    expect(differs.stdout).toContain('0x100');
    expect(differs.stdout).not.toContain('nothing but notes');
  });

  it('--json is one valid document, for a yes and for a no', () => {
    const yes = validDocument(runCli(['verify', '--json', good, '--baseline', good]).stdout);
    expect(yes).toMatchObject({ ok: true, baseline: good, structure: { errors: 0, findings: [] } });
    const no = runCli(['verify', '--json', cut]);
    expect(no.status).toBe(1);
    expect(validDocument(no.stdout)).toMatchObject({
      ok: false,
      structure: { findings: [{ level: 'error', file: cut }] },
    });
  });

  it('what cannot be read at all is exit 2, the baseline too', () => {
    expect(runCli(['verify', '/nonexistent']).status).toBe(2);
    const { status, stdout } = runCli(['verify', '--json', good, '--baseline', '/nonexistent']);
    expect(status).toBe(2);
    expect(validDocument(stdout)).toMatchObject({
      command: 'verify',
      errors: [{ id: 'read.open', file: '/nonexistent' }],
    });
  });

  it('reads standard input', () => {
    expect(runCli(['verify', '-', '--baseline', good], { input: bytes })).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('verifyText()', () => {
  const facts: VerifyFacts = {
    file: 'k',
    baseline: undefined,
    findings: [],
    secondReader: { verdict: 'differs', details: ['e_phnum is 3 here and 4 there'] },
  };

  it('a second reader that reads something else makes the image unsound', () => {
    const lines = verifyText(facts, styleOf(false)).split('\n');
    expect(lines[0]).toMatch(/^k: broken/);
    expect(lines.slice(1)).toEqual([
      'k: the second reader (elfy) reads something else',
      '  e_phnum is 3 here and 4 there',
      '',
    ]);
  });

  it('one that cannot read this shape says why and decides nothing', () => {
    const unable = { ...facts, secondReader: { verdict: 'cannot-read', details: ['too large'] } as const };
    expect(verifyText(unable, styleOf(false))).toMatch(/^k: sound, .*\n.*cannot read this image\n {2}too large\n$/);
  });
});
