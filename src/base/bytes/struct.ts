/**
 * The declaration engine: a structure is named once, field by field, and reads and writes itself in both classes and
 * both byte orders. Fields that hold an address, offset or size ("native", "place") are bigint at every width, so the
 * rest of the code sees one.
 */

/** Class and byte order of an image (EI_CLASS, EI_DATA). */
export interface Encoding {
  readonly bits: 32 | 64;
  readonly endian: 'little' | 'big';
}

/** Both classes in both byte orders. */
export const ENCODINGS: readonly Encoding[] = [
  { bits: 32, endian: 'little' },
  { bits: 32, endian: 'big' },
  { bits: 64, endian: 'little' },
  { bits: 64, endian: 'big' },
];

/**
 * byte, half, word: 1, 2, 4 bytes in both classes. native: 4 bytes in ELF32, 8 in ELF64. place: an address, offset or size
 * that is 4 bytes wide in both classes, as everywhere in PE.
 */
export type FieldKind = 'byte' | 'half' | 'word' | 'native' | 'place';

type Fields = Readonly<Record<string, FieldKind>>;
type Value<F extends Fields> = { readonly [K in keyof F]: F[K] extends 'native' | 'place' ? bigint : number };

/** A declared structure. */
export interface Struct<F extends Fields> {
  readonly name: string;
  readonly fields: F;
  /** Bytes in a record of this class. */
  size(encoding: Encoding): number;
  /** Where a field stands in the record. */
  offsetOf(field: keyof F & string, encoding: Encoding): number;
  /** Reads one record at `at`; the caller has made sure that the bytes are there. */
  decode(bytes: Uint8Array, at: number, encoding: Encoding): Value<F>;
  /** Writes one record at `at`. A value wider than its field is a fault of the program: RangeError. */
  encodeInto(bytes: Uint8Array, at: number, value: Value<F>, encoding: Encoding): void;
  /** One record as fresh bytes. */
  encode(value: Value<F>, encoding: Encoding): Uint8Array;
}

/** The decoded form of a declared structure. */
export type ValueOf<S> = S extends Struct<infer F> ? Value<F> : never;

/** Bytes in a native field. */
export function nativeSize({ bits }: Encoding): 4 | 8 {
  return bits === 64 ? 8 : 4;
}

function widthOf(kind: FieldKind, encoding: Encoding): 1 | 2 | 4 | 8 {
  switch (kind) {
    case 'byte':
      return 1;
    case 'half':
      return 2;
    case 'word':
    case 'place':
      return 4;
    case 'native':
      return nativeSize(encoding);
  }
}

/** Declares a structure. `order32` is given where ELF32 orders the fields differently. */
export function struct<const F extends Fields>(
  name: string,
  fields: F,
  order32: readonly (keyof F & string)[] = Object.keys(fields),
): Struct<F> {
  const layout = (encoding: Encoding) => {
    const places: { field: keyof F & string; at: number; kind: FieldKind }[] = [];
    let at = 0;
    for (const field of encoding.bits === 64 ? Object.keys(fields) : order32) {
      const kind = fields[field] as FieldKind;
      places.push({ field, at, kind });
      at += widthOf(kind, encoding);
    }
    return { places, size: at };
  };
  const layouts = { 32: layout({ bits: 32, endian: 'little' }), 64: layout({ bits: 64, endian: 'little' }) };

  const self: Struct<F> = {
    name,
    fields,
    size: ({ bits }) => layouts[bits].size,
    offsetOf(field, { bits }) {
      const place = layouts[bits].places.find((p) => p.field === field);
      if (place === undefined) throw new RangeError(`${name} has no field ${field}`);
      return place.at;
    },
    decode(bytes, at, encoding) {
      const little = encoding.endian === 'little';
      const view = new DataView(bytes.buffer, bytes.byteOffset + at, self.size(encoding));
      const value: Record<string, number | bigint> = {};
      for (const { field, at: offset, kind } of layouts[encoding.bits].places) {
        value[field] = readField(view, offset, kind, encoding, little);
      }
      return value as Value<F>;
    },
    encodeInto(bytes, at, value, encoding) {
      const little = encoding.endian === 'little';
      const view = new DataView(bytes.buffer, bytes.byteOffset + at, self.size(encoding));
      for (const { field, at: offset, kind } of layouts[encoding.bits].places) {
        writeField(view, offset, kind, value[field], encoding, little, `${name}.${field}`);
      }
    },
    encode(value, encoding) {
      const bytes = new Uint8Array(self.size(encoding));
      self.encodeInto(bytes, 0, value, encoding);
      return bytes;
    },
  };
  return self;
}

function readField(view: DataView, at: number, kind: FieldKind, encoding: Encoding, little: boolean): number | bigint {
  switch (kind) {
    case 'byte':
      return view.getUint8(at);
    case 'half':
      return view.getUint16(at, little);
    case 'word':
      return view.getUint32(at, little);
    case 'place':
      return BigInt(view.getUint32(at, little));
    case 'native':
      return encoding.bits === 64 ? view.getBigUint64(at, little) : BigInt(view.getUint32(at, little));
  }
}

function writeField(
  view: DataView,
  at: number,
  kind: FieldKind,
  value: number | bigint,
  encoding: Encoding,
  little: boolean,
  what: string,
): void {
  const width = widthOf(kind, encoding);
  const wide = BigInt(value);
  if (wide < 0n || wide >> BigInt(width * 8) !== 0n) {
    throw new RangeError(`${what} = 0x${wide.toString(16)} does not fit ${width} bytes`);
  }
  if (width === 8) view.setBigUint64(at, wide, little);
  else if (width === 4) view.setUint32(at, Number(wide), little);
  else if (width === 2) view.setUint16(at, Number(wide), little);
  else view.setUint8(at, Number(wide));
}
