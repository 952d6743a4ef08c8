/** Section names: strings in the section-name table (gABI, "String Table"), read by range. */
import { fits } from '../../base/bytes/source.js';
import { stringAt } from '../../base/bytes/string-at.js';
import { type ElfImage, hasFileBytes } from './image.js';

export { stringAt };

/** Name tables up to this size are read whole, larger ones string by string. */
const WHOLE = 0x1000000n;
/** A name is cut here; no tool writes longer ones. */
const LONGEST = 4096n;

const cache = new WeakMap<ElfImage, Uint8Array | undefined>();

/**
 * The bytes of the section-name table, or undefined when there is none, it lies outside the file, or it is too large to
 * hold.
 */
export function nameTable(image: ElfImage): Uint8Array | undefined {
  if (!cache.has(image)) cache.set(image, readNameTable(image));
  return cache.get(image);
}

function readNameTable(image: ElfImage): Uint8Array | undefined {
  const table = image.sections[image.shstrndx];
  if (image.shstrndx === 0 || table === undefined || !hasFileBytes(table)) return undefined;
  if (table.sh_size > WHOLE || !fits(table.sh_offset, table.sh_size, image.source.size)) return undefined;
  return image.source.read(table.sh_offset, table.sh_size, 'section-name table');
}

/** The name of a section; empty when it has none or its string is not inside the table. */
export function sectionName(image: ElfImage, index: number): string {
  const section = image.sections[index];
  if (section === undefined) return '';
  const table = nameTable(image);
  if (table !== undefined) return stringAt(table.subarray(section.sh_name, section.sh_name + Number(LONGEST)), 0);
  return nameByRange(image, section.sh_name);
}

function nameByRange(image: ElfImage, sh_name: number): string {
  const table = image.sections[image.shstrndx];
  if (image.shstrndx === 0 || table === undefined || !hasFileBytes(table)) return '';
  const at = BigInt(sh_name);
  if (at >= table.sh_size) return '';
  const rest = table.sh_size - at < LONGEST ? table.sh_size - at : LONGEST;
  if (!fits(table.sh_offset + at, rest, image.source.size)) return '';
  return stringAt(image.source.read(table.sh_offset + at, rest, 'section name'), 0);
}

/** The first section of that name, by index; undefined when there is none. */
export function findSection(image: ElfImage, name: string): number | undefined {
  const index = image.sections.findIndex((_, i) => i > 0 && sectionName(image, i) === name);
  return index < 0 ? undefined : index;
}
