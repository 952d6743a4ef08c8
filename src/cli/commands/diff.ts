/** `diff A B`: the shape of its arguments. */
import { BATCH_OPTIONS } from '../batch-options.js';
import type { Shape } from '../command.js';
import type { ArgsOf, OptionTable } from '../option-table.js';
import { COLOR_OPTION, JSON_OPTION, LIMIT_OPTION } from '../options.js';

const { recursive, 'files0-from': list, jobs, 'json-lines': lines } = BATCH_OPTIONS;
const OPTIONS = {
  'baseline-dir': {
    kind: 'value',
    metavar: 'DIR',
    help: 'compare each IMAGE with the file of its name in this folder; with --recursive, of its path below the folder named',
  },
  recursive: { ...recursive, goesWith: 'baseline-dir' },
  'files0-from': { ...list, goesWith: 'baseline-dir' },
  jobs: { ...jobs, goesWith: 'baseline-dir' },
  'json-lines': { ...lines, goesWith: 'baseline-dir' },
  ...JSON_OPTION,
  ...LIMIT_OPTION,
  ...COLOR_OPTION,
} as const satisfies OptionTable;

/** What the work is given. */
export interface DiffArgs extends ArgsOf<typeof OPTIONS> {
  readonly first: string;
  readonly second: string;
}

/** The words and options of `diff`, as `--help` and the parser have them. */
export const diffShape: Shape<typeof OPTIONS, DiffArgs> = {
  name: 'diff',
  synopsis: '(A B | --baseline-dir DIR IMAGE...)',
  summary: 'what differs between two images, in words',
  about:
    'Compares two ELF images: notes by owner and type, headers field by field, sections by name, and every byte, with ' +
    'the part of the file it belongs to. Says whether anything but notes and headers differs. Two PE images (xen.efi) are ' +
    'compared section by section as they stand in memory, with their Multiboot2 tags. Exit 1 if they differ.',
  words: {
    name: 'IMAGE',
    min: 2,
    max: 2,
    with: {
      'files0-from': { min: 0, max: Number.POSITIVE_INFINITY },
      'baseline-dir': { min: 1, max: Number.POSITIVE_INFINITY },
    },
  },
  batch: { notFor: {}, looksThrough: false, images: 2 },
  options: OPTIONS,
  examples: [
    ['xen-elfpatch diff vmlinux vmlinux.pvh', 'what did the patch do?'],
    ['xen-elfpatch diff --json build1/kernel build2/kernel', 'for a reproducible-builds job'],
    ['xen-elfpatch diff - kernel < kernel.orig', 'one of them from a pipe'],
    ['xen-elfpatch diff --baseline-dir build1 --recursive build2', 'each image of one folder with that of another'],
  ],
  args: (given, [first = '', second = '']) => ({ ...given, first, second }),
};
