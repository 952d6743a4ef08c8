/** `stamp IMAGE`: the shape of its arguments. */
import { fail } from '../../base/errors/patch-error.js';
import { PLACEMENTS } from '../../edit/elf/plan/placement-options.js';
import type { CiFormat } from '../../report/ci/ci-formats.js';
import { BATCH_OPTIONS, SEVERAL } from '../batch-options.js';
import type { Shape } from '../command.js';
import { metadataSettings, metadataValues } from '../completion-words.js';
import { checkFormat, ciFormatOf, formatOption } from '../format-option.js';
import { type ArgsOf, group, type OptionTable } from '../option-table.js';
import { COLOR_OPTION, LIMIT_OPTION } from '../options.js';
import {
  checkPayload,
  checkTarget,
  KIND_OPTION,
  LOADED_OPTIONS,
  type LoadedArgs,
  loadedOf,
  PAYLOAD_OPTIONS,
  RESULT_OPTIONS,
  SURVIVORS_OPTION,
} from '../result-options.js';
import { usageError } from '../usage-error.js';

const OPTIONS = {
  ...group('Stamps:', {
    'package-metadata': {
      kind: 'values',
      member: 'metadata',
      help: 'KEY=VALUE puts in a member, FILE or {JSON} is the whole object',
      complete: metadataSettings,
      completeSetting: metadataValues,
    },
    date: {
      kind: 'value',
      metavar: 'KEY',
      help: 'put in the date of SOURCE_DATE_EPOCH under this key; the clock is never read',
    },
    'build-id': {
      kind: 'value',
      help: 'keep (there has to be one), sha1, sha256 (computed), or hexadecimal digits',
      complete: ['keep', 'sha1', 'sha256'],
    },
    note: {
      kind: 'values',
      member: 'notes',
      metavar: 'OWNER:TYPE=VALUE',
      help: 'any note; VALUE is text, hex:BYTES, file:PATH; TYPE/4=N is a number',
    },
    'add-note': {
      kind: 'values',
      member: 'added',
      metavar: 'OWNER:TYPE=VALUE',
      help: 'the same, beside those of this owner and type that are there',
    },
    remove: { kind: 'values', metavar: 'OWNER:TYPE', help: 'remove notes' },
  }),
  ...group('For a PE image (xen.efi, a UKI, GRUB, systemd-boot, the shell of a bzImage):', {
    sbat: {
      kind: 'values',
      metavar: 'FILE|LINE',
      help: 'lines of SBAT, put in over those of the same component',
    },
    'allow-sbat-downgrade': { kind: 'flag', help: 'let --sbat lower a generation' },
    sbom: { kind: 'value', metavar: 'FILE', help: 'a bill of materials in a uSWID container, as section .sbom' },
    'add-section': {
      kind: 'values',
      member: 'sections',
      metavar: 'NAME=file:PATH',
      help: 'any bytes as a section of their own, of at most 8 characters',
    },
  }),
  ...group('Where the notes go:', {
    placement: {
      kind: 'choice',
      choices: ['auto', ...PLACEMENTS],
      default: 'auto',
      help: 'take only this way of making room; auto takes the least disturbing',
    },
    ...LOADED_OPTIONS,
    ...SURVIVORS_OPTION,
    ...KIND_OPTION,
  }),
  ...PAYLOAD_OPTIONS,
  ...RESULT_OPTIONS,
  ...formatOption([], 'or with --check and no stamp to write '),
  ...BATCH_OPTIONS,
  ...LIMIT_OPTION,
  ...COLOR_OPTION,
} as const satisfies OptionTable;

/** What the work is given; values are as typed. */
export interface StampArgs extends Omit<ArgsOf<typeof OPTIONS>, 'format' | 'loaded' | 'notLoaded'>, LoadedArgs {
  readonly image: string;
  /** For a CI system; undefined: text, or JSON. */
  readonly format: CiFormat | undefined;
}

/** The words and options of `stamp`, as `--help` and the parser have them. */
export const stampShape: Shape<typeof OPTIONS, StampArgs> = {
  name: 'stamp',
  synopsis: 'IMAGE... [-o OUT | --in-place] [stamps]',
  summary: 'say in a note where an image came from: package metadata, build-id, any owner',
  about:
    'Writes notes of other owners than Xen: package metadata as systemd reads them (owner FDO), a build-id (owner GNU), ' +
    'or any OWNER:TYPE. They go behind Xen’s notes in the same PT_NOTE, where no loader that took the image stops doing ' +
    'so. Without stamps to write it shows those that are there; with --check alone it exits 1 when package metadata are ' +
    'missing or break the convention. A PE image holds no notes: there the metadata go into section .pkgnote, and SBAT, ' +
    'a bill of materials or any bytes into sections of their own, behind all that is there.',
  words: { name: 'IMAGE', ...SEVERAL },
  batch: { notFor: { output: 'any', depfile: 'any', record: 'any' }, looksThrough: false, images: 1 },
  options: OPTIONS,
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
    ['xen-elfpatch stamp xen.efi -o out --sbat xen,1,Xen,xen,4.20,https://xenproject.org', 'a line of SBAT for shim'],
  ],
  args({ loaded, notLoaded, format: word, ...given }, [image = '']) {
    const format = ciFormatOf(word);
    checkFormat('stamp', format, given.json);
    const wholes = given.metadata.filter((text) => !isMember(text));
    if (wholes.length > 1) {
      fail('usage.bad', {}, { what: `--package-metadata: found ${wholes.length} whole objects, wanted at most one` });
    }
    const writesId = given.buildId !== undefined && given.buildId !== 'keep';
    const edits =
      writesId ||
      given.date !== undefined ||
      asksForPe(given) ||
      [given.metadata, given.notes, given.added, given.remove].some(({ length }) => length > 0);
    if (format !== undefined && (edits || !given.check)) {
      usageError('stamp', `--format ${format} goes with --check, and with no stamp to write`);
    }
    checkTarget('stamp', given, image, { edits });
    checkPayload('stamp', given);
    return { ...given, ...loadedOf({ loaded, notLoaded }), image, format };
  },
};

/** Is something asked for that only a PE image can hold? */
export function asksForPe({ sbat, sbom, sections }: Pick<StampArgs, 'sbat' | 'sbom' | 'sections'>): boolean {
  return sbat.length > 0 || sbom !== undefined || sections.length > 0;
}

/** `KEY=VALUE`, in contrast to JSON and the name of a file (`file:a=b` where it has that sign in it). */
export function isMember(text: string): boolean {
  return text.includes('=') && !text.startsWith('{') && !text.startsWith('file:');
}
