/** --dry-run, --check and the write say the same of every placement on every kind of image; done twice it is done once. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { PLACEMENTS } from '../../src/edit/elf/plan/placement-options.js';
import { imageOf, type Shape } from '../support/generated.js';
import { Bench } from '../support/patching.js';
import { validDocument } from '../support/schema.js';

const bench = new Bench();
afterAll(() => bench.remove());

const SHAPE: Shape = {
  encoding: { bits: 64, endian: 'little' },
  slack: 300,
  stripped: false,
  trailing: 0,
  gap: 0x1000n,
  bss: false,
  headers: false,
  notes: 'none',
  align: 4n,
  spare: 'none',
  noteFirst: false,
  dataFirst: false,
  pageAlign: 0x1000n,
};
const IMAGES: Readonly<Record<string, Partial<Shape>>> = {
  bare: {},
  'notes in memory': { notes: 'in-load' },
  'headers in memory, big-endian, 32 bits': { headers: true, notes: 'xen', encoding: { bits: 32, endian: 'big' } },
  'stripped, no slack': { stripped: true, slack: 0, notes: 'two' },
};
const WANTED = ['--kind=kernel', '--set=ENTRY/8=0x100010', '--set=0x42=hex:01020304050607080910111213141516'];

/** What a run says of the plan: all of its document but what was written, and how the file is called. */
function saidBy(run: { readonly stdout: string }): Record<string, unknown> {
  const { written: _, file: __, ...said } = validDocument(run.stdout);
  return said;
}

describe.each(Object.entries(IMAGES))('%s', (name, shape) => {
  const image = name.replace(/\W+/g, '-');
  writeFileSync(bench.at(image), imageOf({ ...SHAPE, ...shape }));

  it.each(PLACEMENTS.flatMap((placement) => ['4', '8'].map((align) => [placement, align])))(
    'by %s, padded to %s',
    (placement = '', align = '') => {
      const words = ['--json', '--placement', placement, '--notes-align', align, ...WANTED];
      const dry = bench.run(['patch', image, '--dry-run', ...words]);
      const check = bench.run(['patch', image, '--check', ...words]);
      const write = bench.run(['patch', image, '-o', 'out', ...words]);
      if (dry.status === 2) {
        // Refused is refused by each of them, for the same reason, and nothing is there.
        expect([check.status, write.status]).toEqual([2, 2]);
        expect([check.stderr, write.stderr]).toEqual([dry.stderr, dry.stderr]);
        return;
      }
      expect([dry.status, write.status], write.stderr).toEqual([0, 0]);
      const plan = saidBy(dry);
      expect(check.status).toBe(plan['changed'] === true ? 1 : 0);
      expect(saidBy(check)).toEqual(plan);
      expect(saidBy(write)).toEqual(plan);

      const before = readFileSync(bench.at('out'));
      expect(bench.run(['patch', 'out', '--check', ...words]).status).toBe(0);
      const again = bench.run(['patch', 'out', '--in-place', ...words]);
      expect(again.status, again.stderr).toBe(0);
      expect(saidBy(again)).toMatchObject({ changed: false });
      expect(readFileSync(bench.at('out')).equals(before)).toBe(true);
    },
  );
});
