/** `notes IMAGE…`: the shape of its arguments. */
import { fail } from '../../base/errors/patch-error.js';
import type { CiFormat } from '../../report/ci/ci-formats.js';
import { command, type Shape } from '../command.js';
import { checkFormat, ciFormatOf, formatOption } from '../format-option.js';
import type { ArgsOf, OptionTable } from '../option-table.js';
import { COLOR_OPTION, JSON_OPTION, LIMIT_OPTION } from '../options.js';
import { usageError } from '../usage-error.js';

const OPTIONS = {
  xen: { kind: 'flag', help: "only Xen's notes" },
  raw: { kind: 'flag', help: 'the bytes of each descriptor as well' },
  strict: { kind: 'flag', help: 'exit 1 where there is a warning' },
  ...JSON_OPTION,
  ...formatOption(['readnotes'], "readnotes (byte for byte what Xen's readnotes prints), or with --require-xen "),
  'require-xen': { kind: 'flag', help: 'exit 1 when an image has no Xen note' },
  ...LIMIT_OPTION,
  ...COLOR_OPTION,
} as const satisfies OptionTable;

/** What the work is given. */
export interface NotesArgs extends Omit<ArgsOf<typeof OPTIONS>, 'format'> {
  readonly images: readonly string[];
  readonly readnotes: boolean;
  /** For a CI system; undefined: text, JSON, or as readnotes. */
  readonly format: CiFormat | undefined;
}

/** The words and options of `notes`, as `--help` and the parser have them. */
export const notesShape: Shape<typeof OPTIONS, NotesArgs> = {
  name: 'notes',
  synopsis: 'IMAGE...',
  summary: 'show the notes of an image and what Xen does with each',
  about:
    'Shows every note of every owner: name, value, where it stands, and whether Xen reads it and why not. ' +
    'IMAGE is a linked ELF file, - is standard input.',
  words: { name: 'IMAGE', min: 1, max: Number.POSITIVE_INFINITY },
  options: OPTIONS,
  examples: [
    ['xen-elfpatch notes vmlinux', 'all notes'],
    ['xen-elfpatch notes --xen --json vmlinux', "Xen's notes for a program"],
    ['xen-elfpatch notes --require-xen k1 k2', 'exit 1 if one has no Xen note'],
    ['zcat vmlinux.gz | xen-elfpatch notes -', 'an image from a pipe'],
  ],
  args({ format: word, ...given }, images) {
    const readnotes = word === 'readnotes';
    const format = ciFormatOf(word);
    checkFormat('notes', format, given.json);
    if (format !== undefined && !given.requireXen) usageError('notes', `--format ${format} goes with --require-xen`);
    if (given.json && readnotes) {
      fail('usage.bad', {}, { what: '--json and --format readnotes cannot be given together' });
    }
    if (readnotes && images.length > 1) {
      const what = `--format readnotes takes one IMAGE, as readnotes does, and ${images.length} are given`;
      fail('usage.bad', {}, { what });
    }
    return { ...given, images, readnotes, format };
  },
};

/** `notes`, its work loaded when it runs. */
export const notesCommand = command(notesShape, async (args) => (await import('./notes.run.js')).runNotes(args));
