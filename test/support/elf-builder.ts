/**
 * A small, deterministic ELF writer for tests. A test states what it cares about; the rest is filled in. It is written
 * against gABI on its own and shares nothing with src but the structure declarations.
 *
 *   elf(encoding).load(0x100000n, code).noteSegment([note]).section('.text', {…}).symbol('start', 0x100000n).build()
 */
import { Ehdr, Nhdr, Phdr, Shdr, Sym } from '../../src/formats/elf/headers.js';
import type { Encoding } from '../../src/formats/elf/struct.js';

/** One note; `name` is put down with a NUL behind it unless it is given as bytes. */
export interface TestNote {
  readonly name?: string | Uint8Array;
  readonly type: number;
  readonly desc: Uint8Array;
}

/** Overrides for a program header; what is absent is worked out. */
export interface SegmentOptions {
  readonly type?: number;
  readonly flags?: number;
  /** File offset to state instead of the one where the bytes were put. */
  readonly offset?: bigint;
  readonly vaddr?: bigint;
  readonly paddr?: bigint;
  readonly filesz?: bigint;
  readonly memsz?: bigint;
  readonly align?: bigint;
}

export interface NoteSegmentOptions extends SegmentOptions {
  /** Padding unit of the records, 4 unless given. */
  readonly unit?: number;
  /** Place the notes inside the bytes of load number `load` at `at` instead of giving them their own bytes. */
  readonly inside?: { readonly load: number; readonly at: number };
  /** Name of a SHT_NOTE section over the same bytes; none unless given. */
  readonly section?: string;
}

export interface SectionOptions {
  readonly type?: number;
  readonly flags?: bigint;
  readonly addr?: bigint;
  readonly offset?: bigint;
  readonly size?: bigint;
  readonly link?: number;
  readonly info?: number;
  readonly align?: bigint;
  readonly entsize?: bigint;
  /** Bytes of its own. */
  readonly bytes?: Uint8Array;
  /** Cover bytes of load number `load` instead. */
  readonly inside?: { readonly load: number; readonly at: number; readonly size: number };
}

export interface BuildOptions {
  /** Zero bytes between the program header table and whatever comes next. */
  readonly slack?: number;
  /** Leave out the section header table although there are sections. */
  readonly stripped?: boolean;
  /** Bytes behind everything else. */
  readonly trailing?: Uint8Array;
  /** Order of the program headers, as indices into the order they were added. */
  readonly order?: readonly number[];
  /** Alignment of own bytes in the file, 16 unless given; LOADs follow their p_align. */
  readonly fileAlign?: number;
  /** Fields of the ELF header to put down whatever is right. */
  readonly header?: Partial<Ehdr>;
}

interface Segment {
  readonly bytes: Uint8Array;
  readonly options: NoteSegmentOptions;
  readonly type: number;
  offset: number;
}

interface Section {
  readonly name: string;
  readonly options: SectionOptions;
  /** Follows this segment's bytes when it has none of its own. */
  readonly over?: Segment;
  offset: number;
}

const PT_LOAD = 1;
const PT_NOTE = 4;
const SHT_PROGBITS = 1;
const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
const SHT_NOTE = 7;
const SHT_NOBITS = 8;
const SHF_ALLOC = 2n;
const SHN_LORESERVE = 0xff00;
const PN_XNUM = 0xffff;

/** Starts an image of this class and byte order. Counts beyond 16 bits take extended numbering by themselves. */
export function elf(encoding: Encoding = { bits: 64, endian: 'little' }): ElfBuilder {
  return new ElfBuilder(encoding);
}

export class ElfBuilder {
  readonly #encoding: Encoding;
  readonly #segments: Segment[] = [];
  readonly #sections: Section[] = [];
  readonly #symbols: { name: string; value: bigint; section: number; size: bigint; info: number }[] = [];
  #header: Partial<Ehdr> = {};
  #options: BuildOptions = {};

  constructor(encoding: Encoding) {
    this.#encoding = encoding;
  }

  /** e_type, e_machine, e_entry and so on. */
  header(fields: Partial<Ehdr>): this {
    this.#header = { ...this.#header, ...fields };
    return this;
  }

  /** Slack, trailing data, order and the like; see BuildOptions. */
  with(options: BuildOptions): this {
    this.#options = { ...this.#options, ...options };
    return this;
  }

  /** A PT_LOAD with these bytes. p_paddr is p_vaddr, p_align 16 and flags R-X unless given. */
  load(vaddr: bigint, bytes: Uint8Array, options: SegmentOptions = {}): this {
    return this.#segment(PT_LOAD, bytes, { flags: 5, align: 16n, vaddr, ...options });
  }

  /** Any other program header; without bytes it stands at offset 0 unless `offset` says otherwise. */
  segment(type: number, bytes: Uint8Array = new Uint8Array(0), options: SegmentOptions = {}): this {
    return this.#segment(type, bytes, options);
  }

  /** A PT_NOTE with these notes, in bytes of its own or inside a load. p_align 4 and flags R unless given. */
  noteSegment(notes: readonly TestNote[] | Uint8Array, options: NoteSegmentOptions = {}): this {
    const bytes = notes instanceof Uint8Array ? notes : noteBytes(notes, this.#encoding, options.unit ?? 4);
    this.#segment(PT_NOTE, bytes, { flags: 4, align: 4n, ...options });
    if (options.section !== undefined) {
      const over = this.#segments.at(-1);
      if (over === undefined) throw new Error('no segment');
      const flags = options.inside === undefined ? 0n : SHF_ALLOC;
      this.#sections.push({ name: options.section, options: { type: SHT_NOTE, flags, align: 4n }, over, offset: 0 });
    }
    return this;
  }

  /** A section; SHT_PROGBITS unless `type` is given. The name table is added by itself. */
  section(name: string, options: SectionOptions = {}): this {
    this.#sections.push({ name, options, offset: 0 });
    return this;
  }

  /** A SHT_NOTE section with these notes, in no segment unless a load is given by `inside`. */
  noteSection(name: string, notes: readonly TestNote[] | Uint8Array, options: SectionOptions = {}): this {
    const bytes = notes instanceof Uint8Array ? notes : noteBytes(notes, this.#encoding);
    return this.section(name, { type: SHT_NOTE, align: 4n, bytes, ...options });
  }

  /** A global symbol in .symtab, absolute unless `section` is given; the table and its strings are added by themselves. */
  symbol(name: string, value: bigint, { section = 0xfff1, size = 0n, info = 0x10 } = {}): this {
    this.#symbols.push({ name, value, section, size, info });
    return this;
  }

  #segment(type: number, bytes: Uint8Array, options: NoteSegmentOptions): this {
    this.#segments.push({ bytes, options, type: options.type ?? type, offset: 0 });
    return this;
  }

  /** The image. Building twice gives the same bytes. */
  build(): Uint8Array {
    const encoding = this.#encoding;
    const { slack = 0, stripped = false, trailing = new Uint8Array(0), order, fileAlign = 16 } = this.#options;
    const ehsize = 16 + Ehdr.size(encoding);
    const phentsize = Phdr.size(encoding);
    const phoff = this.#segments.length === 0 ? 0 : ehsize;
    let end = ehsize + this.#segments.length * phentsize + slack;
    const pieces: { at: number; bytes: Uint8Array }[] = [];
    const put = (bytes: Uint8Array, align: number, congruent = 0): number => {
      const at = end + ((((congruent - end) % align) + align) % align);
      pieces.push({ at, bytes });
      end = at + bytes.length;
      return at;
    };

    for (const segment of this.#segments) {
      const { bytes, options } = segment;
      if (options.inside !== undefined) continue;
      const align = segment.type === PT_LOAD ? Number(options.align ?? 16n) || 1 : Math.max(fileAlign, 1);
      const vaddr = segment.type === PT_LOAD ? Number((options.vaddr ?? 0n) % BigInt(align)) : 0;
      segment.offset = bytes.length === 0 && segment.type !== PT_LOAD ? 0 : put(bytes, align, vaddr);
    }
    for (const segment of this.#segments) {
      const { inside } = segment.options;
      if (inside === undefined) continue;
      segment.offset = this.#load(inside.load).offset + inside.at;
      pieces.push({ at: segment.offset, bytes: segment.bytes });
    }

    const sections = stripped ? [] : this.#allSections();
    for (const section of sections) {
      const { bytes, inside } = section.options;
      if (section.over !== undefined) section.offset = section.over.offset;
      else if (inside !== undefined) section.offset = this.#load(inside.load).offset + inside.at;
      else if (bytes !== undefined) section.offset = put(bytes, Math.max(Number(section.options.align ?? 1n), 1));
      else section.offset = end;
    }
    const shentsize = Shdr.size(encoding);
    const headers = sections.length === 0 ? [] : this.#sectionHeaders(sections);
    const shoff =
      headers.length === 0
        ? 0
        : put(concat(headers.map((header) => Shdr.encode(header, encoding))), encoding.bits === 64 ? 8 : 4);
    const file = new Uint8Array(end + trailing.length);
    for (const { at, bytes } of pieces) file.set(bytes, at);
    file.set(trailing, end);

    const little = encoding.endian === 'little';
    file.set([0x7f, 0x45, 0x4c, 0x46, encoding.bits === 64 ? 2 : 1, little ? 1 : 2, 1]);
    const header: Ehdr = {
      e_type: 2,
      e_machine: encoding.bits === 64 ? 62 : 3,
      e_version: 1,
      e_entry: this.#segments.find((s) => s.type === PT_LOAD)?.options.vaddr ?? 0n,
      e_phoff: BigInt(phoff),
      e_shoff: BigInt(shoff),
      e_flags: 0,
      e_ehsize: ehsize,
      e_phentsize: this.#segments.length === 0 ? 0 : phentsize,
      e_phnum: Math.min(this.#segments.length, PN_XNUM),
      e_shentsize: headers.length === 0 ? 0 : shentsize,
      e_shnum: headers.length >= SHN_LORESERVE ? 0 : headers.length,
      e_shstrndx: headers.length === 0 ? 0 : headers.length > SHN_LORESERVE ? 0xffff : headers.length - 1,
      ...this.#header,
      ...this.#options.header,
    };
    Ehdr.encodeInto(file, 16, header, encoding);
    const table = order ?? this.#segments.map((_, index) => index);
    for (const [place, index] of table.entries()) {
      const segment = this.#segments[index];
      if (segment === undefined) throw new Error(`no segment ${index}`);
      Phdr.encodeInto(file, ehsize + place * phentsize, this.#programHeader(segment), encoding);
    }
    return file;
  }

  #load(index: number): Segment {
    const load = this.#segments.filter((s) => s.type === PT_LOAD)[index];
    if (load === undefined) throw new Error(`no load ${index}`);
    return load;
  }

  #programHeader(segment: Segment): Phdr {
    const { options, bytes } = segment;
    const load = options.inside === undefined ? undefined : this.#load(options.inside.load).options;
    const at = BigInt(options.inside?.at ?? 0);
    const vaddr = options.vaddr ?? (load === undefined ? 0n : (load.vaddr ?? 0n) + at);
    const paddr = options.paddr ?? (load === undefined ? vaddr : (load.paddr ?? load.vaddr ?? 0n) + at);
    const filesz = options.filesz ?? BigInt(bytes.length);
    return {
      p_type: segment.type,
      p_flags: options.flags ?? 0,
      p_offset: options.offset ?? BigInt(segment.offset),
      p_vaddr: vaddr,
      p_paddr: paddr,
      p_filesz: filesz,
      p_memsz: options.memsz ?? filesz,
      p_align: options.align ?? 0n,
    };
  }

  /** The given sections, then .symtab and .strtab if there are symbols, then .shstrtab. */
  #allSections(): Section[] {
    if (this.#sections.length === 0 && this.#symbols.length === 0) return [];
    const all = [...this.#sections];
    if (this.#symbols.length > 0) {
      const names = stringTable(this.#symbols.map((s) => s.name));
      const none = { name: '', value: 0n, section: 0, size: 0n, info: 0 };
      const bytes = concat(
        [none, ...this.#symbols].map((s) =>
          Sym.encode(
            {
              st_name: names.at(s.name),
              st_value: s.value,
              st_size: s.size,
              st_info: s.info,
              st_other: 0,
              st_shndx: s.section,
            },
            this.#encoding,
          ),
        ),
      );
      const entsize = BigInt(Sym.size(this.#encoding));
      // Sections are numbered from 1: .strtab follows .symtab.
      const link = all.length + 2;
      const symtab = { type: SHT_SYMTAB, bytes, entsize, link, info: 1, align: 8n };
      all.push({ name: '.symtab', options: symtab, offset: 0 });
      all.push({ name: '.strtab', options: { type: SHT_STRTAB, bytes: names.bytes }, offset: 0 });
    }
    const names = stringTable([...all.map((s) => s.name), '.shstrtab']);
    all.push({ name: '.shstrtab', options: { type: SHT_STRTAB, bytes: names.bytes }, offset: 0 });
    return all;
  }

  /** Section header 0 holds the counts that do not fit the ELF header (gABI, "ELF Header"). */
  #sectionHeaders(sections: readonly Section[]): Shdr[] {
    const names = stringTable(sections.map((s) => s.name));
    const count = sections.length + 1;
    const first = {
      ...nullSection(),
      sh_size: count >= SHN_LORESERVE ? BigInt(count) : 0n,
      sh_link: count - 1 >= SHN_LORESERVE ? count - 1 : 0,
      sh_info: this.#segments.length >= PN_XNUM ? this.#segments.length : 0,
    };
    return [first, ...sections.map((section) => this.#sectionHeader(section, names.at(section.name)))];
  }

  #sectionHeader(section: Section, sh_name: number): Shdr {
    const { options, over } = section;
    const covered = over === undefined ? undefined : this.#programHeader(over);
    const inside = options.inside === undefined ? undefined : this.#load(options.inside.load).options;
    const loadAddr = inside === undefined ? undefined : (inside.vaddr ?? 0n) + BigInt(options.inside?.at ?? 0);
    const size = options.bytes?.length ?? options.inside?.size ?? over?.bytes.length ?? 0;
    return {
      sh_name,
      sh_type: options.type ?? SHT_PROGBITS,
      sh_flags: options.flags ?? (options.inside === undefined ? 0n : SHF_ALLOC),
      sh_addr: options.addr ?? covered?.p_vaddr ?? loadAddr ?? 0n,
      sh_offset: options.offset ?? BigInt(section.offset),
      sh_size: options.size ?? BigInt(size),
      sh_link: options.link ?? 0,
      sh_info: options.info ?? 0,
      sh_addralign: options.align ?? (options.type === SHT_NOBITS ? 16n : 1n),
      sh_entsize: options.entsize ?? 0n,
    };
  }
}

function nullSection(): Shdr {
  return {
    sh_name: 0,
    sh_type: 0,
    sh_flags: 0n,
    sh_addr: 0n,
    sh_offset: 0n,
    sh_size: 0n,
    sh_link: 0,
    sh_info: 0,
    sh_addralign: 0n,
    sh_entsize: 0n,
  };
}

/** Names behind one leading NUL, each once, in the order given. */
function stringTable(names: readonly string[]): { bytes: Uint8Array; at(name: string): number } {
  const places = new Map<string, number>([['', 0]]);
  const parts = ['\0'];
  let size = 1;
  for (const name of names) {
    if (places.has(name)) continue;
    places.set(name, size);
    parts.push(`${name}\0`);
    size += name.length + 1;
  }
  return { bytes: latin1(parts.join('')), at: (name) => places.get(name) ?? 0 };
}

/** Notes as a linker would put them down, each padded to `unit`; `name` is `Xen` unless given. */
export function noteBytes(notes: readonly TestNote[], encoding: Encoding, unit = 4): Uint8Array {
  const up = (value: number) => Math.ceil(value / unit) * unit;
  return concat(
    notes.map(({ name = 'Xen', type, desc }) => {
      const owner = typeof name === 'string' ? latin1(`${name}\0`) : name;
      const at = up(12 + owner.length);
      const bytes = new Uint8Array(up(at + desc.length));
      Nhdr.encodeInto(bytes, 0, { n_namesz: owner.length, n_descsz: desc.length, n_type: type }, encoding);
      bytes.set(owner, 12);
      bytes.set(desc, at);
      return bytes;
    }),
  );
}

/** An unsigned number as `width` bytes. */
export function num(value: bigint | number, width: number, { endian }: Encoding): Uint8Array {
  const bytes = Array.from({ length: width }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
  return Uint8Array.from(endian === 'little' ? bytes : bytes.reverse());
}

/** Text with its NUL. */
export function cstr(text: string): Uint8Array {
  return latin1(`${text}\0`);
}

/** One byte a character. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** `58 65 6e 00` to bytes, blanks free. */
export function hexToBytes(text: string): Uint8Array {
  const digits = text.replaceAll(/\s+/g, '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

/** Bytes back to back. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
