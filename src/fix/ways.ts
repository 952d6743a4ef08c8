/**
 * The ways in which the result of a fix can be wrapped, for a file that wraps its kernel. Which of them a loader takes is
 * told by its rules; that a way can be gone at all is settled here as far as the wrapper's facts tell.
 */
import type { ByteSource } from '../bytes/source.js';
import type { ContainerFacts } from '../container/facts.js';
import { type ContainerWish, factsAfter } from '../container-pipeline.js';
import type { Wrapped } from '../loaders/wrapped.js';
import type { WrapperChange } from '../note/fix.js';
import type { Way } from './way.js';

const DEFAULTS: ContainerWish = { way: undefined, stripSignature: false, compressor: undefined, keepTail: false };

/** The one way that the options of a command leave. */
export function wayOf(wish: ContainerWish, wrapped: Wrapped, elf: ByteSource): Way {
  const after = wrappedAfter(wish, wrapped, elf);
  return { wrapper: undefined, after, alone: wish.way === 'extract' };
}

/** Every way, the one that changes least first. */
export function waysFor(wrapped: Wrapped, elf: ByteSource): readonly Way[] {
  const { facts } = wrapped;
  const wrappers: readonly WrapperChange[] = [
    // Nothing but a bzImage or gzip can be put together again.
    ...(facts.kind === 'stream' ? [] : [isSigned(facts) ? ({ stripSignature: true } as const) : {}]),
    { payload: 'extract', compressor: 'gzip' },
    { payload: 'extract' },
  ];
  return wrappers.map((wrapper): Way => {
    const { payload: way, compressor, stripSignature = false } = wrapper;
    const after = wrappedAfter({ ...DEFAULTS, way, compressor, stripSignature }, wrapped, elf);
    const told = way !== undefined || stripSignature;
    return { wrapper: told ? wrapper : undefined, after, alone: way === 'extract' };
  });
}

function isSigned(facts: ContainerFacts): boolean {
  return facts.kind === 'bzimage' && facts.signed;
}

function wrappedAfter(wish: ContainerWish, { facts, outer }: Wrapped, elf: ByteSource): Wrapped | undefined {
  const after = factsAfter({ facts, elf }, wish);
  return after === undefined ? undefined : { facts: after, outer };
}
