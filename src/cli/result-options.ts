/** The options of every command that edits an image: where the result goes, and what it has to survive. */
import { fail } from '../errors/patch-error.js';

/** Later tools that the notes can be asked to survive. `flat` is `objcopy -O binary`. */
const SURVIVAL_TOOLS = ['strip', 'objcopy', 'eu-strip', 'flat'] as const;
export type Survivor = (typeof SURVIVAL_TOOLS)[number];
export const survivorNames: string = SURVIVAL_TOOLS.join(', ');

const flag = (describe: string) => ({ type: 'boolean', describe }) as const;
const value = (describe: string) => ({ type: 'string', requiresArg: true, describe }) as const;

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
