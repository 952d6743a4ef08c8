/**
 * A Make rule that names everything a target was made from (GNU make, "Generating Prerequisites Automatically"). It is put
 * on disk before the target is written and gets its name afterwards: a rule that cannot be written must be known while
 * nothing has been, and a rule for a target that failed must not stay.
 */
import type { Staged } from '../write/text.js';
import { stageBeside } from './text-file.js';

/** What decides whether there is a rule, and for what. `-` is standard input or output, and in no rule. */
export interface DepfileArgs {
  readonly depfile: string | undefined;
  readonly image: string;
  /** Undefined: the image itself is changed. */
  readonly output: string | undefined;
}

/** Writes the rule beside its place. Errors: `write.*`; `usage.bad` where it would replace what it is about. */
export function prepareDepfile(
  { depfile: path, image, output }: DepfileArgs,
  files: readonly string[],
): Staged | undefined {
  if (path === undefined) return undefined;
  const target = output ?? image;
  const sources = [image, ...files].filter((name) => name !== '-' && name !== target);
  const rule = ruleFor(target, sources);
  return stageBeside('--depfile', path, rule, 'write the dependency file', [target, ...sources]);
}

function ruleFor(target: string, sources: readonly string[]): string {
  const quote = (name: string) => name.replace(/([ #\\])/g, '\\$1').replaceAll('$', '$$$$');
  return `${[`${quote(target)}:`, ...sources.map(quote)].join(' ')}\n`;
}
