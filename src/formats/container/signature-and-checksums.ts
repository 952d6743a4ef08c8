/**
 * What covers a bzImage as a whole and has to follow an edit: the Secure Boot signature (Authenticode, PE certificate
 * table), the PE checksum, and the CRC-32 that kernels up to 6.14 end with (Linux arch/x86/boot/tools/build.c).
 */
import { port } from '../../base/bytes/ports.js';
import { type Range, rangeOf } from '../../base/bytes/range.js';
import { type ByteSource, OverlaySource, type Write } from '../../base/bytes/source.js';
import { fail } from '../../base/errors/patch-error.js';
import { type BzImage, setupField } from './bzimage.js';
import { wordBytes } from './limits.js';
import { isExplained, sectionsBehindPayload } from './sections-behind.js';

const CHUNK = 0x100000n;
/** zlib inverts at the end, so data that ends with its own CRC gives this instead of 0. */
const RESIDUE = 0xffffffff;
/** A certificate table starts at a multiple of 8. */
const CERTIFICATE_ALIGN = 8n;

/** Zeros for the PE checksum and the certificate entry: what both are before a signature is made. */
export function unsealed({ pe }: BzImage): Write[] {
  if (pe === undefined) return [];
  const entry = pe.certificateEntry;
  return [
    { offset: pe.checksum.offset, bytes: wordBytes(0) },
    ...(entry === undefined ? [] : [{ offset: entry.start, bytes: new Uint8Array(Number(entry.end - entry.start)) }]),
  ];
}

/** The word that holds the CRC; those 4 bytes are ordinary data in kernels without one. */
export function crcRange({ sysEnd }: BzImage): Range {
  return rangeOf(sysEnd - 4n, 4n);
}

/** Does the protected-mode part end with its CRC-32? Signing leaves it stale, so it is judged without the signature. */
export function hasCrc(image: BzImage): boolean {
  if (image.sysEnd > image.source.size || image.sysEnd < 4n) return false;
  return crcOf(new OverlaySource(image.source, unsealed(image)), image.sysEnd) === RESIDUE;
}

/** The CRC word for an edited image; `edited` has all other changes made. */
export function crcWrite(image: BzImage, edited: ByteSource): Write {
  const { start } = crcRange(image);
  return { offset: start, bytes: wordBytes((crcOf(edited, start) ^ RESIDUE) >>> 0) };
}

function crcOf(source: ByteSource, end: bigint): number {
  const crc32 = port('crc32');
  let crc = 0;
  for (let at = 0n; at < end; at += CHUNK) {
    const length = end - at < CHUNK ? end - at : CHUNK;
    crc = crc32(source.read(at, length, 'kernel'), crc);
  }
  return crc;
}

/** Where the kernel ends, what its linker and others left behind it included: in front of an attached payload or a signature. */
export function kernelEnd({ attached, payload, pe, source }: BzImage): bigint {
  if (attached) return payload.start;
  const certificate = pe?.certificate;
  return certificate !== undefined && certificate.start < source.size ? certificate.start : source.size;
}

/**
 * Where the kernel and its payload end: the place at which everything else is cut off. A signature is cut off only when
 * `strip` allows it; one whose table lies behind the end of the file was cut off already.
 * Errors: `pe.signed`, `pe.certificate`, `bzimage.trailing`, `bzimage.bounds`, `bzimage.header`.
 */
export function contentEnd(image: BzImage, strip: boolean): bigint {
  const { source, pe, sysEnd } = image;
  const file = source.name;
  if (sysEnd > source.size) {
    const context = { what: 'protected-mode part', start: image.setupSize, size: sysEnd - image.setupSize };
    fail('bzimage.bounds', { file, part: 'setup header' }, { ...context, end: source.size });
  }
  if (sysEnd === image.setupSize) {
    fail('bzimage.header', { file, offset: setupField('syssize'), part: 'setup header' }, { what: 'syssize is 0' });
  }
  const certificate = pe?.certificate;
  if (certificate !== undefined) {
    const { start, end } = certificate;
    const place = { file, offset: start, part: 'certificate table' };
    if (!strip) fail('pe.signed', place, { size: end - start, at: start, option: '--strip-signature' });
    const cut = start >= source.size;
    if (start < sysEnd || (!cut && end !== source.size)) {
      fail('pe.certificate', place, { at: start, end, size: source.size });
    }
  }
  const tail = { start: sysEnd, end: kernelEnd(image) };
  if (!isExplained(image, tail.start, tail.end)) {
    fail('bzimage.trailing', { file, offset: sysEnd }, { size: tail.end - sysEnd, at: sysEnd });
  }
  if (!image.attached) return tail.end;
  const sections = sectionsBehindPayload(image);
  const last = sections.at(-1)?.range.end ?? image.payload.end;
  if (!isExplained(image, image.payload.end, last)) {
    fail(
      'bzimage.trailing',
      { file, offset: image.payload.end },
      { size: last - image.payload.end, at: image.payload.end },
    );
  }
  const end = last;
  const stop = certificate !== undefined && certificate.start < source.size ? certificate.start : source.size;
  const rest = stop - end;
  if (rest > 0n && (rest >= CERTIFICATE_ALIGN || !isZero(source, { start: end, end: stop }))) {
    fail('bzimage.trailing', { file, offset: end }, { size: rest, at: end });
  }
  return end;
}

function isZero(source: ByteSource, { start, end }: Range): boolean {
  return source.read(start, end - start, 'bytes behind the payload').every((byte) => byte === 0);
}
