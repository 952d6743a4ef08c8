/**
 * The section headers of a tidy container: the three or four that the original makes, or those of the input at their new
 * addresses, with or without its symbols.
 */
import { joinBytes, latin1Bytes } from '../../base/bytes/text.js';
import { hex } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import { fileOffset, vaddr } from '../../formats/elf/address.js';
import type { Shdr } from '../../formats/elf/headers.js';
import { type ElfImage, hasFileBytes, isAllocated } from '../../formats/elf/image.js';
import {
  SHF_ALLOC,
  SHF_EXECINSTR,
  SHF_WRITE,
  SHN_LORESERVE,
  SHT_NOBITS,
  SHT_NOTE,
  SHT_PROGBITS,
  SHT_STRTAB,
} from '../../formats/elf/names.js';
import { sectionName } from '../../formats/elf/section-names.js';
import { DATA_AT, section } from './container.js';
import type { Flat } from './flatten.js';

/** A section without its place in the name table. */
export interface NamedSection {
  readonly name: string;
  readonly header: Shdr;
}

/** Header 0 and one `.text` over everything. */
export function wholeText(loadBase: bigint, { fileSize }: Flat): NamedSection[] {
  const header = section({
    sh_type: SHT_PROGBITS,
    sh_flags: SHF_WRITE | SHF_ALLOC | SHF_EXECINSTR,
    sh_addr: loadBase,
    sh_offset: DATA_AT,
    sh_size: fileSize,
    sh_addralign: 64n,
  });
  return [NULL_SECTION, { name: '.text', header }];
}

const NULL_SECTION: NamedSection = { name: '', header: section({}) };

/** Where a section of the input is found in the result. */
export interface NewPlace {
  readonly index: number;
  /** Negative as a rule: from a kernel's virtual addresses down to physical ones. */
  readonly moved: bigint;
}

/** The sections of the input that the result keeps. */
export interface KeptSections {
  readonly sections: readonly NamedSection[];
  /** By index in the input: the index in the result, and how much higher the section is there. */
  readonly newPlaces: ReadonlyMap<number, NewPlace>;
  /** Allocated sections of the input that stand in no PT_LOAD. */
  readonly dropped: number;
}

/** The allocated sections of the input, where they are in the result. Errors: `mkelf32.unfit`. */
export function keptSections(image: ElfImage, flat: Flat, loadBase: bigint): KeptSections {
  const sections: NamedSection[] = [NULL_SECTION];
  const newPlaces = new Map<number, NewPlace>();
  let dropped = 0;
  for (const [index, header] of image.sections.entries()) {
    if (index === 0 || !isAllocated(header)) continue;
    const place = placeOf(header, flat);
    if (place === undefined) {
      dropped++;
      continue;
    }
    const sh_addr = loadBase + place.memory;
    newPlaces.set(index, { index: sections.length, moved: sh_addr - header.sh_addr });
    refuseWide(image, index, header);
    const kept = { ...header, sh_addr, sh_offset: DATA_AT + place.file, sh_link: 0, sh_info: 0 };
    sections.push({ name: sectionName(image, index), header: { ...kept, sh_entsize: 0n } });
  }
  if (sections.length >= SHN_LORESERVE - 8) {
    const what = `found ${sections.length} sections to keep, wanted at most ${SHN_LORESERVE - 8}`;
    fail('mkelf32.unfit', { file: image.source.name }, { what });
  }
  return { sections, newPlaces, dropped };
}

/** ELF32 has four bytes for each of these; a section whose meaning would be cut off is not kept as another. */
function refuseWide(image: ElfImage, index: number, header: Shdr): void {
  for (const field of ['sh_flags', 'sh_size', 'sh_addralign'] as const) {
    if (header[field] < IN_32_BITS) continue;
    const place = { file: image.source.name, part: `section ${index} ${sectionName(image, index)}` };
    fail('mkelf32.unfit', place, {
      what: `${field} is ${hex(header[field])}, wanted one that 32 bits hold to keep it`,
    });
  }
}

const IN_32_BITS = 0x100000000n;

/** Distances from the start of the image, in memory and in the file; undefined outside every PT_LOAD. */
function placeOf(header: Shdr, flat: Flat): { memory: bigint; file: bigint } | undefined {
  const memory = flat.distanceOfVaddr(vaddr(header.sh_addr));
  if (memory === undefined || memory + header.sh_size > flat.memSize) return undefined;
  if (header.sh_type === SHT_NOBITS || !hasFileBytes(header)) {
    return { memory, file: memory < flat.fileSize ? memory : flat.fileSize };
  }
  // A section may say one thing with its address and another with its offset; then it is not kept.
  return flat.distanceOfOffset(fileOffset(header.sh_offset), header.sh_size) === memory
    ? { memory, file: memory }
    : undefined;
}

/** A note section that is not in memory. */
export function noteSection(offset: bigint, address: bigint, size: bigint): NamedSection {
  const header = section({ sh_type: SHT_NOTE, sh_addr: address, sh_offset: offset, sh_size: size, sh_addralign: 4n });
  return { name: '.note', header };
}

/** The last thing to be placed: `.shstrtab`, and all names put into it, each once. */
export function withNames(
  sections: readonly NamedSection[],
  nameTableAt: bigint,
): { readonly headers: readonly Shdr[]; readonly names: Uint8Array; readonly shstrndx: number } {
  const places = new Map<string, number>([['', 0]]);
  const bytes: Uint8Array[] = [Uint8Array.of(0)];
  let size = 1;
  for (const { name } of [...sections, { name: SHSTRTAB }]) {
    if (places.has(name)) continue;
    places.set(name, size);
    const text = latin1Bytes(`${name}\0`);
    bytes.push(text);
    size += text.length;
  }
  const table = section({ sh_type: SHT_STRTAB, sh_offset: nameTableAt, sh_size: BigInt(size), sh_addralign: 1n });
  const all = [...sections, { name: SHSTRTAB, header: table }];
  return {
    headers: all.map(({ name, header }) => ({ ...header, sh_name: places.get(name) ?? 0 })),
    names: joinBytes(bytes),
    shstrndx: sections.length,
  };
}

const SHSTRTAB = '.shstrtab';
