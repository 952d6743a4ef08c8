/** ContainerFacts as the `container` member of a document. */
import type { ContainerFacts } from '../formats/container/facts.js';
import type { Json } from './json.js';

/** The container of a kernel as `--json` has it. */
export function containerJson(facts: ContainerFacts): { readonly [key: string]: Json } {
  const { kind, format, stream, unpackedSize, elfSize } = facts;
  return {
    kind,
    format,
    offset: stream.start,
    size: stream.end - stream.start,
    unpackedSize,
    elfSize,
    ...(facts.kind === 'gzip'
      ? { behind: { kind: facts.behind.kind, size: facts.behind.size } }
      : facts.kind === 'stream'
        ? { sizeWord: facts.sizeWord }
        : { protocol: facts.protocol, attached: facts.attached, signed: facts.signed, spare: facts.spare }),
    demands: facts.demands.map(({ reader, takenSince, what, says }) => ({
      reader,
      takenSince: takenSince ?? null,
      what,
      says: says ?? null,
    })),
    warnings: [...facts.warnings],
  };
}
