/** The Multiboot headers of a planned output: are they where boot loaders look? */
import { BufferSource, type ByteSource } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { multibootHeaders } from '../../formats/multiboot/headers.js';
import { lastMultibootOffset, multibootWindow } from '../../formats/multiboot/windows.js';
import { type Container, partSize } from './container.js';

/** Bytes at the start of the output that are searched: twice the larger window. */
const SEARCHED = 0x10000;

/** One sentence for each version whose header no loader would find; the image's data moves back by 128 bytes. */
export function multibootWarnings(source: ByteSource, container: Container): string[] {
  const found = multibootHeaders(new BufferSource(startOf(source, container)), BigInt(SEARCHED));
  return ([1, 2] as const).flatMap((version) => {
    const [first] = found.filter((header) => header.version === version);
    if (first === undefined || first.offset <= lastMultibootOffset(first)) return [];
    const window = hex(multibootWindow(first));
    return [
      `the Multiboot${version === 2 ? '2' : ''} header is at ${hex(first.offset)}, and loaders look into the first ${window} bytes only`,
    ];
  });
}

function startOf(source: ByteSource, { parts }: Container): Uint8Array {
  const bytes = new Uint8Array(SEARCHED);
  let at = 0;
  for (const part of parts) {
    const size = partSize(part);
    const room = BigInt(SEARCHED - at);
    const used = size < room ? size : room;
    if (part.kind === 'bytes') bytes.set(part.bytes.subarray(0, Number(used)), at);
    else if (part.kind === 'copy') source.readInto(part.from, bytes.subarray(at, at + Number(used)), part.what);
    at += Number(used);
    if (at === SEARCHED) break;
  }
  return bytes.subarray(0, at);
}
