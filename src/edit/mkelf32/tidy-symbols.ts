/**
 * The symbol table of an input as ELF32, each value the address at which its byte is in the result. Converted a window at a
 * time, twice: once to count, once to write.
 */
import { vaddr } from '../../formats/elf/address.js';
import { Sym } from '../../formats/elf/headers.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { SHN_ABS, SHN_LORESERVE, SHN_UNDEF, SHT_STRTAB, SHT_SYMTAB } from '../../formats/elf/names.js';
import { symbolTable } from '../../formats/elf/symbols.js';
import { OUTPUT, type Part, section } from './container.js';
import type { Flat } from './flatten.js';
import type { NamedSection, NewPlace } from './tidy-sections.js';

const WINDOW = 0x100000n;
const IN_32_BITS = 0x100000000n;

/** The symbols of the input that the result keeps, as a table of its class. */
export interface KeptSymbols {
  readonly symtab: Part;
  readonly strtab: Part;
  /** Section headers for both, given where they stand and the index of the first. */
  headers(symtabAt: bigint, strtabAt: bigint, index: number): NamedSection[];
  /** Symbols of sections that were not kept, and values that 32 bits cannot hold. */
  readonly dropped: number;
}

/** Undefined when the input has no symbols. */
export function keptSymbols(
  image: ElfImage,
  flat: Flat,
  loadBase: bigint,
  newPlaces: ReadonlyMap<number, NewPlace>,
): KeptSymbols | undefined {
  const tables = symbolTable(image);
  if (tables === undefined) return undefined;
  const { symtab, strtab } = tables;
  const inSize = Sym.size(image.encoding);
  const outSize = Sym.size(OUTPUT);

  const convert = (symbol: Sym): Sym | undefined => {
    const { st_value, st_shndx, st_size } = symbol;
    if (st_size >= IN_32_BITS) return undefined;
    if (st_shndx === SHN_UNDEF) return fitting(symbol, st_value);
    if (st_shndx === SHN_ABS) {
      // A constant is not an address, unless its value fits 32 bits only as an address.
      const distance = st_value < IN_32_BITS ? undefined : flat.distanceOfVaddr(vaddr(st_value));
      return fitting(symbol, distance === undefined ? st_value : loadBase + distance);
    }
    // With its section, even where it marks a place behind the section's end.
    const place = st_shndx < SHN_LORESERVE ? newPlaces.get(st_shndx) : undefined;
    return place && fitting({ ...symbol, st_shndx: place.index }, st_value + place.moved);
  };

  function* windows(): Generator<{ readonly index: number; readonly symbols: readonly Sym[] }> {
    const perWindow = (WINDOW / BigInt(inSize)) * BigInt(inSize);
    const whole = symtab.sh_size - (symtab.sh_size % BigInt(inSize));
    for (let at = 0n; at < whole; at += perWindow) {
      const length = whole - at < perWindow ? whole - at : perWindow;
      const bytes = image.source.read(symtab.sh_offset + at, length, 'symbol table');
      const count = bytes.length / inSize;
      const symbols = Array.from({ length: count }, (_, i) => Sym.decode(bytes, i * inSize, image.encoding));
      yield { index: Number(at) / inSize, symbols };
    }
  }

  let total = 0;
  let kept = 0;
  let locals = 0;
  for (const { index, symbols } of windows()) {
    for (const [i, symbol] of symbols.entries()) {
      total++;
      if (convert(symbol) === undefined) continue;
      kept++;
      if (index + i < symtab.sh_info) locals++;
    }
  }
  function* chunks(): Generator<Uint8Array> {
    for (const { symbols } of windows()) {
      const out = symbols.map(convert).filter((symbol) => symbol !== undefined);
      const bytes = new Uint8Array(out.length * outSize);
      for (const [i, symbol] of out.entries()) Sym.encodeInto(bytes, i * outSize, symbol, OUTPUT);
      yield bytes;
    }
  }
  const size = BigInt(kept * outSize);
  return {
    symtab: { kind: 'made', what: 'symbol table', size, chunks },
    strtab: { kind: 'copy', what: 'symbol names', from: strtab.sh_offset, size: strtab.sh_size },
    headers: (symtabAt, strtabAt, index) => [
      {
        name: '.symtab',
        header: section({
          sh_type: SHT_SYMTAB,
          sh_offset: symtabAt,
          sh_size: size,
          sh_link: index + 1,
          sh_info: locals,
          sh_addralign: 4n,
          sh_entsize: BigInt(outSize),
        }),
      },
      {
        name: '.strtab',
        header: section({ sh_type: SHT_STRTAB, sh_offset: strtabAt, sh_size: strtab.sh_size, sh_addralign: 1n }),
      },
    ],
    dropped: total - kept,
  };
}

function fitting(symbol: Sym, value: bigint): Sym | undefined {
  return value < 0n || value >= IN_32_BITS ? undefined : { ...symbol, st_value: value };
}
