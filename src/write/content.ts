/** What results are made of. What makes files is loaded when one is made: an edit in place does not pay for it. */

import type { FileSource } from '../base/bytes/file-source.js';
import type { Range } from '../base/bytes/range.js';
import type { Changed } from '../base/bytes/shifted.js';
import type { ByteSource } from '../base/bytes/source.js';

/** The bytes of a result: made as a file, or given as text. */
export type Content =
  | {
      readonly kind: 'made';
      /** Makes the file, which must not exist. `name` is for messages. Errors: `write.failed`, those of reading. */
      make(path: string, name: string): Promise<void>;
      /** The result as an edit of the input, and the bytes of it that readers look at: it may be patched where it is. */
      readonly edit?: { readonly changed: Changed; readonly inUse: readonly Range[] } | undefined;
    }
  /** Written front to back. `mode`: permission bits of a new file, less what the umask takes. */
  | { readonly kind: 'streamed'; readonly mode: number; write(fd: number): Promise<void> };

type OnProgress = ((done: bigint, total: bigint) => void) | undefined;

/** The input, opened from `inputPath`, with changes. `inUse`: what readers look at, where it may be patched as it is. */
export function changedInput(
  source: FileSource,
  inputPath: string,
  changed: Changed,
  inUse: readonly Range[] | undefined,
  onProgress: OnProgress,
): Content {
  return {
    kind: 'made',
    edit: inUse && { changed, inUse },
    async make(path, name) {
      const { writeClone } = await import('./clone.js');
      await writeClone(path, source, changed, { inputPath, name, onProgress });
    },
  };
}

/** The bytes of a source, blocks of zeros as holes. */
export function wholeSource(result: ByteSource, onProgress: OnProgress): Content {
  return {
    kind: 'made',
    async make(path, name) {
      const { writeSparse } = await import('./sparse.js');
      await writeSparse(path, result, name, onProgress);
    },
  };
}
