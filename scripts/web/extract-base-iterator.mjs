// What the decoders of xz-compat ask of their helper package, reduced to what runs in every browser.
import { Buffer } from 'buffer';

export const allocBuffer = (size) => Buffer.alloc(size);
export const allocBufferUnsafe = (size) => Buffer.alloc(size);
export const bufferFrom = (value) => Buffer.from(value);
export const bufferConcat = (list) => Buffer.concat(list);
export const canAllocateBufferSize = () => true;
export class Transform {}
export class BufferList {
  #parts = [];
  append(part) {
    this.#parts.push(part);
  }
  toBuffer() {
    return Buffer.concat(this.#parts);
  }
}

// In the place of its modules for native decoders and for streams.
export const tryLoadNative = () => null;
export const createLzmaDecoder = undefined;
export const createLzma2Decoder = undefined;
