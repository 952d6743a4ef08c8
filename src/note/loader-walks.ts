/**
 * How loaders walk the notes of an image, quirks included. They agree on well-formed notes and on little else; each walk
 * follows its loader's arithmetic, reads nothing but small windows, and takes a bounded number of steps.
 * Here: Xen's parser (xen/common/libelf/libelf-dominfo.c and libelf-tools.c). The PVH loaders: phys-entry.ts.
 */
import type { ElfImage } from '../elf/image.js';
import { PT_NOTE, SHT_NOTE } from '../elf/names.js';
import { fail } from '../errors/patch-error.js';
import { firstUnknownRequired } from './features.js';
import { LoaderReader } from './loader-reader.js';
import { NHDR_SIZE, type NoteRecord, RECORD_LIMIT } from './record.js';
import { infoOf, noteInfo } from './xen-notes.js';

export { type PhysEntry, physEntryAsLinuxLoader, physEntryAsQemu } from './phys-entry.js';

/** What Xen takes from a note's descriptor. */
export type XenReads =
  /** A number; of any size but 1, 2, 4 or 8 bytes it is 0. */
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'string'; readonly text: string }
  /** PHYS32_RELOC: up to three words. */
  | { readonly kind: 'words'; readonly words: readonly bigint[] }
  /** A string without an end; the note is dropped. */
  | { readonly kind: 'unreadable' }
  /** A type that Xen only counts. */
  | { readonly kind: 'ignored' };

/** A note owned by Xen, as Xen's parser comes upon it. */
export interface XenViewNote {
  readonly record: NoteRecord;
  /** The program header or section in which it was found. */
  readonly kind: 'segment' | 'section';
  readonly index: number;
  readonly reads: XenReads;
}

/** What Xen's parser finds in an image. */
export interface XenView {
  /** Where it found notes of its own. `legacy`: a `__xen_guest` section, which only PV looks at. */
  readonly from: 'segments' | 'sections' | 'legacy' | 'none';
  /** In the order in which Xen takes them; for most types the last one counts. */
  readonly notes: readonly XenViewNote[];
  /** Was a note segment or section walked at all, whoever owns its notes? */
  readonly walkedAny: boolean;
  /** Index of the section named `__xen_guest`, if the parser came to look for it. */
  readonly legacySection: number | undefined;
  /** Xen's own words for the first thing it stumbled over; it only prints them. */
  readonly broken: string | undefined;
  /** Why the parse was given up, which refuses the image: a required feature that Xen does not know. */
  readonly refused: string | undefined;
}

/** Descriptor bytes kept of one record; Xen reads at most a string of 4096 characters. */
const DESC_KEPT = 0x10000n;

/** Bytes of names, descriptors and strings kept of all records together; overlapping headers could ask for any number. */
const KEPT_LIMIT = 0x2000000n;

/** Sums of Xen's pointers are taken modulo this. */
const ADDRESSES = 1n << 64n;

/**
 * Walks an image as Xen's parser does: segments first, sections if those gave nothing, then `__xen_guest`. Names and
 * descriptors are kept up to 64 KiB each. Errors: `note.too-large` when overlapping records add up to more than 32 MiB.
 */
export function walkAsXen(image: ElfImage): XenView {
  return new XenWalk(image).run();
}

class XenWalk {
  readonly #image: ElfImage;
  readonly #reader: LoaderReader;
  readonly #notes: XenViewNote[] = [];
  readonly #records = new Map<bigint, { record: NoteRecord; reads: XenReads }>();
  #visited = 0;
  #kept = 0n;
  #walkedAny = false;
  #broken: string | undefined;
  #refused: string | undefined;

  constructor(image: ElfImage) {
    this.#image = image;
    this.#reader = new LoaderReader(image.source, image.encoding.endian);
  }

  run(): XenView {
    // Xen takes the counts as they stand in the header, so it does not see what extended numbering adds.
    const { header } = this.#image;
    const segments = this.#image.segments.slice(0, header.e_phnum);
    const sections = this.#image.sections.slice(0, header.e_shnum);
    for (const [index, { p_type, p_offset, p_filesz }] of segments.entries()) {
      // Old binutils wrote 0 for note segments; Xen skips those.
      if (p_type === PT_NOTE && p_offset !== 0n) this.#range('segment', index, p_offset, p_filesz);
    }
    if (this.#notes.length > 0 || this.#refused !== undefined) return this.#view('segments', undefined);

    for (const [index, { sh_type, sh_offset, sh_size }] of sections.entries()) {
      if (index > 0 && sh_type === SHT_NOTE) this.#range('section', index, sh_offset, sh_size);
    }
    if (this.#notes.length > 0) return this.#view('sections', undefined);

    const legacy = this.#sectionNamed('__xen_guest');
    return this.#view(legacy === undefined ? 'none' : 'legacy', legacy);
  }

  #view(from: XenView['from'], legacySection: number | undefined): XenView {
    return {
      from,
      notes: this.#notes,
      walkedAny: this.#walkedAny,
      legacySection,
      broken: this.#broken,
      refused: this.#refused,
    };
  }

  #range(kind: XenViewNote['kind'], index: number, offset: bigint, size: bigint): void {
    if (this.#refused !== undefined) return;
    this.#walkedAny = true;
    const end = (offset + size) % ADDRESSES;
    let at = offset;
    while (at < end) {
      if (this.#visited >= RECORD_LIMIT) {
        this.#mark('too many ELF notes');
        return;
      }
      this.#visited++;
      // namesz plays no part in telling whose note it is.
      const owner = this.#string(at + BigInt(NHDR_SIZE));
      if (owner === 'Xen') {
        const found = this.#record(at);
        this.#notes.push({ ...found, kind, index });
        if (this.#refused !== undefined) return;
      }
      const next = at + BigInt(NHDR_SIZE + up4(this.#word(at)) + up4(this.#word(at + 4n)));
      if (at >= this.#image.source.size) {
        this.#mark('out of range access');
        return;
      }
      at = next;
    }
  }

  #record(offset: bigint): { record: NoteRecord; reads: XenReads } {
    const known = this.#records.get(offset);
    if (known !== undefined) return known;
    const namesz = this.#word(offset);
    const descsz = this.#word(offset + 4n);
    const type = this.#word(offset + 8n);
    const nameOffset = offset + BigInt(NHDR_SIZE);
    const descOffset = nameOffset + BigInt(up4(namesz));
    const kept = (size: number) => (BigInt(size) < DESC_KEPT ? BigInt(size) : DESC_KEPT);
    const record: NoteRecord = {
      name: this.#reader.bytes(nameOffset, kept(namesz)),
      type,
      desc: this.#reader.bytes(descOffset, kept(descsz)),
      offset,
      descOffset,
      size: BigInt(NHDR_SIZE + up4(namesz) + up4(descsz)),
    };
    const reads = this.#reads(type, descOffset, descsz);
    this.#keep(record, reads);
    const found = { record, reads };
    this.#records.set(offset, found);
    return found;
  }

  #keep({ name, desc, offset }: NoteRecord, reads: XenReads): void {
    this.#kept += BigInt(name.length + desc.length + (reads.kind === 'string' ? reads.text.length : 0));
    if (this.#kept <= KEPT_LIMIT) return;
    const place = { file: this.#image.source.name, offset, part: 'note' };
    fail('note.too-large', place, { what: 'notes together', found: this.#kept, limit: KEPT_LIMIT });
  }

  #reads(type: number, desc: bigint, descsz: number): XenReads {
    const info = noteInfo(type);
    // INFO is a name in the header only; the parser calls it unknown.
    if (info === undefined || info.name === 'INFO') return { kind: 'ignored' };
    if (info.kind === 'string') {
      const text = this.#string(desc);
      if (text === undefined) return { kind: 'unreadable' };
      if (info.name === 'FEATURES') this.#features(text);
      return { kind: 'string', text };
    }
    if (info.name === 'PHYS32_RELOC') {
      const count = Math.min(3, Math.floor(descsz / 4));
      return { kind: 'words', words: Array.from({ length: count }, (_, i) => this.#arrayWord(desc, descsz, i)) };
    }
    if (info.kind === 'list') return { kind: 'ignored' };
    if (type === infoOf('SUPPORTED_FEATURES').type) {
      return { kind: 'number', value: descsz < 4 ? 0n : this.#arrayWord(desc, descsz, 0) };
    }
    const value = this.#number(desc, descsz);
    return { kind: 'number', value: info.name === 'PHYS32_ENTRY' ? value & 0xffff_ffffn : value };
  }

  /** One word of an array; all of them are 0 when the size is not a whole number of words. */
  #arrayWord(desc: bigint, descsz: number, index: number): bigint {
    return descsz % 4 === 0 ? this.#number(desc + BigInt(4 * index), 4) : 0n;
  }

  #features(text: string): void {
    const unknown = firstUnknownRequired(text);
    if (unknown !== undefined) this.#refused = `FEATURES requires "${unknown}", which Xen does not know`;
  }

  #number(at: bigint, width: number): bigint {
    if (width !== 1 && width !== 2 && width !== 4 && width !== 8) return 0n;
    const value = this.#reader.number(at, width);
    if (value === undefined) this.#mark('out of range access');
    return value ?? 0n;
  }

  #word(at: bigint): number {
    return Number(this.#number(at, 4));
  }

  #string(at: bigint): string | undefined {
    const result = this.#reader.string(at);
    if ('text' in result) return result.text;
    this.#mark(result.broken);
    return undefined;
  }

  /** Xen reads names from e_shstrndx as it stands, bounded by the file and not by the table. */
  #sectionNamed(name: string): number | undefined {
    const { header, sections } = this.#image;
    const table = header.e_shstrndx < header.e_shnum ? sections[header.e_shstrndx] : undefined;
    if (table === undefined) return undefined;
    const found = sections
      .slice(0, header.e_shnum)
      .findIndex(({ sh_name }) => this.#string(table.sh_offset + BigInt(sh_name)) === name);
    return found < 0 ? undefined : found;
  }

  #mark(broken: string): void {
    this.#broken ??= broken;
  }
}

/** Rounds up to 4 in 32 bits, so the three sizes below 2^32 that are left become 0. */
function up4(size: number): number {
  return ((size + 3) & ~3) >>> 0;
}
