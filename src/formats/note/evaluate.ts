/** Values that come from the image: symbols, the entry point, addresses mapped through the PT_LOADs. */

import { port } from '../../base/bytes/ports.js';
import { fail, type Place } from '../../base/errors/patch-error.js';
import { type Paddr, paddr, type Vaddr, vaddr } from '../elf/address.js';
import { type ElfImage, loadAtPaddr, loadAtVaddr, toPhysical } from '../elf/image.js';
import { nativeSize } from '../elf/struct.js';
import { findSymbols, type SymbolHit, symbolNames, symbolTable } from '../elf/symbols.js';
import { encodeList, encodeNumber, encodeString } from './desc.js';
import { mostLike, nearest } from './nearest.js';
import type { ValueExpr } from './value.js';
import { noteInfo, noteName } from './xen-notes.js';

const FILE_LIMIT = 0x100000n;

/** Resolves symbols once for a whole list of values, because each look-up scans the table. */
export class Resolver {
  readonly image: ElfImage;
  readonly #hits: Map<string, SymbolHit[]>;

  constructor(image: ElfImage, names: readonly string[]) {
    this.image = image;
    this.#hits = names.length > 0 ? findSymbols(image, [...new Set(names)]) : new Map();
  }

  /** The value of a symbol, undefined when the image has none of that name. Errors: `plan.ambiguous-symbol`. */
  optional(name: string): Vaddr | undefined {
    const hits = this.#hits.get(name) ?? [];
    const globals = hits.filter((hit) => hit.global);
    const values = [...new Set((globals.length > 0 ? globals : hits).map((hit) => hit.value))];
    if (values.length > 1) fail('plan.ambiguous-symbol', { file: this.image.source.name }, { name, values });
    return values[0];
  }

  /** The value of a symbol. Errors: `plan.no-symbol`, `plan.ambiguous-symbol`. */
  required(name: string): Vaddr {
    const value = this.optional(name);
    if (value !== undefined) return value;
    const stripped = symbolTable(this.image) === undefined;
    fail(
      'plan.no-symbol',
      { file: this.image.source.name },
      { name, stripped, nearest: nearSymbols(this.image, name) },
    );
  }

  /** The physical address of a virtual one. Errors: `plan.no-load-holds`. */
  physical(what: string, address: Vaddr): Paddr {
    const physical = toPhysical(this.image, address);
    if (physical !== undefined) return physical;
    fail('plan.no-load-holds', { file: this.image.source.name }, { what, address });
  }

  /** The physical address of a start address that may be one already: where the kernel is linked at physical addresses. */
  physicalStart(what: string, start: Vaddr): Paddr {
    const physical = paddr(start);
    if (loadAtVaddr(this.image, start) === undefined && loadAtPaddr(this.image, physical) !== undefined)
      return physical;
    return this.physical(what, start);
  }

  /**
   * e_entry as a physical address. It is a virtual address when a PT_LOAD's virtual range holds it; Linux puts the
   * physical one there, which then lies in a physical range only and is taken as it stands.
   */
  physicalEntry(): Paddr {
    return this.physicalStart('e_entry', vaddr(this.image.header.e_entry));
  }
}

/** Names of the image that are spelled much as this one. Only those of about its length are compared letter by letter. */
function nearSymbols(image: ElfImage, name: string): readonly string[] {
  return nearest(name, [...new Set(symbolNames(image, mostLike(name)))]);
}

/** The symbols that an expression needs. */
export function symbolsIn(expr: ValueExpr): string[] {
  return expr.kind === 'symbol' ? [expr.name] : [];
}

/**
 * The descriptor bytes of a value, as wide as `width` (bytes) for numbers.
 * Errors: those of Resolver, `plan.value-too-wide`, `plan.bad-file`.
 */
export function evaluate(expr: ValueExpr, type: number, width: number, resolver: Resolver): Uint8Array {
  const { endian } = resolver.image.encoding;
  const place: Place = { file: resolver.image.source.name };
  const number = (value: bigint): Uint8Array => {
    if (value < 0n || value >> BigInt(width * 8) !== 0n) {
      fail('plan.value-too-wide', place, { note: noteName(type), value, width });
    }
    return encodeNumber(value, width, endian);
  };
  switch (expr.kind) {
    case 'number':
      return number(expr.value);
    case 'symbol': {
      const value = resolver.required(expr.name);
      return number((expr.physical ? resolver.physical(expr.name, value) : value) + expr.addend);
    }
    case 'entry':
      return number((expr.physical ? resolver.physicalEntry() : resolver.image.header.e_entry) + expr.addend);
    case 'text':
      return encodeString(expr.text);
    case 'list':
      for (const item of expr.items) number(item);
      return encodeList(expr.items, width, endian);
    case 'bytes':
      return expr.bytes;
    case 'file':
      return readValueFile(expr.path);
  }
}

function readValueFile(path: string): Uint8Array {
  const source = port('openFile')(path);
  try {
    if (source.size > FILE_LIMIT) {
      fail('plan.bad-file', { file: path }, { reason: `${source.size} bytes, wanted at most ${FILE_LIMIT}` });
    }
    return source.read(0n, source.size, 'value');
  } finally {
    source.close();
  }
}

/**
 * How wide a number note is written: as the user said; else as wide as it is now where every reader takes that; else
 * what all readers take. GRUB reads the addresses of a PV kernel with the width of the class and ignores descsz, so those
 * are always written that wide.
 */
export function chooseWidth(
  image: ElfImage,
  type: number,
  asked: number | undefined,
  present: number | undefined,
): number {
  if (asked !== undefined) return asked;
  const info = noteInfo(type);
  if (info === undefined) return nativeSize(image.encoding);
  if (info.width === 'native') return nativeSize(image.encoding);
  const keeps = info.kind === 'number' && (present === 4 || present === 8) && info.name !== 'SUPPORTED_FEATURES';
  return keeps ? present : info.width;
}
