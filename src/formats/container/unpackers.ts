/** The programs that unpack what this package has no code for, from standard input to standard output. */
import type { PayloadFormat } from './formats.js';

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
