/** What holds for every table of checks, whatever it judges. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Check } from '../../src/verify/check.js';
import { BZIMAGE_CHECKS, GZIP_CHECKS } from '../../src/verify/container/checks.js';
import { CHECKS } from '../../src/verify/elf/checks.js';
import { STAMPED_CHECKS } from '../../src/verify/pe/stamped.js';
import { KEPT_CHECKS, LINEAR_CHECKS } from '../../src/verify/pe/verify.js';
import { CONTAINER_BREAKS } from './breaks/container.js';
import { ELF_BREAKS } from './breaks/elf.js';
import { PE_BREAKS } from './breaks/pe.js';
import { STAMPED_BREAKS } from './breaks/stamped.js';

interface Table {
  readonly title: string;
  readonly checks: readonly Check[];
  /** The checks that a test breaks. */
  readonly broken: readonly string[];
}

const TABLES: readonly Table[] = [
  // The break of file-mode needs files on a disk; it is a test of its own in breaks.slow.test.ts.
  { title: 'ELF images', checks: CHECKS, broken: [...Object.keys(ELF_BREAKS), 'file-mode'] },
  {
    title: 'PE images',
    checks: [...LINEAR_CHECKS, ...KEPT_CHECKS],
    broken: PE_BREAKS.map(({ check }) => check),
  },
  {
    title: 'stamped PE images',
    checks: STAMPED_CHECKS,
    broken: STAMPED_BREAKS.map(({ check }) => check),
  },
  {
    title: 'containers',
    checks: [...BZIMAGE_CHECKS, ...GZIP_CHECKS],
    broken: CONTAINER_BREAKS.map(({ check }) => check),
  },
];
const ALL = TABLES.flatMap(({ checks }) => checks);
/** How a row begins, in any table. */
const ROW = /\bname: '([^']+)',\s+(?:invariant: \d+,\s+)?needs: '/g;
const namesOf = (checks: readonly Check[]) => checks.map(({ name }) => name).sort();

describe.each(TABLES)('the checks of $title', ({ checks, broken }) => {
  it('have a break each, and no break is of another', () => {
    expect([...new Set(broken)].sort()).toEqual(namesOf(checks));
  });

  it('say whom it hurts, in part of a sentence', () => {
    for (const { name, because } of checks) expect(because, name).toMatch(/^\S.{10,}[^.\s]$/);
  });
});

describe('all checks', () => {
  it('have names of their own', () => {
    expect(new Set(namesOf(ALL)).size).toBe(ALL.length);
  });

  it('stand in one of the tables: no row of the source is left out', () => {
    const rows = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => [...readFileSync(`src/${file}`, 'utf8').matchAll(ROW)].map(([, name]) => name));
    expect(rows.sort()).toEqual(namesOf(ALL));
  });
});
