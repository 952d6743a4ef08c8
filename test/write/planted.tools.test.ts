/** Folders that others write to: planted links, and containers that share a folder. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BIN, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { xenNotes } from '../support/patching.js';
import { requireTools } from '../support/tools.js';
import { IN_PLACE, prepare, programOf, runWriter, WRITERS } from '../support/writers.js';

const folder = workFolder();
afterAll(() => folder.remove());
const home = join(folder.path, 'w');

const ALL = [
  ...WRITERS.map((way) => ({ ...way, words: way.args('o') })),
  ...IN_PLACE.map((way) => ({ ...way, name: `${way.name} --in-place`, words: way.args('k') })),
];

/** Every open() for writing and what could be planted there. */
const CREATES = /\b(?:openat|open)\((?:AT_FDCWD, )?"([^"]*)", ([A-Z_|]+)/g;

describe('whatever is made or written beside a target', () => {
  it.each(ALL)(
    'is opened with O_EXCL or O_NOFOLLOW, never through a planted link: $name',
    ({ image, words, ...way }) => {
      requireTools('strace');
      prepare(home, image());
      const log = join(folder.path, 'log');
      const line = `exec strace -f -qq -s 4096 -e trace=open,openat -o '${log}' "$@"`;
      expect(runWriter(way, words, home, line).status).toBe(0);
      const opens = [...readFileSync(log, 'latin1').matchAll(CREATES)].map(([, path = '', flags = '']) => ({
        path,
        flags,
      }));
      const writing = opens.filter(
        ({ path, flags }) => /O_WRONLY|O_RDWR|O_CREAT/.test(flags) && !path.startsWith('/dev/'),
      );
      expect(writing.length).toBeGreaterThan(0);
      expect(writing.filter(({ flags }) => !/O_EXCL|O_NOFOLLOW/.test(flags))).toEqual([]);
    },
  );
});

describe('containers on one folder', () => {
  it('20 writers in pid namespaces of their own: none lost, none told nonsense', async () => {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'k'), readFileSync(fixture('pvh64-bare')));
    const names = ['GUEST_OS', 'GUEST_VERSION', 'XEN_VERSION', 'LOADER', 'BSD_SYMTAB'];
    const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
    const runs = Array.from({ length: 20 }, (_, i) => {
      // Each has the number of the others; who finds the file locked comes again.
      const command = `until '${process.execPath}' '${BIN}' patch k --in-place --set ${names[i % 5]}=v${i % 5} 2>>err.${i}; do sleep 0.1; done`;
      const child = spawn('unshare', [...user, '--pid', '--fork', '--mount-proc', 'sh', '-c', command], {
        cwd: home,
        stdio: 'ignore',
      });
      return new Promise((resolve) => child.on('close', resolve));
    });
    expect(new Set(await Promise.all(runs))).toEqual(new Set([0]));
    expect(new Set(xenNotes(join(home, 'k')).map(([name]) => name))).toEqual(new Set(names));
    const errors = readdirSync(home)
      .filter((name) => name.startsWith('err.'))
      .map((name) => readFileSync(join(home, name), 'utf8'))
      .join('');
    const told = errors
      .split('\n')
      .filter((line) => line.startsWith('xen-elfpatch: ') && !line.startsWith('xen-elfpatch: warning: '));
    for (const line of told)
      expect(line).toMatch(
        /of another container or machine\) is patching this file|it was (?:replaced|written to)|its size is another/,
      );
    expect(readdirSync(home).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(spawnSync(process.execPath, [programOf({}), 'verify', 'k'], { cwd: home }).status).toBe(0);
  });
});
