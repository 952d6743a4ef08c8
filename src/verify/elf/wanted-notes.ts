/** Are the notes that were asked for the ones that Xen, QEMU and the rust-vmm monitors find? */

import { hex } from '../../base/errors/hex.js';
import { PT_NOTE } from '../../formats/elf/names.js';
import { XEN_ELFNOTE } from '../../formats/note/note-types.js';
import { isXens, sameNote } from '../../formats/note/record.js';
import {
  physEntryAsLinuxLoader,
  physEntryAsQemu,
  physEntryAsQemuFrom,
  walkAsXen,
} from '../../loaders/read/loader-walks.js';
import type { Violation } from '../check.js';
import type { PlannedPair } from './elf-check.js';
import { describeNote, isPhysEntry } from './note-facts.js';
import { distinctWalks, type Subject } from './subject.js';

/** Xen walks the wanted notes, in their order, through segments, and none beyond them. */
export function* xenNotesAsWanted({ before, after, expectation }: PlannedPair): Generator<Violation> {
  const view = walkAsXen(after.image);
  const kept = expectation.xenKept === true;
  const xenNotes = kept ? walkAsXen(before.image).notes.map(({ record }) => record) : expectation.xenNotes;
  // What was asked for has to be seen through segments; where nothing was, Xen may not find anything anywhere.
  const found = kept || view.from === 'segments' || xenNotes.length === 0 ? view.notes : [];
  const part = 'notes as Xen walks them';
  for (const [index, wanted] of xenNotes.entries()) {
    const note = found[index];
    if (note === undefined) {
      yield { part, text: `note ${index} is missing, wanted type ${wanted.type} with ${wanted.desc.length} bytes` };
    } else if (!sameNote(note.record, wanted)) {
      const text = `note ${index} is ${describeNote(note.record)}, wanted other contents: ${describeNote(wanted)}`;
      yield { offset: note.record.offset, part, text };
    }
  }
  for (const { record } of found.slice(xenNotes.length)) {
    yield { offset: record.offset, part, text: `found ${describeNote(record)} beyond the notes that were wanted` };
  }
}

/** QEMU and linux-loader find the PHYS32_ENTRY that was asked for; of a program, the one that they found before. */
export function* loadersAgree({ before, after, expectation }: PlannedPair): Generator<Violation> {
  const { xenNotes, xenKept, isProgram } = expectation;
  const { image } = after;
  if (image.encoding.endian === 'big') return;
  if (xenKept === true) {
    // What a loader of kernels makes of a program is chance: QEMU reads on behind a PT_NOTE, whatever stands there.
    if (isProgram !== true) yield* loadersSeeTheSame(before, after);
    return;
  }
  const wanted = xenNotes.filter(isPhysEntry);
  const entry = wanted[0] === undefined ? undefined : lowWord(wanted[0].desc);
  // Which of several counts is each loader's own choice.
  if (wanted.length > 1 || (entry === undefined && isProgram === true)) return;
  const views = [{ who: 'QEMU', ...physEntryAsQemu(image), level: qemuLevel(after) }];
  if (image.encoding.bits === 64) {
    views.push({ who: 'linux-loader', ...physEntryAsLinuxLoader(image), level: 'error' });
  }
  for (const { who, found, value, problem, level } of views) {
    const part = `PHYS32_ENTRY as ${who} sees it`;
    if (entry === undefined) {
      // A note of another owner with that type is taken for one, and was before.
      const foreign = distinctWalks(before.areas(), 'segment').some(({ records }) =>
        records.some((note) => note.type === XEN_ELFNOTE.PHYS32_ENTRY && !isXens(note)),
      );
      if (found) yield { part, level: foreign ? 'warning' : level, text: `found ${hex(value)}, wanted none` };
    } else if (entry !== 0n && !(found && value === entry)) {
      yield { part, level, text: `found ${problem ?? (found ? hex(value) : 'none')}, wanted ${hex(entry)}` };
    }
  }
}

/** A loader that found the entry point before finds the same one now. */
function* loadersSeeTheSame(before: Subject, after: Subject): Generator<Violation> {
  for (const [who, look] of [
    ['QEMU', physEntryAsQemu],
    ['linux-loader', physEntryAsLinuxLoader],
  ] as const) {
    const old = look(before.image);
    const now = look(after.image);
    if (!old.found || (now.found && now.value === old.value)) continue;
    const found = now.problem ?? (now.found ? hex(now.value) : 'none');
    yield { part: `PHYS32_ENTRY as ${who} sees it`, text: `found ${found}, wanted ${hex(old.value)} as before` };
  }
}

/**
 * QEMU may run out of another owner's PT_NOTE, and misreads other paddings than 4; neither comes from an edit, so both
 * are warnings.
 */
function qemuLevel({ image, areas }: Subject): 'error' | 'warning' {
  const lost = physEntryAsQemu(image);
  const segments = areas().filter(({ kind }) => kind === 'segment');
  const xens = new Set(distinctWalks(segments, 'segment').filter(({ records }) => records.some(isXens)));
  const own = segments.filter(({ walk }) => xens.has(walk)).map(({ index }) => index);
  // Lost in another owner's notes, not in Xen's.
  if (!lost.found && lost.problem !== undefined && physEntryAsQemuFrom(image, own).found) return 'warning';
  const odd = image.segments.some((s) => s.p_type === PT_NOTE && s.p_filesz > 0n && !QEMU_ALIGNS.has(s.p_align));
  return odd ? 'warning' : 'error';
}

const QEMU_ALIGNS: ReadonlySet<bigint> = new Set([1n, 2n, 4n]);

/** The 32 bits that PVH loaders use; the images that have such loaders are little-endian. */
function lowWord(desc: Uint8Array): bigint {
  return desc.subarray(0, 4).reduce((sum, byte, index) => sum + (BigInt(byte) << BigInt(8 * index)), 0n);
}
