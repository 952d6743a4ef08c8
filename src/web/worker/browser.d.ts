/** What a worker has that the types of a page do not know, and packages that ship no types for the file that is used. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

declare module 'seek-bzip' {
  export const decode: import('../../base/platform/stream-decoders.js').Bunzip['decode'];
}

/** What of it a page uses (scripts/web/liblzma.mjs). */
declare module 'node-liblzma' {
  type Liblzma = import('../../base/platform/stream-decoders.js').Liblzma;

  export function makeLiblzma(options: { readonly wasmBinary: Uint8Array }): Promise<Liblzma>;
  /** Where the WebAssembly is, from the module that asks. */
  export const liblzmaFile: string;
  export class WasmLzmaStream {
    constructor(module: Liblzma);
    readonly ptr: number;
    readonly availIn: number;
    readonly availOut: number;
    setInput(at: number, size: number): void;
    setOutput(at: number, size: number): void;
  }
}
