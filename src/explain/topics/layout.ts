import { code, heading, list, text } from '../blocks.js';
import type { Page } from '../page.js';

/** `explain layout`: how to read the map. */
export const layout: Page = {
  name: 'layout',
  title: 'Layout: the file and memory map',
  blocks: [
    text`layout shows the file from front to back, then memory from low to high: headers, tables, notes by name, PT_LOADs with
      their flags and addresses, what is zero, what no header speaks of, and where e_entry leads. No line is wider than the
      terminal.`,
    code`
      $ xen-elfpatch layout vmlinux
      $ xen-elfpatch layout vmlinux --physical
      $ xen-elfpatch layout vmlinux --svg map.svg
      $ xen-elfpatch layout vmlinux --compare vmlinux.pvh --svg patch.svg`,
    heading('The picture'),
    list(
      'The file stands on the left, memory on the right, and a ribbon leads from what is loaded to where it goes.',
      'Heights grow with the logarithm of a size: a note of 20 bytes and a PT_LOAD of 40 MiB are both to be seen. The ' +
        'sizes beside them are the true ones.',
      'Notes are marked in both. A hatched part is zero in memory and not in the file; a dashed one is free.',
      'With --compare the second image stands beside the first, and what only one of them has is outlined.',
      'It needs no script and no network, and follows the light or dark scheme of its surroundings.',
    ),
    heading('What to look for'),
    list(
      'Notes outside every PT_LOAD are not in memory: good for loaders, invisible to the running kernel.',
      'A band named unclaimed bytes is data that neither a section nor a segment speaks of, often put there by another tool.',
      'Free bytes behind the program headers or the notes are the room that patch takes first (explain placements).',
    ),
  ],
};
