import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BIN, workFolder } from '../support/cli.js';
import { realImage, requireTools } from '../support/images.js';

const folder = workFolder();
afterAll(() => folder.remove());
const bin = join(folder.path, 'bin');
mkdirSync(bin);
writeFileSync(join(bin, 'xen-elfpatch'), `#!/bin/sh\nexec ${process.execPath} ${BIN} "$@"\n`);
chmodSync(join(bin, 'xen-elfpatch'), 0o755);
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };

/** A folder that looks like a fresh clone to what the pages do. */
function clone(name: string): string {
  const path = join(folder.path, name);
  mkdirSync(path);
  for (const part of ['examples', 'scripts/xen-elfpatch.mk', 'docs'])
    cpSync(part, join(path, part), { recursive: true });
  symlinkSync(resolve('fixtures'), join(path, 'fixtures'));
  // What the page on prebuilt kernels takes from /boot.
  if (name.includes('prebuilt')) {
    cpSync(realImage('vmlinuz-6.12-cloud').path, join(path, 'vmlinuz'));
    chmodSync(join(path, 'vmlinuz'), 0o644);
  }
  return path;
}

const pages = readdirSync('docs').filter((name) => name.startsWith('howto-'));

describe.each(pages)('docs/%s', (page) => {
  it('does what it says, command by command', () => {
    requireTools('make', 'readelf', 'objcopy', 'strip');
    const blocks = [...readFileSync(join('docs', page), 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)].map(
      ([, lines]) => lines,
    );
    expect(blocks.length).toBeGreaterThanOrEqual(3);
    // -e does not end at a command behind `!`; a wrong yes there has to end the script as well.
    const script = blocks.join('').replace(/^! (.*)$/gm, 'if $1; then echo "wanted a no: $1" >&2; exit 9; fi');
    const { status, stdout, stderr } = spawnSync('sh', ['-e', '-u', '-c', script], {
      cwd: clone(page),
      env,
      encoding: 'utf8',
    });
    expect({ status, said: status === 0 ? '' : `${stdout}${stderr}` }).toEqual({ status: 0, said: '' });
    // Whole kernels are packed on one page, on machines that do other things as well.
  }, 900_000);
});

it('the pages and the README link to files that are there', () => {
  for (const page of [
    'README.md',
    ...readdirSync('docs')
      .filter((name) => name.endsWith('.md'))
      .map((name) => join('docs', name)),
  ]) {
    for (const [, link = ''] of readFileSync(page, 'utf8').matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(link)) continue;
      expect({ page, link, there: spawnSync('test', ['-e', join(page, '..', link)]).status }).toEqual({
        page,
        link,
        there: 0,
      });
    }
  }
});

it('docs/troubleshooting.md says what explain says', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/troubleshooting.mjs'], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
