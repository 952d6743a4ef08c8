/**
 * A Make rule that names everything a target was made from (GNU make, "Generating Prerequisites Automatically"). It is put
 * on disk before the target is written and gets its name afterwards: a rule that cannot be written must be known while
 * nothing has been, and a rule for a target that failed must not stay.
 */
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fail } from '../errors/patch-error.js';
import { resolveTarget } from '../write/beside.js';
import { forget, remember } from '../write/cleanup.js';
import { attempt } from '../write/system.js';

/** A file name may have 255 bytes; the temporary one needs some for itself. */
const NAME_KEPT = 50;

export interface Depfile {
  /** The target is there: the rule gets its name. Errors: `write.failed`. */
  keep(): void;
  /** There is no target, and no rule either. */
  discard(): void;
}

/** What decides whether there is a rule, and for what. `-` is standard input or output, and in no rule. */
export interface DepfileArgs {
  readonly depfile: string | undefined;
  readonly image: string;
  /** Undefined: the image itself is changed. */
  readonly output: string | undefined;
}

/** Writes the rule beside its place. Errors: `write.failed`; `usage.bad` where it would replace what it is about. */
export function prepareDepfile(
  { depfile: path, image, output }: DepfileArgs,
  files: readonly string[],
): Depfile | undefined {
  if (path === undefined) return undefined;
  const target = output ?? image;
  const sources = [image, ...files].filter((name) => name !== '-' && name !== target);
  for (const name of [target, ...sources]) {
    if (isSame(path, name))
      fail('usage.bad', {}, { what: `--depfile ${path} would replace ${name}, wanted another name` });
  }
  const rule = ruleFor(target, sources);
  const run = <T>(work: () => T): T => attempt(path, 'write the dependency file', work);
  const present = run(() => statSync(path, { throwIfNoEntry: false }));
  if (present?.isDirectory()) fail('write.not-a-file', { file: path }, { kind: 'folder' });
  // A terminal or a pipe is written to, not replaced.
  if (present?.isFile() === false)
    return { keep: () => run(() => writeFileSync(path, rule)), discard: () => undefined };

  const place = resolveTarget(path);
  const temporary = join(dirname(place), `.${basename(place).slice(0, NAME_KEPT)}.xen-elfpatch.${process.pid}.tmp`);
  remember(temporary);
  run(() => writeFileSync(temporary, rule));
  return {
    keep() {
      run(() => renameSync(temporary, place));
      forget(temporary);
    },
    discard() {
      rmSync(temporary, { force: true });
      forget(temporary);
    },
  };
}

function ruleFor(target: string, sources: readonly string[]): string {
  const quote = (name: string) => name.replace(/([ #\\])/g, '\\$1').replaceAll('$', '$$$$');
  return `${[`${quote(target)}:`, ...sources.map(quote)].join(' ')}\n`;
}

function isSame(a: string, b: string): boolean {
  if (a === b) return true;
  const [x, y] = [a, b].map((path) =>
    attempt(path, 'look at the file', () => statSync(path, { throwIfNoEntry: false })),
  );
  return x !== undefined && y !== undefined && x.ino === y.ino && x.dev === y.dev;
}
