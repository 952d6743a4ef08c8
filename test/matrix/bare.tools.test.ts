/** The matrix for bare images: every loader, every release that tells an image apart, every rule that ends a load. */
import { readFileSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { workFolder } from '../support/cli.js';
import { shellIn } from '../support/shell.js';
import { bentKernels } from './bent-kernels.js';
import { allRules, bare, Promises, survey, TARGETS } from './matrix.js';

vi.mock('../../src/cli/output.js', async (original) => {
  const { captured } = await import('../support/captured-output.js');
  return captured(await original<typeof import('../../src/cli/output.js')>());
});

const folder = workFolder();
afterAll(() => folder.remove());
const promises = new Promises(folder.path);
const { cells, distinct } = survey();

/** Rules that no image of the matrix ends at, and why; by loader where the others can end there. */
const NEVER_THE_END: Readonly<Record<string, string>> = {
  'p2m-usable': 'warns',
  'hypercall-page-usable': 'warns',
  'segments-have-flags': 'warns',
  'pv-entry-told': 'warns',
  'notes-inside-their-segment': 'warns',
  'note-alignment': 'warns',
  'notes-stepped-by-4': 'warns',
  'entry-width': 'warns',
  'parser-not-upset': 'warns',
  'above-low-memory': 'warns',
  'clear-of-low-memory': 'warns',
  'reads-within-segment': 'warns',
  widths: 'warns',
  'pv-kernel': 'warns',
  'pe-sections': 'a PE image with load addresses that do not fit its sections: test/cli/pe-images.images.test.ts',
  'qemu-multiboot total-size': 'the sizes of an ELF32 do not add up to a negative number',
  'code-in-file': 'only a file of debug information ends there: near-misses.test.ts',
  'grub-xen program-headers': 'warns',
  'segments-apart': 'warns',
  'offset-with-address': 'warns',
  'memory-behind-the-file': 'warns',
  'kexec bytes-in-file': 'warns',
  'kexec hole-for-the-image': 'only a shared object larger than memory ends there: test/loaders/kexec.test.ts',
  'qemu-pvh in-memory': 'warns, but where the entry is there: test/loaders/memory.test.ts',
  'qemu-multiboot in-memory': 'warns, but where the entry is there: test/loaders/memory.test.ts',
  'loaded-as-linked': 'only a PT_LOAD away from its code ends there: test/loaders/xen/where-linked.test.ts',
  'entry-as-linked': 'only a wrong PADDR_OFFSET ends there: test/loaders/xen/where-linked.test.ts',
  'sections-loaded': 'only sections that no PT_LOAD loads end there: test/loaders/xen/where-linked.test.ts',
  'place-for-the-image': 'only a Multiboot2 header with tag 10 ends there: test/judges/tables.test.ts',
  'place-for-the-file': 'only a Multiboot2 header with tag 10 ends there: test/judges/tables.test.ts',
  'load-in-memory': 'hangs on memory: test/loaders/memory.test.ts',
  'segments-in-memory': 'hangs on memory: test/loaders/memory.test.ts',
  'hypercall-page-clear-of-entry': 'only an entry inside of that page ends there, and no image here has one',
  'qemu-multiboot entry-in-the-load': 'address-fields ends what the images bend first: test/judges/tables.test.ts',
  'grub-multiboot2 entry-in-the-load': 'address-fields ends what the images bend first: test/judges/tables.test.ts',
};
/** Where Xen only warns and others refuse; and what a rule in front of them takes away. */
const ELSEWHERE: readonly string[] = [
  ...['xen-pv', 'xen-pvh', 'xen-dom0-pv', 'xen-dom0-pvh'].flatMap((loader) =>
    ['segment-bytes-in-file', 'entry-in-a-segment'].map((rule) => `${loader} ${rule}`),
  ),
  // Only what is compressed, or a bzImage, ends there: wrapped.tools.test.ts. QEMU's row ends at the mark of one.
  ...['xen-pv', 'xen-pvh', 'kexec'].map((loader) => `${loader} not-compressed`),
  ...['firecracker', 'cloud-hypervisor', 'kexec'].map((loader) => `${loader} not-bzimage`),
  // In an HVM container not-firmware asks the same first.
  ...[
    'required-features-known',
    'any-notes',
    'loader-or-linux',
    'xen-version',
    'paddr-offset-with-virt-base',
    'entry-in-bounds',
    'p2m-outside-image',
  ].map((rule) => `xen-pvh ${rule}`),
];

it('every rule has an image that ends at it, or a reason why none does', () => {
  const seen = new Set(cells.map(({ loader, rule }) => `${loader} ${rule}`));
  const excused = (row: string) => {
    const [loader = '', rule = ''] = row.split(' ');
    return [rule, `${loader} ${rule}`].some((key) => Object.hasOwn(NEVER_THE_END, key)) || ELSEWHERE.includes(row);
  };
  // Loaders that enter wherever they are told warn of an entry in no segment; the multiboot ones refuse.
  const entering = (row: string) => row.endsWith(' entry-in-a-segment') && !row.startsWith('grub-multiboot');
  const warned = (row: string) => row.endsWith(' file-size-in-memory-size');
  const unseen = allRules().filter((row) => !seen.has(row) && !excused(row) && !entering(row) && !warned(row));
  expect(unseen).toEqual([]);
});

it('there are cells of both classes for every loader', () => {
  const loaders = [...new Set(TARGETS.map((target) => target.split('@')[0]))];
  for (const bits of [32, 64]) {
    const asked = new Set(cells.filter((cell) => cell.bits === bits).map(({ loader }) => loader));
    expect(loaders.filter((loader) => loader === undefined || !asked.has(loader))).toEqual([]);
  }
});

describe.each(distinct)('%s', (target) => {
  it('keeps every promise that verify and fix make', async () => {
    const own = cells.filter((cell) => cell.target === target);
    expect(own.length).toBeGreaterThan(3);
    expect(await promises.broken(own, 'ELF', { advised: true })).toEqual([]);
  });
});

describe('lines with a cure', () => {
  it('one of each shape does in a shell what it did here', () => {
    const run = shellIn(folder.path);
    const { shapes } = promises;
    expect(shapes.length).toBeGreaterThan(20);
    for (const { line, output, bytes } of shapes) {
      rmSync(output, { force: true });
      expect({ line, ...run(line) }).toMatchObject({ line, status: 0 });
      expect(readFileSync(output).equals(bytes)).toBe(true);
    }
  });

  it('the images are those that were judged', () => {
    expect(bentKernels().map(bare).length).toBeGreaterThan(400);
  });
});
