/**
 * GRUB's own reader of Xen notes (grub-core/loader/i386/xen_fileXX.c): numbers as wide as the class whatever descsz says,
 * later notes over earlier ones, the whole segment in memory first.
 */
import { fits } from '../base/bytes/source.js';
import { latin1 } from '../base/bytes/text.js';
import { Shdr } from '../formats/elf/headers.js';
import { PT_NOTE, SHT_NOTE } from '../formats/elf/names.js';
import { XEN } from '../formats/note/note-types.js';
import { NHDR_SIZE, RECORD_LIMIT } from '../formats/note/record.js';
import { type GrubInfo, grubItem, grubNumber, grubRow, type MutableGrubInfo, Refused } from './grub-note-rows.js';
import type { LaxImage } from './read/lenient-elf.js';
import { up4 } from './read/libelf.js';
import { LoaderReader } from './read/loader-reader.js';

/** What GRUB's walk of the notes finds, or why it gives up. */
export type GrubResult = { readonly info: GrubInfo } | { readonly refused: string; readonly readBeyond: boolean };

/** The longest `__xen_guest` section that is read here; GRUB would try to hold all. */
const AREA_LIMIT = 0x1000000n;
/** Records followed in one image. */
const STEP_LIMIT = 4 * RECORD_LIMIT;

const SEEK = 'attempt to seek outside of the file';
const EOF = 'premature end of file';

/** A stretch of the file that holds notes. */
interface Area {
  readonly start: bigint;
  readonly size: bigint;
}

/** Walks an image as GRUB does. The caller has made sure of class, byte order, machine and program headers. */
export function grubNotes(image: LaxImage): GrubResult {
  const reader = new GrubReader(image);
  try {
    return { info: reader.run() };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { refused: error.message, readBeyond: reader.info.readBeyond };
  }
}

class GrubReader {
  readonly info: MutableGrubInfo;
  readonly #image: LaxImage;
  readonly #wide: boolean;
  readonly #reader: LoaderReader;
  #steps = 0;
  #hasNote = false;

  constructor(image: LaxImage) {
    this.#image = image;
    this.#wide = image.encoding.bits === 64;
    this.#reader = new LoaderReader(image.source, 'little');
    this.info = {
      arch: this.#wide ? 'x86_64' : 'i386',
      entry: image.header.e_entry,
      virtBase: 0n,
      paddrOffset: 0n,
      hypercallPage: undefined,
      initP2m: undefined,
      unmappedInitrd: false,
      saysPv: false,
      readBeyond: false,
      oddWidth: undefined,
    };
  }

  run(): GrubInfo {
    const { segments, sections, sectionsCut, header, source, encoding } = this.#image;
    for (const { p_type, p_offset, p_filesz } of segments) {
      if (p_type === PT_NOTE) this.#notes(p_offset, p_filesz);
    }
    if (this.#hasNote) return this.info;

    if (header.e_shnum === 0 || header.e_shentsize === 0) throw new Refused('no XEN note');
    const size = BigInt(header.e_shnum) * BigInt(header.e_shentsize);
    if (header.e_shoff > source.size) throw new Refused(SEEK);
    if (sectionsCut || !fits(header.e_shoff, size, source.size)) throw new Refused(EOF);
    // Of the table no more than that is in memory: a longer header, or one behind it, is read from what follows there.
    if (header.e_shentsize < Shdr.size(encoding)) this.info.readBeyond = true;
    for (const { sh_type, sh_offset, sh_size } of sections) {
      if (sh_type === SHT_NOTE) this.#notes(sh_offset, sh_size);
    }
    if (this.#hasNote) return this.info;

    if (header.e_shstrndx >= header.e_shnum) this.info.readBeyond = true;
    const names = sections[header.e_shstrndx]?.sh_offset ?? 0n;
    for (const { sh_name, sh_offset, sh_size } of sections) {
      if (!this.#isGuestSection(BigInt.asUintN(64, names + BigInt(sh_name)))) continue;
      this.#legacy(sh_offset, sh_size);
      return this.info;
    }
    throw new Refused('no XEN note found');
  }

  #isGuestSection(at: bigint): boolean {
    const { source } = this.#image;
    const wanted = '__xen_guest\0';
    if (at > source.size) throw new Refused(SEEK);
    if (!fits(at, BigInt(wanted.length), source.size)) return false;
    return latin1(source.read(at, BigInt(wanted.length), 'section name')) === wanted;
  }

  #read(offset: bigint, size: bigint): Uint8Array {
    const { source } = this.#image;
    if (offset > source.size) throw new Refused(SEEK);
    if (!fits(offset, size, source.size)) throw new Refused(EOF);
    if (size > AREA_LIMIT) throw new Refused('out of memory');
    return source.read(offset, size, 'notes');
  }

  /** GRUB holds all of an area in memory; here it is looked at through a window, for tables may name it 65,535 times. */
  #notes(offset: bigint, size: bigint): void {
    const { source } = this.#image;
    if (offset > source.size) throw new Refused(SEEK);
    if (!fits(offset, size, source.size)) throw new Refused(EOF);
    const area: Area = { start: offset, size };
    const end = (size / 4n) * 4n;
    for (let at = 0n; at < end; ) {
      if (++this.#steps > STEP_LIMIT) throw new Refused('more notes than any kernel has');
      const namesz = this.#word(area, at);
      const descsz = this.#word(area, at + 4n);
      const type = this.#word(area, at + 8n);
      const name = at + BigInt(NHDR_SIZE);
      const desc = name + BigInt(up4(namesz));
      at = desc + BigInt(up4(descsz));
      if (namesz < XEN.length || !this.#same(area, name, namesz === XEN.length ? XEN : `${XEN}\0`)) continue;
      this.#hasNote = true;
      this.#take(area, type, desc, descsz);
    }
  }

  #take(area: Area, type: number, desc: bigint, descsz: number): void {
    const { info } = this;
    const row = grubRow(type);
    if (row === undefined) return;
    if (row.isPv) info.saysPv = true;
    if (row.address !== undefined) {
      const wanted = this.#wide ? 8 : 4;
      if (descsz !== wanted) info.oddWidth ??= `${row.name} has ${descsz} bytes and is read with ${wanted}`;
      info[row.address] = this.#address(area, desc);
    }
    row.take?.(info, {
      wide: this.#wide,
      word: () => this.#word(area, desc),
      begins: (text) => descsz >= text.length && this.#same(area, desc, descsz === text.length ? text : `${text}\0`),
    });
  }

  #address(area: Area, at: bigint): bigint {
    const low = BigInt(this.#word(area, at));
    return this.#wide ? low | (BigInt(this.#word(area, at + 4n)) << 32n) : low;
  }

  #word({ start, size }: Area, at: bigint): number {
    if (at + 4n <= size) return this.#reader.word(start + at) ?? 0;
    this.info.readBeyond = true;
    return 0;
  }

  #same({ start, size }: Area, at: bigint, text: string): boolean {
    if (at + BigInt(text.length) > size) {
      this.info.readBeyond = true;
      return false;
    }
    return latin1(this.#reader.bytes(start + at, BigInt(text.length))) === text;
  }

  /**
   * Up to the first NUL. Base 16 whatever the digits look like; PAE needs a comma behind it. What has no digits or too many
   * of them refuses the image.
   */
  #legacy(offset: bigint, size: bigint): void {
    const { info } = this;
    const whole = latin1(this.#read(offset, size));
    const nul = whole.indexOf('\0');
    const text = nul < 0 ? whole : whole.slice(0, nul);
    info.saysPv = true;
    let hasOffset = false;
    for (let at = 0; at < text.length; ) {
      const next = text.indexOf(',', at);
      const item = text.slice(at, next < 0 ? text.length : next + 1);
      at += item.length;
      const known = grubItem(item);
      if (known === undefined) {
        this.#pae(item);
        continue;
      }
      // The last item of a section without a NUL: the number goes on in what memory holds behind it.
      if (nul < 0 && next < 0) info.readBeyond = true;
      info[known.address] = grubNumber(item.slice(known.begin.length));
      hasOffset ||= known.address === 'paddrOffset';
    }
    if (info.hypercallPage !== undefined) {
      info.hypercallPage = BigInt.asUintN(64, (info.hypercallPage << 12n) + info.virtBase);
    }
    if (!hasOffset) info.paddrOffset = info.virtBase;
  }

  #pae(item: string): void {
    if (this.#wide) return;
    const pae = /^PAE=(?:(no|yes|bimodal)|(yes|bimodal)\[extended-cr3\]),$/.exec(item);
    const mode = pae?.[1] ?? pae?.[2];
    if (mode !== undefined) {
      this.info.arch = mode === 'no' ? 'i386' : mode === 'yes' ? 'i386-pae' : 'i386-pae-bimodal';
    }
  }
}
