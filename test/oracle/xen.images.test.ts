/**
 * Verdicts and values against Xen's own parser and the toolstack's domain builder (libxenguest 4.17), image by image; and
 * against the parsers of 4.14 and 4.20, which stand for the rules before 4.16 and since 4.18.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseXenVersion, type XenVersion } from '../../src/loaders/xen-version.js';
import { fixture, realImages, xenLibraries } from '../support/images.js';
import { generateImages } from './generate.js';
import { XenOracle } from './programs.js';
import { wildImages } from './wild.js';
import { compareWithXen } from './xen-compare.js';

const COUNT = 4000;
const SEED = 20260821;

interface Rules {
  readonly version: XenVersion;
  readonly toolstack: boolean;
}

/** The generator has to reach every end, or agreeing proves little. */
const ENDS = ['pv accepted', 'pv refused', 'hvm accepted', 'hvm refused', 'pv init'];
const GENERATORS = [
  { what: 'generated', make: generateImages },
  { what: 'wild', make: wildImages },
] as const;

/** The first few that differ are the failure. */
function agree(
  name: string,
  oracle: XenOracle,
  images: readonly Uint8Array[],
  label: (index: number) => string,
  rules: Rules,
) {
  const { counts, different } = compareWithXen(oracle, images, label, rules);
  console.log(`${name}:`, Object.fromEntries([...counts].sort()));
  expect(different.slice(0, 10), `${different.length} differ`).toEqual([]);
  return counts;
}

function suite(rules: Rules, makeOracle: () => XenOracle): void {
  let oracle: XenOracle;
  beforeAll(() => {
    oracle = makeOracle();
  });
  afterAll(() => oracle.remove());
  const { version, toolstack } = rules;
  const seed = SEED + Number(version.replace('.', ''));

  it.each(GENERATORS)(`agrees on ${COUNT} $what images, verdicts and values`, ({ what, make }) => {
    const images = make(COUNT, seed);
    const label = (index: number) => `${make.name}(${COUNT}, ${seed})[${index}]`;
    const counts = agree(`Xen ${version}, ${what}`, oracle, images, label, rules);
    for (const end of [...ENDS, ...(toolstack ? ['dompv accepted'] : [])]) {
      expect([end, (counts.get(end) ?? 0) > COUNT / 100]).toEqual([end, true]);
    }
  });

  it('agrees on every fixture and every real image', () => {
    const paths = [...readdirSync('fixtures/bin').map(fixture), ...realImages().map(({ path }) => path)];
    const images = paths.map((path) => readFileSync(path));
    agree(`Xen ${version}, real`, oracle, images, (index) => paths[index] ?? '', rules);
  });
}

describe('Xen 4.17, as libxenguest has it', () => {
  suite({ version: '4.17', toolstack: true }, () => new XenOracle());
});

const others = xenLibraries();
describe.each(others.libraries)('the parser of Xen $release', ({ release, path }) => {
  const version = parseXenVersion(release);
  if (version === undefined) throw new Error(`no rules for Xen ${release}`);
  suite({ version, toolstack: false }, () => new XenOracle({ release, path }));
});
// The archives keep few releases: what is gone shows as skipped, with its name.
for (const line of others.missing) it.skip(`not to be had here: ${line}`);
