/** Facts about notes that several checks need. */
import { latin1 } from '../../base/bytes/text.js';
import { GNU, NEUTRAL_OWNER, NEUTRAL_TYPE, NT_GNU_BUILD_ID, XEN_ELFNOTE } from '../../formats/note/note-types.js';
import { isXens, type NoteContent, ownerOf } from '../../formats/note/record.js';

/** Is it Xen's PHYS32_ENTRY? */
export function isPhysEntry(note: NoteContent): boolean {
  return note.type === XEN_ELFNOTE.PHYS32_ENTRY && isXens(note);
}

/** Is it the GNU build-id? */
export function isBuildId(note: NoteContent): boolean {
  return note.type === NT_GNU_BUILD_ID && ownerOf(note.name) === GNU;
}

/**
 * A neutral note: twelve zero bytes, which are padding, or one that was taken from its owner where its bytes had to
 * stay (its owner and type are then what no loader looks for).
 */
export function isNobodys({ name, type, desc }: NoteContent): boolean {
  return type === NEUTRAL_TYPE && (ownerOf(name) === NEUTRAL_OWNER || (name.length === 0 && desc.length === 0));
}

/** The same text for two notes exactly when they are the same note. */
export function noteKey({ name, type, desc }: NoteContent): string {
  return `${type} ${name.length} ${latin1(name)}${latin1(desc)}`;
}

/** `owner "GNU", type 3, 20 bytes`. */
export function describeNote({ name, type, desc }: NoteContent): string {
  return `owner "${ownerOf(name)}", type ${type}, ${desc.length} bytes`;
}
