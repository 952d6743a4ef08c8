/** `layout IMAGE`: the shape of its arguments. */
import { fail } from '../../errors/patch-error.js';
import type { Shape } from '../command.js';
import { COLOR_OPTION, type ColorMode } from '../options.js';

export interface LayoutArgs {
  readonly image: string;
  readonly compare: string | undefined;
  readonly svg: string | undefined;
  readonly physical: boolean;
  readonly json: boolean;
  readonly color: ColorMode;
}

interface Options {
  readonly compare: string | undefined;
  readonly svg: string | undefined;
  readonly physical: boolean | undefined;
  readonly json: boolean | undefined;
  readonly color: ColorMode;
}

export const layoutShape: Shape<Options, LayoutArgs> = {
  name: 'layout',
  synopsis: 'IMAGE [--compare OTHER] [--svg FILE]',
  summary: 'the file and memory map, as text or as a picture',
  about:
    'Shows what stands where in the file, what of it goes where in memory, and where the notes are. --svg draws it: the ' +
    'file on one side, memory on the other. --compare puts a second image beside it, as before and after an edit. PE images ' +
    '(xen.efi) are shown by their sections.',
  words: { name: 'IMAGE', min: 1, max: 1 },
  repeatable: [],
  examples: [
    ['xen-elfpatch layout vmlinux', 'the map as text'],
    ['xen-elfpatch layout vmlinux --svg map.svg', 'a picture for the browser'],
    ['xen-elfpatch layout vmlinux --compare vmlinux.pvh --svg patch.svg', 'before and after'],
  ],
  options: (cli) =>
    cli
      .option('compare', { type: 'string', requiresArg: true, describe: 'a second image, shown as the one after' })
      .option('svg', {
        type: 'string',
        requiresArg: true,
        describe: 'write a picture (SVG) here; - is standard output',
      })
      .option('physical', { type: 'boolean', describe: 'memory by physical instead of virtual address' })
      .option('json', { type: 'boolean', describe: 'one JSON document instead of text' })
      .option('color', COLOR_OPTION),
  args({ compare, svg, physical, json, color }, [image = '']) {
    if (svg === '-' && json === true) {
      fail('usage.bad', {}, { what: '--svg - and --json both want standard output' });
    }
    return { image, compare, svg, physical: physical === true, json: json === true, color };
  },
};
