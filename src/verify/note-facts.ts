/** Facts about notes that several checks need. */
import { latin1 } from '../bytes/text.js';
import { type NoteContent, ownerOf } from '../note/record.js';

/** The note with the entry point of a PVH kernel (xen/include/public/elfnote.h). */
export const PHYS32_ENTRY = 18;
/** Owner GNU: the id that debug information is found by (gABI extensions, "NT_GNU_BUILD_ID"). */
const NT_GNU_BUILD_ID = 3;

export function isXens({ name }: NoteContent): boolean {
  return ownerOf(name) === 'Xen';
}

export function isPhysEntry(note: NoteContent): boolean {
  return note.type === PHYS32_ENTRY && isXens(note);
}

export function isBuildId(note: NoteContent): boolean {
  return note.type === NT_GNU_BUILD_ID && ownerOf(note.name) === 'GNU';
}

/**
 * Nobody's note: twelve zero bytes, which are padding, or one that was taken from its owner where its bytes had to stay
 * (its owner and type are then what no loader looks for).
 */
export function isNobodys({ name, type, desc }: NoteContent): boolean {
  return type === 0 && (ownerOf(name) === 'nil' || (name.length === 0 && desc.length === 0));
}

/** The same text for two notes exactly when they are the same note. */
export function noteKey({ name, type, desc }: NoteContent): string {
  return `${type} ${name.length} ${latin1(name)}${latin1(desc)}`;
}

/** `owner "GNU", type 3, 20 bytes`. */
export function describeNote({ name, type, desc }: NoteContent): string {
  return `owner "${ownerOf(name)}", type ${type}, ${desc.length} bytes`;
}
