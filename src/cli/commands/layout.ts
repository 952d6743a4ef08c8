/** `layout IMAGE`: the shape of its arguments. */
import { fail } from '../../base/errors/patch-error.js';
import type { Shape } from '../command.js';
import type { ArgsOf, OptionTable } from '../option-table.js';
import { COLOR_OPTION, JSON_OPTION, LIMIT_OPTION } from '../options.js';

const OPTIONS = {
  compare: { kind: 'value', help: 'a second image, shown as the one after' },
  svg: { kind: 'value', help: 'write a picture (SVG) here; - is standard output' },
  sizes: { kind: 'flag', help: 'what each section, loaded part and note owner takes, the largest first' },
  physical: { kind: 'flag', help: 'memory by physical instead of virtual address' },
  ...JSON_OPTION,
  ...LIMIT_OPTION,
  ...COLOR_OPTION,
} as const satisfies OptionTable;

/** What the work is given. */
export interface LayoutArgs extends ArgsOf<typeof OPTIONS> {
  readonly image: string;
}

/** The words and options of `layout`, as `--help` and the parser have them. */
export const layoutShape: Shape<typeof OPTIONS, LayoutArgs> = {
  name: 'layout',
  synopsis: 'IMAGE [--compare OTHER] [--svg FILE] [--sizes]',
  summary: 'the file and memory map, as text or as a picture',
  about:
    'Shows what stands where in the file, what of it goes where in memory, and where the notes are. --svg draws it: the ' +
    'file on one side, memory on the other. --compare puts a second image beside it, as before and after an edit. PE images ' +
    '(xen.efi) are shown by their sections. --sizes tells where the bytes go instead.',
  words: { name: 'IMAGE', min: 1, max: 1 },
  options: OPTIONS,
  examples: [
    ['xen-elfpatch layout vmlinux', 'the map as text'],
    ['xen-elfpatch layout vmlinux --sizes', 'what takes the room, in the file and in memory'],
    ['xen-elfpatch layout vmlinux --svg map.svg', 'a picture for the browser'],
    ['xen-elfpatch layout vmlinux --compare vmlinux.pvh --svg patch.svg', 'before and after'],
  ],
  args(given, [image = '']) {
    const other = given.json ? '--json' : given.sizes ? '--sizes' : undefined;
    if (given.svg === '-' && other !== undefined) {
      fail('usage.bad', {}, { what: `--svg - and ${other} both want standard output` });
    }
    return { ...given, image };
  },
};
