/** Decoders that stand for programs of the host, by the program's name. */
import { liblzmaFile, makeLiblzma, WasmLzmaStream } from 'node-liblzma';
import { decode } from 'seek-bzip';
import type { ProgramResult } from '../../base/bytes/ports.js';
import { bunzip2, unlzma } from '../../base/platform/stream-decoders.js';

type Decode = (
  packed: Uint8Array,
  limit: number,
  onProgress?: (done: bigint, total: bigint) => void,
) => ProgramResult | Promise<ProgramResult>;

/** By the name in formats/container/unpackers.ts. Each may throw what its package says of damaged data. */
export const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['bzip2', (packed, limit, onProgress) => bunzip2({ decode }, packed, limit, onProgress)],
  [
    'xz',
    async (packed, limit, onProgress) => {
      const answer = await fetch(new URL(liblzmaFile, import.meta.url));
      const lib = await makeLiblzma({ wasmBinary: new Uint8Array(await answer.arrayBuffer()) });
      return unlzma(lib, new WasmLzmaStream(lib), packed, limit, onProgress);
    },
  ],
]);
