/**
 * What a file has besides its bytes: ACLs, attributes of users, an SELinux label stay when a new file takes its place; what
 * spoke for the old bytes or the old owner is dropped, and told.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { keepAttributes } from '../../src/write/attributes.js';
import { BIN, workFolder } from '../support/cli.js';
import { requireTools } from '../support/tools.js';
import { IN_PLACE, prepare, runWriter, WRITERS } from '../support/writers.js';

const folder = workFolder();
afterAll(() => folder.remove());
requireTools('setfattr', 'getfattr', 'setfacl');
const home = join(folder.path, 'h');
const isRoot = process.getuid?.() === 0;
if (!isRoot) console.log('not tried, for want of root: set-id bits of another owner');

/** Whatever has a new file take the place of one that is there; Xen's own tool writes into it, as ever. */
const REPLACING = [
  ...WRITERS.filter(({ kind }) => kind !== 'wrap' && kind !== 'drop-in').map((way) => ({
    ...way,
    target: 'o',
    words: way.args('o'),
  })),
  ...IN_PLACE.filter(({ how }) => how === 'clone').map((way) => ({
    ...way,
    name: `${way.name} --in-place`,
    target: 'k',
    words: way.args('k'),
  })),
];

function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: home, encoding: 'latin1' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

const dump = (name: string) =>
  run('getfattr', '-d', '-m', '-', '-e', 'hex', '--', name)
    .split('\n')
    .filter((line) => line.includes('=') && !line.startsWith('#'));

describe.each(REPLACING)('$name', ({ image, target, words, ...way }) => {
  it('keeps ACLs and attributes, and drops what was for the old bytes', () => {
    prepare(home, image());
    if (target === 'o') writeFileSync(join(home, 'o'), 'older');
    run('setfattr', '-n', 'user.note', '-v', 'a=b\nc\\"', target);
    run('setfacl', '-m', 'u:1:r,g:2:rw,m::rw', target);
    if (isRoot) run('setfattr', '-n', 'security.selinux', '-v', 'system_u:object_r:boot_t:s0', target);
    // A folder whose new files get an ACL that the old file does not have.
    const before = dump(target);
    const { mode } = statSync(join(home, target));
    if (isRoot) {
      run('setfattr', '-n', 'security.ima', '-v', '0x0404', target);
      run('setfattr', '-n', 'security.capability', '-v', '0x0100000200200000000000000000000000000000', target);
    }
    const done = runWriter(way, words, home);
    expect(done.status, done.stderr).toBe(0);
    expect(dump(target)).toEqual(before);
    expect(statSync(join(home, target)).mode).toBe(mode);
    for (const name of isRoot ? ['security.ima', 'security.capability'] : []) {
      expect(done.stderr).toContain(`${name} was for the file as it was, and is dropped`);
    }
  });
});

describe('whatever the files are called', () => {
  // What getfattr writes in another way than it stands in the name, or has a meaning of its own.
  it.each(['a b', 'caf\u00e9', 'back\\slash', '\\075', 'two\nlines', 'a=0x12', '-dash', '# file: x', '\u{1f427}'])(
    '%j',
    (name) => {
      prepare(home, readFileSync('fixtures/bin/pvh64-bare'));
      const [from, to] = [join(home, name), join(home, `${name}.new`)];
      for (const path of [from, to]) writeFileSync(path, '');
      run('setfattr', '-n', 'user.note', '-v', 'x', from);
      run('setfattr', '-n', 'user.other', '-v', 'y', to);
      expect(keepAttributes(from, to)).toEqual([]);
      expect(dump(`./${name}.new`)).toEqual(['user.note=0x78']);
    },
  );
});

describe('an in-place edit by a new file', () => {
  const words = ['patch', 'k', '--in-place', '--placement', 'shift', '--set', 'GUEST_OS=kept'];
  const image = () => readFileSync('fixtures/bin/pvh64-bare');

  it('gets no ACL of its folder that the file did not have', () => {
    prepare(home, image());
    run('setfacl', '-m', 'd:u:1:rw', home);
    expect(runWriter({}, words, home)).toMatchObject({ status: 0, stderr: '' });
    expect(dump('k')).toEqual([]);
  });

  it.runIf(isRoot)('drops set-id bits that would be those of another owner', () => {
    prepare(home, image());
    // Somebody who may write to the folder, and not give files away.
    chmodSync(folder.path, 0o755);
    chmodSync(home, 0o777);
    chownSync(join(home, 'k'), 0, 0);
    chmodSync(join(home, 'k'), 0o6755);
    const user = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const line = `exec ${user.join(' ')} "$@"`;
    const probe = spawnSync('sh', ['-c', line, 'sh', process.execPath, BIN, '--version'], { cwd: '/' });
    // Where nobody may not read the checkout there is nothing to be tried.
    if (probe.status !== 0) return;
    const done = runWriter({}, words, home, line);
    expect(done.status, done.stderr).toBe(0);
    expect(done.stderr).toContain('the set-user-ID and set-group-ID bit is dropped: the new file has another owner');
    expect(statSync(join(home, 'k')).mode & 0o7777).toBe(0o755);
  });

  it.runIf(isRoot)('with --strict writes nothing where something is to be dropped', () => {
    prepare(home, image());
    run('setfattr', '-n', 'security.ima', '-v', '0x0404', 'k');
    const done = runWriter({}, [...words, '--strict'], home);
    expect(done.stderr).toContain('security.ima was for the file as it was, and is dropped [write.warned]');
    expect(done.status).toBe(1);
    expect(readFileSync(join(home, 'k')).equals(image())).toBe(true);
    expect(readdirSync(home)).toEqual(['k']);
  });
});

describe('without the programs of attr', () => {
  it('cp keeps what it can', () => {
    prepare(home, readFileSync('fixtures/bin/pvh64-bare'));
    run('setfattr', '-n', 'user.note', '-v', 'x', 'k');
    run('setfacl', '-m', 'u:1:r', 'k');
    const before = dump('k');
    const hide = 'mount --bind /dev/null /usr/bin/getfattr && exec "$@"';
    const user = isRoot ? [] : ['--user', '--map-root-user'];
    const words = [process.execPath, BIN, 'patch', 'k', '--in-place', '--placement', 'shift', '--set', 'GUEST_OS=kept'];
    const done = spawnSync('unshare', [...user, '--mount', 'sh', '-c', hide, 'sh', ...words], {
      cwd: home,
      encoding: 'utf8',
    });
    expect(done).toMatchObject({ status: 0, stderr: '' });
    expect(dump('k')).toEqual(before);
  });
});
