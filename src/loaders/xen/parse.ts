/**
 * An image as Xen's parser sees it: libelf's reading of headers (xen/common/libelf/libelf-loader.c, elf_init and
 * elf_parse_binary), the parameters, and the addresses worked out from both (libelf-dominfo.c,
 * elf_xen_addr_calc_check). The hypervisor and the toolstack share this code.
 */
import type { ByteSource } from '../../base/bytes/source.js';
import type { Phdr, Shdr } from '../../formats/elf/headers.js';
import { PF_R, PF_W, PF_X, PT_LOAD, SHT_STRTAB, SHT_SYMTAB } from '../../formats/elf/names.js';
import { DEFAULT_MEMORY } from '../memory.js';
import type { LaxImage } from '../read/lenient-elf.js';
import { walkAsXen, type XenView } from '../read/loader-walks.js';
import type { Options } from '../rule.js';
import { isSince, type XenVersion } from '../xen-version.js';
import { brokenTables, libelfImage } from './libelf-image.js';
import { parametersOfLegacy, parametersOfNotes, type XenParameters } from './parameters.js';

/** What kind of guest the caller wants to build. */
export type Container = 'pv' | 'hvm';

/** The addresses that the parser works out; all sums wrap at 64 bits. */
export interface XenAddresses {
  readonly virtBase: bigint;
  readonly paddrOffset: bigint;
  readonly kstart: bigint;
  readonly kend: bigint;
  readonly entry: bigint;
}

const ALL_ONES = (1n << 64n) - 1n;

/** Notes from which on a walk is kept: several rows of Xen's ask for it. */
const MANY = 1000;
const knownWalks = new WeakMap<ByteSource, Map<boolean, XenView>>();

/** The walk of an image. Where there are notes, nobody comes to look for `__xen_guest`: then it is one for all rows. */
function walkOnce(image: LaxImage, options: { readonly legacy: boolean; readonly reloc: boolean }): XenView {
  const walks = knownWalks.get(image.source) ?? new Map<boolean, XenView>();
  const view = walks.get(options.reloc) ?? walkAsXen(image, options);
  if (view.notes.length >= MANY) knownWalks.set(image.source, walks.set(options.reloc, view));
  return view;
}

/** An image as Xen's parser sees it (xen/common/libelf), for one container and one release. */
export class XenParse {
  readonly source: ByteSource;
  readonly container: Container;
  readonly version: XenVersion;
  /** Bytes of memory: of the guest, or of the machine that dom0 is built on. */
  readonly memory: bigint;
  readonly image: LaxImage;
  /** PT_LOADs with at least one of R, W and X; Xen does not see the others. */
  readonly loadable: readonly Phdr[];
  readonly pstart: bigint;
  readonly pend: bigint;
  #notes: XenView | undefined;
  #parameters: XenParameters | undefined;
  #addresses: XenAddresses | undefined;

  constructor(source: ByteSource, container: Container, { xenVersion, memory = DEFAULT_MEMORY }: Options) {
    this.source = source;
    this.container = container;
    this.version = xenVersion;
    this.memory = memory;
    this.image = libelfImage(source);
    this.loadable = this.image.segments.filter((s) => s.p_type === PT_LOAD && (s.p_flags & (PF_R | PF_W | PF_X)) !== 0);
    this.pstart = this.loadable.reduce((low, s) => (s.p_paddr < low ? s.p_paddr : low), ALL_ONES);
    this.pend = this.loadable.reduce((high, s) => {
      const end = BigInt.asUintN(64, s.p_paddr + s.p_memsz);
      return end > high ? end : high;
    }, 0n);
  }

  /** The class of the image (EI_CLASS). */
  get bits(): 32 | 64 {
    return this.image.encoding.bits;
  }

  /** e_machine. */
  get machine(): number {
    return this.image.header.e_machine;
  }

  /** Is it an ELF64 image? */
  get is64(): boolean {
    return this.bits === 64;
  }

  /** Since 4.16 an argument says whether the guest is to be PVH, and the parser then forgets what only PV uses. */
  get hvm(): boolean {
    return this.container === 'hvm';
  }

  /** Is the release that is followed this one or a later one? */
  since(release: XenVersion): boolean {
    return isSince(this.version, release);
  }

  /** What the walk over the notes finds. */
  get notes(): XenView {
    this.#notes ??= walkOnce(this.image, {
      legacy: !this.hvm || !this.since('4.16'),
      reloc: this.since('4.19'),
    });
    return this.#notes;
  }

  /** What the parser would call the image broken for: the first thing it stumbled over, if it gets so far. */
  get broken(): string | undefined {
    const before = brokenTables(this.image) ?? this.notes.broken;
    if (before !== undefined) return before;
    const given = this.parameters;
    if (given.ranOut) return 'out of range access';
    return given.bsdSymtab && this.#symtab === undefined ? 'invalid ELF handle for symtab section' : undefined;
  }

  /** Does the `__xen_guest` string count? Only without any Xen note; for PVH no more since 4.16. */
  get usesLegacy(): boolean {
    return this.notes.from === 'legacy';
  }

  /** Was there nothing at all to go by, not even a note of another owner? */
  get hasNothing(): boolean {
    return !this.notes.walkedAny && !this.usesLegacy;
  }

  /** What the notes or the `__xen_guest` string say. */
  get parameters(): XenParameters {
    const legacy = this.notes.legacySection;
    this.#parameters ??=
      this.usesLegacy && legacy !== undefined ? parametersOfLegacy(this.image, legacy) : parametersOfNotes(this.notes);
    return this.#parameters;
  }

  /** The addresses that the parser works out from them (elf_xen_addr_calc_check). */
  get addresses(): XenAddresses {
    this.#addresses ??= this.#work();
    return this.#addresses;
  }

  #work(): XenAddresses {
    const given = this.parameters;
    const forced = this.hvm && this.since('4.16');
    const virtBase = forced ? 0n : (given.virtBase ?? 0n);
    const paddrOffset = forced ? 0n : (given.paddrOffset ?? (this.usesLegacy ? virtBase : 0n));
    const offset = BigInt.asUintN(64, virtBase - paddrOffset);
    const kstart = BigInt.asUintN(64, this.pstart + offset);
    const symbols = given.bsdSymtab ? this.#symbolsEnd() : undefined;
    const kend = BigInt.asUintN(64, (symbols ?? this.pend) + offset);
    const fallback = this.image.header.e_entry;
    const entry = forced ? (given.physEntry ?? fallback) : (given.entry ?? fallback);
    return { virtBase, paddrOffset, kstart, kend, entry };
  }

  /** The first symbol table; a link to no section ends the search (elf_init). */
  get #symtab(): { readonly symtab: Shdr; readonly strtab: Shdr } | undefined {
    const { sections } = this.image;
    const symtab = sections.find(({ sh_type }, i) => i > 0 && sh_type === SHT_SYMTAB);
    const strtab = symtab === undefined || symtab.sh_link === 0 ? undefined : sections[symtab.sh_link];
    return symtab === undefined || strtab === undefined ? undefined : { symtab, strtab };
  }

  /** Where the appended BSD symbol table would end; undefined without a usable one (elf_parse_bsdsyms). */
  #symbolsEnd(): bigint | undefined {
    const found = this.#symtab;
    if (found === undefined || found.strtab.sh_type !== SHT_STRTAB) return undefined;
    const { symtab, strtab } = found;
    const unit = this.is64 ? 8n : 4n;
    const up = (value: bigint) => BigInt.asUintN(64, (value + unit - 1n) & ~(unit - 1n));
    // A size word, an ELF header and three section headers go in front.
    const head = this.is64 ? 264n : 192n;
    const size = up(up(head + symtab.sh_size) + strtab.sh_size);
    return BigInt.asUintN(64, up(this.pend) + size);
  }
}
