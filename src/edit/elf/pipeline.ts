/**
 * The pipeline as a list of passes: read → plan → layout → write → verify. Each arrow is a value; only the first and the
 * last two passes touch the disk.
 */
import { FileSource } from '../../base/bytes/file-source.js';
import type { Changed } from '../../base/bytes/shifted.js';
import { type ByteSource, RepairedSource, type Write } from '../../base/bytes/source.js';
import { fail } from '../../base/errors/patch-error.js';
import { endUnsigned } from '../../formats/elf/appended-signature.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { readElf } from '../../formats/elf/read.js';
import type { NoteContent } from '../../formats/note/record.js';
import { type Agreement, proveImage } from '../../verify/elf/proof.js';
import { changedInput } from '../../write/content.js';
import { deliver } from '../../write/deliver.js';
import { holds } from '../../write/holds.js';
import { expectationOf, stoppedBy } from './expectation.js';
import { overUndone } from './over-undone.js';
import { layOut } from './placement/lay-out.js';
import type { Layout, Refusal, Survival } from './placement/layout.js';
import type { PlacementInput } from './placement/placement-input.js';
import { resultOf, survivalOf } from './placement/survival.js';
import { isUpToDate } from './placement/up-to-date.js';
import { type Analysis, analyze } from './plan/analyze.js';
import { entryWarnings } from './plan/entry-warnings.js';
import { imageKind } from './plan/image-kind.js';
import { NO_OTHER_OWNERS, type OtherOwnersNotes, settleOtherOwners } from './plan/other-owners.js';
import {
  DEFAULT_PLACEMENT,
  type Edit,
  type ImageKind,
  isOtherOwnersEdit,
  type PlacementOptions,
  SURVIVORS,
  type SurvivorWish,
} from './plan/placement-options.js';
import { findRewriteTarget, type RewriteTarget } from './plan/rewrite-target.js';
import { wantedNotes } from './plan/wanted.js';
import { refuseByPreconditions } from './preconditions.js';
import { preview, type Rendered, render } from './render.js';

export { expectationOf };

/** Everything decided about an edit, before a byte is written. */
export interface PatchPlan {
  readonly image: ElfImage;
  readonly analysis: Analysis;
  /** The Xen notes that the result will have, in order. */
  readonly xenNotes: readonly NoteContent[];
  readonly target: RewriteTarget;
  /** What the image was taken for. */
  readonly kind: ImageKind;
  /** What becomes of notes of other owners. */
  readonly otherOwners: OtherOwnersNotes;
  /** Does the edit rewrite Xen's notes? If not, every loader has to see what it saw before. */
  readonly xenRewritten: boolean;
  /** Undefined: the image has the notes already and nothing is to be written. */
  readonly layout: Layout | undefined;
  readonly rendered: Rendered;
  /** Placements that were tried first and do not work, and why. */
  readonly refused: readonly Refusal[];
  readonly survives: readonly Survival[];
  readonly warnings: readonly string[];
}

/** Does the plan change a byte? */
export function changes(plan: PatchPlan): boolean {
  const { image, rendered } = plan;
  const isEdited = rendered.writes.length > 0 || rendered.copies !== undefined;
  return image.source instanceof RepairedSource || isEdited || rendered.fileSize !== image.source.size;
}

/**
 * Decides how to bring the wanted notes into an image. Writes nothing.
 * Errors: `plan.*`, `note.*` and `read.*`: the edit cannot be made, and why.
 */
export function planPatch(
  image: ElfImage,
  edits: readonly Edit[],
  options: PlacementOptions = DEFAULT_PLACEMENT,
): PatchPlan {
  const { plan, input } = planOver(image, edits, options);
  // One earlier edit is looked behind, not what that one may have been laid over: the work does not grow with what a file claims.
  return overUndone(plan, input, (...inner) => planOver(...inner).plan);
}

/** The plan over the notes as they stand, and what it was made of. */
function planOver(
  image: ElfImage,
  edits: readonly Edit[],
  options: PlacementOptions,
): { readonly plan: PatchPlan; readonly input: PlacementInput } {
  refuseByPreconditions(image, 'edit');
  const analysis = analyze(image);
  // From here on the image is known: what its bytes are used for, where its notes stand, where room is.
  const kind = imageKind(analysis, options.kind);
  const { target, otherOwners } = settleOtherOwners(analysis, edits, kind.kind);
  const wanted = wantedNotes(analysis, target, edits);
  // From here on the notes of the result are settled; only their place is open.
  const xenEdited = edits.length === 0 || edits.some((edit) => !isOtherOwnersEdit(edit));
  const rewrite = edits.some(({ kind }) => kind === 'rewrite' || kind === 'merge');
  const input: PlacementInput = {
    analysis,
    target,
    wanted: wanted.notes,
    otherOwners,
    xenEdited,
    rewrite,
    options,
    kind,
  };
  const homeRewritten = otherOwners.changed.size > 0 || otherOwners.added.length > 0;
  const xenRewritten = xenEdited || (homeRewritten && target.xen.length > 0);
  const settled = { image, analysis, target, kind: kind.kind, otherOwners, xenRewritten };
  if (isUpToDate(input)) {
    const rendered = unchangedFile(image);
    const xenNotes = wanted.notes.map(({ content }) => content);
    const asItIs = { ...settled, xenNotes, layout: undefined, rendered };
    if (stoppedBy(asItIs) === undefined) {
      const survives = survivalOf(image, image, told(options));
      return { plan: { ...asItIs, refused: [], survives, warnings: wanted.warnings }, input };
    }
  }
  const judge = (tried: Layout) =>
    stoppedBy({ ...settled, xenNotes: tried.xenNotes, layout: tried, rendered: render(image, tried) });
  const { layout, refused } = layOut(input, judge);
  const survives = survivalOf(resultOf(image, layout), image, told(options));
  // From here on no offset changes; rendering only finds out which bytes differ.
  const rendered = render(image, layout);
  const warnings = [
    ...wanted.warnings,
    ...entryWarnings(image, layout.xenNotes, target.xen),
    ...layout.warnings,
    ...trailingData(analysis, layout),
  ];
  const plan = { ...settled, xenNotes: layout.xenNotes, layout, rendered, refused, survives, warnings };
  return { plan, input };
}

/** What is said of later tools: of every one that is followed, and of the versions that were asked for. */
function told({ mustSurvive }: PlacementOptions): readonly SurvivorWish[] {
  return [...new Set([...SURVIVORS, ...mustSurvive])];
}

/** The plan that writes the image as it is; where it was read with bytes laid over it, those alone are written. */
export function planUnchanged(image: ElfImage): PatchPlan {
  refuseByPreconditions(image, 'any');
  const analysis = analyze(image);
  const target = findRewriteTarget(analysis);
  return {
    image,
    analysis,
    target,
    kind: imageKind(analysis).kind,
    otherOwners: NO_OTHER_OWNERS,
    xenRewritten: false,
    xenNotes: target.xen,
    layout: undefined,
    rendered: unchangedFile(image),
    refused: [],
    survives: [],
    warnings: [],
  };
}

function unchangedFile({ source }: ElfImage): Rendered {
  return { writes: [], shift: undefined, fileSize: source.size, planned: [] };
}

/** Bytes behind everything ELF knows of are found from outside, often from the end of the file. */
function trailingData(analysis: Analysis, layout: Layout): string[] {
  const behind = { start: analysis.usedEnd, end: analysis.fileSize };
  // Fewer bytes than a pointer are a tool's padding (mkelf32 leaves up to 4).
  if (behind.end - behind.start <= 8n || layout.fileSize <= analysis.fileSize || analysis.isZero(behind)) return [];
  const size = behind.end - behind.start;
  return [
    `${size} bytes behind the last section stay where they are, and new bytes go behind them: tools that locate data from the end of the file will not find it`,
  ];
}

/** Where a planned edit of an ELF image is written. */
export interface WriteOptions {
  /** Path of the input; it was opened through a FileSource. */
  readonly inputPath: string;
  /** Undefined: the input itself is changed. */
  readonly output: string | undefined;
  /** Nothing is written where the way of writing would mean something for others (`write.warned`). */
  readonly strict?: boolean | undefined;
  onProgress?: ((stage: 'copying' | 'comparing', done: bigint, total: bigint) => void) | undefined;
}

/** How an edit of an ELF image was written, after it was proved. */
export interface Written {
  /** `unchanged`: in place and nothing to do. `direct`: patched where it is. `clone`: written beside and renamed. */
  readonly how: 'unchanged' | 'direct' | 'clone';
  /** What the second reader (elfy) says of the result. */
  readonly secondReader: Agreement;
  /** What the way of writing means for others. */
  readonly warnings?: readonly string[];
}

/** Nothing was written: what is there is what was read. */
export const UNTOUCHED: Written = { how: 'unchanged', secondReader: { verdict: 'agrees', details: [] } };

/**
 * Writes the result and proves it: the new bytes are read back and judged before they take the target's place.
 * Errors: `write.*`, `read.changed`, and `verify.failed` (exit 1), after all of which the target is as it was.
 */
export async function writePatch(
  plan: PatchPlan,
  { inputPath, output, strict, onProgress }: WriteOptions,
): Promise<Written> {
  const source = fileBehind(plan);
  const told = (stage: 'copying' | 'comparing') =>
    onProgress && ((done: bigint, total: bigint) => onProgress(stage, done, total));
  // Bytes that the image was read with are headers: in use, wherever they are written.
  const inUse = plan.image.source === source ? plan.analysis.usedRanges : undefined;
  const { how, proof, warnings } = await deliver({
    source,
    inputPath,
    output,
    changes: changes(plan),
    strict,
    content: changedInput(source, inputPath, writesOver(plan), inUse, told('copying')),
    prove: (result, { before, mode }) =>
      proveImage({
        image: readElf(result),
        baseline: before === undefined ? plan.image : { ...plan.image, source: before },
        expectation: { ...expectationOf(plan), fileMode: mode },
        onProgress: told('comparing'),
      }),
  });
  return { how, secondReader: proof ?? UNTOUCHED.secondReader, warnings };
}

/** Judges a result as read back, against the image that the plan was made for. Errors: `verify.*`. */
export function provePatch(
  plan: PatchPlan,
  image: ElfImage,
  onProgress?: (done: bigint, total: bigint) => void,
): Promise<Agreement> {
  return proveImage({ image, baseline: plan.image, expectation: expectationOf(plan), onProgress });
}

/** An image without the signatures appended to it, and a warning; as it is where there are none. Errors: `plan.signed`. */
export function withoutSignature(image: ElfImage): { readonly image: ElfImage; readonly warnings: readonly string[] } {
  const { source } = image;
  const unsigned = endUnsigned(image);
  if ('why' in unsigned) fail('plan.signed', { file: source.name }, { end: source.size, why: unsigned.why });
  const size = source.size - unsigned.end;
  if (size === 0n) return { image, warnings: [] };
  const warning = `the appended signature (${size} bytes) is gone: sign the result again where a loader wants it signed`;
  return { image: { ...image, source: new RepairedSource(source, [], unsigned.end) }, warnings: [warning] };
}

/** The file that an image was read from; it may have been read with a few bytes laid over it, to be written as well. */
function fileBehind({ image: { source } }: PatchPlan): FileSource {
  let file = source;
  while (file instanceof RepairedSource) file = file.base;
  if (!(file instanceof FileSource)) throw new TypeError('writePatch needs an image that was read from a file');
  return file;
}

/** What is to be written over the file: the plan's writes over those that the image was read with. */
export function writesOver({ image: { source }, rendered }: PatchPlan): Changed {
  if (!(source instanceof RepairedSource)) return rendered;
  const laid: Write[] = [];
  for (let under: ByteSource = source; under instanceof RepairedSource; under = under.base)
    laid.unshift(...under.writes);
  return { ...rendered, writes: [...laid, ...rendered.writes], inputEnd: source.size };
}

/** Does a file hold the planned result already, byte for byte? False when there is none. */
export function sameAsPlanned(plan: PatchPlan, output: string): boolean {
  return holds(output, preview(plan.image, plan.rendered));
}
