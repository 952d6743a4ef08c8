/**
 * The programs that unpack what this package has no code for, from standard input to standard output. They are faster than
 * what the platform may have of its own (a port), which is asked where a program is missing.
 */
import { type ProgramResult, portOrNone, runProgram } from '../../base/bytes/ports.js';
import { BufferSource } from '../../base/bytes/source.js';
import type { PayloadFormat } from './formats.js';
import type { OnProgress } from './limits.js';

/** Formats that a program of the host unpacks. */
export type ProgramFormat = Extract<PayloadFormat, 'xz' | 'lzma' | 'bzip2' | 'lzo'>;

/** Each with its arguments. */
export const UNPACKERS: Readonly<Record<ProgramFormat, readonly [program: string, ...args: string[]]>> = {
  // Dictionaries of real kernels have at most 128 MiB; the limit keeps a lying one from costing more.
  xz: ['xz', '-dc', '--format=xz', '--single-stream', '--memlimit-decompress=320MiB'],
  lzma: ['xz', '-dc', '--format=lzma', '--memlimit-decompress=320MiB'],
  bzip2: ['bzip2', '-dc'],
  lzo: ['lzop', '-dc'],
};

/** Unpacks a stream to at most `limit` bytes. `missing`: there is neither the program nor code of the platform's own. */
export async function unpackStream(
  format: ProgramFormat,
  packed: Uint8Array,
  limit: number,
  onProgress?: OnProgress | undefined,
): Promise<ProgramResult> {
  const [program, ...args] = UNPACKERS[format];
  const result = await runProgram(program, args, new BufferSource(packed, 'stream'), limit, onProgress);
  if (result.kind !== 'missing' || format === 'lzo') return result;
  return (await portOrNone('unpackItself')?.(format, packed, limit)) ?? result;
}
