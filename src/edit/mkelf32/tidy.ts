/**
 * The container as it would be without the original's history: real note addresses, zeros as padding, exact names, section
 * headers on a 4-byte boundary; and for inputs that the original refuses.
 */
import { alignUp } from '../../base/bytes/align.js';
import { hex } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import { paddr, vaddr } from '../../formats/elf/address.js';
import type { ElfImage } from '../../formats/elf/image.js';
import {
  type Container,
  DATA_AT,
  headBytes,
  loadHeader,
  noteHeader,
  type Part,
  partSize,
  SHDR_SIZE,
  sectionBytes,
} from './container.js';
import { type Flat, flatten } from './flatten.js';
import { pageEnd } from './layout.js';
import { type NotesWish, tidyNotes } from './tidy-notes.js';
import { keptSections, type NamedSection, noteSection, wholeText, withNames } from './tidy-sections.js';
import { keptSymbols } from './tidy-symbols.js';

/** What `mkelf32 --tidy` is asked for; `loadBase` is a physical address. */
export interface TidyRequest extends NotesWish {
  readonly loadBase: bigint;
  readonly keepSections: boolean;
  /** Symbols name sections, so those are kept as well. */
  readonly keepSymbols: boolean;
}

/** Xen maps itself with pages of this size, so its memory is claimed in them. */
const SUPERPAGE = 0x200000n;
const ADDRESS_SPACE = 0x100000000n;
const PAGE = 0x1000n;

/** Plans a tidy container. Errors: `mkelf32.not-elf`, `mkelf32.unfit`, `mkelf32.short`, those of tidyNotes(). */
export function planTidy(image: ElfImage, request: TidyRequest): Container {
  const file = image.source.name;
  const { loadBase } = request;
  if (image.encoding.endian !== 'little') fail('mkelf32.not-elf', { file }, {});
  const flat = flatten(image);
  const memory = alignUp(flat.memSize, SUPERPAGE);
  if (loadBase + memory >= ADDRESS_SPACE) {
    const what = `the image would end at ${hex(loadBase + memory)}, wanted one below ${hex(ADDRESS_SPACE)}`;
    fail('mkelf32.unfit', { file }, { what });
  }
  const warnings: string[] = [];
  const moved = loadBase - flat.base;
  if (moved % PAGE !== 0n) warnings.push(`LOAD-BASE ${hex(loadBase)} does not keep the place within a page`);
  const entry = entryOf(image, flat, loadBase, warnings);
  const notes = tidyNotes(image, flat, moved, request, warnings);

  // From here on the contents are settled; what follows the data is put down piece by piece, `end` moving along.
  const behind: Part[] = [];
  let end = DATA_AT + flat.fileSize;
  const put = (part: Part, align: bigint): bigint => {
    const at = alignUp(end, align);
    if (at > end) behind.push({ kind: 'zeros', what: 'padding', size: at - end });
    behind.push(part);
    end = at + partSize(part);
    return at;
  };

  const keep = request.keepSections || request.keepSymbols;
  const kept = keep ? keptSections(image, flat, loadBase) : undefined;
  const sections: NamedSection[] = [...(kept?.sections ?? wholeText(loadBase, flat))];
  if (kept !== undefined && kept.dropped > 0)
    warnings.push(`${kept.dropped} allocated sections are in no PT_LOAD and left out`);

  let note: Container['note'];
  if (notes.kind === 'inside') {
    note = noteHeader(DATA_AT + notes.distance, loadBase + notes.distance, notes.size);
    // Kept sections cover these bytes already.
    if (!keep) sections.push(noteSection(note.p_offset, note.p_vaddr, notes.size));
  } else if (notes.kind === 'behind') {
    const size = BigInt(notes.bytes.length);
    note = noteHeader(put({ kind: 'bytes', what: 'notes', bytes: notes.bytes }, 4n), 0n, size);
    sections.push(noteSection(note.p_offset, 0n, size));
  }
  if (request.keepSymbols && kept !== undefined) {
    const symbols = keptSymbols(image, flat, loadBase, kept.newPlaces);
    if (symbols === undefined) warnings.push('there are no symbols to keep');
    else {
      const symtabAt = put(symbols.symtab, 4n);
      const strtabAt = put(symbols.strtab, 1n);
      sections.push(...symbols.headers(symtabAt, strtabAt, sections.length));
      if (symbols.dropped > 0)
        warnings.push(`${symbols.dropped} symbols belong to nothing in the result and are left out`);
    }
  }

  const tableSize = BigInt(sections.length + 1) * SHDR_SIZE;
  const shoff = alignUp(end, 4n);
  const { headers, names, shstrndx } = withNames(sections, shoff + tableSize);
  if (shoff + tableSize + BigInt(names.length) >= ADDRESS_SPACE) {
    fail('mkelf32.unfit', { file }, { what: `the file would have ${hex(shoff)} bytes, wanted less than 4 GiB` });
  }
  put({ kind: 'bytes', what: 'section headers', bytes: sectionBytes(headers) }, 4n);
  put({ kind: 'bytes', what: 'section names', bytes: names }, 1n);
  const fileSize = alignUp(end, 4n);
  if (fileSize > end) behind.push({ kind: 'zeros', what: 'padding', size: fileSize - end });

  const load = loadHeader(loadBase, flat.fileSize, pageEnd(loadBase, memory));
  const head = headBytes({ entry, load, note, shoff, shnum: headers.length, shstrndx });
  const parts: Part[] = [{ kind: 'bytes', what: 'headers', bytes: head }, ...flat.parts, ...behind];
  return { parts, fileSize, entry, load, note, sections: headers, warnings };
}

/** e_entry at its new address. Xen's is physical, other kernels' virtual; where it is neither, the start of the image. */
function entryOf(image: ElfImage, flat: Flat, loadBase: bigint, warnings: string[]): bigint {
  const { e_entry } = image.header;
  const distance = flat.distanceOfVaddr(vaddr(e_entry)) ?? flat.distanceOfPaddr(paddr(e_entry));
  if (distance !== undefined) return loadBase + distance;
  warnings.push(`the entry ${hex(e_entry)} is in no PT_LOAD; the result starts at its first byte`);
  return loadBase;
}
