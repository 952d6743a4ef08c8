/**
 * PE images made to measure, by the numbers of the PE format and nothing of the codec under test. Sections stand in the
 * file in the order given, each at the next multiple of FileAlignment.
 */
export interface SectionSpec {
  readonly name: string;
  readonly rva: number;
  readonly virtualSize: number;
  /** Undefined: no raw data. */
  readonly data?: Uint8Array | undefined;
  readonly flags: number;
}

export interface SymbolSpec {
  readonly name: string;
  /** From 1; 0xffff is absolute. */
  readonly section: number;
  readonly value: number;
  readonly auxiliary?: number;
}

export interface PeSpec {
  readonly sections: readonly SectionSpec[];
  readonly symbols?: readonly SymbolSpec[];
  readonly sectionAlignment?: number;
  readonly fileAlignment?: number;
  readonly sizeOfImage?: number;
  /** Data directories by index: address and size. */
  readonly directories?: Readonly<Record<number, readonly [number, number]>>;
  readonly overlay?: Uint8Array;
}

export const CODE = 0x60000020;
export const DATA = 0xc0000040;
export const BSS = 0xc0000080;
export const DISCARDABLE = 0x42000040;

const PE_AT = 0x80;
const DIRECTORIES = 16;

export function buildPe(spec: PeSpec): Buffer {
  const { sections, symbols = [], sectionAlignment = 0x1000, fileAlignment = 0x20, directories = {}, overlay } = spec;
  const up = (value: number, to: number) => Math.ceil(value / to) * to;
  const table = PE_AT + 24 + 112 + 8 * DIRECTORIES;
  const headers = up(table + 40 * sections.length, fileAlignment);
  const strings = new Strings();
  let at = headers;
  const placed = sections.map((section) => {
    const raw = section.data === undefined ? 0 : up(section.data.length, fileAlignment);
    const place = raw === 0 ? 0 : at;
    at += raw;
    return { ...section, raw, place };
  });
  const names = placed.map(({ name }) => (name.length > 8 ? `/${strings.add(name)}` : name));
  const records = symbols.flatMap((symbol) => symbolRecords(symbol, strings));
  const hasTable = records.length > 0 || strings.size > 4;
  const file = Buffer.alloc(at + (hasTable ? records.length * 18 + strings.size : 0) + (overlay?.length ?? 0));
  file.write('MZ', 0, 'latin1');
  file.writeUInt32LE(PE_AT, 60);
  file.write('PE\0\0', PE_AT, 'latin1');
  file.writeUInt16LE(0x8664, PE_AT + 4);
  file.writeUInt16LE(sections.length, PE_AT + 6);
  file.writeUInt32LE(hasTable ? at : 0, PE_AT + 12);
  file.writeUInt32LE(records.length, PE_AT + 16);
  file.writeUInt16LE(112 + 8 * DIRECTORIES, PE_AT + 20);
  const optional = PE_AT + 24;
  const end = sections.reduce((most, s) => Math.max(most, s.rva + s.virtualSize), 0);
  file.writeUInt16LE(0x20b, optional);
  file.writeUInt32LE(sections[0]?.rva ?? 0, optional + 16);
  file.writeBigUInt64LE(0xffff82d040000000n, optional + 24);
  file.writeUInt32LE(sectionAlignment, optional + 32);
  file.writeUInt32LE(fileAlignment, optional + 36);
  file.writeUInt32LE(spec.sizeOfImage ?? up(end, sectionAlignment), optional + 56);
  file.writeUInt32LE(headers, optional + 60);
  file.writeUInt16LE(10, optional + 68);
  file.writeUInt32LE(DIRECTORIES, optional + 108);
  for (const [index, [address, size]] of Object.entries(directories)) {
    file.writeUInt32LE(address, optional + 112 + 8 * Number(index));
    file.writeUInt32LE(size, optional + 116 + 8 * Number(index));
  }
  for (const [index, { virtualSize, rva, raw, place, flags, data }] of placed.entries()) {
    const entry = table + 40 * index;
    file.write(names[index] ?? '', entry, 8, 'latin1');
    for (const [field, value] of [virtualSize, rva, raw, place].entries()) {
      file.writeUInt32LE(value, entry + 8 + 4 * field);
    }
    file.writeUInt32LE(flags, entry + 36);
    if (data !== undefined) file.set(data, place);
  }
  if (hasTable) {
    for (const [index, record] of records.entries()) file.set(record, at + 18 * index);
    file.set(strings.bytes(), at + 18 * records.length);
  }
  if (overlay !== undefined) file.set(overlay, file.length - overlay.length);
  return file;
}

class Strings {
  #text = '';

  get size(): number {
    return 4 + this.#text.length;
  }

  add(name: string): number {
    const at = this.size;
    this.#text += `${name}\0`;
    return at;
  }

  bytes(): Buffer {
    const bytes = Buffer.alloc(this.size);
    bytes.writeUInt32LE(this.size, 0);
    bytes.write(this.#text, 4, 'latin1');
    return bytes;
  }
}

function symbolRecords({ name, section, value, auxiliary = 0 }: SymbolSpec, strings: Strings): Buffer[] {
  const record = Buffer.alloc(18);
  if (name.length > 8) record.writeUInt32LE(strings.add(name), 4);
  else record.write(name, 0, 8, 'latin1');
  record.writeUInt32LE(value, 8);
  record.writeUInt16LE(section, 12);
  record.writeUInt8(2, 16);
  record.writeUInt8(auxiliary, 17);
  // An auxiliary record may look like anything; this one looks like a symbol of the first section.
  const extra = Buffer.alloc(18, 1);
  return [record, ...Array.from({ length: auxiliary }, () => extra)];
}

export interface Mb2Spec {
  /** Alignment of the relocatable tag; undefined: there is none. */
  readonly align?: number | undefined;
  readonly min?: number;
  readonly entryEfi64?: number | undefined;
}

/** A Multiboot2 header without address and entry tag. */
export function mb2Header({ align, min = 0, entryEfi64 }: Mb2Spec): Buffer {
  const tag = (type: number, ...words: readonly number[]) => {
    const bytes = Buffer.alloc(Math.ceil((8 + 4 * words.length) / 8) * 8);
    bytes.writeUInt16LE(type, 0);
    bytes.writeUInt32LE(8 + 4 * words.length, 4);
    for (const [index, word] of words.entries()) bytes.writeUInt32LE(word, 8 + 4 * index);
    return bytes;
  };
  const tags = [
    ...(align === undefined ? [] : [tag(10, min, 0xffffffff, align, 2)]),
    ...(entryEfi64 === undefined ? [] : [tag(7), tag(9, entryEfi64)]),
    tag(0),
  ];
  const header = Buffer.concat([Buffer.alloc(16), ...tags]);
  header.writeUInt32LE(0xe85250d6, 0);
  header.writeUInt32LE(header.length, 8);
  header.writeUInt32LE((2 ** 32 - ((0xe85250d6 + header.length) % 2 ** 32)) % 2 ** 32, 12);
  return header;
}

/** The image with a certificate table behind it, as signing tools put it there; what is in the certificate plays no part. */
export function signedPe(image: Buffer): Buffer {
  const at = Math.ceil(image.length / 8) * 8;
  const certificate = Buffer.alloc(0x40);
  certificate.writeUInt32LE(certificate.length, 0);
  certificate.writeUInt16LE(0x200, 4);
  certificate.writeUInt16LE(2, 6);
  const out = Buffer.concat([image, Buffer.alloc(at - image.length), certificate]);
  // Data directory 4 of a PE32+ has its place in the file.
  const directory = out.readUInt32LE(60) + 24 + 112 + 8 * 4;
  out.writeUInt32LE(at, directory);
  out.writeUInt32LE(certificate.length, directory + 4);
  return out;
}
