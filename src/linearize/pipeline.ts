/** `linearize` from a layout to a proved file: write, read back, judge, take the target's place. */
import { realpathSync, statSync } from 'node:fs';
import { newBlocks, sameStretch } from '../bytes/byte-comparison.js';
import { FileSource } from '../bytes/file-source.js';
import type { ByteSource } from '../bytes/source.js';
import { fail } from '../errors/patch-error.js';
import { findMb2, mb2Values } from '../multiboot/mb2.js';
import { readPe } from '../pe/read.js';
import { lock } from '../write/lock.js';
import type { LinearLayout } from './layout.js';
import { type LinearVerdict, verifyLinear } from './verify/verify.js';

/** Would writing the layout change a byte of the input? False for a file that is linear already. */
export function changesLinear({ image, output }: LinearLayout): boolean {
  const { size } = image.source;
  return output.size !== size || !sameStretch(start(output), start(image.source), size, newBlocks(size));
}

function start(source: ByteSource) {
  return { source, offset: 0n };
}

export interface LinearWriteOptions {
  /** Path of the input; it was opened through a FileSource. */
  readonly inputPath: string;
  /** Undefined: the result takes the input's place. */
  readonly output: string | undefined;
  onProgress?: ((done: bigint, total: bigint) => void) | undefined;
}

/**
 * Writes the result and proves it: it is read back and judged by itself and against the input before it takes the target's
 * place. Errors: `write.*`, `read.changed`, and `verify.failed` (exit 1), after all of which the target is as it was.
 */
export async function writeLinear(layout: LinearLayout, options: LinearWriteOptions): Promise<LinearVerdict> {
  const { source } = layout.image;
  if (!(source instanceof FileSource)) throw new TypeError('writeLinear needs an image that was read from a file');
  const { output } = options;
  if (output !== undefined) {
    refuseTarget(source, output);
    const target = statSync(output, { throwIfNoEntry: false }) === undefined ? output : realpathSync(output);
    return replace(layout, source, options, target, output);
  }
  if ((source.stats.mode & 0o222) === 0) fail('write.read-only', { file: source.name }, {});
  if (!changesLinear(layout)) return proveLinear(layout, source);
  const target = realpathSync(options.inputPath);
  const unlock = lock(target, source.name);
  try {
    return await replace(layout, source, options, target, source.name);
  } finally {
    unlock();
  }
}

function refuseTarget(source: FileSource, output: string): void {
  const existing = statSync(output, { throwIfNoEntry: false });
  if (existing === undefined) return;
  if (existing.ino === source.stats.ino && existing.dev === source.stats.dev) {
    fail('write.same-file', { file: output }, { input: source.name });
  }
  if (!existing.isFile()) {
    fail('write.not-a-file', { file: output }, { kind: existing.isDirectory() ? 'folder' : 'device or pipe' });
  }
}

async function replace(
  layout: LinearLayout,
  source: FileSource,
  { inputPath, onProgress }: LinearWriteOptions,
  target: string,
  targetName: string,
): Promise<LinearVerdict> {
  // Loading them costs start-up time that a dry run does not need.
  const { replaceFile } = await import('../write/replace.js');
  const { writeSparse } = await import('../write/sparse.js');
  let verdict: LinearVerdict | undefined;
  const check = async (path: string) => {
    const written = FileSource.open(path, targetName);
    try {
      verdict = proveLinear(layout, written);
    } finally {
      written.close();
    }
  };
  await replaceFile(source, { inputPath, target, targetName, check }, (temporary) =>
    writeSparse(temporary, layout.output, targetName, onProgress),
  );
  return verdict ?? proveLinear(layout, layout.output);
}

function hasAddressTag(result: ByteSource): boolean {
  const header = findMb2(result);
  return header !== undefined && header.problem === undefined && mb2Values(header).address !== undefined;
}

/** Judges a result as read back. Errors: `verify.failed`. */
export function proveLinear({ image, wish }: LinearLayout, result: ByteSource): LinearVerdict {
  const verdict = verifyLinear(readPe(result), {
    baseline: image,
    tailNames: wish.tail,
    // Without tags of its own a file may have brought some, and they must be true.
    wantsTags: wish.mb2 !== 'none' || hasAddressTag(result),
  });
  const errors = verdict.findings.filter(({ level }) => level === 'error');
  const [first] = errors;
  if (first !== undefined)
    fail('verify.failed', first.place, { check: first.check, text: first.text, more: errors.length - 1 });
  return verdict;
}
