/** `notes IMAGE…`: the shape of its arguments. */
import { fail } from '../../errors/patch-error.js';
import type { Shape } from '../command.js';
import { COLOR_OPTION, type ColorMode } from '../options.js';

/** What the work is given. */
export interface NotesArgs {
  readonly images: readonly string[];
  readonly xen: boolean;
  readonly raw: boolean;
  readonly json: boolean;
  readonly readnotes: boolean;
  readonly requireXen: boolean;
  readonly color: ColorMode;
}

interface Options {
  readonly xen: boolean | undefined;
  readonly raw: boolean | undefined;
  readonly json: boolean | undefined;
  readonly format: 'text' | 'readnotes' | undefined;
  readonly 'require-xen': boolean | undefined;
  readonly color: ColorMode;
}

export const notesShape: Shape<Options, NotesArgs> = {
  name: 'notes',
  synopsis: 'IMAGE...',
  summary: 'show the notes of an image and what Xen does with each',
  about:
    'Shows every note of every owner: name, value, where it stands, and whether Xen reads it and why not. ' +
    'IMAGE is a linked ELF file, - is standard input.',
  words: { name: 'IMAGE', min: 1, max: Number.POSITIVE_INFINITY },
  repeatable: [],
  examples: [
    ['xen-elfpatch notes vmlinux', 'all notes'],
    ['xen-elfpatch notes --xen --json vmlinux', "Xen's notes for a program"],
    ['xen-elfpatch notes --require-xen k1 k2', 'exit 1 if one has no Xen note'],
    ['zcat vmlinux.gz | xen-elfpatch notes -', 'an image from a pipe'],
  ],
  options: (cli) =>
    cli
      .option('xen', { type: 'boolean', describe: "only Xen's notes" })
      .option('raw', { type: 'boolean', describe: 'the bytes of each descriptor as well' })
      .option('json', { type: 'boolean', describe: 'one JSON document instead of text' })
      .option('format', {
        choices: ['text', 'readnotes'] as const,
        requiresArg: true,
        describe: "text, or readnotes: byte for byte what Xen's readnotes prints",
      })
      .option('require-xen', { type: 'boolean', describe: 'exit 1 when an image has no Xen note' })
      .option('color', COLOR_OPTION),
  args(options, words) {
    if (options.json === true && options.format === 'readnotes') {
      fail('usage.bad', {}, { what: '--json and --format readnotes cannot be given together' });
    }
    if (options.format === 'readnotes' && words.length > 1) {
      fail(
        'usage.bad',
        {},
        { what: `--format readnotes takes one IMAGE, as readnotes does, and ${words.length} are given` },
      );
    }
    return {
      images: words,
      xen: options.xen === true,
      raw: options.raw === true,
      json: options.json === true,
      readnotes: options.format === 'readnotes',
      requireXen: options['require-xen'] === true,
      color: options.color,
    };
  },
};
