/**
 * A property note of an ELF64 image as an ELF32 one has it: each property's data is padded to the class's word, 8 bytes or 4 (Linux
 * extensions to gABI, "Program Property"). Left as it is, readelf calls the note of a 32-bit container corrupt.
 */
import type { Encoding } from '../../formats/elf/struct.js';
import { GNU, NT_GNU_PROPERTY_TYPE_0 } from '../../formats/note/note-types.js';
import { type NoteContent, ownerOf } from '../../formats/note/record.js';

/** pr_type and pr_datasz. */
const HEAD = 8;

/** The record for the class of the result; the same one where it is no property note, or none that can be read. */
export function withPropertiesOf(record: NoteContent, input: Encoding): NoteContent {
  if (input.bits === 32 || record.type !== NT_GNU_PROPERTY_TYPE_0 || ownerOf(record.name) !== GNU) return record;
  if (record.rest !== undefined) return record;
  const { desc } = record;
  const view = new DataView(desc.buffer, desc.byteOffset, desc.length);
  const narrow = new Uint8Array(desc.length);
  let from = 0;
  let to = 0;
  while (desc.length - from >= HEAD) {
    const size = view.getUint32(from + 4, input.endian === 'little');
    if (size > desc.length - from - HEAD) return record;
    narrow.set(desc.subarray(from, from + HEAD + size), to);
    from += HEAD + padded(size, 8);
    to += HEAD + padded(size, 4);
  }
  return from === desc.length ? { ...record, desc: narrow.slice(0, to) } : record;
}

function padded(size: number, unit: number): number {
  return Math.ceil(size / unit) * unit;
}
