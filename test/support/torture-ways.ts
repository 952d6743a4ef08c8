/** Commands that write, in a folder `home` with an image `k` and an older file `o`: what tortures and power losses go through. */
import { readFileSync } from 'node:fs';
import { fixture } from './fixtures.js';
import { IN_PLACE, type Kind, WRITERS } from './writers.js';

/** A way to write. */
export interface TortureWay {
  readonly name: string;
  readonly kind?: Kind | undefined;
  readonly image: () => Uint8Array;
  readonly words: readonly string[];
  /** Files whose place is taken, or whose bytes are changed. */
  readonly targets: readonly ('k' | 'k2' | 'o')[];
}

const bare = () => readFileSync(fixture('pvh64-bare'));

/**
 * All but Xen's own tool and what is like it: those open their target and write into it, front to back, as Xen's build has
 * always seen it done, and promise nothing of this kind.
 */
export const TORTURE_WAYS: readonly TortureWay[] = [
  ...WRITERS.filter(({ kind }) => kind !== 'wrap' && kind !== 'drop-in').map(
    ({ name, kind, image, args }): TortureWay => ({ name, kind, image, words: args('o'), targets: ['o'] }),
  ),
  ...IN_PLACE.map(
    ({ name, image, args }): TortureWay => ({ name: `${name} --in-place`, image, words: args('k'), targets: ['k'] }),
  ),
  {
    name: 'patch --record',
    image: bare,
    words: ['patch', 'k', '-o', 'result', '--record', 'o', '--set', 'GUEST_OS=told'],
    targets: ['o'],
  },
  {
    name: 'patch of two images',
    image: bare,
    words: ['patch', 'k', 'k2', '--in-place', '--set', 'GUEST_OS=both'],
    targets: ['k', 'k2'],
  },
];
