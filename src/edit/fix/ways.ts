/**
 * The ways in which the result of a fix can be wrapped, for a file that wraps its kernel. The rules of a loader decide
 * which of them it takes; whether a way is possible at all is decided here, as far as it is known before packing.
 */
import type { ByteSource } from '../../base/bytes/source.js';
import { PatchError } from '../../base/errors/patch-error.js';
import type { BzImage } from '../../formats/container/bzimage.js';
import type { OpenedContainer } from '../../formats/container/open.js';
import { contentEnd } from '../../formats/container/signature-and-checksums.js';
import type { WrapperChange } from '../../formats/note/fix.js';
import type { Wrapped } from '../../loaders/wrapped.js';
import { type ContainerOptions, factsAfter } from '../container/pipeline.js';
import type { Way } from './way.js';

const DEFAULTS: ContainerOptions = { way: undefined, stripSignature: false, compressor: undefined, keepTail: false };

/** The one way that the options of a command leave. */
export function wayOf(options: ContainerOptions, wrapped: Wrapped, elf: ByteSource): Way {
  const after = wrappedAfter(options, wrapped, elf);
  const alone = options.way === 'extract';
  // To take it out is an edit by itself, and told as one.
  return { wrapper: alone ? { payload: 'extract', compressor: options.compressor } : undefined, after, alone };
}

/** Every way that the file leaves open, the one that changes least first. */
export function waysFor(opened: OpenedContainer, outer: ByteSource): readonly Way[] {
  const wrapped: Wrapped = { facts: opened.facts, outer };
  const kept = keepingWrapper(opened);
  const wrappers: readonly WrapperChange[] = [
    ...(kept === undefined ? [] : [kept]),
    { payload: 'extract', compressor: 'gzip' },
    { payload: 'extract' },
  ];
  return wrappers.map((wrapper): Way => {
    const { payload: way, compressor, stripSignature = false } = wrapper;
    const after = wrappedAfter({ ...DEFAULTS, way, compressor, stripSignature }, wrapped, opened.elf);
    const told = way !== undefined || stripSignature;
    return { wrapper: told ? wrapper : undefined, after, alone: way === 'extract' };
  });
}

/** What has to be said so that an edited kernel is put into its wrapper again; undefined: it cannot be. */
function keepingWrapper(opened: OpenedContainer): WrapperChange | undefined {
  switch (opened.kind) {
    case 'stream':
      return undefined;
    case 'gzip':
      return opened.facts.behind.kind === 'nothing' ? {} : undefined;
    case 'bzimage': {
      const stripSignature = opened.facts.signed;
      return hasEnd(opened.image, stripSignature) ? (stripSignature ? { stripSignature } : {}) : undefined;
    }
  }
}

/** Is it known what of the image may be cut off? */
function hasEnd(image: BzImage, strip: boolean): boolean {
  try {
    contentEnd(image, strip);
    return true;
  } catch (error) {
    if (error instanceof PatchError) return false;
    throw error;
  }
}

function wrappedAfter(options: ContainerOptions, { facts, outer }: Wrapped, elf: ByteSource): Wrapped | undefined {
  const after = factsAfter({ facts, elf }, options);
  return after === undefined ? undefined : { facts: after, outer };
}
