/**
 * GRUB's own reader of Xen notes (grub-core/loader/i386/xen_fileXX.c): numbers as wide as the class whatever descsz says,
 * later notes over earlier ones, the whole segment in memory first.
 */
import { fits } from '../bytes/source.js';
import { PT_NOTE, SHT_NOTE } from '../elf/names.js';
import type { LaxImage } from './lax-elf.js';

/** What GRUB takes from the notes. */
export interface GrubInfo {
  readonly arch: 'x86_64' | 'i386' | 'i386-pae' | 'i386-pae-bimodal';
  readonly entry: bigint;
  readonly virtBase: bigint;
  readonly paddrOffset: bigint;
  readonly hypercallPage: bigint | undefined;
  readonly initP2m: bigint | undefined;
  readonly unmappedInitrd: boolean;
  /** Was there anything that a PV kernel is told by? */
  readonly saysPv: boolean;
  /** It read memory behind a segment: what came of it depends on luck. */
  readonly readBeyond: boolean;
}

type Mutable = { -readonly [Key in keyof GrubInfo]: GrubInfo[Key] };

export type GrubResult = { readonly info: GrubInfo } | { readonly refused: string; readonly readBeyond: boolean };

/** The most bytes of one note area that are read here; GRUB would try to hold all. */
const AREA_LIMIT = 0x1000000n;
/** Records followed in one image. */
const STEP_LIMIT = 0x100000;

/** Notes that only a PV start goes by: ENTRY to PADDR_OFFSET, LOADER. */
const PV_TYPES = new Set([1, 2, 3, 4, 8]);

const SEEK = 'attempt to seek outside of the file';
const EOF = 'premature end of file';

class Refused extends Error {}

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
  readonly info: Mutable;
  readonly #image: LaxImage;
  readonly #wide: boolean;
  #steps = 0;
  #hasNote = false;

  constructor(image: LaxImage) {
    this.#image = image;
    this.#wide = image.encoding.bits === 64;
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
    };
  }

  run(): GrubInfo {
    const { segments, sections, sectionsCut, header, source } = this.#image;
    for (const { p_type, p_offset, p_filesz } of segments) {
      if (p_type === PT_NOTE) this.#notes(p_offset, p_filesz);
    }
    if (this.#hasNote) return this.info;

    if (header.e_shnum === 0 || header.e_shentsize === 0) throw new Refused('no XEN note');
    const size = BigInt(header.e_shnum) * BigInt(header.e_shentsize);
    if (header.e_shoff > source.size) throw new Refused(SEEK);
    if (sectionsCut || !fits(header.e_shoff, size, source.size)) throw new Refused(EOF);
    const names = sections[header.e_shstrndx]?.sh_offset ?? 0n;
    for (const { sh_type, sh_name, sh_offset, sh_size } of sections) {
      if (sh_type === SHT_NOTE) {
        this.#notes(sh_offset, sh_size);
        if (this.#hasNote) return this.info;
      }
      if (this.#isGuestSection(names + BigInt(sh_name))) {
        this.#legacy(sh_offset, sh_size);
        return this.info;
      }
    }
    throw new Refused('no XEN note found');
  }

  #isGuestSection(at: bigint): boolean {
    const { source } = this.#image;
    const wanted = '__xen_guest\0';
    if (at > source.size) throw new Refused(SEEK);
    if (!fits(at, BigInt(wanted.length), source.size)) return false;
    return Buffer.from(source.read(at, BigInt(wanted.length), 'section name')).toString('latin1') === wanted;
  }

  #read(offset: bigint, size: bigint): Buffer {
    const { source } = this.#image;
    if (offset > source.size) throw new Refused(SEEK);
    if (!fits(offset, size, source.size)) throw new Refused(EOF);
    if (size > AREA_LIMIT) throw new Refused('out of memory');
    return Buffer.from(source.read(offset, size, 'notes'));
  }

  #notes(offset: bigint, size: bigint): void {
    const bytes = this.#read(offset, size);
    const words = Math.floor(bytes.length / 4);
    for (let at = 0; at < words; ) {
      if (++this.#steps > STEP_LIMIT) throw new Refused('more notes than anybody has');
      const namesz = this.#word(bytes, at * 4);
      const descsz = this.#word(bytes, at * 4 + 4);
      const type = this.#word(bytes, at * 4 + 8);
      const name = at * 4 + 12;
      const desc = name + 4 * Math.floor(((namesz + 3) >>> 0) / 4);
      at = (desc + 4 * Math.floor(((descsz + 3) >>> 0) / 4)) / 4;
      if (namesz < 3 || !this.#same(bytes, name, namesz === 3 ? 'Xen' : 'Xen\0')) continue;
      this.#hasNote = true;
      this.#take(bytes, type, desc, descsz);
    }
  }

  #take(bytes: Buffer, type: number, desc: number, descsz: number): void {
    const { info } = this;
    if (PV_TYPES.has(type)) info.saysPv = true;
    const begins = (text: string) =>
      descsz >= text.length && this.#same(bytes, desc, descsz === text.length ? text : `${text}\0`);
    if (type === 1) info.entry = this.#address(bytes, desc);
    else if (type === 2) info.hypercallPage = this.#address(bytes, desc);
    else if (type === 3) info.virtBase = this.#address(bytes, desc);
    else if (type === 4) info.paddrOffset = this.#address(bytes, desc);
    else if (type === 15) info.initP2m = this.#address(bytes, desc);
    else if (type === 16) info.unmappedInitrd = this.#word(bytes, desc) !== 0;
    else if (type === 8 && !begins('generic')) throw new Refused('invalid loader');
    else if (type === 9 && !this.#wide) {
      if (begins('yes')) info.arch = 'i386-pae';
      if (begins('bimodal') || begins('yes,bimodal')) info.arch = 'i386-pae-bimodal';
      if (begins('no')) info.arch = 'i386';
    }
  }

  #address(bytes: Buffer, at: number): bigint {
    const low = BigInt(this.#word(bytes, at));
    return this.#wide ? low | (BigInt(this.#word(bytes, at + 4)) << 32n) : low;
  }

  #word(bytes: Buffer, at: number): number {
    if (at + 4 <= bytes.length) return bytes.readUInt32LE(at);
    this.info.readBeyond = true;
    return 0;
  }

  #same(bytes: Buffer, at: number, text: string): boolean {
    if (at + text.length > bytes.length) {
      this.info.readBeyond = true;
      return false;
    }
    return bytes.toString('latin1', at, at + text.length) === text;
  }

  /** Base 16 whatever the digits look like; PAE needs a comma behind it. */
  #legacy(offset: bigint, size: bigint): void {
    const { info } = this;
    const text = this.#read(offset, size).toString('latin1');
    info.saysPv = true;
    let hasOffset = false;
    for (const item of text.split(',').map((part, index, all) => (index < all.length - 1 ? `${part},` : part))) {
      const [, key, digits = ''] =
        /^(VIRT_BASE|VIRT_ENTRY|HYPERCALL_PAGE|ELF_PADDR_OFFSET)=(?:0x)?([0-9a-f]*)/i.exec(item) ?? [];
      const value = BigInt.asUintN(64, BigInt(`0x0${digits}`));
      if (key === 'VIRT_BASE') info.virtBase = value;
      else if (key === 'VIRT_ENTRY') info.entry = value;
      else if (key === 'HYPERCALL_PAGE') info.hypercallPage = value;
      else if (key === 'ELF_PADDR_OFFSET') {
        info.paddrOffset = value;
        hasOffset = true;
      } else if (!this.#wide) {
        const pae = /^PAE=(no|yes|bimodal)(\[extended-cr3\])?(,bimodal)?,$/.exec(item)?.[1];
        if (pae !== undefined) info.arch = pae === 'no' ? 'i386' : pae === 'yes' ? 'i386-pae' : 'i386-pae-bimodal';
      }
    }
    if (info.hypercallPage !== undefined) {
      info.hypercallPage = BigInt.asUintN(64, (info.hypercallPage << 12n) + info.virtBase);
    }
    if (!hasOffset) info.paddrOffset = info.virtBase;
  }
}
