/** `--format github|sarif|junit`: the same answer and exit status as text, in what a CI system reads, whatever stands in names. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { BIN, runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';

const folder = workFolder();
afterAll(() => folder.remove());
const at = (name: string) => join(folder.path, name);

// What would end a property, a line, an element, a URI.
const ODD = 'k,a:b%0A"<&>\'\n::error::x#?.elf';
copyFileSync(fixture('pvh64-bare'), at(ODD));
copyFileSync(fixture('pvh64-notes'), at('good'));
copyFileSync(fixture('dual.efi'), at('efi'));
writeFileSync(at('cut'), readFileSync(fixture('pvh64-notes')).subarray(0, 80));

/** Command lines, the exit status of each, and how many errors and cases its document has. */
const RUNS: readonly (readonly [line: readonly string[], status: number, errors: number])[] = [
  [['verify', 'good'], 0, 0],
  [['verify', 'good', '--for', 'qemu-pvh', '--for', 'xen-pvh'], 0, 0],
  [['verify', ODD, '--for', 'qemu-pvh', '--for', 'multiboot'], 1, 2],
  [['verify', 'good', '--baseline', 'good'], 0, 0],
  [['verify', 'good', '--baseline', fixture('pv64-notes')], 1, 1],
  [['verify', 'efi', '--for', 'multiboot2'], 1, 1],
  [['verify', 'nowhere'], 2, 1],
  [['verify', 'cut'], 2, 1],
  [['notes', '--require-xen', 'good', ODD], 1, 1],
  [['notes', '--require-xen', 'good', 'cut', ODD], 2, 2],
  [['notes', '--require-xen', 'good'], 0, 0],
  [['stamp', '--check', ODD], 1, 1],
];

const validate = new Ajv2020({ strict: true }).compile(
  JSON.parse(readFileSync('test/support/sarif.schema.json', 'utf8')),
);

describe.each(RUNS)('%j', (line, status, errors) => {
  const run = (format: string) => runCli([...line, '--format', format], { cwd: folder.path });

  it('github: a line of a workflow command for each fault, and no other', () => {
    const { stdout, status: exit } = run('github');
    expect(exit).toBe(status);
    const lines = stdout.split('\n').filter((each) => each !== '');
    for (const each of lines) {
      expect(each).toMatch(/^::(error|warning|notice) file=[^,:]*,title=[^,:]*::[^\n]+$/);
      const name = /file=([^,]*),/.exec(each)?.[1] ?? '';
      const meant = name.replaceAll('%2C', ',').replaceAll('%3A', ':').replaceAll('%25', '%');
      expect([...line, ODD.replace('\n', '\\x0a')]).toContain(meant);
    }
    const found = lines.filter((each) => each.startsWith('::error '));
    if (errors === 0) expect(found).toEqual([]);
    else expect(found.length).toBeGreaterThanOrEqual(errors);
  });

  it('sarif: valid by its schema, every result by a rule that is listed', () => {
    const { stdout, status: exit } = run('sarif');
    expect(exit).toBe(status);
    const log = JSON.parse(stdout);
    validate(log);
    expect(validate.errors ?? []).toEqual([]);
    const [{ tool, results }] = log.runs;
    for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex].id).toBe(ruleId);
    const found = results.filter(({ level }: { level: string }) => level === 'error');
    if (errors === 0) expect(found).toEqual([]);
    else expect(found.length).toBeGreaterThanOrEqual(errors);
    for (const { locations } of results) {
      const { uri } = locations[0].physicalLocation.artifactLocation;
      expect([...line, ODD]).toContain(decodeURIComponent(uri));
    }
  });

  it('junit: well-formed, and its counts are those of its cases', () => {
    const { stdout, status: exit } = run('junit');
    expect(exit).toBe(status);
    const root = elementsOf(stdout);
    expect(root).toMatchObject({ name: 'testsuites' });
    const cases = root.children.flatMap(({ children }) => children);
    expect(cases.length).toBeGreaterThan(0);
    const failed = cases.filter(({ children }) => children.some(({ name }) => name === 'failure'));
    expect(root.attributes).toMatchObject({ tests: String(cases.length), failures: String(failed.length) });
    for (const suite of root.children) {
      expect(suite).toMatchObject({ name: 'testsuite', attributes: { tests: String(suite.children.length) } });
      expect([...line, ODD.replace('\n', '\\x0a')]).toContain(suite.attributes['name']?.replaceAll('\\\\', '\\'));
    }
    if (errors === 0) expect(failed).toEqual([]);
    else expect(failed.length).toBeGreaterThanOrEqual(errors);
  });

  it('the exit status is that of text', () => {
    expect(runCli(line, { cwd: folder.path }).status).toBe(status);
  });
});

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"' };
const unescaped = (text: string) => text.replace(/&(\w+);/g, (_, name: string) => ENTITIES[name] ?? '?');

/** The elements of a document of XML 1.0 without anything else in it; throws where it is not well-formed. */
function elementsOf(text: string): Element {
  const body = text.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '');
  expect(body).not.toBe(text);
  const open: Element[] = [{ name: '', attributes: {}, children: [] }];
  const token = /<(\/?)([a-z-]+)((?: [a-z]+="[^"<]*")*)(\/?)>|([^<>]+)/gy;
  let end = 0;
  for (const match of body.matchAll(token)) {
    end = match.index + match[0].length;
    const [, closing, name, attributes = '', alone, words] = match;
    if (words !== undefined) {
      expect(words.replace(/&(lt|gt|amp|quot);/g, '')).not.toContain('&');
      continue;
    }
    if (closing === '/') {
      expect(open.pop()?.name).toBe(name);
      continue;
    }
    const pairs = [...attributes.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [
      key,
      unescaped(value),
    ]);
    const element = { name: name ?? '', attributes: Object.fromEntries(pairs), children: [] };
    open.at(-1)?.children.push(element);
    if (alone === '') open.push(element);
  }
  expect(end).toBe(body.length);
  const [root] = open;
  if (open.length !== 1 || root?.children[0] === undefined) throw new Error('not closed');
  return root.children[0];
}

describe('what does not go together', () => {
  it.each([
    [['verify', 'good', '--json', '--format', 'sarif'], '--json and --format sarif cannot be given together'],
    [['notes', 'good', '--format', 'junit'], '--format junit goes with --require-xen'],
    [['stamp', 'good', '--format', 'github'], '--format github goes with --check, and with no stamp to write'],
    [['stamp', 'good', '--check', '--build-id', 'sha1', '--format', 'github'], '--format github goes with --check'],
  ])('%j', (line, what) => {
    const { status, stderr } = runCli(line, { cwd: folder.path });
    expect(status).toBe(2);
    expect(stderr).toContain(what);
  });
});

describe('examples/ci', () => {
  const bin = at('bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'xen-elfpatch'), `#!/bin/sh\nexec ${process.execPath} ${BIN} "$@"\n`);
  chmodSync(join(bin, 'xen-elfpatch'), 0o755);
  const PATH = `${bin}${delimiter}${process.env['PATH'] ?? ''}`;

  it("GitHub's composite action: annotations and a no for a kernel that a loader does not take, nothing for a good one", () => {
    const action = parse(readFileSync('examples/ci/github/action.yml', 'utf8'));
    expect(action.runs.using).toBe('composite');
    const [step] = action.runs.steps;
    const act = (inputs: Readonly<Record<string, string>>) => {
      const given = Object.entries<{ default?: string }>(action.inputs).map(([name, input]) => [
        name,
        inputs[name] ?? input.default ?? '',
      ]);
      const values = Object.fromEntries(given);
      const env = Object.entries<string>(step.env).map(([name, text]) => {
        const input = /^\$\{\{ inputs\.(\w+) \}\}$/.exec(text)?.[1] ?? '';
        expect(Object.keys(action.inputs)).toContain(input);
        return [name, values[input]];
      });
      const { status, stdout } = spawnSync('sh', ['-e', '-c', step.run], {
        cwd: folder.path,
        env: { PATH, ...Object.fromEntries(env) },
        encoding: 'utf8',
      });
      return { status, stdout };
    };
    expect(act({ image: 'good', loaders: 'qemu-pvh xen-pvh@4.20' })).toEqual({ status: 0, stdout: '' });
    expect(act({ image: 'good', stamps: 'true' })).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^::error file=good,title=xen-elfpatch stamp%3A package-metadata::/),
    });
    const bad = act({ image: ODD, loaders: 'qemu-pvh', sarif: 'log.sarif' });
    expect(bad).toMatchObject({ status: 1, stdout: expect.stringMatching(/^::error file=/) });
    expect(JSON.parse(readFileSync(at('log.sarif'), 'utf8')).version).toBe('2.1.0');
  });

  it("GitLab's template writes the report that it names", () => {
    const { '.xen-elfpatch': job } = parse(readFileSync('examples/ci/gitlab-ci.yml', 'utf8'));
    const act = (KERNEL: string) =>
      spawnSync('sh', ['-e', '-c', job.script.join('\n')], {
        cwd: folder.path,
        env: { PATH, ...job.variables, KERNEL },
        encoding: 'utf8',
      }).status;
    expect(act('good')).toBe(0);
    expect(act(ODD)).toBe(1);
    expect(elementsOf(readFileSync(at(job.artifacts.reports.junit), 'utf8')).name).toBe('testsuites');
  });
});
