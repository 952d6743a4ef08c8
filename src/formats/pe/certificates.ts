/** The certificate table ("The Attribute Certificate Table"): the one directory whose address is a file offset. */
import { type Range, rangeOf } from '../../base/bytes/range.js';
import { checkInside } from '../../base/bytes/source.js';
import { Certificate, PE } from './headers.js';
import { directory, type PeImage } from './image.js';
import { DIRECTORY_SECURITY } from './names.js';

/** What of an image tells of its signatures. */
export type Signed = Pick<PeImage, 'source' | 'directories'>;

/** Where the signatures stand in the file; undefined in an unsigned image. Errors: `read.truncated`. */
export function certificateTable(image: Signed): Range | undefined {
  const table = directory(image, DIRECTORY_SECURITY);
  if (table === undefined) return undefined;
  checkInside(image.source, table.VirtualAddress, table.Size, 'certificate table');
  return rangeOf(table.VirtualAddress, table.Size);
}

/** A certificate; each begins at a multiple of 8 from the table's start. */
export interface CertificateRecord {
  readonly offset: bigint;
  readonly certificate: Certificate;
}

/** The certificates up to the first whose length makes no sense. Errors: `read.truncated`. */
export function certificates(image: Signed): CertificateRecord[] {
  const table = certificateTable(image);
  const found: CertificateRecord[] = [];
  if (table === undefined) return found;
  const head = BigInt(Certificate.size(PE));
  for (let offset = table.start; table.end - offset >= head; ) {
    const certificate = Certificate.decode(image.source.read(offset, head, 'certificate'), 0, PE);
    if (certificate.dwLength < head || certificate.dwLength > table.end - offset) break;
    found.push({ offset, certificate });
    offset += (certificate.dwLength + 7n) & ~7n;
  }
  return found;
}
