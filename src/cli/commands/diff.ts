/** `diff A B`: the shape of its arguments. */
import type { Shape } from '../command.js';
import type { ArgsOf } from '../option-table.js';
import { COLOR_OPTION, JSON_OPTION, LIMIT_OPTION } from '../options.js';

const OPTIONS = { ...JSON_OPTION, ...LIMIT_OPTION, ...COLOR_OPTION } as const;

/** What the work is given. */
export interface DiffArgs extends ArgsOf<typeof OPTIONS> {
  readonly first: string;
  readonly second: string;
}

/** The words and options of `diff`, as `--help` and the parser have them. */
export const diffShape: Shape<typeof OPTIONS, DiffArgs> = {
  name: 'diff',
  synopsis: 'A B',
  summary: 'what differs between two images, in words',
  about:
    'Compares two ELF images: notes by owner and type, headers field by field, sections by name, and every byte, with ' +
    'the part of the file it belongs to. Says whether anything but notes and headers differs. Two PE images (xen.efi) are ' +
    'compared section by section as they stand in memory, with their Multiboot2 tags. Exit 1 if they differ.',
  words: { name: 'IMAGE', min: 2, max: 2 },
  options: OPTIONS,
  examples: [
    ['xen-elfpatch diff vmlinux vmlinux.pvh', 'what did the patch do?'],
    ['xen-elfpatch diff --json build1/kernel build2/kernel', 'for a reproducible-builds job'],
    ['xen-elfpatch diff - kernel < kernel.orig', 'one of them from a pipe'],
  ],
  args: (given, [first = '', second = '']) => ({ ...given, first, second }),
};
