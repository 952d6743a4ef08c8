/**
 * Stamps: notes that say where an image came from, put where no loader that accepted the image stops doing so. They join
 * Xen's notes behind them, in the same PT_NOTE; the machinery is that of `patch`.
 */
import { equalBytes } from '../../base/bytes/text.js';
import { fail } from '../../base/errors/patch-error.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { readElf } from '../../formats/elf/read.js';
import { FDO, FDO_PACKAGING_METADATA, GNU, NT_GNU_BUILD_ID } from '../../formats/note/note-types.js';
import { type NoteContent, ownerOf } from '../../formats/note/record.js';
import { lostLoaders } from '../../loaders/loaders.js';
import { changes, type PatchPlan, planPatch } from '../elf/pipeline.js';
import { analyze } from '../elf/plan/analyze.js';
import { foreignNotes } from '../elf/plan/other-owners.js';
import { DEFAULT_PLACEMENT, type Edit, type PlacementOptions } from '../elf/plan/placement-options.js';
import { preview } from '../elf/render.js';
import { ALGORITHMS, type BuildIdWish, buildIdNote, computeBuildId } from './build-id.js';
import type { NoteKey } from './note-words.js';
import { descriptorProblem, type Metadata, metadataNote, metadataText, parseMetadata } from './package-metadata.js';

/** The stamps that a command line asks for. */
export interface StampWish {
  /** The whole object; undefined leaves the one that is there. */
  readonly metadata: Metadata | undefined;
  /** Members put into the object, over those that are there. */
  readonly members: Metadata;
  readonly buildId: BuildIdWish | undefined;
  readonly notes: readonly NoteContent[];
  /** Put beside those of their owner and type. */
  readonly add?: readonly NoteContent[] | undefined;
  readonly remove: readonly NoteKey[];
  readonly placement: Partial<PlacementOptions>;
}

/** Is anything to be written at all? */
export function asksForEdits({ metadata, members, buildId, notes, add = [], remove }: StampWish): boolean {
  const writesId = buildId !== undefined && buildId.kind !== 'keep';
  const counts = [Object.keys(members).length, notes.length, add.length, remove.length];
  return metadata !== undefined || writesId || counts.some((count) => count > 0);
}

/**
 * Decides how to stamp an image. Writes nothing.
 * Errors: `stamp.*`, and those of planPatch.
 */
export function planStamp(image: ElfImage, options: StampWish): PatchPlan {
  const plan = planStamps(image, options);
  // What execve starts is nobody's kernel, even where a loader would put it into memory without a word.
  const [lost] =
    plan.kind === 'kernel' && changes(plan) ? lostLoaders(image.source, preview(image, plan.rendered)) : [];
  if (lost !== undefined) {
    const { loader } = lost.before;
    fail(
      'stamp.loses-loader',
      { file: image.source.name },
      { loader, message: lost.after.message ?? lost.after.outcome },
    );
  }
  return plan;
}

function planStamps(image: ElfImage, options: StampWish): PatchPlan {
  const analysis = analyze(image);
  const present = (owner: string, type: number) => foreignNotes(analysis, owner, type);
  const place = { file: image.source.name };
  const edits: Edit[] = [
    ...options.remove.map((key): Edit => ({ kind: 'drop-note', ...key })),
    ...options.notes.map((note): Edit => ({ kind: 'put-note', note })),
    ...(options.add ?? []).map((note): Edit => ({ kind: 'add-note', note })),
  ];
  const members = Object.keys(options.members).length > 0;
  if (options.metadata !== undefined || members) {
    const before = options.metadata ?? metadataOf(present(FDO, FDO_PACKAGING_METADATA), place.file);
    edits.push({ kind: 'put-note', note: metadataNote({ ...before, ...options.members }) });
  }
  // Behind Xen's notes package metadata have a section of their own all the same (edit/elf/placement/package-part.ts).
  const section =
    analysis.xen.notes.length > 0
      ? DEFAULT_PLACEMENT.section
      : members || options.metadata
        ? '.note.package'
        : '.note.stamp';
  const placement: PlacementOptions = { ...DEFAULT_PLACEMENT, section, ...options.placement };
  const plan = (id?: Uint8Array) =>
    planPatch(image, id === undefined ? edits : [...edits, { kind: 'put-note', note: buildIdNote(id) }], placement);

  const ids = present(GNU, NT_GNU_BUILD_ID);
  switch (options.buildId?.kind) {
    case undefined:
      return plan();
    case 'keep':
      if (ids.length === 0) fail('stamp.no-build-id', place, {});
      return plan();
    case 'set':
      return plan(options.buildId.id);
    case 'compute': {
      const { algorithm } = options.buildId;
      const size = ALGORITHMS[algorithm];
      const old = ids[0]?.desc;
      // The id is that of the result; it does not depend on its own bytes, so any of the same length will do to lay out.
      const draft = old?.length === size ? old : new Uint8Array(size);
      const first = plan(draft);
      const id = computeBuildId(readElf(preview(image, first.rendered)), algorithm);
      return equalBytes(id, draft) ? first : plan(id);
    }
  }
}

function metadataOf(notes: readonly NoteContent[], file: string): Metadata {
  const [note] = notes;
  if (note === undefined) return {};
  return parseMetadata(metadataText(note.desc) ?? '', { file, part: 'package metadata' });
}

/** A stamp as it stands in an image. */
export interface Stamp {
  readonly owner: string;
  readonly type: number;
  readonly desc: Uint8Array;
  /** The JSON text of package metadata. */
  readonly text: string | undefined;
  /** What is wrong with it. */
  readonly problem: string | undefined;
}

/** Package metadata and build-ids of an image, as systemd and others would find them. Errors: those of noteAreas. */
export function stampsOf(image: ElfImage): readonly Stamp[] {
  const analysis = analyze(image);
  return [...foreignNotes(analysis, FDO, FDO_PACKAGING_METADATA), ...foreignNotes(analysis, GNU, NT_GNU_BUILD_ID)].map(
    ({ name, type, desc }) => {
      const owner = ownerOf(name);
      const metadata = type === FDO_PACKAGING_METADATA;
      return {
        owner,
        type,
        desc,
        text: metadata ? metadataText(desc) : undefined,
        problem: metadata ? descriptorProblem(desc) : undefined,
      };
    },
  );
}
