/** Every way to get the command that the README names, each into a place of its own, from a clone of what is here. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { requireTools } from '../support/tools.js';

const folder = workFolder();
afterAll(() => folder.remove());
const at = (...names: string[]) => join(folder.path, ...names);
const clone = at('clone');

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly output: string;
}

function run(cwd: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
  // What npm of this very test run left in the environment says nothing about the user's.
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(?!config_cache)/.test(name)));
  const told = { npm_config_audit: 'false', npm_config_fund: 'false', npm_config_prefer_offline: 'true' };
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...own, ...told, ...env },
  });
  return { status, stdout, output: `${stdout}${stderr}` };
}

function good(result: Run): Run {
  expect({ status: result.status, output: result.status === 0 ? '' : result.output }).toEqual({
    status: 0,
    output: '',
  });
  return result;
}

/** What is installed below `prefix` works, for somebody who has Node on the PATH and nothing else. */
function works(bin: string): void {
  const env = { PATH: dirname(process.execPath), HOME: folder.path };
  const command = join(bin, 'xen-elfpatch');
  const output = at('patched');
  const patch = spawnSync(command, ['patch', fixture('pvh64-bare'), '--preset', 'pvh', '-o', output], { env });
  expect(patch.status).toBe(0);
  const notes = spawnSync(command, ['notes', output], { env, encoding: 'utf8' });
  expect(notes).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('PHYS32_ENTRY') });
  const original = spawnSync(join(bin, 'xen-mkelf32'), [], { env, encoding: 'utf8' });
  expect(original.stderr).toMatch(/Usage: .*mkelf32/);
}

/** The pages that package.json lists, found by man below `manual`. */
function hasManual(manual: string): void {
  const listed: readonly string[] = JSON.parse(readFileSync('package.json', 'utf8')).man;
  expect(listed.length).toBeGreaterThan(0);
  for (const page of listed) {
    const [, name = '', section = ''] = /([^/]+)\.(\d)$/.exec(page) ?? [];
    const { stdout } = good(run(folder.path, 'man', ['-M', manual, section, name], { MANPAGER: 'cat' }));
    expect(stdout).toContain(name);
  }
}

beforeAll(() => {
  requireTools('npm', 'git', 'make', 'man', 'cmake', 'meson', 'ninja');
  const { stdout } = good(run('.', 'git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']));
  for (const name of stdout.split('\0')) if (name !== '' && existsSync(name)) cpSync(name, join(clone, name));
  for (const args of [
    ['init', '-q'],
    ['add', '-A'],
    ['-c', 'user.name=n', '-c', 'user.email=e@example.org', 'commit', '-qm', 'all'],
  ])
    good(run(clone, 'git', args));
});

describe('from a clone', () => {
  const prefix = at('linked');

  it('npm link: builds what is not built, and puts commands and man pages on the paths', () => {
    mkdirSync(prefix);
    good(run(clone, 'npm', ['link'], { npm_config_prefix: prefix }));
    works(join(prefix, 'bin'));
    hasManual(join(prefix, 'share/man'));
  });

  it('npm link once more: what is newer than its sources is not built again', () => {
    const built = () => readFileSync(join(clone, 'dist/cli/main.js'), 'utf8');
    const mark = `${built()}// mark\n`;
    writeFileSync(join(clone, 'dist/cli/main.js'), mark);
    good(run(clone, 'npm', ['link'], { npm_config_prefix: prefix }));
    expect(built()).toBe(mark);
  });

  it('make single: one file that needs nothing else', () => {
    good(run(clone, 'make', ['single']));
    const alone = at('alone.mjs');
    cpSync(join(clone, 'dist/xen-elfpatch.mjs'), alone);
    good(run(folder.path, alone, ['notes', fixture('pvh64-notes')]));
  });

  it('npm i git+file://CLONE: builds on its way into a project', () => {
    const project = at('project');
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), '{}');
    good(run(project, 'npm', ['i', `git+file://${clone}`]));
    works(join(project, 'node_modules/.bin'));
    expect(existsSync(join(project, 'node_modules/xen-elfpatch/dist/types/index.d.ts'))).toBe(true);
    const program = "import { findFix } from 'xen-elfpatch'; process.stdout.write(typeof findFix);";
    expect(good(run(project, process.execPath, ['--input-type=module', '-e', program])).stdout).toBe('function');
  });
});

describe('the tarball', () => {
  const prefix = at('prefix');
  const inside = join(prefix, 'lib/node_modules/xen-elfpatch');

  beforeAll(() => {
    const [{ filename }] = JSON.parse(good(run(clone, 'npm', ['pack', '--ignore-scripts', '--json'])).stdout);
    good(run(folder.path, 'npm', ['i', '-g', '--prefix', prefix, join(clone, filename)]));
  });

  it('npm i -g: commands, man pages, completion, library, and what ships beside them', () => {
    works(join(prefix, 'bin'));
    hasManual(join(prefix, 'share/man'));
    const script = good(run(folder.path, join(prefix, 'bin/xen-elfpatch'), ['completion', 'zsh'])).stdout;
    expect(script).toMatch(/^#compdef xen-elfpatch/);
    for (const file of ['scripts/xen-elfpatch.mk', 'dist/xen-elfpatch.mjs', 'examples/ci/check-kernel.sh']) {
      expect({ file, there: existsSync(join(inside, file)) }).toEqual({ file, there: true });
    }
    const program = "import { findFix } from 'xen-elfpatch'; process.stdout.write(typeof findFix);";
    const cwd = join(inside, '..');
    expect(good(run(cwd, process.execPath, ['--input-type=module', '-e', program])).stdout).toBe('function');
  });

  it('has no page with a link to what it does not hold', () => {
    const pages = readdirSync(inside, { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.endsWith('.md') && !name.startsWith('node_modules'),
    );
    expect(pages).toContain('README.md');
    const links = pages.flatMap((page) =>
      [...readFileSync(join(inside, page), 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
        .map(([, link = '']) => ({ page, link }))
        .filter((each) => !/^https?:/.test(each.link)),
    );
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter(({ page, link }) => !existsSync(join(inside, dirname(page), link)))).toEqual([]);
  });

  it.each([
    ['make', [['make', '-C', 'examples/make', '-j2']], 'examples/make/kernel.xen'],
    [
      'Meson',
      [
        ['meson', 'setup', 'meson-built', 'examples/meson'],
        ['meson', 'compile', '-C', 'meson-built'],
      ],
      'meson-built/kernel.xen',
    ],
    [
      'CMake',
      [
        ['cmake', '-G', 'Ninja', '-S', 'examples/cmake', '-B', 'cmake-built'],
        ['cmake', '--build', 'cmake-built'],
      ],
      'cmake-built/kernel.xen',
    ],
  ])('its example for %s builds from it', (_, commands, made) => {
    const env = { PATH: [join(prefix, 'bin'), process.env['PATH']].join(delimiter) };
    for (const [command = '', ...args] of commands) good(run(inside, command, args, env));
    good(run(inside, 'xen-elfpatch', ['verify', made, '--for', 'qemu-pvh', '--for', 'xen-pvh'], env));
  });

  it('its pages on a post-link step and on CI do what they say', () => {
    // They are read in what npm unpacked, where the user would copy from.
    const env = { PATH: [join(prefix, 'bin'), process.env['PATH']].join(delimiter) };
    for (const page of ['howto-makefile', 'howto-ci']) {
      const work = at(page);
      mkdirSync(work);
      for (const part of ['docs', 'examples', 'scripts', 'fixtures']) {
        if (part === 'examples') cpSync(join(inside, part), join(work, part), { recursive: true });
        else symlinkSync(join(inside, part), join(work, part));
      }
      const text = readFileSync(join(inside, 'docs', `${page}.md`), 'utf8');
      const script = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, lines]) => lines).join('');
      good(run(work, 'sh', ['-e', '-u', '-c', script], env));
    }
  });
});
