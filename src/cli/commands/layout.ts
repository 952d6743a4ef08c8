/** `layout IMAGE`: the shape of its arguments. */
import { fail } from '../../base/errors/patch-error.js';
import type { Shape } from '../command.js';
import type { ArgsOf, OptionTable } from '../option-table.js';
import { COLOR_OPTION, JSON_OPTION, LIMIT_OPTION } from '../options.js';

const OPTIONS = {
  compare: { kind: 'value', help: 'a second image, shown as the one after' },
  svg: { kind: 'value', help: 'write a picture (SVG) here; - is standard output' },
  html: {
    kind: 'value',
    help: 'write a page here that shows the map and what loaders make of it; - is standard output',
  },
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
  synopsis: 'IMAGE [--compare OTHER] [--svg FILE | --html FILE] [--sizes]',
  summary: 'the file and memory map, as text or as a picture',
  about:
    'Shows what stands where in the file, what of it goes where in memory, and where the notes are. --svg draws it: the ' +
    'file on one side, memory on the other. --compare puts a second image beside it, as before and after an edit. PE images ' +
    '(xen.efi) are shown by their sections. --html makes a page of it for any browser: the map to walk through, the notes, the verdict of every ' +
    'loader. --sizes tells where the bytes go instead.',
  words: { name: 'IMAGE', min: 1, max: 1 },
  options: OPTIONS,
  examples: [
    ['xen-elfpatch layout vmlinux', 'the map as text'],
    ['xen-elfpatch layout vmlinux --sizes', 'what takes the room, in the file and in memory'],
    ['xen-elfpatch layout vmlinux --svg map.svg', 'a picture for the browser'],
    ['xen-elfpatch layout vmlinux --html map.html', 'a page that stands for itself'],
    ['xen-elfpatch layout vmlinux --compare vmlinux.pvh --svg patch.svg', 'before and after'],
  ],
  args(given, [image = '']) {
    const wants = [
      ...(['svg', 'html'] as const).filter((name) => given[name] === '-').map((name) => `--${name} -`),
      ...(['json', 'sizes'] as const).filter((name) => given[name]).map((name) => `--${name}`),
    ];
    const [first, second] = wants;
    if (first?.endsWith('-') && second !== undefined) {
      fail('usage.bad', {}, { what: `${first} and ${second} both want standard output` });
    }
    if (given.html !== undefined && given.physical) {
      fail('usage.bad', {}, { what: '--physical is for the text and --svg: the page of --html tells both addresses' });
    }
    if (given.html !== undefined && [image, given.compare].includes('-')) {
      fail('usage.bad', {}, { what: '--html reads an image more than once, wanted a file instead of -' });
    }
    return { ...given, image };
  },
};
