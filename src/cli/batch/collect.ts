/**
 * What keeps the memory of a batch from growing with the number of its images. V8 lets a heap grow as long as there is room for
 * it, and an image that is done leaves everything behind as garbage: so it is collected every so many images, which takes a
 * hundredth of the time that they take.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Images from one collection to the next. */
const BETWEEN = 24;

/** MiB of a thread's heap for what has just come into being: what V8 takes for it by itself is more than the work needs. */
export const YOUNG_MIB = 6;

/** Gives what is to be called after each image. */
export function collector(): () => void {
  let collect: (() => void) | undefined;
  let count = 0;
  return () => {
    if (++count % BETWEEN !== 0) return;
    collect ??= collection();
    collect();
  };
}

/** The collection of this thread's heap. A Node without the flag, and bun, which needs none, have nothing to call. */
function collection(): () => void {
  if (process.versions['bun'] !== undefined) return () => undefined;
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('typeof gc === "function" ? gc : undefined');
  return typeof gc === 'function' ? () => void gc() : () => undefined;
}
