/** A disk that is full, and a limit on the size of files: an error, the old file as it was, and nothing left beside it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BIN, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { expectError } from '../support/patching.js';
import { IN_PLACE, prepare, runWriter, WRITERS } from '../support/writers.js';

const folder = workFolder();
const disk = join(folder.path, 'disk');
const input = readFileSync(fixture('pvh64-bare'));
const SET = ['--set', 'PHYS32_ENTRY=0x100000'];
const at = (name: string) => join(disk, name);

/** Each way to write an image `k`, and the file it writes. */
const WAYS = [
  ['beside', ['patch', 'k', '-o', 'o', ...SET]],
  ['in place, directly', ['patch', 'k', '--in-place', ...SET]],
  ['in place, by a copy', ['patch', 'k', '--in-place', '--placement', 'shift', ...SET]],
] as const;

// The user and mount namespaces let anybody have a small file system of his own; root needs no namespace for it.
const SMALL_DISK = 'mount -t tmpfs -o size=96k tmpfs "$0" && cd "$0" && ';

/** Runs a line of shell on a disk of 96 KiB; `$NODE` and `$BIN` are the command, `$K` the image. */
function onSmallDisk(line: string) {
  const words = ['--mount', ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'])];
  const run = spawnSync('unshare', [...words, 'sh', '-c', `${SMALL_DISK}${line}`, disk], {
    encoding: 'utf8',
    env: { ...process.env, NODE: process.execPath, BIN, K: fixture('pvh64-bare') },
  });
  if (run.error !== undefined) throw run.error;
  return run;
}

beforeAll(() => mkdirSync(disk));
afterAll(() => folder.remove());

describe.each(WAYS)('a full disk, %s', (_, args) => {
  const command = `"$NODE" "$BIN" ${args.join(' ')}`;
  // Pages left free when the command begins: none, and too few for the copy or for what is appended.
  it.each([0, 1, 2])('%i pages free', (free) => {
    const fill = `dd if=/dev/zero of=filler bs=4096 count=$((21 - ${free})) 2>/dev/null`;
    const run = onSmallDisk(`cp "$K" k && ${fill}; ${command}; echo "status $?"; cmp k "$K" && echo same; ls -A`);
    const names = run.stdout.split('\n').filter((line) => line !== '');
    if (names.includes('status 0')) {
      // Two pages are enough for what is appended in place.
      expect(args).toContain('--in-place');
      return;
    }
    expectError({ ...run, status: 2 }, 'write.failed', /no space left/);
    expect(names).toEqual(['status 2', 'same', 'filler', 'k']);
  });

  it('goes through when there is room', () => {
    const run = onSmallDisk(`cp "$K" k && ${command} >/dev/null; echo "status $?"; ls -A`);
    expect(run.stdout.split('\n').filter((line) => line !== '')).toEqual(
      args.includes('-o') ? ['status 0', 'k', 'o'] : ['status 0', 'k'],
    );
  });
});

describe.each(WAYS)('a limit on the size of files (ulimit -f), %s', (_, args) => {
  it('is an error, wherever it strikes', () => {
    const failed: number[] = [];
    for (let blocks = 0; blocks < 40; blocks += 3) {
      for (const name of readdirSync(disk)) writeFileSync(at(name), '');
      writeFileSync(at('k'), input);
      writeFileSync(at('o'), 'older');
      const line = `ulimit -f ${blocks}; exec "$NODE" "$BIN" ${args.join(' ')}`;
      // A shell that is bash counts in KiB, one by POSIX in halves of it; both come past every size.
      const { status, signal, stdout, stderr } = spawnSync('sh', ['-c', line], {
        cwd: disk,
        encoding: 'utf8',
        env: { ...process.env, NODE: process.execPath, BIN },
      });
      if (status === 0) continue;
      failed.push(blocks);
      expectError({ status, signal, stdout, stderr }, 'write.failed', /file too large/);
      expect(readFileSync(at('k')).equals(input)).toBe(true);
      expect(readFileSync(at('o'), 'utf8')).toBe('older');
      expect(readdirSync(disk).sort()).toEqual(['k', 'o']);
    }
    expect(failed.length).toBeGreaterThan(3);
    expect(failed).not.toContain(39);
  });
});

/** What every command that writes says of it. */
const EVERY = [
  ...WRITERS.map((way) => ({ ...way, how: undefined, command: way.args('o') })),
  ...IN_PLACE.map((way) => ({ ...way, name: `${way.name} --in-place`, command: way.args('k') })),
];
const REFUSED = /\[(write\.failed|mkelf32\.(open|write)-output)\]|^Error writing output image: /;

describe.each(EVERY)('no room for anything, $name', (way) => {
  const home = join(folder.path, 'every');
  const image = way.image();

  it('a full disk: an error, every file as it was, and nothing beside', () => {
    prepare(home, image, 'image');
    writeFileSync(join(home, 'older'), 'older');
    const line =
      'mount -t tmpfs -o size=1m tmpfs d && cp image d/k && cp older d/o && cd d && { cat /dev/zero >filler 2>/dev/null; ' +
      '"$@" >../said 2>&1; echo "status $?"; cmp k ../image && echo same; cat o; echo; ls -A; }';
    mkdirSync(join(home, 'd'));
    const around = `exec unshare --mount sh -c '${line}' sh "$@"`;
    const lines = runWriter(way, way.command, home, around)
      .stdout.split('\n')
      .filter((text) => text !== '');
    // An edit where the image is needs no room.
    if (way.how === 'direct' && lines.includes('status 0')) return;
    expect(readFileSync(join(home, 'said'), 'utf8')).toMatch(REFUSED);
    expect(lines).toEqual([way.kind === 'drop-in' ? 'status 1' : 'status 2', 'same', 'older', 'filler', 'k', 'o']);
  });

  it('a limit on the size of files: the same', () => {
    prepare(home, image);
    writeFileSync(join(home, 'o'), 'older');
    const run = runWriter(way, way.command, home, 'ulimit -f 1; exec "$@"');
    expect(run.stderr).toMatch(REFUSED);
    expect(run.status).toBe(way.kind === 'drop-in' ? 1 : 2);
    expect(readFileSync(join(home, 'k')).equals(Buffer.from(image))).toBe(true);
    expect(readFileSync(join(home, 'o'), 'utf8')).toBe('older');
    expect(readdirSync(home).sort()).toEqual(['k', 'o']);
  });
});

describe('a result that cannot be shown', () => {
  it.each([
    ['notes', ['notes', fixture('pvh64-notes')]],
    ['an image on standard output', ['patch', fixture('pvh64-bare'), '-o', '-', ...SET]],
  ])('/dev/full as standard output: %s', (_, args) => {
    const { status, signal, stderr } = spawnSync(
      'sh',
      ['-c', '"$@" >/dev/full', 'sh', process.execPath, BIN, ...args],
      {
        encoding: 'utf8',
      },
    );
    expectError({ status, signal, stdout: '', stderr }, 'read.open', /cannot write: no space left/);
  });

  const ALL = [
    ...WRITERS.filter(({ kind }) => kind !== 'drop-in').map((way) => ({ ...way, command: way.args('o') })),
    ...IN_PLACE.map((way) => ({ ...way, name: `${way.name} --in-place`, command: way.args('k') })),
  ];

  it.each(ALL)('exit 3 when it is written and the report is not: $name', ({ name, image, command }) => {
    const home = join(folder.path, 'told');
    prepare(home, image());
    // A picture has a document only.
    const words = name.startsWith('layout --') ? [...command, '--json'] : command;
    const good = runWriter({}, words, home);
    expect(good.status).toBe(0);
    const wanted = readdirSync(home).map((file) => readFileSync(join(home, file), 'hex'));
    prepare(home, image());
    const run = runWriter({}, words, home, 'exec "$@" >/dev/full');
    expect(run.stderr).toMatch(
      /is written and right, but the report could not be: no space left.*\[write\.not-told\]$/m,
    );
    expect(run.status).toBe(3);
    expect(readdirSync(home).map((file) => readFileSync(join(home, file), 'hex'))).toEqual(wanted);
  });

  it.each([
    ['a file', ['o'], 3, 'write.not-told'],
    ['standard output itself', ['-'], 2, 'write.failed'],
  ])('a reader that has ended, the image in %s', (_, to, status, id) => {
    const home = join(folder.path, 'told');
    prepare(home, input);
    const words = [process.execPath, BIN, 'patch', 'k', ...SET, '-o', ...to];
    // The pipe has lost its reader before the command begins.
    const line = 'exec 3> >(exit); sleep 0.2; exec "$@" >&3';
    const run = spawnSync('bash', ['-c', line, 'bash', ...words], { cwd: home, encoding: 'utf8' });
    expect(run.stderr).toContain(`the program that was to read it has ended [${id}]`);
    expect(run.status).toBe(status);
  });
});
