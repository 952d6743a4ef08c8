/**
 * xz, lzma and bzip2 without a program of the host: liblzma in WebAssembly (node-liblzma) and a bunzip2 in JavaScript
 * (seek-bzip). Both packages are optional, and neither is part of the bundle: where they are not installed, the format is as
 * missing as the program. They give what came out up to the limit, as programs do, and hold no more.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { PackedFormat, ProgramResult } from '../bytes/ports.js';
import { describeSystemError } from '../bytes/source.js';
import { Output } from './output.js';

const require = createRequire(import.meta.url);

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
interface Liblzma {
  readonly HEAPU8: Uint8Array;
  _malloc(size: number): number;
  _lzma_auto_decoder(stream: number, limitLow: number, limitHigh: number, flags: number): number;
  _lzma_code(stream: number, action: number): number;
}

interface LzmaStream {
  readonly ptr: number;
  readonly availIn: number;
  readonly availOut: number;
  setInput(at: number, size: number): void;
  setOutput(at: number, size: number): void;
}

interface LzmaPackage {
  readonly WasmLzmaStream: new (module: Liblzma) => LzmaStream;
}

interface LzmaMaker {
  readonly default: (options: { readonly wasmBinary: Uint8Array }) => Promise<Liblzma>;
}

/** What seek-bzip is given, and gives. */
interface Bunzip {
  decode(
    input: { read(to: Uint8Array, at: number, size: number): number; readByte(): number },
    output: { writeByte(byte: number): void },
  ): void;
}

class Full extends Error {}

/** Unpacks a stream to at most `limit` bytes; `missing` where its package is not installed. */
export async function unpackItself(format: PackedFormat, packed: Uint8Array, limit: number): Promise<ProgramResult> {
  try {
    return format === 'bzip2' ? bunzip2(packed, limit) : await unlzma(packed, limit);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND') return { kind: 'missing' };
    return { kind: 'failed', why: error instanceof Error ? error.message : describeSystemError(error) };
  }
}

async function unlzma(packed: Uint8Array, limit: number): Promise<ProgramResult> {
  const { WasmLzmaStream }: LzmaPackage = require('node-liblzma/wasm');
  const { default: make }: LzmaMaker = require('node-liblzma/wasm/liblzma.js');
  // An instance for each stream: its memory is never given back before it is.
  const lib = await make({ wasmBinary: readFileSync(require.resolve('node-liblzma/wasm/liblzma.wasm')) });
  const stream = new WasmLzmaStream(lib);
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
  }
  const isWhole = answer === LZMA_STREAM_END && stream.availIn === 0 && fed === packed.length;
  if (isWhole) return { kind: 'done', bytes: result.bytes() };
  if (answer === LZMA_STREAM_END) return { kind: 'failed', why: 'there is more behind the end of the stream' };
  return { kind: 'failed', why: LZMA_WORDS[answer] ?? `lzma_code() answered ${answer}` };
}

function bunzip2(packed: Uint8Array, limit: number): ProgramResult {
  const bunzip: Bunzip = require('seek-bzip');
  const result = new Output(limit, packed.length);
  const block = new Uint8Array(CHUNK);
  let filled = 0;
  const flush = () => {
    if (!result.add(block.subarray(0, filled))) throw new Full();
    filled = 0;
  };
  let at = 0;
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
