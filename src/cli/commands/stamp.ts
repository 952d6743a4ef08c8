/** `stamp IMAGE`: the shape of its arguments. */
import { fail } from '../../errors/patch-error.js';
import { PLACEMENTS, type PlacementName } from '../../plan/edits.js';
import type { ResultArgs } from '../apply.js';
import type { Shape } from '../command.js';
import { COLOR_OPTION, type ColorMode } from '../options.js';
import {
  checkTarget,
  EDIT_WAYS,
  PAYLOAD_GROUP,
  PAYLOAD_OPTIONS,
  type PayloadArgs,
  type PayloadFlags,
  payloadArgs,
  RESULT_OPTIONS,
  type Survivor,
  survivorNames,
  survivors,
} from '../result-options.js';

/** What the work is given; values are as typed. */
export interface StampArgs extends ResultArgs, PayloadArgs {
  readonly metadata: readonly string[];
  readonly date: string | undefined;
  readonly buildId: string | undefined;
  readonly notes: readonly string[];
  readonly remove: readonly string[];
  readonly placement: PlacementName | 'auto';
  readonly mustSurvive: readonly Survivor[];
}

interface Options extends PayloadFlags {
  readonly 'package-metadata': string[] | undefined;
  readonly date: string | undefined;
  readonly 'build-id': string | undefined;
  readonly note: string[] | undefined;
  readonly remove: string[] | undefined;
  readonly placement: PlacementName | 'auto' | undefined;
  readonly 'must-survive': string[] | undefined;
  readonly output: string | undefined;
  readonly 'in-place': boolean | undefined;
  readonly 'if-changed': boolean | undefined;
  readonly 'dry-run': boolean | undefined;
  readonly check: boolean | undefined;
  readonly depfile: string | undefined;
  readonly json: boolean | undefined;
  readonly color: ColorMode;
}

const value = (describe: string) => ({ type: 'string', requiresArg: true, describe }) as const;
const values = (describe: string) => ({ type: 'string', array: true, requiresArg: true, describe }) as const;

export const stampShape: Shape<Options, StampArgs> = {
  name: 'stamp',
  synopsis: 'IMAGE [-o OUT | --in-place] [stamps]',
  summary: 'say in a note where an image came from: package metadata, build-id, any owner',
  about:
    'Writes notes of other owners than Xen: package metadata as systemd reads them (owner FDO), a build-id (owner GNU), ' +
    'or any OWNER:TYPE. They go behind Xen’s notes in the same PT_NOTE, where no loader that took the image stops doing ' +
    'so. Without stamps to write it shows those that are there; with --check alone it exits 1 when package metadata are ' +
    'missing or break the convention.',
  words: { name: 'IMAGE', min: 1, max: 1 },
  repeatable: ['package-metadata', 'note', 'remove', 'must-survive'],
  examples: [
    [
      'xen-elfpatch stamp vmlinux --in-place --package-metadata name=kernel --package-metadata version=1.2',
      'members of the package metadata',
    ],
    [
      'xen-elfpatch stamp vmlinux -o out --build-id sha256 --package-metadata pkg.json',
      'an id of what is loaded, a file',
    ],
    ['xen-elfpatch stamp vmlinux -o out --note Vendor:1=built-by-ci', 'any note'],
    ['xen-elfpatch stamp vmlinux --check', 'in CI: are the metadata there and right?'],
  ],
  options: (cli) =>
    cli
      .option('package-metadata', values('KEY=VALUE puts in a member, FILE or {JSON} is the whole object'))
      .option('date', value('KEY: put in the date of SOURCE_DATE_EPOCH under this key; the clock is never read'))
      .option('build-id', value('keep (there has to be one), sha1, sha256 (computed), or hexadecimal digits'))
      .option('note', values('OWNER:TYPE=VALUE: any note; VALUE is text, hex:BYTES, file:PATH; TYPE/4=N is a number'))
      .option('remove', values('OWNER:TYPE: remove notes'))
      .group(['package-metadata', 'date', 'build-id', 'note', 'remove'], 'Stamps:')
      .option('placement', {
        choices: ['auto', ...PLACEMENTS] as const,
        requiresArg: true,
        describe: 'take only this way of making room; auto takes the least disturbing',
      })
      .option('must-survive', values(`TOOLS: a comma-separated list of ${survivorNames}`))
      .group(['placement', 'must-survive'], 'Where the notes go:')
      .option('payload', {
        choices: EDIT_WAYS,
        requiresArg: true,
        describe: 'attach (default) a second payload for Xen, replace the payload in place, extract the ELF',
      })
      .options(PAYLOAD_OPTIONS)
      .group(['payload', ...Object.keys(PAYLOAD_OPTIONS)], PAYLOAD_GROUP)
      .options(RESULT_OPTIONS)
      .group(Object.keys(RESULT_OPTIONS), 'What is written:')
      .option('color', COLOR_OPTION),
  args(options, [image = '']) {
    const metadata = options['package-metadata'] ?? [];
    const [notes, remove] = [options.note ?? [], options.remove ?? []];
    const wholes = metadata.filter((text) => !isMember(text));
    if (wholes.length > 1) {
      fail('usage.bad', {}, { what: `--package-metadata: found ${wholes.length} whole objects, wanted at most one` });
    }
    const writesId = options['build-id'] !== undefined && options['build-id'] !== 'keep';
    const edits =
      metadata.length + notes.length + remove.length + (writesId ? 1 : 0) + (options.date === undefined ? 0 : 1);
    checkTarget('stamp', options, image, edits > 0);
    const payload = payloadArgs('stamp', options);
    return {
      image,
      metadata,
      date: options.date,
      buildId: options['build-id'],
      notes,
      remove,
      placement: options.placement ?? 'auto',
      mustSurvive: survivors('stamp', options['must-survive'] ?? []),
      output: options.output,
      inPlace: options['in-place'] === true,
      ifChanged: options['if-changed'] === true,
      dryRun: options['dry-run'] === true,
      check: options.check === true,
      depfile: options.depfile,
      json: options.json === true,
      color: options.color,
      ...payload,
    };
  },
};

/** `KEY=VALUE`, in contrast to JSON and the name of a file (`file:a=b` where it has that sign in it). */
export function isMember(text: string): boolean {
  return text.includes('=') && !text.startsWith('{') && !text.startsWith('file:');
}
