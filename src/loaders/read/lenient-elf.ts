/**
 * Reads headers as loaders do, which are laxer than readElf: what lies outside the file is 0, or ends a table; nothing is
 * refused here. The result has the shape of a read image, so walks over notes take it as it is.
 */
import { type ByteSource, fits, READ_LIMIT } from '../../base/bytes/source.js';
import { Ehdr, EI_NIDENT, Phdr, Shdr } from '../../formats/elf/headers.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { beginsAsElf } from '../../formats/elf/names.js';
import { type Encoding, nativeSize, type Struct, type ValueOf } from '../../formats/elf/struct.js';

/** An image as a loader sees it, with what it could not see. */
export interface LaxImage extends ElfImage {
  /** A program header, or a section header, begins outside the file: the tables end before it. */
  readonly segmentsCut: boolean;
  readonly sectionsCut: boolean;
}

/** How leniently a loader reads the tables. */
export interface LaxOptions {
  /** Records stand e_phentsize (e_shentsize) apart, or as far as they are long. */
  readonly stride: 'declared' | 'own-size';
  /** The same for section headers, where a loader does not treat them alike. */
  readonly sectionStride?: 'declared';
  readonly sections: boolean;
  /** The most section headers that the loader looks at. */
  readonly maxSections?: bigint;
}

type AnyStruct = typeof Ehdr | typeof Phdr | typeof Shdr;

/** Tables from here on are kept with their source: a file may name 65,535 headers, and every loader reads them. */
const MANY = 1000;
const knownImages = new WeakMap<ByteSource, Map<string, LaxImage>>();
const knownTables = new WeakMap<ByteSource, Map<string, readonly unknown[]>>();

/** e_ident; zeros behind the end of the file. */
export function laxIdent(source: ByteSource): Uint8Array {
  return bytesAt(source, 0n, EI_NIDENT);
}

/** Does the file begin with the ELF magic? */
export function hasElfMagic(source: ByteSource): boolean {
  return beginsAsElf(laxIdent(source));
}

/** The image under an encoding that the loader has chosen by its own rules. */
export function lenientElf(source: ByteSource, encoding: Encoding, options: LaxOptions): LaxImage {
  const { stride, sectionStride, sections, maxSections } = options;
  const key = [encoding.bits, encoding.endian, stride, sectionStride, sections, maxSections].join();
  const images = knownImages.get(source) ?? new Map<string, LaxImage>();
  const image = images.get(key) ?? laxImage(source, encoding, options);
  if (image.segments.length + image.sections.length >= MANY) knownImages.set(source, images.set(key, image));
  return image;
}

function laxImage(source: ByteSource, encoding: Encoding, options: LaxOptions): LaxImage {
  const header = decodeAt(source, BigInt(EI_NIDENT), Ehdr, encoding);
  const { e_phoff, e_phnum, e_phentsize, e_shoff, e_shnum, e_shentsize } = header;
  const own = options.stride === 'own-size';
  const segments = tableAt(source, e_phoff, e_phnum, own ? Phdr.size(encoding) : e_phentsize, Phdr, encoding);
  const most = options.maxSections;
  const count = !options.sections ? 0 : most !== undefined && most < BigInt(e_shnum) ? Number(most) : e_shnum;
  const sections = tableAt(
    source,
    e_shoff,
    count,
    own && options.sectionStride === undefined ? Shdr.size(encoding) : e_shentsize,
    Shdr,
    encoding,
  );
  return {
    source,
    encoding,
    ident: laxIdent(source),
    header,
    segments,
    sections,
    shstrndx: header.e_shstrndx,
    segmentsCut: segments.length < e_phnum,
    sectionsCut: sections.length < count,
  };
}

/** Records up to the first that begins outside the file. */
function tableAt<S extends typeof Phdr | typeof Shdr>(
  source: ByteSource,
  offset: bigint,
  count: number,
  stride: number,
  struct: S,
  encoding: Encoding,
): readonly ValueOf<S>[] {
  if (count < MANY) return recordsAt(source, offset, count, stride, struct, encoding);
  const key = [offset, count, stride, struct.name, encoding.bits, encoding.endian].join();
  const tables = knownTables.get(source) ?? new Map<string, readonly unknown[]>();
  const table = tables.get(key) ?? recordsAt(source, offset, count, stride, struct, encoding);
  knownTables.set(source, tables.set(key, table));
  return table as readonly ValueOf<S>[];
}

function recordsAt<S extends typeof Phdr | typeof Shdr>(
  source: ByteSource,
  offset: bigint,
  count: number,
  stride: number,
  struct: S,
  encoding: Encoding,
): ValueOf<S>[] {
  const size = struct.size(encoding);
  const records: ValueOf<S>[] = [];
  // All at once where that is no more than a table of usual records could be.
  const whole = count === 0 ? 0n : BigInt(count - 1) * BigInt(stride) + BigInt(size);
  const atOnce = whole <= READ_LIMIT / 2n && fits(offset, whole, source.size) && stride > 0;
  if (atOnce) {
    const table = source.read(offset, whole, struct.name);
    return Array.from({ length: count }, (_, index) => decode(struct, table, index * stride, encoding));
  }
  for (let index = 0; index < count; index++) {
    const at = BigInt.asUintN(64, offset + BigInt(index) * BigInt(stride));
    // Section 0 says nothing, and no loader looks whether it is there; an offset that wraps puts those behind it into
    // the file.
    if (at >= source.size && !(struct === Shdr && index === 0)) break;
    const record = decodeAt(source, at, struct, encoding);
    records.push(record);
    if (stride === 0 && index > 0) {
      // The same record over and over; its first copy says it all, but the count must stay true.
      while (records.length < count) records.push(record);
      break;
    }
  }
  return records;
}

function decode<S extends AnyStruct>(struct: S, bytes: Uint8Array, at: number, encoding: Encoding): ValueOf<S> {
  return struct.decode(bytes, at, encoding) as ValueOf<S>;
}

/** One record; a field that is not wholly in the file is 0. */
export function decodeAt<S extends AnyStruct>(
  source: ByteSource,
  at: bigint,
  struct: S,
  encoding: Encoding,
): ValueOf<S> {
  const size = struct.size(encoding);
  const value = decode(struct, bytesAt(source, at, size), 0, encoding);
  const have = source.size > at ? source.size - at : 0n;
  if (have >= BigInt(size)) return value;
  const kept = Object.entries(value).map(([field, number]) => {
    const place = offsetOf(struct, field, encoding);
    const zero = typeof number === 'bigint' ? 0n : 0;
    return [field, BigInt(place.at + place.width) <= have ? number : zero];
  });
  return Object.fromEntries(kept) as ValueOf<S>;
}

function offsetOf(struct: AnyStruct, field: string, encoding: Encoding): { at: number; width: number } {
  const any = struct as unknown as Struct<Record<string, 'byte' | 'half' | 'word' | 'native'>>;
  const kind = any.fields[field];
  const width = kind === 'byte' ? 1 : kind === 'half' ? 2 : kind === 'word' ? 4 : nativeSize(encoding);
  return { at: any.offsetOf(field, encoding), width };
}

/** `length` bytes, zeros where the file has none. */
export function bytesAt(source: ByteSource, at: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (at >= source.size) return bytes;
  const have = source.size - at < BigInt(length) ? source.size - at : BigInt(length);
  bytes.set(source.read(at, have, 'headers'));
  return bytes;
}
