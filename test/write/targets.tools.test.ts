/**
 * Where a result goes, for every command that writes a file: what each kind of target gets, in one table. Whatever a target
 * is, no other file changes, a device stays a device, nothing is left beside it, and nothing ends as a fault of ours.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CliResult, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { expectError } from '../support/patching.js';
import { IN_PLACE, type Kind, prepare, runWriter, WRITERS } from '../support/writers.js';

const folder = workFolder();
afterAll(() => folder.remove());

const OLD = 'an older result';

/** What is at a path: contents, kind, number, mode. */
function stateOf(path: string): string {
  const { ino, mode, rdev } = lstatSync(path);
  const kind = mode & 0o170000;
  if (kind === 0o120000) return `link to ${readlinkSync(path)}`;
  const bytes = kind === 0o100000 ? createHash('sha256').update(readFileSync(path)).digest('hex') : '';
  return `${mode.toString(8)} ${kind === 0o040000 ? '' : ino} ${rdev} ${bytes}`;
}

/** Everything below a folder. */
function snapshot(home: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(home, { recursive: true, encoding: 'utf8' })) {
    found.set(name, stateOf(join(home, name)));
  }
  return found;
}

function system(cwd: string, command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

const SOCKET = 'require("net").createServer().listen("t", () => process.kill(process.pid, "SIGKILL"))';
const make = {
  device: (home: string) => system(home, 'mknod', 't', 'c', '1', '3'),
  disk: (home: string) => system(home, 'mknod', 't', 'b', '240', '0'),
  fifo: (home: string) => system(home, 'mkfifo', 't'),
  socket: (home: string) => void spawnSync(process.execPath, ['-e', SOCKET], { cwd: home }),
  loop: (home: string) => {
    symlinkSync('t2', join(home, 't'));
    symlinkSync('t', join(home, 't2'));
  },
};

/** The folder read-only for the command alone. */
const READ_ONLY = `exec unshare --mount sh -c 'mount --bind . . && mount -o remount,ro,bind . && cd "$PWD" && exec "$@"' sh "$@"`;
/** Somebody reads the pipe. */
const READER = 'timeout 20 cat t >../got & "$@"; status=$?; wait; exit $status';

/** `written`: the result stands at `at`. `through`: the device takes it and is what it was. Else the id of the refusal. */
type Outcome = 'written' | 'through' | `${string}.${string}`;

interface Target {
  readonly name: string;
  make?(home: string): void;
  /** As the command line says it; `t` unless given. */
  readonly word?: string;
  /** Where the result is then; `t` unless given. */
  readonly at?: string;
  /** Permission bits of the result, where they are promised. */
  readonly mode?: number;
  /** Does the command say that another name keeps the old file? */
  readonly told?: boolean;
  readonly around?: string;
  readonly outcome: { readonly [K in Exclude<Kind, 'drop-in'>]: Outcome };
}

const written = { image: 'written', tidy: 'written', wrap: 'written', text: 'written' } as const;
const refused = (id: Outcome) => ({
  image: id,
  tidy: 'mkelf32.open-output' as const,
  wrap: 'mkelf32.open-output' as const,
  text: id,
});
const sameFile = {
  image: 'write.same-file',
  tidy: 'mkelf32.same-file',
  wrap: 'mkelf32.same-file',
  text: 'usage.bad',
} as const;
const failed = refused('write.failed');

const TARGETS: readonly Target[] = [
  { name: 'a new name', outcome: written },
  {
    name: 'an older file: its mode stays',
    make: (home) => {
      writeFileSync(join(home, 't'), OLD);
      chmodSync(join(home, 't'), 0o640);
    },
    mode: 0o640,
    outcome: written,
  },
  {
    name: 'a link to a file: followed',
    make: (home) => {
      mkdirSync(join(home, 'sub'));
      writeFileSync(join(home, 'sub/real'), OLD);
      symlinkSync('sub/real', join(home, 't'));
    },
    at: 'sub/real',
    outcome: written,
  },
  {
    name: 'a dangling link: followed as open() does',
    make: (home) => {
      mkdirSync(join(home, 'sub'));
      symlinkSync('sub/real', join(home, 't'));
    },
    at: 'sub/real',
    outcome: written,
  },
  {
    name: 'a dangling link in a folder that is a link itself',
    make: (home) => {
      mkdirSync(join(home, 'one/two'), { recursive: true });
      symlinkSync('one/two', join(home, 'sub'));
      symlinkSync('../real', join(home, 'one/two/t'));
    },
    word: 'sub/t',
    at: 'one/real',
    outcome: written,
  },
  {
    name: '.. behind a linked folder: the folder above where it leads, not above its name',
    make: (home) => {
      mkdirSync(join(home, 'one/two'), { recursive: true });
      symlinkSync('one/two', join(home, 'sub'));
      writeFileSync(join(home, 't'), OLD);
    },
    word: 'sub/../t',
    at: 'one/t',
    outcome: written,
  },
  {
    name: 'a dangling link into no folder',
    make: (home) => symlinkSync('none/real', join(home, 't')),
    outcome: failed,
  },
  { name: 'a loop of links', make: make.loop, outcome: failed },
  {
    name: 'one of two names of a file: the other one is told',
    make: (home) => {
      writeFileSync(join(home, 't'), OLD);
      linkSync(join(home, 't'), join(home, 't2'));
    },
    told: true,
    outcome: written,
  },
  {
    name: 'a device',
    make: make.device,
    outcome: { image: 'write.not-a-file', tidy: 'write.not-a-file', wrap: 'through', text: 'through' },
  },
  { name: 'a disk', make: make.disk, outcome: { ...refused('write.not-a-file'), tidy: 'write.not-a-file' } },
  {
    name: 'a pipe',
    make: make.fifo,
    around: READER,
    outcome: { image: 'write.not-a-file', tidy: 'write.not-a-file', wrap: 'through', text: 'through' },
  },
  { name: 'a socket', make: make.socket, outcome: refused('write.not-a-file') },
  { name: 'a folder', make: (home) => mkdirSync(join(home, 't')), outcome: refused('write.not-a-file') },
  { name: 'the input', word: 'k', outcome: sameFile },
  { name: 'the input by another path', word: './k', outcome: sameFile },
  { name: 'a link to the input', make: (home) => symlinkSync('k', join(home, 't')), outcome: sameFile },
  { name: 'another name of the input', make: (home) => linkSync(join(home, 'k'), join(home, 't')), outcome: sameFile },
  { name: 'a name in no folder', word: 'none/t', outcome: failed },
  { name: 'a name under a file', word: 'k/t', outcome: failed },
  { name: 'a name that ends as a folder does', word: 't/', outcome: failed },
  { name: 'no name', word: '', outcome: failed },
  { name: 'a name in a folder that is read-only', around: READ_ONLY, outcome: failed },
];

const isOurFault = (run: CliResult) => /internal\.bug|^\s+at /m.test(run.stderr);

describe.each(WRITERS)('$name', (writer) => {
  const home = join(folder.path, writer.name.replaceAll(/\W+/g, '-'));
  const image = writer.image();
  let wanted: Buffer;

  beforeAll(() => {
    prepare(home, image);
    expect(runWriter(writer, writer.args('first'), home)).toMatchObject({ status: 0 });
    wanted = readFileSync(join(home, 'first'));
  });

  it.each(TARGETS)('to $name', (target) => {
    prepare(home, image);
    target.make?.(home);
    const before = snapshot(home);
    const outcome = target.outcome[writer.kind === 'drop-in' ? 'wrap' : writer.kind];
    const through = outcome === 'through';
    const around = target.around === READER && !through ? undefined : target.around;
    const run = runWriter(writer, writer.args(target.word ?? 't'), home, around);
    const after = snapshot(home);
    expect(isOurFault(run), run.stderr).toBe(false);
    if (outcome === 'written') {
      const at = target.at ?? 't';
      expect(run.status, run.stderr).toBe(0);
      expect(readFileSync(join(home, at)).equals(wanted)).toBe(true);
      if (target.mode !== undefined) expect(lstatSync(join(home, at)).mode & 0o7777).toBe(target.mode);
      expect(/\(a hard link\) leads/.test(run.stderr)).toBe(target.told === true && writer.kind !== 'drop-in');
      for (const name of [at, ...(writer.besides ?? [])]) {
        before.delete(name);
        after.delete(name);
      }
    } else if (through) {
      expect(run.status, run.stderr).toBe(0);
      if (around !== undefined) expect(readFileSync(join(home, '../got')).equals(wanted)).toBe(true);
      for (const name of writer.besides ?? []) after.delete(name);
    } else if (writer.kind === 'drop-in') {
      expect(run).toMatchObject({ status: 1, stdout: '' });
      expect(run.stderr).toMatch(/^(Failed to open output image|Output image) '.*'.*\.\n$/);
    } else expectError(run, outcome);
    expect(after).toEqual(before);
  });
});

/** `told`: the new file has this name only. `both`: all names lead to the new bytes. */
type InPlaceOutcome = 'written' | 'told' | 'both' | `${string}.${string}`;

interface InPlaceTarget {
  readonly name: string;
  /** Puts the image somewhere, or something else in its place. */
  make(home: string, image: Uint8Array): void;
  readonly word?: string;
  /** The file that the word leads to; `t` unless given. */
  readonly at?: string;
  readonly around?: string;
  readonly outcome: Readonly<Record<'direct' | 'clone', InPlaceOutcome>>;
}

const each = (outcome: InPlaceOutcome) => ({ direct: outcome, clone: outcome });
const put = (home: string, image: Uint8Array, name = 't') => writeFileSync(join(home, name), image);

const IN_PLACE_TARGETS: readonly InPlaceTarget[] = [
  { name: 'a file', make: put, outcome: each('written') },
  {
    name: 'a link to a file: the link stays',
    make(home, image) {
      mkdirSync(join(home, 'sub'));
      put(home, image, 'sub/real');
      symlinkSync('sub/real', join(home, 't'));
    },
    at: 'sub/real',
    outcome: each('written'),
  },
  {
    name: '.. behind a linked folder',
    make(home, image) {
      mkdirSync(join(home, 'one/two'), { recursive: true });
      symlinkSync('one/two', join(home, 'sub'));
      put(home, image, 'one/t');
      put(home, Buffer.from(OLD), 't');
    },
    word: 'sub/../t',
    at: 'one/t',
    outcome: each('written'),
  },
  {
    name: 'one of two names of a file',
    make(home, image) {
      put(home, image);
      linkSync(join(home, 't'), join(home, 't2'));
    },
    outcome: { direct: 'both', clone: 'told' },
  },
  { name: 'a dangling link', make: (home) => symlinkSync('none', join(home, 't')), outcome: each('read.open') },
  { name: 'a loop of links', make: make.loop, outcome: each('read.open') },
  { name: 'a device', make: make.device, outcome: each('read.not-a-file') },
  { name: 'a pipe', make: make.fifo, outcome: each('read.not-a-file') },
  { name: 'a folder', make: (home) => mkdirSync(join(home, 't')), outcome: each('read.not-a-file') },
  {
    name: 'a file that nobody may write',
    make(home, image) {
      put(home, image);
      chmodSync(join(home, 't'), 0o444);
    },
    outcome: each('write.read-only'),
  },
  { name: 'a file in a folder that is read-only', make: put, around: READ_ONLY, outcome: each('write.failed') },
];

describe.each(IN_PLACE)('$name --in-place', (writer) => {
  const home = join(folder.path, `in-place-${writer.name.replaceAll(/\W+/g, '-')}`);
  const image = writer.image();
  let wanted: Buffer;

  beforeAll(() => {
    prepare(home, image, 't');
    expect(runWriter(writer, writer.args('t'), home)).toMatchObject({ status: 0 });
    wanted = readFileSync(join(home, 't'));
    expect(wanted.equals(image)).toBe(false);
  });

  it.each(IN_PLACE_TARGETS)('of $name', (target) => {
    prepare(home, Uint8Array.of(0), 'bystander');
    target.make(home, image);
    const before = snapshot(home);
    const outcome = target.outcome[writer.how];
    const run = runWriter(writer, writer.args(target.word ?? 't'), home, target.around);
    const after = snapshot(home);
    expect(isOurFault(run), run.stderr).toBe(false);
    if (outcome === 'written' || outcome === 'told' || outcome === 'both') {
      const at = target.at ?? 't';
      expect(run.status, run.stderr).toBe(0);
      expect(readFileSync(join(home, at)).equals(wanted)).toBe(true);
      expect(/\(a hard link\) leads/.test(run.stderr)).toBe(outcome === 'told');
      for (const name of outcome === 'both' ? [at, 't2'] : [at]) {
        before.delete(name);
        after.delete(name);
      }
      if (outcome === 'both') expect(readFileSync(join(home, 't2')).equals(wanted)).toBe(true);
    } else expectError(run, outcome);
    expect(after).toEqual(before);
  });
});

describe('a text beside a result takes the place of nothing that it is about', () => {
  const home = join(folder.path, 'apart');
  const image = readFileSync(fixture('pvh64-bare'));
  const SET = ['--set', 'PHYS32_ENTRY=0x100000'];

  it.each([
    ['the picture of two images: the other one', ['layout', 'k', '--compare', 'other', '--svg', 'other']],
    ['a rule: a link to a target that is still to come', ['patch', 'k', '-o', 'new', '--depfile', 'link', ...SET]],
    ['a rule: the same name by another path', ['patch', 'k', '-o', 'new', '--depfile', './sub/../new', ...SET]],
    ['a rule: a file that a note is made from', ['patch', 'k', '-o', 'new', '--depfile', 'x', '--set=INFO=file:other']],
  ])('%s', (_, args) => {
    prepare(home, image);
    put(home, image, 'other');
    mkdirSync(join(home, 'sub'));
    symlinkSync('new', join(home, 'link'));
    linkSync(join(home, 'other'), join(home, 'x'));
    const before = snapshot(home);
    expectError(runWriter({}, args, home), 'usage.bad', /would replace/);
    expect(snapshot(home)).toEqual(before);
  });
});
