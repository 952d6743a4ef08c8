/**
 * What a signature of a PE image is of (Microsoft, "Windows Authenticode Portable Executable Signature Format"): headers
 * without CheckSum and the entry of the certificate table, sections by file offset, and the rest, counted by size as
 * firmware does (EDK2, DxeImageVerificationLib.c, HashPeImage).
 */
import { portOrNone } from '../../base/bytes/ports.js';
import { compare } from '../../base/bytes/range.js';
import { fits } from '../../base/bytes/source.js';
import { equalBytes, findBytes } from '../../base/bytes/text.js';
import { certificates } from './certificates.js';
import { DataDirectory, OptionalHeader, OptionalHeader32, PE } from './headers.js';
import { directory, optionalHeaderOffset, type PeImage } from './image.js';
import { DIRECTORY_SECURITY, PE32 } from './names.js';
import type { PeHeaders } from './read.js';

/** Headers with the file that they are of. */
export type Signable = Pick<PeImage, 'source'> & PeHeaders;

const CHUNK = 0x100000n;
const CHECKSUM_SIZE = 4n;

/** SHA-256 of what a signature covers; undefined where sizes and offsets lead out of the file, and on a platform without hashes. */
export function signedDigest(image: Signable): Uint8Array | undefined {
  const ranges = signedRanges(image);
  const hasher = portOrNone('newHasher')?.('sha256');
  if (ranges === undefined || hasher === undefined) return undefined;
  for (const { start, end } of ranges) {
    for (let at = start; at < end; at += CHUNK) {
      hasher.update(image.source.read(at, end - at < CHUNK ? end - at : CHUNK, 'bytes under a signature'));
    }
  }
  return hasher.digest();
}

function signedRanges(image: Signable): { start: bigint; end: bigint }[] | undefined {
  const { source, optionalHeader, sections, directoriesOffset } = image;
  if (optionalHeader === undefined) return undefined;
  const layout = optionalHeader.Magic === PE32 ? OptionalHeader32 : OptionalHeader;
  const checkSum = optionalHeaderOffset(image) + BigInt(layout.offsetOf('CheckSum', PE));
  const entry = BigInt(DataDirectory.size(PE));
  const security = directoriesOffset + BigInt(DIRECTORY_SECURITY) * entry;
  const headers = optionalHeader.SizeOfHeaders;
  if (security + entry > headers) return undefined;
  const data = sections
    .filter(({ SizeOfRawData }) => SizeOfRawData > 0n)
    .map(({ PointerToRawData, SizeOfRawData }) => ({
      start: PointerToRawData,
      end: PointerToRawData + SizeOfRawData,
    }))
    .sort((a, b) => compare(a.start, b.start));
  const counted = data.reduce((sum, { start, end }) => sum + (end - start), headers);
  const rest = source.size - (directory(image, DIRECTORY_SECURITY)?.Size ?? 0n);
  const ranges = [
    { start: 0n, end: checkSum },
    { start: checkSum + CHECKSUM_SIZE, end: security },
    { start: security + entry, end: headers },
    ...data,
    ...(rest > counted ? [{ start: counted, end: rest }] : []),
  ];
  // Sections that share bytes can be more than the file many times over.
  const total = ranges.reduce((sum, { start, end }) => sum + (end - start), 0n);
  const inside = ranges.every(({ start, end }) => fits(start, end - start, source.size));
  return inside && total <= 2n * source.size ? ranges : undefined;
}

/** SPC_INDIRECT_DATA_OBJID, in front of what is signed. */
const INDIRECT_DATA = Uint8Array.of(0x06, 0x0a, 0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 4);
/** An AlgorithmIdentifier of SHA-256, and the head of the digest. */
const SHA256_WITH_NULL = Uint8Array.of(0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20);
const SHA256_BARE = Uint8Array.of(0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 4, 0x20);
const DIGEST = 32;
/** Real ones have some thousand bytes. */
const LARGEST_CERTIFICATE = 0x100000n;
const PKCS_SIGNED_DATA = 2;

/** The SHA-256 digests that the image's signatures are of. */
export function digestsSigned(image: Pick<PeImage, 'source' | 'directories'>): Uint8Array[] {
  return certificates(image).flatMap(({ offset, certificate }) => {
    const { dwLength, wCertificateType } = certificate;
    if (wCertificateType !== PKCS_SIGNED_DATA || dwLength > LARGEST_CERTIFICATE) return [];
    const bytes = image.source.read(offset, dwLength, 'certificate');
    const from = findBytes(bytes, INDIRECT_DATA, 0);
    if (from < 0) return [];
    const behind = [SHA256_WITH_NULL, SHA256_BARE].flatMap((head) => {
      const at = findBytes(bytes, head, from);
      return at < 0 ? [] : [at + head.length];
    });
    const [at] = behind.sort((a, b) => a - b);
    return at === undefined || at + DIGEST > bytes.length ? [] : [bytes.slice(at, at + DIGEST)];
  });
}

/** What the signatures of an image say of it. `unknown`: they are of another hash, or none that is known. */
export type SignatureState = 'none' | 'of this image' | 'of other bytes' | 'unknown';

/** Is the image signed, and as it stands? Whose the key is, no file tells. Errors: `read.*`. */
export function signatureState(image: Signable): SignatureState {
  if (directory(image, DIRECTORY_SECURITY) === undefined) return 'none';
  const signed = digestsSigned(image);
  const digest = signedDigest(image);
  if (signed.length === 0 || digest === undefined) return 'unknown';
  return signed.some((each) => equalBytes(each, digest)) ? 'of this image' : 'of other bytes';
}
