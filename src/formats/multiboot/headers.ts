/** The Multiboot headers of a file, of both versions: what an edit that moves bytes must not lose. */
import type { ByteSource } from '../../base/bytes/source.js';
import { mb1Headers } from './mb1.js';
import { MB2_HEAD_SIZE, mb2Headers } from './mb2.js';
import { grubWindow, type MultibootVersion, windowOf } from './windows.js';

/** A header of either version; `offset` is of the file. */
export interface MultibootHeader {
  readonly version: MultibootVersion;
  readonly offset: bigint;
  /** Bytes of the header, by its flags or its header_length. */
  readonly size: bigint;
}

/**
 * Every valid header of both versions, by version, then offset. A loader takes the first of its version. The fields are
 * little-endian on every machine that has such loaders, whatever the image's own byte order. Those of version 2 are whole
 * where loaders look. With `searched`, that many bytes are looked through, to find headers that no loader would.
 */
export function multibootHeaders(source: ByteSource, searched?: bigint): MultibootHeader[] {
  const window = (version: MultibootVersion) =>
    searched === undefined ? grubWindow(version) : windowOf(version, searched);
  const found: MultibootHeader[] = [];
  for (const { offset, size } of mb1Headers(source, window(1))) found.push({ version: 1, offset, size });
  for (const { offset, header_length, bytes } of mb2Headers(source, window(2))) {
    if (header_length < MB2_HEAD_SIZE || bytes.length < header_length) continue;
    found.push({ version: 2, offset, size: BigInt(header_length) });
  }
  return found;
}
