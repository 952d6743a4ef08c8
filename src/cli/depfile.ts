/**
 * A Make rule that names everything a target was made from (GNU make, "Generating Prerequisites Automatically"). It is put
 * on disk before the target is written and gets its name afterwards: a rule that cannot be written must be known while
 * nothing has been, and a rule for a target that failed must not stay.
 */
import { fail } from '../base/errors/patch-error.js';
import { quoted } from '../base/printable.js';
import type { Staged } from '../write/text.js';
import { stageBeside } from './text-file.js';

/** What decides whether there is a rule, and for what. `-` is standard input or output, and in no rule. */
export interface DepfileArgs {
  readonly depfile: string | undefined;
  /** What the rule is for, where it is not the output. */
  readonly depfileTarget: string | undefined;
  readonly image: string;
  /** Undefined: the image itself is changed. */
  readonly output: string | undefined;
}

/** Writes the rule beside its place. Errors: `write.*`; `usage.bad` where it would replace what it is about. */
export function prepareDepfile(
  { depfile: path, depfileTarget, image, output }: DepfileArgs,
  files: readonly string[],
): Staged | undefined {
  if (path === undefined) return undefined;
  const target = output ?? image;
  const sources = [...new Set([image, ...files])].filter((name) => name !== '-' && name !== target);
  const rule = ruleFor(depfileTarget ?? target, sources) + emptyRules(sources.filter((name) => name !== image));
  return stageBeside('--depfile', path, rule, 'write the dependency file', [target, ...sources]);
}

/** As gcc -MP has them: a file that is gone makes its target again, and is no error of make before that. */
function emptyRules(sources: readonly string[]): string {
  return sources.map((source) => `${targetWord(source)}:\n`).join('');
}

function ruleFor(target: string, sources: readonly string[]): string {
  const words = sources.map((source) => word(source, /(\\*)([ #:|*?[])/g));
  return `${[`${targetWord(target)}:`, ...words].join(' ')}\n`;
}

function targetWord(name: string): string {
  return word(name, /(\\*)([ #:*?[])/g);
}

/**
 * What GNU make 4.3 has no quoting for: it would end the rule's line, begin a recipe, set a variable, make a pattern of the
 * name; and where there are wildcards, a backslash means another thing.
 */
const UNSPEAKABLE = /[\t\n\r;=%]|^~|\\$|\\.*[*?[]|[*?[].*\\/;

/**
 * A name as a word of a rule. `special` finds the characters that are quoted there with the backslashes in front of them,
 * which count only there. Errors: `usage.bad` for a name that no rule can hold.
 */
function word(name: string, special: RegExp): string {
  if (UNSPEAKABLE.test(name)) {
    const hint =
      'Make has no quoting for a tab, a line break, ";", "=", "%", "~" in front, a backslash at the end, or one beside a wildcard';
    fail('usage.bad', {}, { what: `--depfile cannot name ${quoted(name)}`, hint });
  }
  return name.replace(special, '$1$1\\$2').replaceAll('$', '$$$$');
}
