/**
 * What Xen's readnotes prints for an ELF file, byte for byte (tools/xcutils/readnotes.c): its own idea of where notes
 * are, its names for some types only, its column widths.
 */

import { fail } from '../../base/errors/patch-error.js';
import { Shdr } from '../../formats/elf/headers.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { PT_NOTE, SHT_NOTE } from '../../formats/elf/names.js';
import { noteInfo, type XenNoteName } from '../../formats/note/xen-notes.js';
import { Libelf, type LibelfNote } from './libelf.js';

/** What Xen's `readnotes` prints about a file, and its exit status. */
export interface ReadnotesOutput {
  /** One character a byte: write it as latin1. */
  readonly stdout: string;
  readonly stderr: string;
  readonly exit: 0 | 1;
}

/** readnotes itself has no limits; an image that reaches one of these was made to. */
const VISIT_LIMIT = 0x100000;
const OUTPUT_LIMIT = 0x1000000;

const STRINGS = new Set<XenNoteName>([
  'INFO',
  'XEN_VERSION',
  'GUEST_OS',
  'GUEST_VERSION',
  'LOADER',
  'PAE_MODE',
  'FEATURES',
]);
const NUMBERS = new Set<XenNoteName>([
  'ENTRY',
  'HYPERCALL_PAGE',
  'VIRT_BASE',
  'PADDR_OFFSET',
  'HV_START_LOW',
  'SUSPEND_CANCEL',
  'PHYS32_ENTRY',
]);

/**
 * Prints the notes of an image as readnotes does. Exit 0 also without any Xen note; 1 where libelf refuses the file.
 * `broken`: what libelf called the image for its tables, where the caller read it that way.
 * Errors: `note.too-large` when the output would pass 16 MiB, or the records a million.
 */
export function formatReadnotes(image: ElfImage, broken?: string): ReadnotesOutput {
  const { header, segments, sections, source } = image;
  if (!opensInLibelf(image)) return { stdout: '', stderr: `File ${source.name} is not an ELF image\n`, exit: 1 };
  const printer = new Printer(image, broken);
  let stderr = '';

  // The count of the last segment decides, not their sum: notes may be printed twice.
  let found = 0;
  for (const { p_type, p_offset, p_filesz } of segments.slice(0, header.e_phnum)) {
    if (p_type === PT_NOTE && p_offset !== 0n) found = printer.notes(p_offset, p_filesz);
  }
  if (found === 0) {
    for (const { sh_type, sh_offset, sh_size } of sections.slice(0, header.e_shnum)) {
      if (sh_type === SHT_NOTE && printer.notes(sh_offset, sh_size) > 0) {
        stderr += 'using notes from SHT_NOTE section\n';
      }
    }
  }
  return { stdout: printer.end(), stderr, exit: 0 };
}

/**
 * The tables must end within the file, the section table also when it has no entries. Sums wrap at 64 bits; of sections no
 * more are counted than the file has room for.
 */
function opensInLibelf({ header, source }: ElfImage): boolean {
  const most = source.size / BigInt(Shdr.size({ bits: 32, endian: 'little' }));
  const sections = BigInt(header.e_shnum) < most ? header.e_shnum : Number(most);
  const end = (offset: bigint, size: number, count: number) => BigInt.asUintN(64, offset + BigInt(size * count));
  return (
    source.size >= 52n &&
    end(header.e_phoff, header.e_phentsize, header.e_phnum) <= source.size &&
    end(header.e_shoff, header.e_shentsize, sections) <= source.size
  );
}

class Printer {
  readonly #image: ElfImage;
  readonly #libelf: Libelf;
  #text: string[] = [];
  #size = 0;
  #visited = 0;

  constructor(image: ElfImage, broken: string | undefined) {
    this.#image = image;
    this.#libelf = new Libelf(image);
    if (broken !== undefined) this.#libelf.mark(broken);
  }

  /** Prints the Xen notes of a range; how many there were. */
  notes(offset: bigint, size: bigint): number {
    let count = 0;
    const visit = () => {
      if (++this.#visited > VISIT_LIMIT) this.#tooLarge('note records together', this.#visited, VISIT_LIMIT);
      return true;
    };
    for (const note of this.#libelf.xenNotes(offset, size, visit)) {
      count++;
      this.#put(this.#line(note));
    }
    return count;
  }

  /** The `__xen_guest` section, wherever notes were found, and the mark of a broken image, last. */
  end(): string {
    const legacy = this.#libelf.sectionNamed('__xen_guest');
    const section = legacy === undefined ? undefined : this.#image.sections[legacy];
    if (section !== undefined) this.#put(`__xen_guest: ${this.#libelf.string(section.sh_offset) ?? '(invalid)'}\n`);
    if (this.#libelf.broken !== undefined) this.#put(`warning: broken ELF: ${this.#libelf.broken}\n`);
    return this.#text.join('');
  }

  #line(note: LibelfNote): string {
    const { type, descOffset } = note;
    const name = noteInfo(type)?.name;
    if (name === undefined) return `unknown note type ${number(type)}\n`;
    if (STRINGS.has(name)) return `${name}: ${this.#libelf.string(descOffset) ?? '(invalid)'}\n`;
    if (NUMBERS.has(name)) return this.#numberLine(name, note);
    if (name === 'L1_MFN_VALID') return this.#pairLine(name, note);
    return `unknown note type ${number(type)}\n`;
  }

  /** The width is computed and passed as a C int: beyond 2^30 bytes it wraps, and a negative one pads on the right. */
  #numberLine(name: string, { descOffset, descsz }: LibelfNote): string {
    const value = number(this.#libelf.number(descOffset, descsz));
    const width = (2 + 2 * descsz) | 0;
    if (Math.abs(width) > OUTPUT_LIMIT) this.#tooLarge('the output', Math.abs(width), OUTPUT_LIMIT);
    const padded = width < 0 ? value.padEnd(-width) : value.padStart(width);
    return `${name}: ${padded} (${descsz | 0} bytes)\n`;
  }

  /** One pair only; a descriptor of another size prints nothing at all. */
  #pairLine(name: string, { descOffset, descsz }: LibelfNote): string {
    const width = Math.floor(descsz / 2);
    if (width !== 4 && width !== 8) return '';
    const mask = number(this.#libelf.number(descOffset, width));
    return `${name}: mask=${mask} value=${number(this.#libelf.number(descOffset + BigInt(width), width))}\n`;
  }

  #put(text: string): void {
    this.#size += text.length;
    if (this.#size > OUTPUT_LIMIT) this.#tooLarge('the output', this.#size, OUTPUT_LIMIT);
    this.#text.push(text);
  }

  #tooLarge(what: string, found: number, limit: number): never {
    fail('note.too-large', { file: this.#image.source.name }, { what, found: BigInt(found), limit: BigInt(limit) });
  }
}

/** C's `%#x`: zero has no prefix. */
function number(value: bigint | number): string {
  return value === 0n || value === 0 ? '0' : `0x${value.toString(16)}`;
}
