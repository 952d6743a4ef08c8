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
  'note.bad-setting': problem<{ found: string }>({
    exit: 2,
    text: (c) => `found "${c.found}", wanted NAME=VALUE`,
    hint: 'GUEST_OS=linux, PHYS32_ENTRY=phys:start, ENTRY/4=0x100000; patch --unset removes a note',
    meaning:
      'A note is set by its name, an equals sign and its value; the value may be empty, the sign may not be missing.',
  }),
  'note.bad-value': problem<{ note: string; found: string; wanted: string }>({
    exit: 2,
    text: (c) => `found "${c.found}" as the value of ${c.note}, wanted ${c.wanted}`,
    hint: (c) =>
      `xen-elfpatch explain ${c.note} shows an example; hex:DEADBEEF and file:PATH give the bytes of any note`,
    meaning:
      'A note is text, a number or a list of numbers, by its type. Numbers are decimal or hexadecimal (a leading 0 alone ' +
      'is refused, for C reads it as octal), or come from the image: sym:NAME, phys:NAME, entry, phys:entry, each with +N ' +
      'or -N behind it. The last sign with a number behind it is the offset: a symbol named a-1 is written sym:a-1+0.',
  }),
  'note.value-too-wide': problem<{ note: string; value: string; width: number }>({
    exit: 2,
    text: (c) => `found ${c.value} as the value of ${c.note}, wanted an unsigned number of ${c.width} bytes`,
    hint: (c) => `${c.note}/8=… writes 8 bytes, where the loaders that matter read them`,
    meaning:
      'The value does not fit the descriptor, and cutting it would make another address of it. PHYS32_ENTRY is a physical ' +
      'address below 4 GiB; a kernel linked high wants phys:NAME there, not sym:NAME.',
  }),
  'note.unknown-feature': problem<{ name: string; nearest: readonly string[] }>({
    exit: 2,
    text: (c) => `found the required feature "${c.name}", wanted one that Xen knows by name`,
    hint: (c) =>
      c.nearest.length > 0
        ? `Did you mean !${c.nearest.join(' or !')}?`
        : 'Without its ! an unknown feature is ignored; bits without a name go into SUPPORTED_FEATURES',
    meaning:
      'Items of FEATURES that begin with ! are required. One that Xen does not know makes every load fail, of PV, PVH and ' +
      'dom0 alike, without a message that names it. Items are compared exactly, blanks and case included.',
  }),
  'note.bad-spec': problem<{ what: string; more: readonly string[] }>({
    exit: 2,
    text: (c) => c.what,
    hint: (c) =>
      c.more.length > 0 ? `Also: ${c.more.join('; ')}` : 'The keys are notes, remove, preset, placement and section',
    meaning:
      'A notes file (JSON or YAML) says in notes which notes to set, as NAME: VALUE or a list of {name, value, width}; in ' +
      'remove which to drop; preset, placement and section are those of the command line. The schema ships as ' +
      'schema/spec.schema.json. Nothing is taken from a file with a mistake in it.',
  }),
} as const;
