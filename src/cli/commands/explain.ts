/** `explain [NAME|TOPIC]`: the shape of its arguments. */
import type { Shape } from '../command.js';
import { topics } from '../completion-words.js';
import type { ArgsOf } from '../option-table.js';
import { JSON_OPTION } from '../options.js';

/** What the work is given. */
export interface ExplainArgs extends ArgsOf<typeof JSON_OPTION> {
  /** A note, a topic, a problem id or a message, `-` for a log on standard input; undefined for the index. */
  readonly name: string | undefined;
}

/** The words and options of `explain`, as `--help` and the parser have them. */
export const explainShape: Shape<typeof JSON_OPTION, ExplainArgs> = {
  name: 'explain',
  synopsis: '[NAME|TOPIC]',
  summary: 'explain a note, a preset, a loader or a problem',
  about:
    'Explains a note (ENTRY, phys32_entry, 18), a topic (presets, loaders, problems), a problem by its id, or a message ' +
    'that a loader printed. - reads a log from standard input. Without a name, lists all there is.',
  // A loader's message has several words, which need no quotes.
  words: { name: 'NAME', min: 0, max: Number.POSITIVE_INFINITY, complete: topics },
  options: JSON_OPTION,
  examples: [
    ['xen-elfpatch explain PHYS32_ENTRY', 'what a note means and who needs it'],
    ['xen-elfpatch explain presets', 'the named sets of notes'],
    ['xen-elfpatch explain read.not-elf', 'what an error of this command means'],
    ['xen-elfpatch explain without PVH ELF Note', 'what a message of QEMU means'],
    ['xl dmesg | xen-elfpatch explain -', 'what a log says, line by line'],
  ],
  args: (given, words) => ({ ...given, name: words.length === 0 ? undefined : words.join(' ') }),
};
