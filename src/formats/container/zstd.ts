/** Unpacks a zstd frame with libzstd in WebAssembly, after walking its blocks to know where it ends (RFC 8878). */
import { port } from '../../base/bytes/ports.js';
import { joinBytes } from '../../base/bytes/text.js';
import { wordAt } from './limits.js';

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;

/** What the frame header and the block headers say. */
export interface ZstdFrame {
  /** First byte behind the frame. */
  readonly end: number;
  /** Bytes of history that a decoder must keep. */
  readonly window: bigint;
  /** What it unpacks to, where the frame says. */
  readonly contentSize: bigint | undefined;
  /** The most that its blocks can unpack to. */
  readonly most: bigint;
}

const BLOCK_MAX = 0x20000n;
/** Window_Descriptor of BLOCK_MAX bytes: 2 to the power of 10 + 7. */
const WINDOW_OF_A_BLOCK = 7 << 3;

/** Finds the end of the first frame without unpacking it; a string says why it cannot be found. */
export function zstdFrame(bytes: Uint8Array): ZstdFrame | string {
  if (bytes.length < 6 || wordAt(bytes, 0) !== MAGIC) return 'no frame';
  const descriptor = bytes[4] ?? 0;
  const singleSegment = (descriptor & 0x20) !== 0;
  const contentSizeField = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionaryField = [0, 1, 2, 4][descriptor & 3] ?? 0;
  let at = 5;
  const windowByte = bytes[at] ?? 0;
  if (!singleSegment) at += 1;
  at += dictionaryField;
  const contentSize = littleEndian(bytes.subarray(at, at + contentSizeField)) + (contentSizeField === 2 ? 256n : 0n);
  at += contentSizeField;
  let most = 0n;
  for (;;) {
    if (bytes.length - at < 3) return 'a frame cut short';
    const header = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
    at += 3;
    const kind = (header >> 1) & 3;
    if (kind === 3) return 'a block of a reserved kind';
    // Kind 0: as it is. 1: one byte, repeated. 2: compressed.
    at += kind === 1 ? 1 : header >> 3;
    most += kind === 2 ? BLOCK_MAX : BigInt(header >> 3);
    if (at > bytes.length) return 'a block cut short';
    if ((header & 1) === 1) break;
  }
  if ((descriptor & 4) !== 0) at += 4;
  if (at > bytes.length) return 'a frame cut short';
  const base = 1n << BigInt(10 + (windowByte >> 3));
  return {
    end: at,
    window: singleSegment ? contentSize : base + (base / 8n) * BigInt(windowByte & 7),
    contentSize: contentSizeField === 0 ? undefined : contentSize,
    most,
  };
}

/** A frame of the first block alone, and the most that it unpacks to; undefined: there is none, or it needs a dictionary. */
export function firstBlockAlone(bytes: Uint8Array): { readonly frame: Uint8Array; readonly most: number } | undefined {
  if (bytes.length < 6 || wordAt(bytes, 0) !== MAGIC) return undefined;
  const descriptor = bytes[4] ?? 0;
  const singleSegment = (descriptor & 0x20) !== 0;
  if ((descriptor & 3) !== 0) return undefined;
  const at = 5 + (singleSegment ? 0 : 1) + ([singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0);
  const header = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
  const end = at + 3 + (((header >> 1) & 3) === 1 ? 1 : header >> 3);
  if (end > bytes.length) return undefined;
  // No size, no checksum, and a window of one block: it is the last one now.
  const head = [...bytes.subarray(0, 4), 0, WINDOW_OF_A_BLOCK, (header & 0xff) | 1, (header >> 8) & 0xff, header >> 16];
  return { frame: joinBytes([Uint8Array.from(head), bytes.subarray(at + 3, end)]), most: Number(BLOCK_MAX) };
}

/** Are the bytes behind a frame exactly skippable frames? All decoders step over those. */
export function onlySkippable(bytes: Uint8Array): boolean {
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < 8 || (wordAt(bytes, at) & 0xfffffff0) >>> 0 !== SKIPPABLE) return false;
    at += 8 + wordAt(bytes, at + 4);
  }
  return at === bytes.length;
}

/** Unpacks one frame to at most `size` bytes; undefined when it is damaged or becomes more. */
export async function unpackZstd(frame: Uint8Array, size: number): Promise<Uint8Array | undefined> {
  const decode = await port('loadZstd')();
  // The length is always given: without it, the decoder would believe the frame.
  if (size === 0) return new Uint8Array(0);
  const bytes = decode(frame, size);
  // An error of the decoder comes out as nothing, or as more than it was given room for.
  return bytes.length > 0 && bytes.length <= size ? bytes : undefined;
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
