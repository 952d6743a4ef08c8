/** `--record` of every command that writes, and `verify --check-record`. */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { validDocument } from '../support/schema.js';

const folder = workFolder();
afterAll(() => folder.remove());
beforeEach(() => {
  folder.empty();
  for (const name of ['pvh64-high-bare', 'pvh64-notes', 'dual.efi']) copyFileSync(fixture(name), at(name));
});
const at = (name: string) => join(folder.path, name);
const run = (...words: string[]) => runCli(words, { cwd: folder.path });
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

const WRITERS: readonly (readonly [command: string, input: string, words: readonly string[]])[] = [
  ['patch', 'pvh64-high-bare', ['--preset', 'pvh']],
  ['fix', 'pvh64-notes', ['--for', 'qemu-pvh']],
  ['stamp', 'pvh64-notes', ['--package-metadata', 'name=k']],
  ['linearize', 'dual.efi', []],
];

describe.each(WRITERS)('%s --record', (command, input, words) => {
  it.each([['-o', 'out'], ['--in-place']])(
    '%s %s: tells input, output, edits and verdicts, the same each time',
    (...target) => {
      const before = readFileSync(at(input));
      const line = [command, input, ...words, ...target, '--record', 'r.json'];
      expect(run(...line).status).toBe(0);
      const output = target.length > 1 ? 'out' : input;
      const document = validDocument(readFileSync(at('r.json'), 'utf8'));
      expect(document).toMatchObject({
        schema: 'xen-elfpatch/record/1',
        command,
        arguments: line,
        input: { name: input, sha256: sha256(before), size: `0x${before.length.toString(16)}` },
        output: { name: output, sha256: sha256(readFileSync(at(output))) },
      });
      const first = readFileSync(at('r.json'));
      writeFileSync(at(input), before);
      rmSync(at('out'), { force: true });
      expect(run(...line).status).toBe(0);
      expect(readFileSync(at('r.json'))).toEqual(first);
      expect(run('verify', output, '--check-record', 'r.json').status).toBe(0);
    },
  );
});

describe('--record', () => {
  const LINE = ['patch', 'pvh64-high-bare', '--preset', 'pvh', '-o', 'out'];

  it('of mkelf32 too', () => {
    expect(run('mkelf32', '--tidy', 'pvh64-notes', 'out', '0x100000', '--record', 'r.json').status).toBe(0);
    expect(validDocument(readFileSync(at('r.json'), 'utf8'))).toMatchObject({
      command: 'mkelf32',
      output: { name: 'out' },
    });
  });

  it('has what loaders said before and after', () => {
    expect(run(...LINE, '--record', 'r.json').status).toBe(0);
    const { verdicts } = JSON.parse(readFileSync(at('r.json'), 'utf8'));
    const of = (when: 'before' | 'after') =>
      verdicts[when].find(({ loader }: { loader: string }) => loader === 'qemu-pvh').outcome;
    expect({ before: of('before'), after: of('after') }).toEqual({ before: 'refused', after: 'accepted' });
  });

  it('in-toto: the same as the predicate of a statement on the result', () => {
    expect(run(...LINE, '--record', 'r.json').status).toBe(0);
    const digest = sha256(readFileSync(at('out')));
    expect(run(...LINE, '--record', 's.json', '--record-format', 'in-toto').status).toBe(0);
    const statement = JSON.parse(readFileSync(at('s.json'), 'utf8'));
    expect(statement).toMatchObject({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'out', digest: { sha256: digest } }],
    });
    const { arguments: words, ...rest } = validDocument(JSON.stringify(statement.predicate));
    expect(words).toContain('in-toto');
    expect(JSON.parse(readFileSync(at('r.json'), 'utf8'))).toMatchObject(rest);
    expect(run('verify', 'out', '--check-record', 's.json').status).toBe(0);
  });

  it.each([
    [['--record', 'out'], '--record out would replace out, wanted another name'],
    [['--record', 'pvh64-high-bare'], '--record pvh64-high-bare would replace pvh64-high-bare, wanted another name'],
    [['--record', 'no/such/r.json'], 'no/such/r.json: cannot write the record'],
    [['--record-format', 'in-toto'], '--record-format goes with --record'],
  ])('%j is refused before anything is written', (words, told) => {
    const { status, stderr } = run(...LINE, ...words);
    expect(status).toBe(2);
    expect(stderr).toContain(told);
    expect(existsSync(at('out'))).toBe(false);
  });

  it('is not written where nothing is: --dry-run, --check, a refused edit, standard output', () => {
    run(...LINE.slice(0, 4), '--dry-run', '--record', 'r.json');
    run(...LINE.slice(0, 4), '--check', '--record', 'r.json');
    run('patch', 'pvh64-high-bare', '--preset', 'pv32', '-o', 'out', '--record', 'r.json');
    expect(run('patch', 'pvh64-high-bare', '--preset', 'pvh', '-o', '-', '--record', 'r.json').stderr).toContain(
      '--record is of a file',
    );
    expect(existsSync(at('r.json'))).toBe(false);
  });
});

describe('verify --check-record', () => {
  beforeEach(() => {
    expect(run('patch', 'pvh64-high-bare', '--preset', 'pvh', '-o', 'out', '--record', 'r.json').status).toBe(0);
  });

  it('tells the result from what it was made from, and from others', () => {
    const ask = (image: string) => {
      const { status, stdout } = run('verify', image, '--check-record', 'r.json', '--json');
      return { status, answer: validDocument(stdout)['answer'] };
    };
    expect(ask('out')).toEqual({ status: 0, answer: 'output' });
    expect(ask('pvh64-high-bare')).toEqual({ status: 1, answer: 'input' });
    expect(ask('pvh64-notes')).toEqual({ status: 1, answer: 'other' });
    expect(run('verify', 'out', '--check-record', 'r.json').stdout).toBe(
      'out: is the result that the record tells of, r.json\n',
    );
    expect(run('verify', 'pvh64-notes', '--check-record', 'r.json', '--format', 'github').stdout).toMatch(
      /^::error file=pvh64-notes,/,
    );
  });

  it.each([
    ['{', 'bad.json:1: found no JSON, wanted one document'],
    ['{\n"a": 1\n', 'found no JSON, wanted one document'],
    ['[]', 'bad.json:1: schema: found no record, wanted the schema xen-elfpatch/record/1'],
    ['{\n "schema": "xen-elfpatch/patch/1"\n}', 'bad.json:2: schema: found no record'],
    [
      '{"schema": "xen-elfpatch/record/1",\n "input": {"sha256": "00"}}',
      'bad.json:2: input.sha256: found no digest, wanted 64 hexadecimal digits',
    ],
    [
      '{"_type": "https://in-toto.io/Statement/v1",\n"predicateType": "x"}',
      'bad.json:2: predicateType: found another predicate',
    ],
  ])('%j is refused with file, line, member and what was wanted', (text, told) => {
    writeFileSync(at('bad.json'), text);
    const { status, stderr } = run('verify', 'out', '--check-record', 'bad.json');
    expect(status).toBe(2);
    expect(stderr).toContain(told);
    expect(stderr).toContain('[record.bad]');
  });
});
