/**
 * A signature appended to an image as kernel modules have it (Linux, include/linux/module_signature.h): the signature itself, a
 * record of 12 bytes that ends with its length, and a line of text. It covers every byte in front of it.
 */
import { type ByteSource, fits } from '../../base/bytes/source.js';
import { equalBytes, latin1Bytes } from '../../base/bytes/text.js';
import type { ElfImage } from './image.js';
import { rangesInUse } from './image.js';

const TRAILER = latin1Bytes('~Module signature appended~\n');
const RECORD = 12n;
/** Offsets in the record: lengths of the signer's name and of the key's, one byte each; of the signature, big-endian. */
const SIGNER_LENGTH = 3;
const KEY_LENGTH = 4;
const SIGNATURE_LENGTH = 8;

/** An appended signature: file offsets of its last line and of where it begins, or why that cannot be told. */
export type AppendedSignature =
  | { readonly line: bigint; readonly start: bigint }
  | { readonly line: bigint; readonly start: undefined; readonly why: string };

/** The signature that ends the file; undefined: there is none. */
export function appendedSignature(source: ByteSource, end: bigint = source.size): AppendedSignature | undefined {
  const trailer = BigInt(TRAILER.length);
  if (!fits(0n, trailer, end)) return undefined;
  if (!equalBytes(source.read(end - trailer, trailer, 'end of file'), TRAILER)) return undefined;
  const line = end - trailer;
  const at = line - RECORD;
  if (at < 0n) return { line, start: undefined, why: 'nothing is in front of its last line' };
  const record = source.read(at, RECORD, 'signature');
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  const names = view.getUint8(SIGNER_LENGTH) + view.getUint8(KEY_LENGTH);
  const size = BigInt(names + view.getUint32(SIGNATURE_LENGTH));
  if (size > at)
    return { line, start: undefined, why: `it claims ${size} bytes, and ${at} are in front of its record` };
  return { line, start: at - size };
}

/**
 * Where the image ends without the signatures that were appended one after the other, or why they cannot be taken off: bytes
 * that headers speak of are no signature.
 */
export function endUnsigned(image: ElfImage): { readonly end: bigint } | { readonly why: string } {
  let end = image.source.size;
  for (;;) {
    const signature = appendedSignature(image.source, end);
    if (signature === undefined) break;
    if (signature.start === undefined) return { why: signature.why };
    end = signature.start;
  }
  for (const range of rangesInUse(image)) {
    if (range.end > end)
      return { why: `headers of the image speak of bytes up to ${range.end}, and it begins at ${end}` };
  }
  return { end };
}
