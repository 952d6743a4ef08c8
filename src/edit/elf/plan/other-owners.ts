/**
 * Edits of notes whose owner is not Xen: package metadata, build-ids, any other. A note is known by its owner and type;
 * it is replaced where it stands, and a new one joins Xen's notes behind them, because several loaders let the last
 * PT_NOTE decide and would not look into another.
 */
import { equalBytes } from '../../../base/bytes/text.js';
import { fail } from '../../../base/errors/patch-error.js';
import { distinctAreas, type NoteArea } from '../../../formats/note/areas.js';
import { XEN } from '../../../formats/note/note-types.js';
import { descSize, type NoteContent, type NoteRecord, ownerOf, sameNote } from '../../../formats/note/record.js';
import type { Analysis } from './analyze.js';
import { type Edit, type ImageKind, inOrder, isOtherOwnersEdit, type OtherOwnersEdit } from './placement-options.js';
import { findRewriteTarget, type RewriteTarget, targetAt, targetOfAll } from './rewrite-target.js';

/** What becomes of notes of other owners. */
export interface OtherOwnersNotes {
  /** Records of the rewrite target, by file offset, with what they become; undefined: dropped. */
  readonly changed: ReadonlyMap<bigint, NoteContent | undefined>;
  /** New ones, in order. */
  readonly added: readonly NoteContent[];
  /** Records whose descriptor is overwritten with as many bytes where it stands; nothing has to move for them. */
  readonly overwritten: readonly Replacement[];
  /** Notes that were there and will not be any more, and those that will be there instead or in addition. */
  readonly gone: readonly NoteContent[];
  readonly fresh: readonly NoteContent[];
}

/** No edit of a note of another owner than Xen. */
export const NO_OTHER_OWNERS: OtherOwnersNotes = {
  changed: new Map(),
  added: [],
  overwritten: [],
  gone: [],
  fresh: [],
};

interface Replacement {
  readonly record: NoteRecord;
  readonly content: NoteContent;
}

/** Are there any changes to make? */
export function changesForeign({ changed, added, overwritten }: OtherOwnersNotes): boolean {
  return changed.size > 0 || added.length > 0 || overwritten.length > 0;
}

/**
 * Settles which note area an edit is about and what becomes of other owners' notes.
 * Errors: `plan.notes-apart` when notes that change their size stand in several PT_NOTEs.
 */
export function settleOtherOwners(
  analysis: Analysis,
  edits: readonly Edit[],
  kind: ImageKind = 'kernel',
): { readonly target: RewriteTarget; readonly otherOwners: OtherOwnersNotes } {
  const asked = inOrder(edits).filter(isOtherOwnersEdit);
  if (asked.length === 0) {
    const merges = edits.some(({ kind }) => kind === 'merge');
    return { target: merges ? targetOfAll(analysis) : findRewriteTarget(analysis, kind), otherOwners: NO_OTHER_OWNERS };
  }
  const { changes, added } = applied(analysis, asked);
  const moving = changes.filter(({ record, content }) => content === undefined || !sameShape(record, content));
  const target = homeOf(analysis, moving, asked.length < edits.length, kind);
  const inHome = new Set(target.records.map(({ offset }) => offset));
  const stays = moving.length === 0 && added.length === 0 && asked.length === edits.length;
  const changed = new Map<bigint, NoteContent | undefined>();
  const overwritten: Replacement[] = [];
  for (const { record, content } of changes) {
    if (content !== undefined && sameShape(record, content) && (stays || !inHome.has(record.offset))) {
      overwritten.push({ record, content });
    } else changed.set(record.offset, content);
  }
  const fresh = [...changes.flatMap(({ content }) => (content === undefined ? [] : [content])), ...added];
  return { target, otherOwners: { changed, added, overwritten, gone: changes.map(({ record }) => record), fresh } };
}

interface Change {
  readonly record: NoteRecord;
  readonly content: NoteContent | undefined;
}

/**
 * Applies the edits in order. A note put down replaces the one of its owner and type, and copies of it go; where several say
 * different things, nothing tells which is meant. Errors: `plan.which-note`.
 */
function applied(
  analysis: Analysis,
  edits: readonly OtherOwnersEdit[],
): { readonly changes: readonly Change[]; readonly added: readonly NoteContent[] } {
  const known = recordsByKey(analysis);
  const wanted = new Map<string, NoteContent | undefined>();
  const dropped = new Set<string>();
  for (const edit of edits) {
    if (edit.kind === 'add-note') continue;
    if (edit.kind === 'drop-note') {
      dropped.add(keyOf(edit.owner, edit.type));
      wanted.set(keyOf(edit.owner, edit.type), undefined);
    } else wanted.set(keyOf(ownerOf(edit.note.name), edit.note.type), edit.note);
  }
  const changes: Change[] = [];
  const added: NoteContent[] = [];
  for (const [key, note] of wanted) {
    const [first, ...others] = known.get(key) ?? [];
    if (first === undefined) {
      if (note !== undefined) added.push(note);
      continue;
    }
    if (note !== undefined && !dropped.has(key) && others.some((other) => !sameNote(first, other))) {
      const context = { owner: ownerOf(note.name), type: note.type, count: others.length + 1 };
      fail('plan.which-note', { file: analysis.image.source.name }, context);
    }
    if (note === undefined || !sameNote(first, note)) changes.push({ record: first, content: note });
    for (const record of others) changes.push({ record, content: undefined });
  }
  for (const edit of edits) {
    if (edit.kind !== 'add-note') continue;
    const there = known.get(keyOf(ownerOf(edit.note.name), edit.note.type)) ?? [];
    if (!there.some((record) => sameNote(record, edit.note))) added.push(edit.note);
  }
  return { changes, added };
}

function keyOf(owner: string, type: number): string {
  return `${type} ${owner}`;
}

/**
 * The notes of other owners as segments show them. Those that only sections show are taken where no segment has the like:
 * a section may describe a loaded copy that no reader uses any more.
 */
function recordsByKey({ areas }: Analysis): ReadonlyMap<string, readonly NoteRecord[]> {
  const records = new Map<string, NoteRecord[]>();
  for (const kind of ['segment', 'section'] as const) {
    const found = new Map<string, Map<bigint, NoteRecord>>();
    for (const walk of distinctAreas(areas, kind).map((area) => area.walk)) {
      for (const record of walk.records) {
        const owner = ownerOf(record.name);
        if (owner === XEN) continue;
        const key = keyOf(owner, record.type);
        const same = found.get(key);
        if (same === undefined) found.set(key, new Map([[record.offset, record]]));
        else same.set(record.offset, record);
      }
    }
    for (const [key, same] of found) if (!records.has(key)) records.set(key, [...same.values()]);
  }
  return records;
}

/** The notes of an owner and type, as edits find them. */
export function foreignNotes(analysis: Analysis, owner: string, type: number): readonly NoteRecord[] {
  return recordsByKey(analysis).get(keyOf(owner, type)) ?? [];
}

/** Can the new descriptor be written over the old one, with nothing else changed? */
function sameShape(record: NoteRecord, content: NoteContent): boolean {
  return equalBytes(record.name, content.name) && descSize(record) === descSize(content);
}

/** The area that has to be rewritten: Xen's, unless notes that change their size stand elsewhere. */
function homeOf(analysis: Analysis, moving: readonly Change[], xenEdited: boolean, kind: ImageKind): RewriteTarget {
  const usual = findRewriteTarget(analysis, kind);
  const inUsual = new Set(usual.records.map(({ offset }) => offset));
  const outside = moving.filter(({ record }) => !inUsual.has(record.offset));
  if (outside.length === 0) return usual;
  const areas = new Set(outside.map(({ record }) => areaOf(analysis, record)));
  const [area] = areas;
  if (xenEdited || areas.size > 1 || outside.length < moving.length || area === undefined) {
    const names = [...areas].map((a) => a?.name ?? 'no area').join(', ');
    fail('plan.notes-apart', { file: analysis.image.source.name }, { names });
  }
  return targetAt(analysis, area);
}

function areaOf(analysis: Analysis, { offset }: NoteRecord): NoteArea | undefined {
  return distinctAreas(analysis.areas).find(({ walk }) => walk.records.some((record) => record.offset === offset));
}
