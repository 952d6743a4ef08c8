/**
 * The one way in which a finished file takes its place. The caller says what the bytes are and how they are proved; here it
 * is decided where they go (target.ts), whether the input is patched where it is or a new file is made beside the target,
 * whose permissions it gets, and that nothing has the target's name before it was read back and judged.
 *
 * A file that was there keeps its permission bits, its owner where that is allowed, and what else it has besides its bytes
 * (attributes.ts); a new one gets the input's permission bits. An edit
 * in place takes a lock: two would mix. Results under another name need none: each is whole, and the last one stays.
 */
import { closeSync, fsync, openSync, realpathSync } from 'node:fs';
import { promisify } from 'node:util';
import { FileSource } from '../base/bytes/file-source.js';
import type { Changed } from '../base/bytes/shifted.js';
import { type ByteSource, OverlaySource } from '../base/bytes/source.js';
import { fail } from '../base/errors/patch-error.js';
import { keepAttributes } from './attributes.js';
import { replaceWhole } from './beside.js';
import type { Content } from './content.js';
import { type DirectPlan, planDirect, writeDirect } from './direct.js';
import { lock } from './lock.js';
import { attempt, attemptAsync, lostSetId, refuseChanged, takeAfter } from './system.js';
import { isSameFile, otherNames, type Target, targetAt } from './target.js';

/** What a proof may have to know of the way in which the result was put there. */
export interface Circumstances {
  /** The input as it was, while its file is being patched; undefined: the input is as it was opened. */
  readonly before: ByteSource | undefined;
  /** The mode that the result was meant to get; undefined: what the umask left of it. */
  readonly mode: number | undefined;
}

/** A result to be delivered, with what has to be proved before it is. */
export interface Order<Proof> {
  /** The input, opened from `inputPath`. */
  readonly source: FileSource;
  readonly inputPath: string;
  /** Undefined: the result takes the input's place. */
  readonly output: string | undefined;
  /** Is the result another than the input? If not, an edit in place does nothing. */
  readonly changes: boolean;
  /** Is what the way of writing means for others a reason to write nothing? */
  readonly strict?: boolean | undefined;
  readonly content: Content;
  /**
   * Judges the result as read back; throws to refuse. Undefined: nothing is to be proved, and what is streamed may go
   * through a device or a pipe.
   */
  readonly prove: ((result: ByteSource, circumstances: Circumstances) => Promise<Proof>) | undefined;
}

/** How a result was delivered. */
export interface Delivered<Proof> {
  /** `unchanged`: in place and nothing to do. `direct`: patched where it is. `clone`: made anew. */
  readonly how: 'unchanged' | 'direct' | 'clone';
  /** Undefined where nothing was written or nothing was to be proved. */
  readonly proof: Proof | undefined;
  /** What the way of writing means for others. */
  readonly warnings: readonly string[];
}

/**
 * Puts a result in its place. Errors: `write.*`, `read.changed`, those of `prove` and of reading; after all of them, but for
 * `write.not-restored`, the target is as it was and nothing is left beside it.
 */
export async function deliver<Proof>(order: Order<Proof>): Promise<Delivered<Proof>> {
  const { source, output, prove } = order;
  if (output === undefined) return inPlace(order);
  const target = targetAt(output, prove === undefined ? 'always' : 'refused');
  if (target.existing !== undefined && isSameFile(target.existing, source.stats)) {
    fail('write.same-file', { file: output }, { input: source.name });
  }
  return target.stream ? through(order, target) : replace(order, target);
}

async function inPlace<Proof>(order: Order<Proof>): Promise<Delivered<Proof>> {
  const { source, inputPath, content } = order;
  if (!order.changes) return { how: 'unchanged', proof: undefined, warnings: [] };
  if ((source.stats.mode & 0o222) === 0) fail('write.read-only', { file: source.name }, {});
  // Not node's own realpath, which takes `..` behind a linked folder for the folder above the link.
  const path = attempt(source.name, 'look at the file', () => realpathSync.native(inputPath));
  const unlock = lock(path, source.name);
  try {
    const edit = content.kind === 'made' ? content.edit : undefined;
    const direct = edit && planDirect(source, edit.inUse, edit.changed);
    if (edit !== undefined && direct !== undefined) return await patch(order, path, edit.changed, direct);
    return await replace(order, { path, name: source.name, existing: source.stats, stream: false });
  } finally {
    unlock();
  }
}

/** Where it is: what is judged is what is on disk, with the one write that is still to come laid over it. */
async function patch<Proof>(
  { source, prove }: Order<Proof>,
  path: string,
  { fileSize }: Changed,
  direct: DirectPlan,
): Promise<Delivered<Proof>> {
  let proof: Proof | undefined;
  await writeDirect(path, source, direct, fileSize, async (replaced) => {
    const now = FileSource.open(path, source.name);
    try {
      const readBack = direct.early.map(({ offset, bytes }) => ({
        offset,
        bytes: now.read(offset, BigInt(bytes.length), 'bytes just written'),
      }));
      // Every other byte is the input's own: it is the same file, and nothing else was written.
      const before = new OverlaySource(source, replaced);
      const result = new OverlaySource(before, [...readBack, direct.commit], now.size);
      proof = await prove?.(result, { before, mode: source.stats.mode });
    } finally {
      now.close();
    }
  });
  return { how: 'direct', proof, warnings: [] };
}

/** As a new file beside the target, which takes its name when it is synced and proved. */
async function replace<Proof>(order: Order<Proof>, target: Target): Promise<Delivered<Proof>> {
  const { source, inputPath, content } = order;
  const { name, existing } = target;
  const model = existing ?? (content.kind === 'made' ? source.stats : undefined);
  const warnings = [...otherNames(existing)];
  const refuseIfStrict = () => {
    const [first] = order.strict === true ? warnings : [];
    if (first !== undefined) fail('write.warned', { file: name }, { count: warnings.length, first });
  };
  refuseIfStrict();
  let proof: Proof | undefined;
  await replaceWhole(target.path, name, async (temporary) => {
    await fill(content, temporary, name);
    // Attributes first: a new owner ends what capabilities came along.
    if (existing !== undefined) warnings.push(...keepAttributes(target.path, temporary));
    const mode = model && takeAfter(temporary, model, name);
    if (model !== undefined && mode !== undefined) warnings.push(...lostSetId(model.mode, mode));
    refuseIfStrict();
    // The disk is busy with one while this process is with the other; nothing is renamed before both are done.
    const synced = sync(temporary, name);
    try {
      proof = await proveFile(order, temporary, name, mode);
    } catch (error) {
      await synced.catch(() => {});
      throw error;
    }
    await synced;
    refuseChanged(inputPath, source);
  });
  return { how: 'clone', proof, warnings };
}

async function fill(content: Content, temporary: string, name: string): Promise<void> {
  if (content.kind === 'made') return content.make(temporary, name);
  const fd = attempt(name, 'create the file', () => openSync(temporary, 'wx', content.mode));
  await stream(fd, content.write);
}

async function proveFile<Proof>(
  { prove }: Order<Proof>,
  path: string,
  name: string,
  mode: number | undefined,
): Promise<Proof | undefined> {
  if (prove === undefined) return undefined;
  const result = FileSource.open(path, name);
  try {
    return await prove(result, { before: undefined, mode });
  } finally {
    result.close();
  }
}

/** To a device or a pipe, which stays what it is. */
async function through<Proof>({ content }: Order<Proof>, { path, name }: Target): Promise<Delivered<Proof>> {
  if (content.kind !== 'streamed') throw new TypeError('a device or a pipe takes what is written front to back');
  await stream(
    attempt(name, 'open the file for writing', () => openSync(path, 'w')),
    content.write,
  );
  return { how: 'clone', proof: undefined, warnings: [] };
}

async function stream(fd: number, write: (fd: number) => Promise<void>): Promise<void> {
  try {
    await write(fd);
  } finally {
    closeSync(fd);
  }
}

/** Contents and permissions to the disk. Another thread is at it when this returns: the judging ahead does not wait. */
async function sync(path: string, name: string): Promise<void> {
  // Reading is enough, and all that a read-only file allows.
  const fd = attempt(name, 'open the file', () => openSync(path, 'r'));
  try {
    await attemptAsync(name, 'sync the file', () => syncFile(fd));
  } finally {
    closeSync(fd);
  }
}

const syncFile = promisify(fsync);
