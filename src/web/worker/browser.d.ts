/** What a worker has that the types of a page do not know, and packages that ship no types for the file that is used. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

declare module 'seek-bzip' {
  export function decode(input: Uint8Array): Uint8Array;
}

/** The decoders of xz-compat alone, without its streams and its search for native ones (scripts/web/packages.mjs). */
declare module 'xz-compat' {
  export function decodeXz(packed: Uint8Array): Uint8Array;
  export function decodeLzma(packed: Uint8Array, properties: Uint8Array, size: number): Uint8Array;
}
