// What of node-liblzma a page uses: its WebAssembly, where that is as a file, and the struct that the two share.
export { WasmLzmaStream } from 'node-liblzma/wasm';
export { default as makeLiblzma } from 'node-liblzma/wasm/liblzma.js';
export { default as liblzmaFile } from 'node-liblzma/wasm/liblzma.wasm';
