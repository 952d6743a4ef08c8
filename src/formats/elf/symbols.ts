/**
 * Symbol lookup by name, made for a vmlinux with hundreds of thousands of symbols: the string table is searched as bytes
 * for the few names wanted, and the symbol table is then scanned once for entries that use one of those strings. Both are
 * read in windows, so memory does not depend on their size (gABI, "Symbol Table", "String Table").
 */
import { fits, READ_LIMIT } from '../../base/bytes/source.js';
import { stringAt } from '../../base/bytes/string-at.js';
import { findBytes, latin1Bytes } from '../../base/bytes/text.js';
import { type Vaddr, type VaddrRange, vaddr } from './address.js';
import { type Shdr, Sym } from './headers.js';
import { type ElfImage, hasFileBytes, sectionFileRange } from './image.js';
import { SHN_LORESERVE, SHN_UNDEF, SHT_STRTAB, SHT_SYMTAB, STT_FUNC } from './names.js';

const WINDOW = 0x100000n;

/** One definition of a wanted name. */
export interface SymbolHit {
  readonly name: string;
  /** st_value: a virtual address, unless the symbol is absolute (SHN_ABS). */
  readonly value: Vaddr;
  readonly size: bigint;
  /** Local symbols of the same name may occur several times; global ones once. */
  readonly global: boolean;
}

/** The first symbol table with a string table behind its link; undefined in a stripped image. */
export function symbolTable(image: ElfImage): { readonly symtab: Shdr; readonly strtab: Shdr } | undefined {
  for (const symtab of image.sections) {
    if (symtab.sh_type !== SHT_SYMTAB || !hasFileBytes(symtab)) continue;
    const strtab = image.sections[symtab.sh_link];
    if (strtab?.sh_type !== SHT_STRTAB || !hasFileBytes(strtab)) continue;
    const size = image.source.size;
    if (!fits(symtab.sh_offset, symtab.sh_size, size) || !fits(strtab.sh_offset, strtab.sh_size, size)) continue;
    return { symtab, strtab };
  }
  return undefined;
}

/** Every defined symbol that bears one of the names. Undefined symbols (st_shndx 0) do not count. */
export function findSymbols(image: ElfImage, names: readonly string[]): Map<string, SymbolHit[]> {
  const found = new Map<string, SymbolHit[]>(names.map((name) => [name, []]));
  const tables = symbolTable(image);
  if (tables === undefined) return found;
  const nameAt = stringOffsets(image, tables.strtab, names);
  if (nameAt.size === 0) return found;
  const nameField = Sym.offsetOf('st_name', image.encoding);
  const little = image.encoding.endian === 'little';
  eachSymbol(image, tables.symtab, (bytes, at, view) => {
    // Reading the one field first keeps the scan fast; a whole record is decoded for hits only.
    const name = nameAt.get(view.getUint32(at + nameField, little));
    if (name === undefined) return;
    const symbol = Sym.decode(bytes, at, image.encoding);
    if (symbol.st_shndx === SHN_UNDEF) return;
    found.get(name)?.push({
      name,
      value: vaddr(symbol.st_value),
      size: symbol.st_size,
      global: symbol.st_info >> 4 !== 0,
    });
  });
  return found;
}

/** A symbol with its name, for lists. */
export interface NamedSymbol {
  readonly name: string;
  readonly value: Vaddr;
}

/**
 * Defined symbols that name code or data, global ones first, at most `most`; and how many there are in all. Section and
 * file symbols do not count. A string table larger than one read gives none.
 */
export function listSymbols(
  image: ElfImage,
  most: number,
): { readonly symbols: readonly NamedSymbol[]; readonly total: number } {
  const tables = symbolTable(image);
  if (tables === undefined || tables.strtab.sh_size > READ_LIMIT) return { symbols: [], total: 0 };
  const names = image.source.read(tables.strtab.sh_offset, tables.strtab.sh_size, 'symbol names');
  const [globals, locals]: [NamedSymbol[], NamedSymbol[]] = [[], []];
  let total = 0;
  eachSymbol(image, tables.symtab, (bytes, at) => {
    const { st_name, st_value, st_info, st_shndx } = Sym.decode(bytes, at, image.encoding);
    if (st_shndx === SHN_UNDEF || (st_info & 15) > STT_FUNC) return;
    const list = st_info >> 4 === 0 ? locals : globals;
    total += 1;
    if (list.length >= most) return;
    const name = stringAt(names, st_name);
    if (name !== '') list.push({ name, value: vaddr(st_value) });
  });
  return { symbols: [...globals, ...locals].slice(0, most), total };
}

/** The strings of the symbol table's names that have at least two and at most `longest` bytes, in their order. */
export function* symbolNames(image: ElfImage, longest: number): Generator<string> {
  const tables = symbolTable(image);
  if (tables === undefined) return;
  const { strtab } = tables;
  for (let at = 0n; at < strtab.sh_size; at += WINDOW) {
    // A name that a window's edge cuts is not worth a second look: these are suggestions.
    const rest = strtab.sh_size - at;
    const bytes = image.source.read(strtab.sh_offset + at, rest < WINDOW ? rest : WINDOW, 'symbol names');
    for (let start = 0; start < bytes.length; ) {
      const end = bytes.indexOf(0, start);
      if (end < 0) break;
      if (end - start >= 2 && end - start <= longest) yield String.fromCharCode(...bytes.subarray(start, end));
      start = end + 1;
    }
  }
}

/** st_value of a defined symbol with a size whose bytes meet these addresses; undefined when there is none. */
export function symbolCovering(image: ElfImage, { start, end }: VaddrRange): Vaddr | undefined {
  const tables = symbolTable(image);
  if (tables === undefined) return undefined;
  let hit: Vaddr | undefined;
  eachSymbol(image, tables.symtab, (bytes, at) => {
    if (hit !== undefined) return;
    const { st_value, st_size, st_shndx } = Sym.decode(bytes, at, image.encoding);
    const defined = st_shndx !== SHN_UNDEF && st_shndx < SHN_LORESERVE;
    if (defined && st_size > 0n && st_value < end && st_value + st_size > start) hit = vaddr(st_value);
  });
  return hit;
}

function eachSymbol(
  image: ElfImage,
  symtab: Shdr,
  visit: (bytes: Uint8Array, at: number, view: DataView) => void,
): void {
  const size = BigInt(Sym.size(image.encoding));
  const perWindow = (WINDOW / size) * size;
  const end = sectionFileRange(symtab).end - (symtab.sh_size % size);
  for (let offset = symtab.sh_offset; offset < end; offset += perWindow) {
    const length = end - offset < perWindow ? end - offset : perWindow;
    const bytes = image.source.read(offset, length, 'symbol table');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += Number(size)) visit(bytes, at, view);
  }
}

/** Every offset in the string table at which one of the names stands, NUL behind it. Tails of longer strings count. */
function stringOffsets(image: ElfImage, strtab: Shdr, names: readonly string[]): Map<number, string> {
  const offsets = new Map<number, string>();
  const needles = names.map((name) => ({ name, bytes: latin1Bytes(`${name}\0`) }));
  const longest = BigInt(Math.max(1, ...needles.map(({ bytes }) => bytes.length)));
  // Windows overlap by the longest name, so that none is cut by a window's edge.
  for (let at = 0n; at < strtab.sh_size; at += WINDOW) {
    const rest = strtab.sh_size - at;
    const length = rest < WINDOW + longest ? rest : WINDOW + longest;
    const chunk = image.source.read(strtab.sh_offset + at, length, 'symbol names');
    for (const { name, bytes } of needles) {
      for (let hit = findBytes(chunk, bytes); hit >= 0; hit = findBytes(chunk, bytes, hit + 1)) {
        offsets.set(Number(at) + hit, name);
      }
    }
  }
  return offsets;
}
