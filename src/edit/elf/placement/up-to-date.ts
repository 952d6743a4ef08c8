/**
 * Does the image have the wanted notes already, where every loader that could use them finds them? Then nothing is to be
 * done, however they are placed.
 */
import type { ElfImage } from '../../../formats/elf/image.js';
import { EM_386, EM_X86_64 } from '../../../formats/elf/names.js';
import { decodeValue } from '../../../formats/note/desc.js';
import { XEN_ELFNOTE } from '../../../formats/note/note-types.js';
import { type NoteContent, sameNote } from '../../../formats/note/record.js';
import {
  type PhysEntry,
  physEntryAsLinuxLoader,
  physEntryAsQemu,
  physEntryAsQemuFrom,
} from '../../../loaders/read/loader-walks.js';
import { changesForeign } from '../plan/other-owners.js';
import type { PlacementInput } from './placement-input.js';
import { lostTo } from './survival.js';

const { PHYS32_ENTRY } = XEN_ELFNOTE;

/**
 * True when Xen's walk finds exactly the wanted notes in segments, QEMU's and linux-loader's find the same PHYS32_ENTRY,
 * and the notes stand as the options say (in memory or not, surviving the tools named).
 */
export function isUpToDate(input: PlacementInput): boolean {
  const { analysis, wanted, target, options } = input;
  if (input.rewrite || changesForeign(input.otherOwners)) return false;
  if (!input.xenEdited) return survives(input);
  const { record } = target.damaged ?? {};
  if (record !== undefined && wanted.every(({ content }) => content !== record)) return false;
  const { xen } = analysis;
  // A note that Xen's walk does not reach, behind a gap, is there for other readers all the same.
  if (xen.notes.length === 0 && wanted.length === 0) return target.xen.length === 0;
  if (xen.from !== 'segments' || xen.notes.length !== wanted.length) return false;
  const same = wanted.every(({ content }, i) => xen.notes[i] !== undefined && sameNote(content, xen.notes[i].record));
  if (!same || !foundByAll(input)) return false;
  if (options.loaded !== undefined && options.loaded !== (target.loaded !== undefined)) return false;
  const align = target.segments.map((index) => analysis.image.segments[index]?.p_align);
  if (options.notesAlign === 8 && align.some((p_align) => p_align !== 8n)) return false;
  return survives(input);
}

/** Do the PVH loaders find the PHYS32_ENTRY that Xen goes by? They walk notes each in their own way. */
function foundByAll({ analysis, target, wanted, options }: PlacementInput): boolean {
  const { image } = analysis;
  const entry = wanted.findLast(({ content }) => content.type === PHYS32_ENTRY)?.content;
  const isX86 = image.header.e_machine === EM_386 || image.header.e_machine === EM_X86_64;
  if (entry === undefined || !isX86 || image.encoding.endian === 'big') return true;
  const value = physValue(entry, encodingOf(image.encoding.bits));
  const qemu = qemuEntry(image, target.segments);
  // QEMU pads names by p_align too: who asks for 8 does without it.
  if (options.notesAlign === 4 && (!qemu.found || low32(qemu.value) !== value)) return false;
  if (image.encoding.bits === 32) return true;
  const vmm = physEntryAsLinuxLoader(image);
  return vmm.found && low32(vmm.value) === value;
}

/** What QEMU would find; where it gets lost in another owner's notes, what it would find in ours. */
function qemuEntry(image: ElfImage, own: readonly number[]): PhysEntry {
  const entry = physEntryAsQemu(image);
  return entry.found || entry.problem === undefined ? entry : physEntryAsQemuFrom(image, own);
}

function encodingOf(bits: 32 | 64) {
  return { bits, endian: 'little' } as const;
}

function physValue(note: NoteContent, encoding: ReturnType<typeof encodingOf>): bigint | undefined {
  const value = decodeValue(note.type, note.desc, encoding);
  return value.kind === 'number' ? low32(value.value) : undefined;
}

function low32(value: bigint): bigint {
  return value & 0xffffffffn;
}

/** Does the image as it stands survive the tools that it has to? */
function survives({ analysis, options }: PlacementInput): boolean {
  return lostTo(analysis.image, analysis.image, options.mustSurvive).length === 0;
}
