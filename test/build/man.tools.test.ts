/** The manual: one page a command, made of the declarations, and judged by two readers of man pages. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { XEN_NOTES } from '../../src/formats/note/xen-notes.js';
import { workFolder } from '../support/cli.js';
import { requireTools } from '../support/tools.js';

const folder = workFolder();
afterAll(() => folder.remove());

beforeAll(() => {
  requireTools('man', 'mandoc');
  const { status, stderr } = spawnSync(process.execPath, ['scripts/man.mjs', folder.path], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

/** As a terminal of so many columns shows it. */
function shown(page: string, columns = 80): string {
  const env = { ...process.env, MANWIDTH: String(columns), LC_ALL: 'C.UTF-8' };
  const { stdout, stderr } = spawnSync('man', ['--warnings', '-l', join(folder.path, page)], { encoding: 'utf8', env });
  expect({ page, stderr }).toEqual({ page, stderr: '' });
  return stdout;
}

const pages = () => readdirSync(folder.path).sort();

describe('the pages', () => {
  it('are those that package.json installs, one of them for every command', () => {
    const listed: readonly string[] = JSON.parse(readFileSync('package.json', 'utf8')).man;
    expect(listed.map((path) => path.replace('./dist/man/', '')).sort()).toEqual(pages());
    for (const { shape } of COMMANDS) expect(pages()).toContain(`xen-elfpatch-${shape.name}.1`);
  });

  it('have nothing that mandoc or groff warns of, and no line that is wider than 80 columns', () => {
    for (const page of pages()) {
      const lint = spawnSync('mandoc', ['-Tlint', '-W', 'warning', join(folder.path, page)], { encoding: 'utf8' });
      expect({ page, said: lint.stdout + lint.stderr, status: lint.status }).toEqual({ page, said: '', status: 0 });
      expect({
        page,
        wide: shown(page)
          .split('\n')
          .filter((line) => line.length > 80),
      }).toEqual({ page, wide: [] });
    }
  });

  it('name every section that a reader looks for', () => {
    for (const page of pages()) {
      const headings = [...shown(page).matchAll(/^[A-Z][A-Z ]+$/gm)].map(([heading]) => heading);
      const wanted = page.endsWith('.7')
        ? ['NAME', 'DESCRIPTION', 'SEE ALSO']
        : ['NAME', 'SYNOPSIS', 'DESCRIPTION', 'EXIT STATUS', 'EXAMPLES', 'SEE ALSO'];
      for (const heading of wanted)
        expect({ page, headings }).toMatchObject({ headings: expect.arrayContaining([heading]) });
    }
  });

  it('refer to pages that are there, or to those of others', () => {
    const others = ['readelf(1)', 'objcopy(1)', 'xl.cfg(5)', 'elf(5)', 'strtoul(3)'];
    for (const page of pages()) {
      // Wide enough that no name is broken.
      for (const [reference, name, number] of shown(page, 2000).matchAll(/([a-z][\w.-]*)\((\d)\)/g)) {
        expect({
          page,
          reference,
          known: others.includes(reference) || pages().includes(`${name}.${number}`),
        }).toMatchObject({ known: true });
      }
    }
  });
});

describe('xen-elfpatch-notes(7)', () => {
  it('has every note with its number, as explain tells it', () => {
    const text = readFileSync(join(folder.path, 'xen-elfpatch-notes.7'), 'utf8');
    for (const { name } of XEN_NOTES) expect(text).toMatch(new RegExp(`^\\.SH ".*${name}`, 'm'));
  });
});
