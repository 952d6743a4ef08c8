/** The debug directory ("Debug Directory (Image Only)") and the build-id that GNU ld puts there. */
import { fits } from '../../base/bytes/source.js';
import { latin1 } from '../../base/bytes/text.js';
import { hex } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import { DebugEntry, PE } from './headers.js';
import { directory, fileOffsetOf, type PeImage } from './image.js';
import { DIRECTORY_DEBUG, IMAGE_DEBUG_TYPE_CODEVIEW } from './names.js';

/** An entry and where it stands in the file. */
export interface DebugRecord {
  readonly entry: DebugEntry;
  readonly offset: bigint;
}

/** More entries than this are no debug directory; images have up to five. */
const MOST_ENTRIES = 256;

/** The whole entries of the debug directory; none when it is not in a section's raw data. Errors: `pe.directory`. */
export function debugEntries(image: PeImage): DebugRecord[] {
  const table = directory(image, DIRECTORY_DEBUG);
  if (table === undefined) return [];
  const start = fileOffsetOf(image, table.VirtualAddress, table.Size);
  if (start === undefined) return [];
  const size = DebugEntry.size(PE);
  if (table.Size > BigInt(MOST_ENTRIES * size)) {
    const why = `its size is ${hex(table.Size)}, wanted at most ${MOST_ENTRIES} entries`;
    fail('pe.directory', { file: image.source.name, offset: start, part: 'debug directory' }, { why });
  }
  const bytes = image.source.read(start, table.Size, 'debug directory');
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, index) => ({
    entry: DebugEntry.decode(bytes, index * size, PE),
    offset: start + BigInt(index * size),
  }));
}

/** Signature of a CodeView record of the form PDB 7.0: `RSDS`, 16 bytes, age, file name. */
const RSDS = 'RSDS';

/**
 * The build-id: the 16 bytes behind `RSDS` in a CodeView entry, as ld --build-id writes them and Xen reads them
 * (xen/common/version.c). Undefined when there is none.
 */
export function peBuildId(image: PeImage): Uint8Array | undefined {
  const { source } = image;
  for (const { entry } of debugEntries(image)) {
    if (entry.Type !== IMAGE_DEBUG_TYPE_CODEVIEW || entry.SizeOfData < 20n) continue;
    const at = fileOffsetOf(image, entry.AddressOfRawData, 20n) ?? entry.PointerToRawData;
    if (!fits(at, 20n, source.size)) continue;
    const bytes = source.read(at, 20n, 'CodeView record');
    if (latin1(bytes.subarray(0, 4)) === RSDS) return bytes.slice(4);
  }
  return undefined;
}
