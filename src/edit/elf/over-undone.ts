/**
 * An edit whose notes leave a place in memory that an earlier edit had made for them: the earlier one is taken back first, and
 * the notes are placed anew in the image of before. So a PT_LOAD does not stay longer for nothing, no second one is added beside
 * the first, and the undo of the last edit finds what was before all of them. Where that cannot be proved, the edit stays what it
 * was without this.
 */
import { normalize } from '../../base/bytes/range.js';
import { hex } from '../../base/errors/hex.js';
import { PatchError } from '../../base/errors/patch-error.js';
import type { Phdr } from '../../formats/elf/headers.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { PT_LOAD, PT_PHDR } from '../../formats/elf/names.js';
import { readElf } from '../../formats/elf/read.js';
import type { NoteArea } from '../../formats/note/areas.js';
import { isXens, type NoteContent, ownerOf, sameNote } from '../../formats/note/record.js';
import { stoppedBy } from './expectation.js';
import type { PatchPlan } from './pipeline.js';
import { formerNotes } from './placement/former-notes.js';
import { brokenLaw } from './placement/laws.js';
import type { Layout } from './placement/layout.js';
import { mergedNotes, onlyRemoves, type PlacementInput } from './placement/placement-input.js';
import { undo } from './placement/undo.js';
import { settleOtherOwners } from './plan/other-owners.js';
import { DEFAULT_PLACEMENT, type Edit, type PlacementName } from './plan/placement-options.js';
import { wantedNotes } from './plan/wanted.js';
import { preview, type Rendered, render, renderedOver } from './render.js';

/** Makes a plan for an image; the pipeline's own. */
export type Planner = (image: ElfImage, edits: readonly Edit[], options: PlacementInput['options']) => PatchPlan;

/** Placements that leave the old place behind. */
const LEAVES: ReadonlySet<PlacementName> = new Set(['append', 'extend', 'move-table', 'new-load', 'new-table']);
/** Notes in one place, of which each may be the first that an edit put there; more are not looked at one by one. */
const MOST_NOTES = 16;
/** Bytes that are laid over the input, of both edits together. */
const MOST_BYTES = 0x1000000n;

/** The same edit over what was before an earlier one; as it is where there was none, or nothing shows what was before. */
export function overUndone(plan: PatchPlan, input: PlacementInput, planner: Planner): PatchPlan {
  const { layout } = plan;
  const area = input.target.only;
  if (layout === undefined || area?.kind !== 'segment' || area.loaded === undefined) return plan;
  if (!LEAVES.has(layout.placement) || layout.noteRange?.start === area.range.start) return plan;
  const remains = onlyRemoves(input) ? [] : remainsOf(area);
  const asItIs = { ...plan, layout: { ...layout, stays: [...(layout.stays ?? []), ...remains] } };
  if (area.walk.records.length > MOST_NOTES) return asItIs;
  const notes = [...mergedNotes(input), ...input.otherOwners.overwritten.map(({ content }) => content)];
  for (let kept = area.walk.records.length - 1; kept >= 0; kept -= 1) {
    const undone = undoneTo(input, kept);
    if (undone === undefined) continue;
    const rest = area.walk.records.slice(0, kept);
    const base = readElf(preview(input.analysis.image, render(input.analysis.image, undone)));
    const over = granted(() => planner(base, editsFor(rest, notes), input.options));
    const both = over && composed(plan, undone, over);
    if (both !== undefined) return both;
  }
  return asItIs;
}

/** What is said where old notes stay in memory of which the last may be an edit's: compilers and linkers write GNU's. */
function remainsOf({ range, walk }: NoteArea): string[] {
  const last = walk.records.at(-1);
  if (last === undefined || LINKED.has(ownerOf(last.name))) return [];
  return [
    `the notes at ${hex(range.start)} stay in memory as they are: one that an earlier edit put there stays when it is removed`,
  ];
}

/** Owners of notes that tool chains put into programs. */
const LINKED: ReadonlySet<string> = new Set(['GNU', 'Go', 'stapsdt']);

/** The layout that takes back all notes of the area but the first ones, and memory or headers with them. */
function undoneTo(input: PlacementInput, kept: number): Layout | undefined {
  const { analysis, target, kind } = input;
  const { image } = analysis;
  const area = target.only;
  const gone = area?.walk.records.slice(kept) ?? [];
  const [first] = gone;
  // What stands elsewhere as well was carried along from there, and is nobody's to drop.
  if (area === undefined || first === undefined || formerNotes(analysis, area, [first]) !== undefined) return undefined;
  return granted(() => {
    const edits = gone.map(removalOf);
    const settled = settleOtherOwners(analysis, edits, kind.kind);
    if (settled.target.only !== area) return undefined;
    const wanted = wantedNotes(analysis, settled.target, edits).notes;
    const undone = undo({ ...input, ...settled, wanted, options: DEFAULT_PLACEMENT });
    if (undone === undefined || brokenLaw(image, undone) !== undefined) return undefined;
    // Without section headers, an old table alone shows that a PT_LOAD was added; one that grew shows by where its notes were.
    const isProved = image.sections.length > 0 || undone.header.e_phoff !== image.header.e_phoff;
    return undone.shrunkLoad !== undefined || (undone.addedLoads < 0 && isProved) ? undone : undefined;
  });
}

function removalOf({ name, type }: NoteContent): Edit {
  return isXens({ name }) ? { kind: 'unset', type } : { kind: 'drop-note', owner: ownerOf(name), type };
}

/** What makes these notes of those that are left. */
function editsFor(rest: readonly NoteContent[], notes: readonly NoteContent[]): Edit[] {
  const added = notes.filter((note) => !rest.some((there) => sameNote(there, note)));
  const isReplaced = (note: NoteContent) => added.some((one) => one.type === note.type && sameOwner(one, note));
  const removed = rest.filter((there) => !notes.some((note) => sameNote(there, note)) && !isReplaced(there));
  const xens = added.filter(isXens);
  return [
    ...removed.map(removalOf),
    ...(xens.length > 0 ? [{ kind: 'copy-from' as const, file: '', notes: xens }] : []),
    ...added.filter((note) => !isXens(note)).map((note) => ({ kind: 'put-note' as const, note })),
  ];
}

function sameOwner(a: NoteContent, b: NoteContent): boolean {
  return ownerOf(a.name) === ownerOf(b.name);
}

/** Both edits as one of the input; undefined where the verifier would not let it through. */
function composed(plan: PatchPlan, undone: Layout, over: PatchPlan): PatchPlan | undefined {
  const { image } = plan;
  if (over.layout === undefined || over.rendered.shift !== undefined || over.rendered.copies !== undefined)
    return undefined;
  const layout = layoutOfBoth(image, undone, over.layout);
  const rendered = renderedOfBoth(image, undone, over);
  if (rendered === undefined) return undefined;
  const both = { ...plan, xenNotes: layout.xenNotes, layout, rendered };
  if (stoppedBy(both) !== undefined) return undefined;
  const { refused, survives } = over;
  // What is said of values was said of the notes that were asked for, and of places by the plan that is taken.
  const placed = new Set(plan.layout?.warnings ?? []);
  const warnings = [...new Set([...plan.warnings.filter((warning) => !placed.has(warning)), ...over.warnings])];
  return { ...both, refused, survives, warnings };
}

function renderedOfBoth(image: ElfImage, undone: Layout, over: PatchPlan): Rendered | undefined {
  const planned = normalize([...render(image, undone).planned, ...over.rendered.planned]);
  if (planned.reduce((sum, { start, end }) => sum + end - start, 0n) > MOST_BYTES) return undefined;
  return renderedOver(image, preview(over.image, over.rendered), planned);
}

function layoutOfBoth(image: ElfImage, undone: Layout, over: Layout): Layout {
  const from = originsOf(undone.segments, image.segments);
  const extended = grownAgain(image, undone, over) ?? inInput(over.extendedLoad, from);
  const isSame = extended !== undefined && extended.index === undone.shrunkLoad?.index;
  const by = isSame ? extended.by - (undone.shrunkLoad?.by ?? 0n) : 0n;
  // Sections behind those of before are the edits', and get another meaning.
  const own = image.sections.flatMap((_, index) => (index < undone.sections.length ? [] : [index]));
  const replaced = over.replacedSegments.flatMap((index) => from[index] ?? []);
  return {
    ...over,
    summary: `${over.summary}; what an earlier edit had added for them is taken back`,
    extendedLoad: isSame ? (by > 0n ? { index: extended.index, by } : undefined) : extended,
    shrunkLoad: isSame ? (by < 0n ? { index: extended.index, by: -by } : undefined) : undone.shrunkLoad,
    addedLoads: undone.addedLoads + over.addedLoads,
    droppedSections: Math.max(0, image.sections.length - over.sections.length),
    freed: undone.freed,
    replacedSegments: [...new Set([...undone.replacedSegments, ...replaced])],
    touchedSections: [...new Set([...undone.touchedSections, ...over.touchedSections, ...own])],
  };
}

/** The PT_LOAD that the earlier edit had added, where this one adds it again at the same address, longer. */
function grownAgain(image: ElfImage, undone: Layout, over: Layout): Layout['extendedLoad'] {
  if (undone.addedLoads >= 0 || over.addedLoads <= 0) return undefined;
  const stay = new Set(undone.segments.map(placeOf));
  const index = image.segments.findIndex((s) => s.p_type === PT_LOAD && !stay.has(placeOf(s)));
  const was = image.segments[index];
  const is = was && over.segments.find((s) => placeOf(s) === placeOf(was));
  return was && is && is.p_filesz > was.p_filesz ? { index, by: is.p_filesz - was.p_filesz } : undefined;
}

function inInput(extended: Layout['extendedLoad'], from: readonly (number | undefined)[]): Layout['extendedLoad'] {
  const index = extended && from[extended.index];
  return index === undefined || extended === undefined ? undefined : { index, by: extended.by };
}

/** Which entry of a table each one of the table of before is. */
function originsOf(before: readonly Phdr[], now: readonly Phdr[]): (number | undefined)[] {
  let next = 0;
  return before.map((entry) => {
    const at = now.findIndex((other, index) => index >= next && placeOf(other) === placeOf(entry));
    if (at < 0) return undefined;
    next = at + 1;
    return at;
  });
}

function placeOf({ p_type, p_vaddr, p_paddr }: Phdr): string {
  return p_type === PT_PHDR ? 'table' : `${p_type} ${p_vaddr} ${p_paddr}`;
}

function granted<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    if (error instanceof PatchError) return undefined;
    throw error;
  }
}
