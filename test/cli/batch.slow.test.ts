/** Several images in one run: every command that takes them, each way to name them, and what ends it in the middle. */
import { once } from 'node:events';
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type CliOptions, runCli, startCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { xenNotes } from '../support/patching.js';
import { validDocument } from '../support/schema.js';

const folder = workFolder();
afterAll(() => folder.remove());
beforeEach(() => folder.empty());

const KERNEL = fixture('pvh64-notes');
const WHOLE = readFileSync(KERNEL);
/** A header that says more than there is. */
const BAD = WHOLE.subarray(0, 100);
const at = (name: string) => join(folder.path, name);
const run = (args: readonly string[], options: CliOptions = {}) => runCli(args, { cwd: folder.path, ...options });
const kernel = (name: string) => copyFileSync(KERNEL, at(name));

interface Batch {
  readonly images: readonly { readonly file: string; readonly exit: number; readonly errors?: { id: string }[] }[];
  readonly exit: number;
  readonly counts: Readonly<Record<string, number>>;
}

function document(stdout: string): Batch {
  return validDocument(stdout) as unknown as Batch;
}

/** A folder of kernels, some of them cut short: their numbers. */
function many(name: string, count: number, bad: readonly number[] = []): readonly string[] {
  mkdirSync(at(name));
  const names = Array.from({ length: count }, (_, i) => `${name}/k${String(i).padStart(4, '0')}`);
  for (const [i, each] of names.entries()) writeFileSync(at(each), bad.includes(i) ? BAD : WHOLE);
  return names;
}

const EDIT = ['--in-place', '--set', 'GUEST_VERSION=batch'];
const notesIn = (name: string) => new Map(xenNotes(at(name)));
const versionOf = (name: string) => notesIn(name).get('GUEST_VERSION');
const BATCH_VERSION = '626174636800';

/** What one command says alone, for each command that takes several. */
const COMMANDS: readonly (readonly [args: readonly string[], statusOfGood: number])[] = [
  [['notes'], 0],
  [['verify'], 0],
  [['verify', '--for', 'xen-pv'], 1],
  [['fix', '--for', 'qemu-pvh', '--in-place'], 0],
  [['stamp', '--in-place', '--package-metadata', 'name=x'], 0],
  [['stamp', '--check'], 1],
  [['patch', ...EDIT], 0],
  [['patch', '--set', 'GUEST_VERSION=batch', '--check'], 1],
];

describe.each(COMMANDS)('%j', (args, good) => {
  it('says of each image what it says of it alone, a bad one stops no other, the worst decides', () => {
    const alone = ['a', 'bad', 'b'].map((name) => {
      for (const each of ['a', 'b']) kernel(each);
      writeFileSync(at('bad'), BAD);
      return run([...args, name, '--json']);
    });
    for (const each of ['a', 'b']) kernel(each);
    const { status, stdout, stderr } = run([...args, 'a', 'bad', 'b', '--json']);
    const [, { status: bad = null } = {}] = alone;
    expect(status).toBe(bad);
    expect(stderr).toBe(alone.map((one) => one.stderr).join(''));
    const documents = alone.map((one) => JSON.parse(one.stdout));
    const found = validDocument(stdout);
    if (args[0] === 'notes') {
      const [a, b] = [documents[0].images[0], documents[2].images[0]];
      expect(found).toEqual({
        schema: 'xen-elfpatch/notes/1',
        images: [a, { file: 'bad', error: documents[1].errors[0] }, b],
      });
      return;
    }
    expect(found).toEqual({
      schema: 'xen-elfpatch/batch/1',
      command: args[0],
      images: [
        { file: 'a', exit: good, result: documents[0] },
        { file: 'bad', exit: bad, ...(bad === 2 ? { errors: documents[1].errors } : { result: documents[1] }) },
        { file: 'b', exit: good, result: documents[2] },
      ],
      exit: bad,
      counts: {
        good: good === 0 ? 2 : 0,
        no: (good === 1 ? 2 : 0) + (bad === 1 ? 1 : 0),
        failed: bad === 2 ? 1 : 0,
        passedOver: 0,
        duplicates: 0,
      },
    });
  });

  it('text has the block of each, and a table', () => {
    for (const each of ['a', 'b']) kernel(each);
    const [a, b] = ['a', 'b'].map((name) => run([...args, name]));
    for (const each of ['a', 'b']) kernel(each);
    const { status, stdout } = run([...args, 'a', 'b']);
    expect(status).toBe(good);
    const [, table = ''] = stdout.split('\nIMAGE ');
    expect(stdout.startsWith(a?.stdout ?? '?')).toBe(true);
    expect(stdout).toContain(b?.stdout ?? '?');
    expect(table).toMatch(/\na +\S.*\nb +\S.*\n2 images: /);
  });

  it('one image is no batch, whatever the number of jobs', () => {
    kernel('a');
    const alone = run([...args, 'a']);
    kernel('a');
    expect(run([...args, '--jobs', '7', 'a'])).toEqual(alone);
  });
});

describe('1,000 images with 20 bad ones', () => {
  const bad = Array.from({ length: 20 }, (_, i) => i * 50 + 7);

  it('980 are written, each of the 20 is told and as it was, in order', () => {
    const names = many('d', 1000, bad);
    const { status, stdout } = run(['patch', '--json', '--recursive', 'd', ...EDIT]);
    expect(status).toBe(2);
    const { images, counts, exit } = document(stdout);
    expect(exit).toBe(2);
    expect(counts).toEqual({ good: 980, no: 0, failed: 20, passedOver: 0, duplicates: 0 });
    expect(images.map(({ file }) => file)).toEqual(names);
    for (const [i, { exit: each, errors }] of images.entries()) {
      expect([each, errors?.[0]?.id]).toEqual(bad.includes(i) ? [2, 'read.truncated'] : [0, undefined]);
    }
    for (const [i, name] of names.entries()) {
      if (bad.includes(i)) expect(readFileSync(at(name)).equals(BAD)).toBe(true);
      else expect(versionOf(name)).toBe(BATCH_VERSION);
    }
    expect(readdirSync(at('d'))).toHaveLength(1000);
  });
});

describe('interrupted in the middle', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
    '%s: each image is the old or the new one, and the next run does the rest',
    async (signal) => {
      kernel('one');
      run(['patch', 'one', ...EDIT]);
      const edited = readFileSync(at('one'));
      const names = many('d', 200);
      const child = startCli(['patch', '--json-lines', '--jobs', '2', '--recursive', 'd', ...EDIT], folder.path);
      const ended = once(child, 'exit');
      let lines = 0;
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        lines += text.split('\n').length - 1;
        // Once: a second one ends it at once, whatever is at hand.
        if (lines > 20 && !child.killed) child.kill(signal);
      });
      expect(await ended).toEqual([null, signal]);
      const now = names.map((name) => readFileSync(at(name)));
      expect(now.every((bytes) => bytes.equals(WHOLE) || bytes.equals(edited))).toBe(true);
      const done = now.filter((bytes) => bytes.equals(edited)).length;
      expect(done).toBeGreaterThan(20);
      expect(done).toBeLessThan(200);
      if (signal !== 'SIGKILL') expect(readdirSync(at('d'))).toHaveLength(200);
      const { status, stdout } = run(['patch', '--json', '--recursive', 'd', ...EDIT]);
      expect(status).toBe(0);
      expect(document(stdout).counts).toMatchObject({ good: 200, passedOver: 0 });
      for (const name of names) expect(readFileSync(at(name)).equals(edited)).toBe(true);
    },
  );
});

describe('two batches over one folder at once', () => {
  it('lose nothing: every image has what both were to write', async () => {
    const names = many('d', 80);
    const lines = ['GUEST_VERSION=batch', 'LOADER=generic'].map((set) => [
      'patch',
      '--recursive',
      'd',
      '--in-place',
      '--set',
      set,
    ]);
    const children = lines.map((line) => startCli(line, folder.path));
    for (const child of children) child.stdout.resume();
    expect(await Promise.all(children.map((child) => once(child, 'exit')))).toEqual([
      [0, null],
      [0, null],
    ]);
    for (const name of names) {
      const notes = notesIn(name);
      expect([notes.get('GUEST_VERSION'), notes.get('LOADER')]).toEqual([BATCH_VERSION, '67656e6572696300']);
    }
    expect(readdirSync(at('d'))).toHaveLength(80);
  });
});

describe('order', () => {
  it('is that of the words, and of names in folders, whatever the number of jobs', () => {
    many('d', 12, [3, 11]);
    kernel('z');
    for (const format of [
      [],
      ['--json'],
      ['--for', 'xen-pvh', '--format', 'junit'],
      ['--for', 'xen-pv', '--format', 'github'],
    ]) {
      const line = ['verify', 'z', '--recursive', 'd', ...format];
      const one = run([...line, '--jobs', '1']);
      expect(run([...line, '--jobs', '4'])).toEqual(one);
      expect(one.status).toBe(format.includes('--for') ? 1 : 2);
    }
  });

  it('--json-lines: a document for each, whatever the order', () => {
    const names = many('d', 30, [3]);
    const { status, stdout } = run(['verify', '--json-lines', '--jobs', '3', '--recursive', 'd']);
    expect(status).toBe(2);
    const lines = stdout.trimEnd().split('\n').map(validDocument);
    expect(lines.map(({ file }) => file).sort()).toEqual(names);
    expect(lines.filter(({ exit }) => exit === 2).map(({ file }) => file)).toEqual([names[3]]);
  });

  it.each(['notes', 'verify'])('%s --json-lines of one image, and of an error of the line', (command) => {
    kernel('a');
    const { stdout } = run([command, '--json-lines', 'a']);
    expect(stdout.split('\n')).toHaveLength(2);
    expect(validDocument(stdout)).toMatchObject({ command, file: 'a', exit: 0 });
    const refused = run([command, '--json-lines', '--jobs', '0', 'a']);
    expect(refused.stdout.split('\n')).toHaveLength(2);
    expect(validDocument(refused.stdout)).toMatchObject({ schema: 'xen-elfpatch/error/1', exit: 2 });
  });
});

describe('what is named', () => {
  it('once by any number of names: the same word, a symbolic link, a hard link', () => {
    kernel('a');
    symlinkSync('a', at('link'));
    linkSync(at('a'), at('hard'));
    const { status, stdout } = run(['verify', '--json', 'a', './a', 'link', 'hard', 'a']);
    expect(status).toBe(0);
    expect(document(stdout)).toMatchObject({ images: [{ file: 'a' }], counts: { good: 1, duplicates: 4 } });
  });

  it('what is missing is an error of its own', () => {
    kernel('a');
    const { status, stdout, stderr } = run(['patch', '--json', 'gone', 'a', ...EDIT]);
    expect(status).toBe(2);
    expect(stderr).toContain('gone: cannot open: no such file');
    expect(document(stdout).images).toMatchObject([
      { file: 'gone', errors: [{ id: 'read.open' }] },
      { file: 'a', exit: 0 },
    ]);
    expect(versionOf('a')).toBe(BATCH_VERSION);
  });

  it('--recursive: links and remains of killed runs are left alone, what is no file or no image is counted', async () => {
    for (const name of ['d', 'd/sub', 'd/sub/deep']) mkdirSync(at(name));
    for (const name of ['outside', 'd/b', 'd/sub/deep/c', 'd/.b.xen-elfpatch.1-2.tmp']) kernel(name);
    symlinkSync('../outside', at('d/link'));
    symlinkSync('..', at('d/sub/up'));
    const server = createServer().listen(at('d/socket'));
    await once(server, 'listening');
    for (const name of ['d/module.ko', 'd/text', 'd/empty'])
      writeFileSync(at(name), name === 'd/module.ko' ? WHOLE : name.slice(0, name === 'd/empty' ? 0 : 9));
    const object = Buffer.from(WHOLE);
    object.writeUInt16LE(1, 16);
    writeFileSync(at('d/sub/object'), object);
    const { status, stdout } = run(['patch', '--json', '--recursive', 'd', ...EDIT]);
    server.close();
    expect(status).toBe(0);
    const { images, counts } = document(stdout);
    expect(images.map(({ file }) => file)).toEqual(['d/b', 'd/sub/deep/c']);
    // Of these two links and a socket.
    expect(counts).toMatchObject({ good: 2, passedOver: 7 });
    expect(readFileSync(at('outside')).equals(WHOLE)).toBe(true);
  });

  it('in folders a name that is no UTF-8 is told with what to do, where it is that of an image or a folder', () => {
    const latin = (text: string) => Buffer.from(at(text), 'latin1');
    for (const name of ['d', 'd/real\ufffd']) mkdirSync(at(name));
    for (const name of ['d/a', 'd/real\ufffd/\ufffd']) kernel(name);
    writeFileSync(latin('d/caf\xe9'), WHOLE);
    writeFileSync(latin('d/t\xebxt'), 'text');
    writeFileSync(latin('d/m\xf6dule.ko'), WHOLE);
    symlinkSync('a', latin('d/l\xefnk'));
    const line = ['patch', '--json', '--recursive', 'd', ...EDIT];
    const { status, stdout, stderr } = run(line);
    expect(status).toBe(2);
    const { images, counts } = document(stdout);
    expect(images.map(({ file, exit }) => [file, exit])).toEqual([
      ['d/a', 0],
      ['d/real\ufffd/\ufffd', 0],
      ['d/caf\ufffd', 2],
    ]);
    expect(counts).toMatchObject({ good: 2, failed: 1, passedOver: 3 });
    expect(stderr).toBe(
      'xen-elfpatch: d/caf\ufffd: found bytes that are not UTF-8 in its name [usage.bad]\n' +
        '  hint: Rename the file, or give it another name by a link: ln -s\n',
    );
    expect(readFileSync(latin('d/caf\xe9')).equals(WHOLE)).toBe(true);
    rmSync(latin('d/caf\xe9'));
    mkdirSync(latin('d/f\xf6lder'));
    expect(run([...line, '--jobs', '3']).stderr).toContain('d/f\ufffdlder: found bytes that are not UTF-8 in its name');
    // No name of ours leads to them: what removes the folder would not find them.
    for (const name of ['d/t\xebxt', 'd/m\xf6dule.ko', 'd/l\xefnk']) rmSync(latin(name));
    rmdirSync(latin('d/f\xf6lder'));
  });

  it('a folder with no image in it is no', () => {
    mkdirSync(at('d'));
    writeFileSync(at('d/text'), 'text');
    for (const line of [
      ['verify', 'd'],
      ['stamp', '--check', '--recursive', 'd'],
    ]) {
      const { status, stderr } = run(line);
      expect([status, stderr]).toEqual([1, 'xen-elfpatch: no image was found in what was named\n']);
    }
  });

  it('a folder is looked through by notes and verify, and by others with --recursive alone', () => {
    mkdirSync(at('boot'));
    kernel('boot/k');
    copyFileSync(fixture('dual.efi'), at('boot/xen.efi'));
    copyFileSync(process.execPath, at('boot/program'));
    const { status, stdout } = run(['verify', 'boot']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^IMAGE +RESULT +xen-pv /);
    expect(stdout).toMatch(
      /\nboot\/k +sound +no +yes .*\nboot\/xen\.efi +sound .*\n2 images: 2 good; 1 file passed over\n$/,
    );
    expect(run(['notes', 'boot']).stdout).toMatch(/\nboot\/k +1 Xen note\n/);
    const refused = run(['patch', 'boot', ...EDIT]);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain('--recursive');
  });

  it('standard input is one of the images', () => {
    kernel('a');
    const { status, stdout } = run(['verify', '--json', 'a', '-'], { input: WHOLE });
    expect(status).toBe(0);
    expect(document(stdout).images.map(({ file, exit }) => [file, exit])).toEqual([
      ['a', 0],
      ['-', 0],
    ]);
  });
});

describe('--files0-from', () => {
  it('takes names with NUL behind them, from a file and from standard input, with words in front', () => {
    for (const name of ['a', 'b', 'with\nline']) kernel(name);
    const list = 'b\0with\nline\0';
    writeFileSync(at('list'), list);
    const byFile = run(['verify', '--json', 'a', '--files0-from', 'list']);
    expect(byFile.status).toBe(0);
    expect(document(byFile.stdout).images.map(({ file }) => file)).toEqual(['a', 'b', 'with\nline']);
    expect(run(['verify', '--json', 'a', '--files0-from=-'], { input: Buffer.from(list) })).toEqual(byFile);
  });

  it('an empty list is nothing to do', () => {
    expect(run(['verify', '--files0-from', '-'])).toMatchObject({ status: 0, stdout: '0 images: 0 good\n' });
  });

  it.each([
    ['a\nb\n', 'found no NUL'],
    ['a\0\0b\0', 'name 2 is empty'],
    [Buffer.from([0x61, 0xff, 0]), 'not UTF-8'],
    ['a\0-\0', '- is an image and the list of images'],
  ])('refuses %j', (list, what) => {
    const { status, stderr } = run(['verify', '--files0-from', '-'], { input: Buffer.from(list) });
    expect(status).toBe(2);
    expect(stderr).toContain(what);
    expect(stderr).toContain('[usage.bad]');
  });

  it('a list that is not there', () => {
    const { status, stderr } = run(['verify', '--files0-from', 'gone']);
    expect(status).toBe(2);
    expect(stderr).toContain('gone: cannot read the list of images');
  });
});

describe('what is about one image', () => {
  it.each([
    [['patch', 'a', 'b', '--preset', 'pvh', '-o', 'out'], '--output takes one IMAGE'],
    [['patch', 'a', 'b', ...EDIT, '--depfile', 'd'], '--depfile takes one IMAGE'],
    [['stamp', 'a', 'b', '--in-place', '--build-id', 'sha1', '--record', 'r'], '--record takes one IMAGE'],
    [['verify', 'a', 'b', '--check-record', 'r'], '--check-record takes one IMAGE'],
    [['notes', 'a', '--recursive', '--format', 'readnotes'], '--format readnotes takes one IMAGE'],
    [['patch', 'a', '-', ...EDIT], 'standard input cannot be patched in place'],
    [['verify', '-', '-'], '- was given twice'],
    [['verify', '-', '--files0-from', '-'], '- is an image and the list of images'],
    [['verify', 'a', 'b', '--json', '--json-lines'], 'cannot be given together'],
    [['verify', 'a', 'b', '--json-lines', '--format', 'junit'], 'cannot be given together'],
    [['verify', 'a', 'b', '--quiet', '--json-lines'], 'cannot be given together'],
    [['verify', 'a', 'b', '--jobs', '0'], '--jobs is 0'],
    [['verify', 'a', 'b', '--for', 'nobody'], 'no such loader'],
    [['patch', 'a', 'b'], 'no target given'],
    [['diff', 'a', 'b', '--recursive'], '--recursive goes with --baseline-dir'],
  ])('%j', (line, what) => {
    for (const name of ['a', 'b']) kernel(name);
    const { status, stdout, stderr } = run(line);
    expect(status).toBe(2);
    if (!line.some((word) => word.startsWith('--json'))) expect(stdout).toBe('');
    expect(stderr).toContain(what);
    expect(stderr).toContain('[usage.bad]');
    for (const name of ['a', 'b']) expect(readFileSync(at(name)).equals(WHOLE)).toBe(true);
  });
});

describe('diff --baseline-dir', () => {
  it('compares each with the file of its name, and below a folder of its path', () => {
    for (const name of ['old', 'old/sub', 'new', 'new/sub']) mkdirSync(at(name));
    for (const name of ['old/a', 'new/a', 'old/sub/b', 'new/sub/b', 'new/c']) kernel(name);
    run(['patch', 'new/sub/b', ...EDIT]);
    const { status, stdout } = run(['diff', '--json', '--baseline-dir', 'old', '--recursive', 'new']);
    expect(status).toBe(2);
    expect(document(stdout).images).toMatchObject([
      { file: 'new/a', exit: 0, result: { same: true } },
      { file: 'new/c', exit: 2, errors: [{ id: 'read.open' }] },
      { file: 'new/sub/b', exit: 1, result: { same: false } },
    ]);
    expect(run(['diff', '--baseline-dir', 'old', 'new/a']).status).toBe(0);
    expect(run(['diff', '--baseline-dir', 'old/sub', 'new/sub/b']).status).toBe(1);
  });
});

describe('reports', () => {
  it('--quiet: nothing of what went well, and of the rest as ever', () => {
    for (const name of ['a', 'b']) kernel(name);
    expect(run(['verify', '--quiet', 'a', 'b'])).toMatchObject({ status: 0, stdout: '', stderr: '' });
    writeFileSync(at('bad'), BAD);
    const { stdout, stderr } = run(['verify', '--quiet', 'a', 'bad', 'b']);
    expect(stdout).toMatch(/^IMAGE +RESULT\nbad +read.truncated\n3 images: 2 good, 1 failed\n$/);
    expect(stderr).toContain('[read.truncated]');
  });

  it('junit has a suite for each image, sarif an artifact, github a line for each fault', () => {
    for (const name of ['a', 'b']) kernel(name);
    writeFileSync(at('bad'), BAD);
    const formatted = (format: string) =>
      run(['verify', 'a', 'bad', 'b', '--for', 'xen-pv', '--format', format]).stdout;
    expect(formatted('junit').match(/<testsuite name="(a|bad|b)"/g)).toHaveLength(3);
    const { runs } = JSON.parse(formatted('sarif'));
    expect(runs[0].artifacts.map((each: { location: { uri: string } }) => each.location.uri)).toEqual([
      'a',
      'bad',
      'b',
    ]);
    expect(formatted('github').match(/^::error file=(a|b|bad),/gm)).toHaveLength(3);
  });

  it('a report that cannot be told stops no image: exit 3', async () => {
    const names = many('d', 20);
    const child = startCli(['patch', '--json', '--recursive', 'd', ...EDIT], folder.path);
    child.stdout.destroy();
    expect(await once(child, 'exit')).toEqual([3, null]);
    for (const name of names) expect(versionOf(name)).toBe(BATCH_VERSION);
  });

  it('nothing is left of the folder when it is gone', () => {
    rmSync(at('d'), { recursive: true, force: true });
    expect(run(['verify', '--recursive', 'd']).status).toBe(2);
  });
});
