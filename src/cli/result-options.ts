/** The options of every command that edits an image: where the result goes, and what it has to survive. */
import { fail } from '../errors/patch-error.js';

/** Later tools that the notes can be asked to survive. `flat` is `objcopy -O binary`. */
const SURVIVAL_TOOLS = ['strip', 'objcopy', 'eu-strip', 'flat'] as const;
export type Survivor = (typeof SURVIVAL_TOOLS)[number];
export const survivorNames: string = SURVIVAL_TOOLS.join(', ');

const flag = (describe: string) => ({ type: 'boolean', describe }) as const;
const value = (describe: string) => ({ type: 'string', requiresArg: true, describe }) as const;

/** How notes get into the payload of a bzImage. */
export const PAYLOAD_WAYS = ['attach', 'replace', 'extract', 'detach'] as const;
export type PayloadWay = (typeof PAYLOAD_WAYS)[number];

/** The same as of a command that always edits the ELF. */
export const EDIT_WAYS = ['attach', 'replace', 'extract'] as const;

export interface PayloadArgs {
  /** How to write into a bzImage or a gzip file; undefined: attach, or gzip again. */
  readonly payload: PayloadWay | undefined;
  readonly compressor: string | undefined;
  readonly stripSignature: boolean;
  readonly keepTail: boolean;
}

/** What the command line has of them. */
export interface PayloadFlags {
  readonly payload: PayloadWay | undefined;
  readonly compressor: string | undefined;
  readonly 'strip-signature': boolean | undefined;
  readonly 'keep-tail': boolean | undefined;
}

/** All but `payload`, whose choices differ. */
export const PAYLOAD_OPTIONS = {
  compressor: value('replace: PROGRAM that packs the payload; extract: gzip, to get an ELF.gz'),
  'strip-signature': flag('take a Secure Boot signature off; the result must be signed again'),
  'keep-tail': flag('extract: keep the relocation table behind the ELF'),
} as const;

export const PAYLOAD_GROUP = 'For a kernel inside a bzImage or gzip file:';

/** Options that only some ways of writing into a container have. Errors: `usage.bad`. */
export function payloadArgs(
  command: string,
  options: PayloadFlags & { readonly 'in-place': boolean | undefined },
): PayloadArgs {
  const refuse = (what: string): never =>
    fail('usage.bad', {}, { what, hint: `xen-elfpatch ${command} --help shows how it is called` });
  const { payload, compressor } = options;
  if (compressor !== undefined && payload !== 'replace' && payload !== 'extract') {
    refuse('--compressor is for --payload replace and --payload extract');
  }
  if (compressor !== undefined && payload === 'extract' && compressor !== 'gzip') {
    refuse(`--compressor is ${compressor}, wanted gzip with --payload extract`);
  }
  if (options['keep-tail'] === true && payload !== 'extract') refuse('--keep-tail is for --payload extract');
  if (payload === 'extract' && options['in-place'] === true) {
    refuse('--payload extract makes another kind of file, wanted -o OUT');
  }
  return {
    payload,
    compressor,
    stripSignature: options['strip-signature'] === true,
    keepTail: options['keep-tail'] === true,
  };
}

/** `--payload` given for a file that is an ELF itself. Errors: `usage.bad`. */
export function refusePayload({ payload }: PayloadArgs, file: string): void {
  if (payload === undefined) return;
  const what = `--payload ${payload} is for a bzImage or a gzip file, and ${file} is an ELF`;
  fail('usage.bad', {}, { what, hint: 'Leave --payload out' });
}

export const RESULT_OPTIONS = {
  output: { ...value('write the result here; - is standard output'), alias: 'o' },
  'in-place': flag('change IMAGE itself, all or nothing'),
  'if-changed': flag('leave an output alone that holds these bytes already, its times too'),
  'dry-run': flag('print the plan and write nothing'),
  check: flag('write nothing, exit 1 if there is work to do'),
  depfile: value('write a Make dependency file'),
  json: flag('one JSON document instead of text'),
} as const;

interface TargetOptions {
  readonly output: string | undefined;
  readonly 'in-place': boolean | undefined;
  readonly 'dry-run': boolean | undefined;
  readonly check: boolean | undefined;
  readonly json: boolean | undefined;
}

/** Exactly one target, unless nothing is written. Errors: `usage.bad`. */
export function checkTarget(command: string, options: TargetOptions, image: string, edits: boolean): void {
  const refuse = (what: string, hint = `xen-elfpatch ${command} --help shows how it is called`): never =>
    fail('usage.bad', {}, { what, hint });
  const inPlace = options['in-place'] === true;
  const writes = edits && options['dry-run'] !== true && options.check !== true;
  if (options.output !== undefined && inPlace) refuse('--output and --in-place cannot be given together');
  if (writes && options.output === undefined && !inPlace) {
    refuse('no target given, wanted -o OUT or --in-place', '--dry-run shows the plan');
  }
  if (!edits && (options.output !== undefined || inPlace)) refuse(`${command}: nothing to write was asked for`);
  if (inPlace && image === '-') refuse('standard input cannot be patched in place, wanted -o OUT');
  if (options.output === '-' && options.json === true) refuse('-o - and --json both want standard output');
}

/** The tools named in `--must-survive` lists. Errors: `usage.bad`. */
export function survivors(command: string, lists: readonly string[]): Survivor[] {
  return lists
    .flatMap((list) => list.split(','))
    .map((name) => {
      const known = SURVIVAL_TOOLS.find((tool) => tool === name);
      const what = `--must-survive is ${name}, wanted some of ${survivorNames}`;
      return known ?? fail('usage.bad', {}, { what, hint: `xen-elfpatch ${command} --help shows how it is called` });
    });
}
