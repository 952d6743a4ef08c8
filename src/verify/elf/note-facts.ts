/** Facts about notes that several checks need. */
import { BLOCK } from '../../base/bytes/byte-comparison.js';
import { portOrNone } from '../../base/bytes/ports.js';
import { latin1 } from '../../base/bytes/text.js';
import { KEPT } from '../../formats/note/large-notes.js';
import { GNU, NEUTRAL_OWNER, NEUTRAL_TYPE, NT_GNU_BUILD_ID, XEN_ELFNOTE } from '../../formats/note/note-types.js';
import { descSize, isXens, type NoteContent, ownerOf } from '../../formats/note/record.js';

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
export function noteKey(note: NoteContent): string {
  const { name, type, desc, rest } = note;
  const key = `${type} ${name.length} ${latin1(name)}`;
  return rest === undefined && desc.length <= KEPT
    ? `${key}${latin1(desc)}`
    : `${key}${descSize(note)} ${digest(note)}`;
}

const digests = new WeakMap<NoteContent, string>();

/** A hash in place of a descriptor that is too large to be held. */
function digest(note: NoteContent): string {
  const known = digests.get(note);
  if (known !== undefined) return known;
  const { desc, rest } = note;
  const hash = portOrNone('newHasher')?.('sha256');
  // Without a hash it is the bytes themselves.
  let text = hash === undefined ? latin1(desc) : '';
  hash?.update(desc);
  const block = new Uint8Array(BLOCK);
  for (let at = 0n; rest !== undefined && at < rest.size; at += BigInt(BLOCK)) {
    const bytes = rest.size - at < BigInt(BLOCK) ? block.subarray(0, Number(rest.size - at)) : block;
    rest.source.readInto(rest.offset + at, bytes, 'descriptor');
    if (hash === undefined) text += latin1(bytes);
    else hash.update(bytes);
  }
  if (hash !== undefined) text = latin1(hash.digest());
  digests.set(note, text);
  return text;
}

/** A note as findings name it, `owner "GNU", type 3, 20 bytes`. */
export function describeNote(note: NoteContent): string {
  return `owner "${ownerOf(note.name)}", type ${note.type}, ${descSize(note)} bytes`;
}
