/**
 * QEMU compares the step of one record with p_filesz, never the sum, so without a PHYS32_ENTRY to stop at its walk goes on
 * behind the notes, and may take whatever stands there for one (include/hw/elf_ops.h.inc). What stands there is the
 * placement's choice.
 */
import { changedSource } from '../../../base/bytes/shifted.js';
import type { Write } from '../../../base/bytes/source.js';
import { joinBytes } from '../../../base/bytes/text.js';
import { hex } from '../../../base/errors/hex.js';
import { Phdr, Shdr } from '../../../formats/elf/headers.js';
import { PT_NOTE } from '../../../formats/elf/names.js';
import type { Encoding } from '../../../formats/elf/struct.js';
import { distinctAreas } from '../../../formats/note/areas.js';
import { decodeValue } from '../../../formats/note/desc.js';
import { XEN_ELFNOTE } from '../../../formats/note/note-types.js';
import { isXens, type NoteRecord } from '../../../formats/note/record.js';
import { physEntryAsQemu, physEntryAsQemuFrom } from '../../../loaders/read/loader-walks.js';
import type { Layout } from './layout.js';
import type { PlacementInput } from './placement-input.js';

const { PHYS32_ENTRY } = XEN_ELFNOTE;
/** Alignments at which QEMU pads records as all other readers do. */
const COMMON_ALIGNS: ReadonlySet<bigint> = new Set([1n, 2n, 4n]);

/** What QEMU would find instead of what is wanted, in words; undefined when it is not misled by the place of the notes. */
export function misleadsQemu({ analysis, xenEdited }: PlacementInput, layout: Layout): string | undefined {
  const { image } = analysis;
  if (image.encoding.endian === 'big') return undefined;
  const wanted = layout.xenNotes.filter(({ type }) => type === PHYS32_ENTRY);
  // Which of several counts is each loader's own choice.
  if (wanted.length > 1) return undefined;
  const notes = layout.segments.filter(({ p_type, p_filesz }) => p_type === PT_NOTE && p_filesz > 0n);
  // QEMU reads those in its own way wherever they stand.
  if (notes.some(({ p_align }) => !COMMON_ALIGNS.has(p_align))) return undefined;

  const writes = [...layout.blobs, ...tables(image.encoding, layout)];
  const source = changedSource(image.source, { ...layout, writes });
  const result = { ...image, source, header: layout.header, segments: layout.segments };
  const seen = physEntryAsQemu(result);
  if (!xenEdited) {
    // Notes of other owners are at stake: QEMU has to see what it saw before.
    const before = physEntryAsQemu(image);
    if (seen.found === before.found && seen.value === before.value) return undefined;
  }
  const [entry] = wanted;
  const value = entry === undefined ? undefined : decodeValue(PHYS32_ENTRY, entry.desc, image.encoding);
  const address = value?.kind === 'number' ? value.value & 0xffff_ffffn : undefined;
  if (address === undefined) {
    // Of another owner, where it stood: QEMU does not look at owners, and no place of Xen's notes changes that.
    const isForeign = (note: NoteRecord) => note.type === PHYS32_ENTRY && !isXens(note);
    const segments = distinctAreas(analysis.areas, 'segment');
    if (segments.some(({ walk }) => walk.records.some(isForeign))) return undefined;
    return seen.found
      ? `QEMU would read on behind the notes and take ${hex(seen.value)} for a PHYS32_ENTRY`
      : undefined;
  }
  if (address === 0n || (seen.found && seen.value === address)) return undefined;
  const own = layout.segments.findIndex(
    ({ p_type, p_offset }) => p_type === PT_NOTE && p_offset === layout.noteRange?.start,
  );
  // Lost in another owner's notes, not in Xen's.
  if (!seen.found && seen.problem !== undefined && physEntryAsQemuFrom(result, [own]).found) return undefined;
  return `QEMU would find ${seen.problem ?? (seen.found ? hex(seen.value) : 'none')} for PHYS32_ENTRY`;
}

/** Header tables may be what stands behind the notes. */
function tables(encoding: Encoding, { header, segments, sections }: Layout): Write[] {
  const phdrs = segments.map((segment) => Phdr.encode(segment, encoding));
  const shdrs = sections.map((section) => Shdr.encode(section, encoding));
  return [
    { offset: header.e_phoff, bytes: joinBytes(phdrs) },
    { offset: header.e_shoff, bytes: joinBytes(shdrs) },
  ];
}
