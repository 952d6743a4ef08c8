/** A small text that a command writes besides its result: a picture, a dependency file. */
import { fail } from '../base/errors/patch-error.js';
import { nameSameFile } from '../write/target.js';
import { type Staged, stageText } from '../write/text.js';

/**
 * Puts a text beside its place, which must be none of the `files` that it is about, by whatever names. `doing` completes
 * "cannot …". Errors: `usage.bad`, `write.failed`, `write.not-a-file`.
 */
export function stageBeside(
  option: string,
  path: string,
  text: string,
  doing: string,
  files: readonly string[],
): Staged {
  for (const file of files) {
    if (file !== '-' && nameSameFile(path, file)) {
      fail('usage.bad', {}, { what: `${option} ${path} would replace ${file}, wanted another name` });
    }
  }
  return stageText(path, text, doing);
}
