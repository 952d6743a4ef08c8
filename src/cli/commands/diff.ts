/** `diff A B`: the shape of its arguments. */
import type { Shape } from '../command.js';
import { COLOR_OPTION, type ColorMode } from '../options.js';

export interface DiffArgs {
  readonly first: string;
  readonly second: string;
  readonly json: boolean;
  readonly color: ColorMode;
}

interface Options {
  readonly json: boolean | undefined;
  readonly color: ColorMode;
}

export const diffShape: Shape<Options, DiffArgs> = {
  name: 'diff',
  synopsis: 'A B',
  summary: 'what differs between two images, in words',
  about:
    'Compares two ELF images: notes by owner and type, headers field by field, sections by name, and every byte, with ' +
    'the part of the file it belongs to. Says whether anything but notes and headers differs. Two PE images (xen.efi) are ' +
    'compared section by section as they stand in memory, with their Multiboot2 tags. Exit 1 if they differ.',
  words: { name: 'IMAGE', min: 2, max: 2 },
  repeatable: [],
  examples: [
    ['xen-elfpatch diff vmlinux vmlinux.pvh', 'what did the patch do?'],
    ['xen-elfpatch diff --json build1/kernel build2/kernel', 'for a reproducible-builds job'],
    ['xen-elfpatch diff - kernel < kernel.orig', 'one of them from a pipe'],
  ],
  options: (cli) =>
    cli
      .option('json', { type: 'boolean', describe: 'one JSON document instead of text' })
      .option('color', COLOR_OPTION),
  args: ({ json, color }, [first = '', second = '']) => ({ first, second, json: json === true, color }),
};
