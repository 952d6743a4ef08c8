/**
 * `attach`: a second payload goes behind the kernel and the header points at it. Linux, which never reads those header
 * fields, starts exactly what it started before; Xen unpacks the new one. `detach` takes it off again.
 */
import type { ByteSource } from '../../base/bytes/source.js';
import { fail } from '../../base/errors/patch-error.js';
import type { BzImage } from '../../formats/container/bzimage.js';
import { packGzip } from '../../formats/container/gzip.js';
import type { OnProgress } from '../../formats/container/limits.js';
import { findNative } from '../../formats/container/native.js';
import { contentEnd, unsealed } from '../../formats/container/signature-and-checksums.js';
import { movedSections } from './moved-sections.js';
import { differing, headerWord, type Rebuilt, withCrc } from './rebuilt.js';

/**
 * Attaches `data`, gzip'd: the one format that every reader knows. An image that has an attached payload loses that one.
 * Errors: those of contentEnd, `bzimage.too-large`.
 */
export async function attach(
  image: BzImage,
  data: ByteSource,
  strip: boolean,
  onProgress?: OnProgress,
): Promise<Rebuilt> {
  contentEnd(image, strip);
  const { setupSize, source } = image;
  const stream = await packGzip(data, onProgress);
  const moved = movedSections(image);
  const offset = moved.end;
  const fileSize = offset + BigInt(stream.length);
  const need = fileSize - setupSize;
  const limit = image.hasInitSize ? BigInt(image.header.init_size) : 0xffffffffn;
  if (need > limit) fail('bzimage.too-large', { file: source.name, part: 'payload' }, { need, limit });
  const writes = [
    ...moved.writes,
    { offset, bytes: stream },
    headerWord('payload_offset', offset - setupSize),
    headerWord('payload_length', stream.length),
    ...unsealed(image),
  ];
  return {
    writes: differing(source, withCrc(image, writes, fileSize)),
    fileSize,
    summary: `a second payload attached for Xen (gzip, ${stream.length} bytes at 0x${offset.toString(16)})`,
    warnings: [],
  };
}

/**
 * Points the header at the kernel's own payload again and cuts the attached one off.
 * Errors: those of contentEnd, `bzimage.not-attached`, `bzimage.native`.
 */
export function detach(image: BzImage, strip: boolean): Rebuilt {
  const { source } = image;
  if (!image.attached) fail('bzimage.not-attached', { file: source.name, part: 'setup header' }, {});
  contentEnd(image, strip);
  const native = findNative(image);
  const { end, writes: moved } = movedSections(image);
  const writes = [
    ...moved,
    headerWord('payload_offset', native.offset),
    headerWord('payload_length', native.length),
    ...unsealed(image),
  ];
  return {
    writes: differing(source, withCrc(image, writes, end)),
    fileSize: end,
    summary: `the attached payload taken off, the header points at the kernel's own (${native.format}) again`,
    warnings: [],
  };
}

/** Takes the signature off and changes nothing else. Errors: those of contentEnd. */
export function stripSignature(image: BzImage): Rebuilt {
  const fileSize = contentEnd(image, true);
  const writes = differing(image.source, unsealed(image));
  return { writes, fileSize, summary: 'the signature taken off', warnings: [] };
}
