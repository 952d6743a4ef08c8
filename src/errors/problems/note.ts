import { hex } from '../hex.js';
import { problem } from '../problem.js';

/** Refusals of the note stage. */
export const noteProblems = {
  'note.too-large': problem<{ what: string; found: bigint; limit: bigint }>({
    exit: 2,
    text: (c) => `found ${hex(c.found)} as the size of ${c.what}, wanted at most ${hex(c.limit)}`,
    hint: 'Nothing of this kind is that large in a real kernel; the header that says so is likely damaged',
    meaning:
      'Notes are read whole, so a note segment or section may have 16 MiB, all of them together 64 MiB, with 131072 ' +
      'records in all views. The notes of real kernels take a few hundred bytes.',
  }),
  'note.unknown-name': problem<{ name: string; nearest: readonly string[]; number: boolean }>({
    exit: 2,
    text: (c) =>
      c.number
        ? `found the note number ${c.name}, wanted one of at most 32 bits`
        : `found the note name "${c.name}", wanted one that Xen knows`,
    hint: (c) =>
      c.nearest.length > 0
        ? `Did you mean ${c.nearest.join(' or ')}? A number (18, 0x12) names any type`
        : 'xen-elfpatch explain lists the names; a number (18, 0x12) names any type',
    meaning:
      'Notes are named as in xen/include/public/elfnote.h, with or without XEN_ELFNOTE_, in any case, or by number. A ' +
      'note of an unknown name would be ignored by every loader, so it is refused instead.',
  }),
  'note.bad-width': problem<{ name: string; found: string }>({
    exit: 2,
    text: (c) => `found the width "${c.found}" in "${c.name}", wanted 1, 2, 4 or 8`,
    meaning:
      'A number behind a slash is the width of the value in bytes, as in ENTRY/4. Xen reads a number of any other size ' +
      'as 0 without a word.',
  }),
} as const;
