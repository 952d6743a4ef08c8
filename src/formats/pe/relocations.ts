/** Base relocations ("The .reloc Section"), block by block. */
import type { ByteSource } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import { PE, RelocationBlock } from './headers.js';
import { directory, fileOffsetOf, type PeImage } from './image.js';
import {
  DIRECTORY_BASERELOC,
  IMAGE_REL_BASED_ABSOLUTE,
  IMAGE_REL_BASED_DIR64,
  IMAGE_REL_BASED_HIGH,
  IMAGE_REL_BASED_HIGHADJ,
  IMAGE_REL_BASED_HIGHLOW,
  IMAGE_REL_BASED_LOW,
} from './names.js';

/** Bytes that a relocation of a type changes. */
const WIDTHS: Readonly<Record<number, number>> = {
  [IMAGE_REL_BASED_ABSOLUTE]: 0,
  [IMAGE_REL_BASED_HIGH]: 2,
  [IMAGE_REL_BASED_LOW]: 2,
  [IMAGE_REL_BASED_HIGHLOW]: 4,
  [IMAGE_REL_BASED_HIGHADJ]: 2,
  [IMAGE_REL_BASED_DIR64]: 8,
};

/** Bytes `[rva, rva + width)` that a loader changes when it does not load at ImageBase. */
export interface Relocation {
  readonly rva: bigint;
  readonly width: bigint;
  readonly type: number;
}

/**
 * Every base relocation in file order; padding entries are left out.
 * Errors: `pe.directory` when the table is not loaded from the file, `pe.relocations` when a block is malformed.
 */
export function* relocations(image: PeImage): Generator<Relocation> {
  const table = directory(image, DIRECTORY_BASERELOC);
  if (table === undefined) return;
  const { source } = image;
  const start = fileOffsetOf(image, table.VirtualAddress, table.Size);
  const part = 'base relocation directory';
  if (start === undefined) {
    const why = `its bytes at RVA ${hex(table.VirtualAddress)}, ${hex(table.Size)} long, are in no section's raw data`;
    fail('pe.directory', { file: source.name, part }, { why });
  }
  const head = BigInt(RelocationBlock.size(PE));
  const read = windowed(source, start + table.Size, part);
  for (let at = 0n; at < table.Size; ) {
    const offset = start + at;
    const refuse = (what: string) => fail('pe.relocations', { file: source.name, offset, part }, { what });
    if (table.Size - at < head) return refuse(`${table.Size - at} bytes are left, too few for a block`);
    const block = RelocationBlock.decode(read(offset, head), 0, PE);
    const size = block.SizeOfBlock;
    if (size < head || size > table.Size - at) {
      return refuse(`SizeOfBlock is ${hex(size)}, ${hex(table.Size - at)} bytes are left`);
    }
    const bytes = read(offset + head, size - head);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i + 2 <= bytes.length; i += 2) {
      const entry = view.getUint16(i, true);
      const type = entry >> 12;
      const width = WIDTHS[type];
      if (width === undefined) return refuse(`an entry has the type ${type}, which x86-64 does not know`);
      if (width > 0) yield { rva: block.VirtualAddress + BigInt(entry & 0xfff), width: BigInt(width), type };
    }
    at += size;
  }
}

const WINDOW = 0x10000n;

/** Reads that follow each other, out of one buffer: a table may have a block for every eight of its bytes. */
function windowed(source: ByteSource, end: bigint, part: string) {
  let from = 0n;
  let window: Uint8Array = new Uint8Array(0);
  return (offset: bigint, length: bigint): Uint8Array => {
    if (offset < from || offset + length > from + BigInt(window.length)) {
      const rest = end - offset;
      const size = rest < WINDOW ? rest : WINDOW;
      window = source.read(offset, length > size ? length : size, part);
      from = offset;
    }
    const at = Number(offset - from);
    return window.subarray(at, at + Number(length));
  };
}
