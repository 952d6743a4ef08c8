/** Proofs of several verdicts on one file share what they tried, and say the same as each by itself. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { proveCure, startSearch } from '../../../src/edit/fix/cure.js';
import { waysFor } from '../../../src/edit/fix/ways.js';
import { openContainer } from '../../../src/formats/container/open.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { SHAPES } from '../../reports/report-shapes.js';
import { bzImage } from '../../support/bzimage.js';

const IMAGES: readonly (readonly [string, Uint8Array])[] = [
  ...['XEN_VERSION of a release', 'PHYS32_ENTRY that is virtual', 'an ELF32 without PAE_MODE', 'LOADER=linux'].flatMap(
    (shape) => Object.entries(SHAPES).filter(([name]) => name === shape),
  ),
  ...readdirSync('fixtures/cases')
    .filter((name) => name.endsWith('.elf'))
    .slice(0, 12)
    .map((name) => [name, readFileSync(`fixtures/cases/${name}`)] as const),
];

const said = (value: unknown) => JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? `${each}n` : each));

describe('a shared search', () => {
  it.each(IMAGES)('%s', (name, bytes) => {
    const source = new BufferSource(bytes, name);
    const shared = startSearch(source);
    for (const verdict of judgeLoaders(source)) {
      expect(said(proveCure(source, verdict, { shared }))).toBe(said(proveCure(source, verdict)));
    }
    // Of what was read, something was tried: else nothing would be shared.
    expect(shared === undefined || shared.tries.size > 0).toBe(true);
  });

  it('of a kernel in a signed bzImage', async () => {
    const data = SHAPES['Linux with SUPPORTED_FEATURES 0x8001'];
    const outer = new BufferSource(bzImage({ format: 'gzip', data, pe: 'new', certificate: 1472 }), 'vmlinuz');
    const opened = await openContainer(outer);
    if (opened.kind === 'elf') throw new Error('it is no bzImage');
    const wrapped = { facts: opened.facts, outer };
    const conditions = { wrapped, ways: waysFor(opened, outer) };
    const shared = startSearch(opened.elf);
    for (const verdict of judgeLoaders(opened.elf, { wrapped })) {
      const each = said(proveCure(opened.elf, verdict, conditions));
      expect(said(proveCure(opened.elf, verdict, { ...conditions, shared }))).toBe(each);
    }
  });
});
