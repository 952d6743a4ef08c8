/** A Make rule that names everything a target was made from (GNU make, "Generating Prerequisites Automatically"). */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { describeSystemError } from '../bytes/source.js';
import { fail } from '../errors/patch-error.js';

/** Writes the dependency file. Errors: `write.failed`. */
export function writeDepfile(path: string, target: string, sources: readonly string[]): void {
  const quote = (name: string) => name.replace(/([ #\\])/g, '\\$1').replaceAll('$', '$$$$');
  const text = `${quote(target)}: ${sources
    .filter((name) => name !== '-')
    .map(quote)
    .join(' ')}\n`;
  const draft = `${path}.${process.pid}.tmp`;
  try {
    // Make reads it in whatever state it finds it; an interruption must not leave half a rule.
    writeFileSync(draft, text);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    fail(
      'write.failed',
      { file: path },
      { action: 'write the dependency file', reason: describeSystemError(error) },
      error,
    );
  }
}
