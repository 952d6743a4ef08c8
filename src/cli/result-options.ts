/** The options of every command that edits an image: where the result goes, and what it has to survive. */
import { fail } from '../base/errors/patch-error.js';
import { IMAGE_KINDS, SURVIVORS, type SurvivorWish, TRIED, wishOf } from '../edit/elf/plan/placement-options.js';
import type { PayloadAction } from '../formats/container/payload-action.js';
import { didYouMean } from '../formats/note/nearest.js';
import { RECORD_FORMATS } from '../report/record.js';
import { type ArgsOf, group, type OptionTable } from './option-table.js';
import { JSON_OPTION, STRICT_OPTION } from './options.js';
import { usageError } from './usage-error.js';

/** For a kernel inside a bzImage or gzip file, of a command that always edits the ELF. */
export const PAYLOAD_OPTIONS = group('For a kernel inside a bzImage or gzip file:', {
  payload: {
    kind: 'choice',
    choices: ['attach', 'replace', 'extract'],
    help: 'attach (default) a second payload for Xen, replace the payload in place, extract the ELF',
  },
  compressor: {
    kind: 'value',
    help: 'replace: PROGRAM that packs the payload; extract: gzip, to get an ELF.gz',
    isFor: { option: 'payload', values: ['replace', 'extract'] },
  },
  'strip-signature': { kind: 'flag', help: 'take a signature off; the result must be signed again' },
  'keep-tail': {
    kind: 'flag',
    help: 'extract: keep the relocation table behind the ELF',
    isFor: { option: 'payload', values: ['extract'] },
  },
});

/** What the work is given of them; `payload` undefined: attach, or gzip again. */
export interface PayloadArgs extends Omit<ArgsOf<typeof PAYLOAD_OPTIONS>, 'payload'> {
  readonly payload: PayloadAction | undefined;
}

/** What no single option can tell of them. Errors: `usage.bad`. */
export function checkPayload(
  command: string,
  { payload, compressor, inPlace }: PayloadArgs & { readonly inPlace: boolean },
): void {
  if (payload !== 'extract') return;
  if (compressor !== undefined && compressor !== 'gzip') {
    usageError(command, `--compressor is ${compressor}, wanted gzip with --payload extract`);
  }
  if (inPlace) usageError(command, '--payload extract makes another kind of file, wanted -o OUT');
}

/** `--payload` given for a file that is an ELF itself. Errors: `usage.bad`. */
export function refusePayload({ payload }: PayloadArgs, file: string): void {
  if (payload === undefined) return;
  const what = `--payload ${payload} is for a bzImage or a gzip file, and ${file} is an ELF`;
  fail('usage.bad', {}, { what, hint: 'Leave --payload out' });
}

/** The heading for what is written. */
export const RESULT_GROUP = 'What is written:';

/** Where the result goes; `image` is the word of the synopsis, `result` what comes out. */
export function outputOptions({ image = 'IMAGE', result = 'result' } = {}) {
  return {
    output: {
      kind: 'value',
      alias: 'o',
      help: `write the ${result} here; - is standard output`,
      conflicts: 'in-place',
    },
    'in-place': { kind: 'flag', help: `change ${image} itself, all or nothing` },
  } as const satisfies OptionTable;
}

/** `--if-changed`, for commands that write an output. */
export const IF_CHANGED_OPTION = {
  'if-changed': { kind: 'flag', help: 'leave an output alone that holds these bytes already, its times too' },
} as const satisfies OptionTable;

/** What is done with a plan besides writing it; `work` is what `--check` looks for. */
export function planOptions(work = 'there is work to do') {
  return {
    'dry-run': { kind: 'flag', help: 'print the plan and write nothing' },
    check: { kind: 'flag', help: `write nothing, exit 1 if ${work}` },
    depfile: { kind: 'value', help: 'write a Make dependency file, with an empty rule for each file but the image' },
    'depfile-target': {
      kind: 'value',
      metavar: 'NAME',
      help: 'what depends, where it is not the output: a time stamp, say',
      goesWith: 'depfile',
    },
    ...RECORD_OPTIONS,
  } as const satisfies OptionTable;
}

/** `--record`, of every command that writes an image. */
export const RECORD_OPTIONS = {
  record: {
    kind: 'value',
    metavar: 'FILE',
    help: 'write what was done as JSON: digests, edits, verdicts before and after; in place it costs a read of the whole file',
  },
  'record-format': {
    kind: 'choice',
    choices: RECORD_FORMATS,
    help: 'json, or in-toto: the same as the predicate of a statement on the result',
    goesWith: 'record',
  },
} as const satisfies OptionTable;

/** A record is of a file. Errors: `usage.bad`. */
export function checkRecord(
  command: string,
  { record, output }: { readonly record: string | undefined; readonly output: string | undefined },
): void {
  if (record !== undefined && output === '-') usageError(command, '--record is of a file, wanted no -o -');
}

/** `--verbose`: without it what was written is told in one line. */
export const VERBOSE_OPTION = {
  verbose: {
    kind: 'flag',
    alias: 'v',
    help: 'tell more than one line: placement, byte ranges, notes that stay, later tools',
  },
} as const satisfies OptionTable;

/** The result, of a command whose help has no other words for it. */
export const RESULT_OPTIONS = group(RESULT_GROUP, {
  ...outputOptions(),
  ...IF_CHANGED_OPTION,
  ...planOptions(),
  ...STRICT_OPTION,
  ...JSON_OPTION,
  ...VERBOSE_OPTION,
});

type TargetArgs = Pick<ArgsOf<typeof RESULT_OPTIONS>, 'output' | 'inPlace' | 'dryRun' | 'check' | 'json' | 'record'>;

/** What a command calls its work. */
interface TargetWork {
  /** Does it edit at all? */
  readonly edits?: boolean;
  /** What is done to the image. */
  readonly done?: string;
}

/** Exactly one target, unless nothing is written. Errors: `usage.bad`. */
export function checkTarget(
  command: string,
  { output, inPlace, dryRun, check, json, record }: TargetArgs,
  image: string,
  { edits = true, done = 'patched' }: TargetWork = {},
): void {
  if (edits && !dryRun && !check && output === undefined && !inPlace) {
    usageError(command, 'no target given, wanted -o OUT or --in-place', '--dry-run shows the plan');
  }
  if (!edits && (output !== undefined || inPlace)) usageError(command, `${command}: nothing to write was asked for`);
  if (inPlace && image === '-') usageError(command, `standard input cannot be ${done} in place, wanted -o OUT`);
  checkRecord(command, { record, output });
  if (output === '-' && json) usageError(command, '-o - and --json both want standard output');
}

/** One tool as typed, perhaps with a version. Errors: `usage.bad`. */
function survivorOf(text: string, option: string): SurvivorWish {
  const what = `${option} is ${text}, wanted some of ${SURVIVORS.join(', ')}, each perhaps with a version (TOOL@VERSION)`;
  const hint = didYouMean(text.replace(/@.*/s, ''), SURVIVORS) ?? 'xen-elfpatch explain survival says what each does';
  return wishOf(text) ?? fail('usage.bad', {}, { what, hint });
}

/** `--must-survive`, out of every tool that is followed. */
export const SURVIVORS_OPTION = {
  'must-survive': {
    kind: 'list',
    metavar: 'TOOLS',
    read: survivorOf,
    help: `a comma-separated list of ${SURVIVORS.join(', ')}, each perhaps with a version: strip@${TRIED.strip.versions[0]}`,
    complete: SURVIVORS.flatMap((tool) => [tool, ...TRIED[tool].versions.map((version) => `${tool}@${version}`)]),
  },
} as const satisfies OptionTable;

/** `--loaded` and `--not-loaded`: must the notes be in memory, must they not, or as they were. */
export const LOADED_OPTIONS = {
  loaded: { kind: 'flag', help: 'the notes must be in memory', conflicts: 'not-loaded' },
  'not-loaded': { kind: 'flag', help: 'the notes must not be in memory' },
} as const satisfies OptionTable;

/** What the work is given of them: true, into memory; false, out of it; undefined, as they were where that is possible. */
export interface LoadedArgs {
  readonly loaded: boolean | undefined;
}

/** The two flags as one wish. */
export function loadedOf({ loaded, notLoaded }: ArgsOf<typeof LOADED_OPTIONS>): LoadedArgs {
  return { loaded: loaded ? true : notLoaded ? false : undefined };
}

/** `--kind`, for commands whose edit may be refused for a program. */
export const KIND_OPTION = {
  kind: {
    kind: 'choice',
    choices: IMAGE_KINDS,
    help: 'what the image is, where its own signs fail: a kernel is started by a boot loader, a program by execve',
  },
} as const satisfies OptionTable;
