/** How the edited form of a file takes its target's place: with the input's owner and permissions, judged, and whole. */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
// fs-extra is CommonJS: its functions hang on the default import.
import fsExtra from 'fs-extra';
import type { FileSource } from '../bytes/source.js';
import { replaceWhole } from './beside.js';
import { attempt, refuseChanged } from './system.js';

export interface ReplaceOptions {
  /** Path of the opened input. */
  readonly inputPath: string;
  /** Path that the result shall have; links resolved. */
  readonly target: string;
  /** For messages: the target as the user gave it. */
  readonly targetName: string;
  /** Judges the finished file before it takes the target's name; throws to refuse. */
  check(path: string): Promise<void>;
}

/**
 * Lets `fill` make the file and sync it, gives it the input's permissions, has it judged, and renames it. On any error the
 * temporary file is gone and the target untouched. Errors: `write.failed`, `read.changed`, those of `fill` and `check`.
 */
export async function replaceFile(
  source: FileSource,
  { inputPath, target, targetName, check }: ReplaceOptions,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  attempt(targetName, `write into the folder ${dirname(target)}`, () => statSync(dirname(target)));
  await replaceWhole(target, targetName, async (temporary) => {
    await fill(temporary);
    keepOwnerAndMode(temporary, source, targetName);
    await check(temporary);
    refuseChanged(inputPath, source);
  });
}

/** The result has the input's permission bits, and its owner where that is allowed. */
function keepOwnerAndMode(path: string, source: FileSource, name: string): void {
  const { uid, gid, mode } = source.stats;
  try {
    fsExtra.chownSync(path, uid, gid);
  } catch {
    // Only root may give files away; a file of one's own is what every tool leaves then.
  }
  attempt(name, 'set the permissions', () => fsExtra.chmodSync(path, mode & 0o7777));
}
