/**
 * xz, lzma and bzip2 without a program of the host, by packages that are optional (stream-decoders.ts). Neither is part of the
 * bundle: where one is not installed, the format is as missing as the program.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { PackedFormat, ProgramResult } from '../bytes/ports.js';
import { describeSystemError } from '../bytes/source.js';
import { type Bunzip, bunzip2, type Liblzma, type LzmaStream, unlzma } from './stream-decoders.js';

const require = createRequire(import.meta.url);

interface LzmaPackage {
  readonly WasmLzmaStream: new (module: Liblzma) => LzmaStream;
}

interface LzmaMaker {
  readonly default: (options: { readonly wasmBinary: Uint8Array }) => Promise<Liblzma>;
}

/** Unpacks a stream to at most `limit` bytes; `missing` where its package is not installed. */
export async function unpackItself(format: PackedFormat, packed: Uint8Array, limit: number): Promise<ProgramResult> {
  try {
    return format === 'bzip2' ? bunzip2(seekBzip(), packed, limit) : await byLiblzma(packed, limit);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'MODULE_NOT_FOUND' || code === 'ERR_MODULE_NOT_FOUND') return { kind: 'missing' };
    return { kind: 'failed', why: error instanceof Error ? error.message : describeSystemError(error) };
  }
}

async function byLiblzma(packed: Uint8Array, limit: number): Promise<ProgramResult> {
  const { WasmLzmaStream }: LzmaPackage = require('node-liblzma/wasm');
  const { default: make }: LzmaMaker = require('node-liblzma/wasm/liblzma.js');
  const lib = await make({ wasmBinary: readFileSync(require.resolve('node-liblzma/wasm/liblzma.wasm')) });
  return unlzma(lib, new WasmLzmaStream(lib), packed, limit);
}

function seekBzip(): Bunzip {
  return require('seek-bzip');
}
