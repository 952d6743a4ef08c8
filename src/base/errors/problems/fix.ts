import { problem } from '../problem.js';

/** Refusals of `fix`. */
export const fixProblems = {
  'fix.no-target': problem<Record<never, never>>({
    exit: 2,
    text: () => 'found no Xen note that would tell what the image is for',
    hint: 'Name a loader: --for xen-pvh, --for qemu-pvh, --for xen-pv',
    meaning:
      'Without --for the loaders are those that the notes of the image speak to: ENTRY to PV, PHYS32_ENTRY to PVH.',
  }),
  'fix.no-cure': problem<{ loaders: string; why: string }>({
    exit: 1,
    text: (c) => `found no edit after which ${c.loaders} would take the image${c.why === '' ? '' : ` (${c.why})`}`,
    hint: 'verify --rules with the same --for shows where it ends',
    meaning:
      'fix uses only what the image itself tells: records that are there, symbols made for the purpose, constants that a ' +
      'loader demands. What it would have to guess, such as the address of a 32-bit entry point, has to be given to patch.',
  }),
} as const;
