/** Changing single fields of a PE image, by hand-typed offsets of the PE format: the tests know the format on their own. */
import { readFileSync } from 'node:fs';
import { BufferSource } from '../../src/base/bytes/source.js';
import type { PeImage } from '../../src/formats/pe/image.js';
import { readPe } from '../../src/formats/pe/read.js';
import { fixture } from './fixtures.js';

/** Offset and width of header fields: of the file header from its start, of the optional header and a section from theirs. */
const FILE = {
  Machine: [0, 2],
  NumberOfSections: [2, 2],
  PointerToSymbolTable: [8, 4],
  NumberOfSymbols: [12, 4],
  Characteristics: [18, 2],
} as const;
const OPTIONAL = {
  Magic: [0, 2],
  AddressOfEntryPoint: [16, 4],
  ImageBase: [24, 8],
  SectionAlignment: [32, 4],
  FileAlignment: [36, 4],
  SizeOfImage: [56, 4],
  SizeOfHeaders: [60, 4],
  CheckSum: [64, 4],
  NumberOfRvaAndSizes: [108, 4],
} as const;
const SECTION = {
  VirtualSize: [8, 4],
  VirtualAddress: [12, 4],
  SizeOfRawData: [16, 4],
  PointerToRawData: [20, 4],
  PointerToRelocations: [24, 4],
  PointerToLinenumbers: [28, 4],
  Characteristics: [36, 4],
} as const;

export class PeBytes {
  readonly bytes: Buffer;
  readonly #pe: number;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes);
    this.#pe = this.bytes.readUInt32LE(60);
  }

  static fixture(): PeBytes {
    return new PeBytes(readFileSync(fixture('dual.efi')));
  }

  image(name = 'image'): PeImage {
    return readPe(new BufferSource(this.bytes, name));
  }

  file(field: keyof typeof FILE, value?: number): number {
    return this.#field(this.#pe + 4, FILE[field], value);
  }

  optional(field: keyof typeof OPTIONAL, value?: number): number {
    return this.#field(this.#pe + 24, OPTIONAL[field], value);
  }

  /** Entry of the data directories. */
  directory(index: number, VirtualAddress: number, Size: number): this {
    const at = this.#pe + 24 + 112 + index * 8;
    this.bytes.writeUInt32LE(VirtualAddress, at);
    this.bytes.writeUInt32LE(Size, at + 4);
    return this;
  }

  directoryAt(index: number): number {
    return this.bytes.readUInt32LE(this.#pe + 24 + 112 + index * 8);
  }

  section(name: string, field: keyof typeof SECTION, value?: number): number {
    return this.#field(this.#header(name), SECTION[field], value);
  }

  rename(name: string, to: string): this {
    const at = this.#header(name);
    this.bytes.fill(0, at, at + 8);
    this.bytes.write(to, at, 'latin1');
    return this;
  }

  /** File offset of the first Multiboot2 header. */
  mb2(): number {
    return this.bytes.indexOf(Uint8Array.of(0xd6, 0x50, 0x52, 0xe8));
  }

  /** File offset of the Multiboot 1 header. */
  mb1(): number {
    return this.bytes.indexOf(Uint8Array.of(0x02, 0xb0, 0xad, 0x1b));
  }

  /** File offset of the body of a tag of the first Multiboot2 header. */
  tag(type: number): number {
    for (let at = this.mb2() + 16; ; at += (this.bytes.readUInt32LE(at + 4) + 7) & ~7) {
      if (this.bytes.readUInt16LE(at) === type) return at + 8;
      if (this.bytes.readUInt16LE(at) === 0) throw new Error(`no tag ${type}`);
    }
  }

  word(at: number, value: number): this {
    this.bytes.writeUInt32LE(value, at);
    return this;
  }

  /** Makes CheckSum 0, which means none: for edits that are not about it. */
  unsummed(): this {
    this.optional('CheckSum', 0);
    return this;
  }

  #header(name: string): number {
    const section = this.image().sections.find((candidate) => candidate.name === name);
    if (section === undefined) throw new Error(`no section ${name}`);
    return this.#pe + 24 + this.bytes.readUInt16LE(this.#pe + 20) + section.index * 40;
  }

  #field(base: number, [at, width]: readonly [number, number], value: number | undefined): number {
    if (value !== undefined) this.bytes.writeUIntLE(value, base + at, Math.min(width, 6));
    return this.bytes.readUIntLE(base + at, Math.min(width, 6));
  }
}
