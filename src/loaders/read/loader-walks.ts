/**
 * How loaders walk the notes of an image, quirks included. They agree on well-formed notes and on little else; each walk
 * follows its loader's arithmetic, reads nothing but small windows, and takes a bounded number of steps.
 * Here: Xen's parser (xen/common/libelf/libelf-dominfo.c and libelf-tools.c). The PVH loaders: phys-entry.ts.
 */

import { fail } from '../../base/errors/patch-error.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { PT_NOTE, SHT_NOTE } from '../../formats/elf/names.js';
import { firstUnknownRequired } from '../../formats/note/features.js';
import { NHDR_SIZE, type NoteRecord, RECORD_LIMIT } from '../../formats/note/record.js';
import { noteInfo } from '../../formats/note/xen-notes.js';
import { Libelf, type LibelfNote, up4 } from './libelf.js';
import { NOTE_WALKS, type NoteStep, unitOf } from './note-steps.js';

export { type PhysEntry, physEntryAsLinuxLoader, physEntryAsQemu, physEntryAsQemuFrom } from './phys-entry.js';

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

/** A note owned by Xen, as Xen's parser finds it. */
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
  /** Was a note segment or section walked at all, of whatever owner its notes are? */
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

/**
 * Walks an image as Xen's parser does: segments first, sections if those gave nothing, then `__xen_guest`. Names and
 * descriptors are kept up to 64 KiB each. Errors: `note.too-large` when overlapping records add up to more than 32 MiB.
 */
export function walkAsXen(image: ElfImage, options: XenWalkOptions = {}): XenView {
  return new XenWalk(image, options).run();
}

/** What not every release does, nor for every guest. */
export interface XenWalkOptions {
  /** Look for `__xen_guest` when there is no Xen note; unless said otherwise. Not done for PVH since 4.16. */
  readonly legacy?: boolean;
  /** Read PHYS32_RELOC; unless said otherwise. Older releases than 4.19 do not know it. */
  readonly reloc?: boolean;
  /** How it goes from record to record; unless said otherwise as every release does. */
  readonly step?: NoteStep;
}

/** Bytes of the file that a header calls notes. */
interface NoteRange {
  readonly offset: bigint;
  readonly size: bigint;
  readonly align: bigint;
}

class XenWalk {
  readonly #image: ElfImage;
  readonly #libelf: Libelf;
  readonly #options: XenWalkOptions;
  readonly #notes: XenViewNote[] = [];
  readonly #records = new Map<bigint, { record: NoteRecord; reads: XenReads }>();
  #visited = 0;
  #kept = 0n;
  #walkedAny = false;
  #refused: string | undefined;

  constructor(image: ElfImage, options: XenWalkOptions) {
    this.#image = image;
    this.#libelf = new Libelf(image);
    this.#options = options;
  }

  run(): XenView {
    // Xen takes the counts as they stand in the header, so it does not see what extended numbering adds.
    const { header } = this.#image;
    const segments = this.#image.segments.slice(0, header.e_phnum);
    const sections = this.#image.sections.slice(0, header.e_shnum);
    for (const [index, { p_type, p_offset, p_filesz, p_align }] of segments.entries()) {
      // Old binutils wrote 0 for note segments; Xen skips those.
      if (p_type === PT_NOTE && p_offset !== 0n)
        this.#range('segment', index, { offset: p_offset, size: p_filesz, align: p_align });
    }
    if (this.#notes.length > 0 || this.#refused !== undefined) return this.#view('segments', undefined);

    for (const [index, { sh_type, sh_offset, sh_size, sh_addralign }] of sections.entries()) {
      if (index > 0 && sh_type === SHT_NOTE) {
        this.#range('section', index, { offset: sh_offset, size: sh_size, align: sh_addralign });
      }
    }
    if (this.#notes.length > 0) return this.#view('sections', undefined);

    const legacy = this.#options.legacy === false ? undefined : this.#libelf.sectionNamed('__xen_guest');
    return this.#view(legacy === undefined ? 'none' : 'legacy', legacy);
  }

  #view(from: XenView['from'], legacySection: number | undefined): XenView {
    return {
      from,
      notes: this.#notes,
      walkedAny: this.#walkedAny,
      legacySection,
      broken: this.#libelf.broken,
      refused: this.#refused,
    };
  }

  #range(kind: XenViewNote['kind'], index: number, { offset, size, align }: NoteRange): void {
    if (this.#refused !== undefined) return;
    this.#walkedAny = true;
    const { step = NOTE_WALKS.xen.step } = this.#options;
    const unit = unitOf(step, align, this.#image.encoding.bits) === 8n ? 8 : 4;
    for (const header of this.#libelf.xenNotes(offset, size, () => this.#mayVisit(), unit)) {
      const { record, reads } = this.#record(header);
      this.#notes.push({ record, kind, index, reads });
      if (this.#refused !== undefined) return;
    }
  }

  #mayVisit(): boolean {
    if (this.#visited >= RECORD_LIMIT) {
      this.#libelf.mark('too many ELF notes');
      return false;
    }
    this.#visited++;
    return true;
  }

  #record({ offset, descOffset, namesz, descsz, type }: LibelfNote): { record: NoteRecord; reads: XenReads } {
    const known = this.#records.get(offset);
    if (known !== undefined) return known;
    const kept = (size: number) => (BigInt(size) < DESC_KEPT ? BigInt(size) : DESC_KEPT);
    const record: NoteRecord = {
      name: this.#libelf.bytes(offset + BigInt(NHDR_SIZE), kept(namesz)),
      type,
      desc: this.#libelf.bytes(descOffset, kept(descsz)),
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
    if (info.name === 'PHYS32_RELOC' && this.#options.reloc === false) return { kind: 'ignored' };
    if (info.kind === 'string') {
      const text = this.#libelf.string(desc);
      if (text === undefined) return { kind: 'unreadable' };
      if (info.name === 'FEATURES') this.#features(text);
      return { kind: 'string', text };
    }
    if (info.name === 'PHYS32_RELOC') {
      const count = Math.min(3, Math.floor(descsz / 4));
      return { kind: 'words', words: Array.from({ length: count }, (_, i) => this.#arrayWord(desc, descsz, i)) };
    }
    if (info.kind === 'list') return { kind: 'ignored' };
    if (info.name === 'SUPPORTED_FEATURES') {
      return { kind: 'number', value: descsz < 4 ? 0n : this.#arrayWord(desc, descsz, 0) };
    }
    const value = this.#libelf.number(desc, descsz);
    return { kind: 'number', value: info.name === 'PHYS32_ENTRY' ? value & 0xffff_ffffn : value };
  }

  /** One word of an array; all of them are 0 when the size is not a whole number of words. */
  #arrayWord(desc: bigint, descsz: number, index: number): bigint {
    return descsz % 4 === 0 ? this.#libelf.number(desc + BigInt(4 * index), 4) : 0n;
  }

  #features(text: string): void {
    const unknown = firstUnknownRequired(text);
    if (unknown !== undefined) this.#refused = `FEATURES requires "${unknown}", which Xen does not know`;
  }
}
