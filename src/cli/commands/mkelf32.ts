/** `mkelf32 [--notes] IN OUT LOAD-BASE [FINAL-EXEC]`: the shape of its arguments. */
import type { Shape } from '../command.js';
import { noteSettings, noteValues } from '../completion-words.js';
import type { ArgsOf, OptionTable } from '../option-table.js';
import { JSON_OPTION, STRICT_OPTION } from '../options.js';
import { checkRecord, RECORD_OPTIONS } from '../result-options.js';
import { usageError } from '../usage-error.js';

/** Names of input parts that can be kept in the result. */
export const KEEP_CHOICES = ['sections', 'symbols'] as const;
/** What `--keep` carries over into the 32-bit ELF. */
export type Keep = (typeof KEEP_CHOICES)[number];

const OPTIONS = {
  notes: { kind: 'flag', help: 'carry the PT_NOTE over' },
  compat: {
    kind: 'value',
    metavar: 'RELEASE',
    help: 'write what the tool of that Xen release writes; the newest unless given',
  },
  'list-compat': { kind: 'flag', help: 'print the releases that differ' },
  tidy: {
    kind: 'flag',
    help: 'real note addresses, zero padding, exact names; takes several PT_LOADs, notes anywhere, either class',
  },
  note: {
    kind: 'values',
    metavar: 'NAME=VALUE',
    help: 'set a Xen note in the result, as patch --set does; implies --tidy',
    complete: noteSettings,
    completeSetting: noteValues,
  },
  keep: {
    kind: 'list',
    metavar: KEEP_CHOICES.join(' or '),
    choices: KEEP_CHOICES,
    help: 'keep them in the result, at their new addresses; implies --tidy',
  },
  ...RECORD_OPTIONS,
  ...STRICT_OPTION,
  ...JSON_OPTION,
} as const satisfies OptionTable;

/**
 * Numbers are as typed: C decides what they mean. `compat` is the release whose tool is followed, undefined the newest;
 * it means nothing with `tidy`.
 */
export interface Mkelf32Work extends Omit<ArgsOf<typeof OPTIONS>, 'listCompat'> {
  /** `-`: standard input. */
  readonly input: string;
  /** `-`: standard output. */
  readonly output: string;
  readonly loadBase: string;
  readonly finalExec: string | undefined;
}

/** What the work is given: list the variants, or wrap an image. */
export type Mkelf32Args = { readonly kind: 'list'; readonly json: boolean } | ({ readonly kind: 'wrap' } & Mkelf32Work);

/** The words and options of `mkelf32`, as `--help` and the parser have them. */
export const mkelf32Shape: Shape<typeof OPTIONS, Mkelf32Args> = {
  name: 'mkelf32',
  synopsis: '[--notes] IN OUT LOAD-BASE [FINAL-EXEC]',
  summary: "wrap xen-syms in the 32-bit ELF that boot loaders take, as Xen's build does",
  about:
    "Takes the place of Xen's build tool mkelf32, byte for byte as the release named by --compat writes it. The installed " +
    'command xen-mkelf32 takes exactly that tool’s arguments. --tidy, --note and --keep make a better image than the tool ' +
    'can; they go together with each other, not with --compat. Numbers are hexadecimal.',
  words: { name: 'IN, OUT, LOAD-BASE, FINAL-EXEC', min: 0, max: 4 },
  options: OPTIONS,
  examples: [
    ['xen-elfpatch mkelf32 --notes xen-syms xen 0x200000', 'as the newest Xen builds it'],
    ['xen-elfpatch mkelf32 --compat 4.17.7 --notes xen-syms xen 0x200000 0xffff82d0405a7000', 'as Xen 4.17 does'],
    ['xen-elfpatch mkelf32 --notes --note PHYS32_ENTRY=entry xen-syms xen 0x200000', 'add a note on the way'],
  ],
  args({ listCompat, ...given }, words) {
    if (listCompat) {
      if (words.length > 0) refuse('--list-compat takes no words');
      return { kind: 'list', json: given.json };
    }
    const [input, output, loadBase, finalExec] = words;
    if (input === undefined || output === undefined || loadBase === undefined) {
      return refuse(`mkelf32: ${words.length} of IN, OUT and LOAD-BASE given, wanted all three`);
    }
    checkRecord('mkelf32', { record: given.record, output });
    if (output === '-' && given.json) refuse('- as OUT and --json both want standard output');
    const tidy = given.tidy || given.note.length > 0 || given.keep.length > 0;
    if (tidy && !/^(0x)?[0-9a-f]+$/i.test(loadBase)) refuse(`LOAD-BASE is ${loadBase}, wanted a hexadecimal number`);
    if (tidy && given.compat !== undefined) refuse('--compat goes with none of --tidy, --note and --keep');
    return { kind: 'wrap', ...given, input, output, loadBase, finalExec, tidy };
  },
};

function refuse(what: string): never {
  return usageError('mkelf32', what);
}
