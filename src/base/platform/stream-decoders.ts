/**
 * xz, lzma and bzip2 by packages that run in any JavaScript: liblzma in WebAssembly (node-liblzma) and a bunzip2 in JavaScript
 * (seek-bzip). Who has the packages gives them. What came out up to the limit is given, as programs give it, and no more is held.
 */
import type { ProgramResult } from '../bytes/ports.js';
import { Output } from './output.js';

/** What liblzma may take for a dictionary and the like, as the programs are told (formats/container/unpackers.ts). */
const MEMORY_LIMIT = 0x14000000;
const CHUNK = 0x100000;
const LZMA_RUN = 0;
const LZMA_FINISH = 3;
const LZMA_OK = 0;
const LZMA_STREAM_END = 1;
/** lzma/base.h: what the other answers of lzma_code() say. */
const LZMA_WORDS: Readonly<Record<number, string>> = {
  5: 'not enough memory',
  6: 'the memory usage limit was reached',
  7: 'file format not recognized',
  8: 'unsupported options',
  9: 'compressed data is corrupt',
  10: 'unexpected end of input',
};

/** What is used of an instance of liblzma. A 64-bit argument comes as two words. */
export interface Liblzma {
  readonly HEAPU8: Uint8Array;
  _malloc(size: number): number;
  _lzma_auto_decoder(stream: number, limitLow: number, limitHigh: number, flags: number): number;
  _lzma_code(stream: number, action: number): number;
}

/** A `lzma_stream` in the memory of an instance. */
export interface LzmaStream {
  readonly ptr: number;
  readonly availIn: number;
  readonly availOut: number;
  setInput(at: number, size: number): void;
  setOutput(at: number, size: number): void;
}

/** What seek-bzip is given, and gives. */
export interface Bunzip {
  decode(
    input: { read(to: Uint8Array, at: number, size: number): number; readByte(): number },
    output: { writeByte(byte: number): void },
  ): void;
}

/** Told how many bytes of the packed data are done. */
type OnProgress = (done: bigint, total: bigint) => void;

class Full extends Error {}

/** A whole xz or lzma stream by a fresh instance of liblzma: its memory is never given back before it is. */
export function unlzma(
  lib: Liblzma,
  stream: LzmaStream,
  packed: Uint8Array,
  limit: number,
  onProgress?: OnProgress,
): ProgramResult {
  const [input, output] = [lib._malloc(CHUNK), lib._malloc(CHUNK)];
  if (input === 0 || output === 0) return { kind: 'failed', why: 'not enough memory' };
  let answer = lib._lzma_auto_decoder(stream.ptr, MEMORY_LIMIT, 0, 0);
  const result = new Output(limit, packed.length);
  let fed = 0;
  while (answer === LZMA_OK) {
    if (stream.availIn === 0 && fed < packed.length) {
      const part = packed.subarray(fed, fed + CHUNK);
      lib.HEAPU8.set(part, input);
      stream.setInput(input, part.length);
      fed += part.length;
    }
    stream.setOutput(output, CHUNK);
    answer = lib._lzma_code(stream.ptr, fed === packed.length ? LZMA_FINISH : LZMA_RUN);
    const made = lib.HEAPU8.subarray(output, output + CHUNK - stream.availOut);
    if (!result.add(made)) return { kind: 'too-long', bytes: result.bytes() };
    onProgress?.(BigInt(fed - stream.availIn), BigInt(packed.length));
  }
  const isWhole = answer === LZMA_STREAM_END && stream.availIn === 0 && fed === packed.length;
  if (isWhole) return { kind: 'done', bytes: result.bytes() };
  if (answer === LZMA_STREAM_END) return { kind: 'failed', why: 'there is more behind the end of the stream' };
  return { kind: 'failed', why: LZMA_WORDS[answer] ?? `lzma_code() answered ${answer}` };
}

/** A whole bzip2 stream. Throws what the package says of a damaged one. */
export function bunzip2(bunzip: Bunzip, packed: Uint8Array, limit: number, onProgress?: OnProgress): ProgramResult {
  const result = new Output(limit, packed.length);
  const block = new Uint8Array(CHUNK);
  let filled = 0;
  let at = 0;
  const flush = () => {
    if (!result.add(block.subarray(0, filled))) throw new Full();
    filled = 0;
    onProgress?.(BigInt(at), BigInt(packed.length));
  };
  // Of a stream that was cut short its own reader would take zeros for ever.
  const readByte = () => packed[at++] ?? fullStop();
  const read = (to: Uint8Array, offset: number, size: number) => {
    for (let i = 0; i < size; i++) to[offset + i] = readByte();
    return size;
  };
  try {
    bunzip.decode(
      { read, readByte },
      {
        writeByte(byte) {
          block[filled++] = byte;
          if (filled === CHUNK) flush();
        },
      },
    );
    flush();
  } catch (error) {
    if (error instanceof Full) return { kind: 'too-long', bytes: result.bytes() };
    throw error;
  }
  return { kind: 'done', bytes: result.bytes() };
}

function fullStop(): never {
  throw new Error('unexpected end of input');
}
