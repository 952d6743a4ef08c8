/**
 * The pipeline as a list of passes: read → plan → layout → write → verify. Each arrow is a value; only the first and the
 * last two passes touch the disk.
 */
import { realpathSync, statSync } from 'node:fs';
import { rangeOf } from './bytes/range.js';
import { FileSource, OverlaySource, RepairedSource } from './bytes/source.js';
import type { ElfImage } from './elf/image.js';
import { readElf } from './elf/read.js';
import { fail } from './errors/patch-error.js';
import { alreadyThere, coveringNow } from './layout/already-there.js';
import type { Job } from './layout/job.js';
import { layOut } from './layout/lay-out.js';
import type { Layout, Refusal, Survival } from './layout/layout.js';
import { preview, type Rendered, render } from './layout/render.js';
import { survivalOf } from './layout/survival.js';
import { type NoteContent, ownerOf } from './note/record.js';
import { DEFAULT_WISH, type Edit, isForeignEdit, type PlacementWish } from './plan/edits.js';
import { entryWarnings } from './plan/entry-sense.js';
import { type ForeignNotes, NO_FOREIGN, settleForeign } from './plan/foreign.js';
import { findHome, type Home } from './plan/home.js';
import { refuseUnpatchable } from './plan/soundness.js';
import { type Facts, survey } from './plan/survey.js';
import { wantedNotes } from './plan/wanted.js';
import { newBlocks, sameStretch } from './verify/byte-comparison.js';
import type { Expectation } from './verify/finding.js';
import { secondReader } from './verify/second-reader.js';
import { verifyImage } from './verify/verify.js';
import { resolveTarget } from './write/beside.js';
import { planDirect, writeDirect } from './write/direct.js';
import { lock } from './write/lock.js';
import { attempt } from './write/system.js';

/** Everything decided about an edit, before a byte is written. */
export interface PatchPlan {
  readonly image: ElfImage;
  readonly facts: Facts;
  /** The Xen notes that the result will have, in order. */
  readonly xenNotes: readonly NoteContent[];
  readonly home: Home;
  /** What becomes of notes of other owners. */
  readonly foreign: ForeignNotes;
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
  return (
    image.source instanceof RepairedSource || rendered.writes.length > 0 || rendered.fileSize !== image.source.size
  );
}

/**
 * Decides how to bring the wanted notes into an image. Writes nothing.
 * Errors: `plan.*`, `note.*` and `read.*`: the edit cannot be made, and why.
 */
export function planPatch(image: ElfImage, edits: readonly Edit[], wish: PlacementWish = DEFAULT_WISH): PatchPlan {
  refuseUnpatchable(image);
  refuseUnsound(image);
  const facts = survey(image);
  // From here on the image is known: what its bytes are used for, where its notes stand, where room is.
  const { home, foreign } = settleForeign(facts, edits);
  const wanted = wantedNotes(facts, home, edits);
  // From here on the notes of the result are settled; only their place is open.
  const xenEdited = edits.length === 0 || edits.some((edit) => !isForeignEdit(edit));
  const rewrite = edits.some(({ kind }) => kind === 'rewrite' || kind === 'merge');
  const job: Job = { facts, home, wanted: wanted.notes, foreign, xenEdited, rewrite, wish };
  const homeRewritten = foreign.changed.size > 0 || foreign.added.length > 0;
  const xenRewritten = xenEdited || (homeRewritten && home.xen.length > 0);
  const settled = { image, facts, home, foreign, xenRewritten };
  if (alreadyThere(job)) {
    const rendered = { writes: [], shift: undefined, fileSize: image.source.size, planned: [] };
    const xenNotes = wanted.notes.map(({ content }) => content);
    const survives = survivalOf(image, coveringNow(job));
    return { ...settled, xenNotes, layout: undefined, rendered, refused: [], survives, warnings: wanted.warnings };
  }
  const { layout, refused, survives } = layOut(job);
  // From here on no offset changes; rendering only finds out which bytes differ.
  const rendered = render(image, layout);
  const warnings = [
    ...wanted.warnings,
    ...entryWarnings(image, layout.xenNotes, home.xen),
    ...layout.warnings,
    ...trailingData(facts, layout),
  ];
  return { ...settled, xenNotes: layout.xenNotes, layout, rendered, refused, survives, warnings };
}

/** The plan that writes the image as it is; where it was read with bytes laid over it, those alone are written. */
export function planUnchanged(image: ElfImage): PatchPlan {
  refuseUnsound(image);
  const facts = survey(image);
  const home = findHome(facts);
  return {
    image,
    facts,
    home,
    foreign: NO_FOREIGN,
    xenRewritten: false,
    xenNotes: home.xen,
    layout: undefined,
    rendered: { writes: [], shift: undefined, fileSize: image.source.size, planned: [] },
    refused: [],
    survives: [],
    warnings: [],
  };
}

/**
 * Headers that cannot be true are no ground to build on: loaders disagree about them, and no edit could be proved harmless.
 * What valid images break in practice (the verifier's warnings) is no obstacle.
 */
function refuseUnsound(image: ElfImage): void {
  const broken = verifyImage({ image }).find(({ level }) => level === 'error');
  if (broken !== undefined) fail('plan.unsound', broken.place, { what: broken.text, check: broken.check });
}

/** Bytes behind everything ELF knows of are found from outside, often from the end of the file. */
function trailingData(facts: Facts, layout: Layout): string[] {
  const behind = { start: facts.claimedEnd, end: facts.fileSize };
  // Fewer bytes than a pointer are a tool's padding (mkelf32 leaves up to 4).
  if (behind.end - behind.start <= 8n || layout.fileSize <= facts.fileSize || facts.isZero(behind)) return [];
  const size = behind.end - behind.start;
  return [
    `${size} bytes behind the last section stay where they are, and new bytes go behind them; whoever looks for them from the end of the file will not find them`,
  ];
}

/** What the plan means to change, as plain data for the verifier. */
export function expectationOf(plan: PatchPlan): Expectation {
  const { layout, rendered } = plan;
  return {
    xenNotes: plan.xenNotes,
    xenKept: !plan.xenRewritten,
    planned: rendered.planned,
    shift: rendered.shift,
    fileSize: rendered.fileSize,
    extendedLoad: layout?.extendedLoad,
    addedLoads: layout?.addedLoads ?? 0,
    replacedSegments: layout?.replacedSegments ?? [],
    touchedSections: layout?.touchedSections ?? [],
    foreignAdded: [...plan.foreign.fresh, ...promoted(plan)],
    foreignRemoved: plan.foreign.gone,
  };
}

/** Notes of other owners that only sections showed, in an area that becomes a segment. */
function promoted({ facts, layout, foreign, home }: PatchPlan): NoteContent[] {
  if (layout?.noteRange === undefined || home.segments.length > 0) return [];
  const shown = new Set(facts.areas.filter(({ kind }) => kind === 'segment').flatMap(({ walk }) => walk.records));
  return home.records.filter(
    (record) => ownerOf(record.name) !== 'Xen' && !shown.has(record) && !foreign.gone.includes(record),
  );
}

export interface WriteOptions {
  /** Path of the input; it was opened through a FileSource. */
  readonly inputPath: string;
  /** Undefined: the input itself is changed. */
  readonly output: string | undefined;
  onProgress?: ((stage: 'copying' | 'comparing', done: bigint, total: bigint) => void) | undefined;
}

export interface Written {
  /** `unchanged`: in place and nothing to do. `direct`: patched where it is. `clone`: written beside and renamed. */
  readonly how: 'unchanged' | 'direct' | 'clone';
  /** What the second reader (elfy) says of the result. */
  readonly secondReader: { readonly verdict: 'agrees' | 'cannot-read'; readonly details: readonly string[] };
  /** What the way of writing means for others. */
  readonly warnings?: readonly string[];
}

/**
 * Writes the result and proves it: the new bytes are read back and judged before they take the target's place.
 * Errors: `write.*`, `read.changed`, and `verify.failed` (exit 1), after all of which the target is as it was.
 */
export async function writePatch(plan: PatchPlan, options: WriteOptions): Promise<Written> {
  const source = fileBehind(plan);
  return options.output === undefined
    ? writeInPlace(plan, source, options)
    : writeOutput(plan, source, options, options.output);
}

/** The file that an image was read from; it may have been read with a few bytes laid over it, to be written as well. */
function fileBehind({ image: { source } }: PatchPlan): FileSource {
  const file = source instanceof RepairedSource ? source.base : source;
  if (!(file instanceof FileSource)) throw new TypeError('writePatch needs an image that was read from a file');
  return file;
}

/** What is to be written over the file: the plan's writes over those that the image was read with. */
function writesOver({ image: { source }, rendered }: PatchPlan): Rendered {
  if (!(source instanceof RepairedSource)) return rendered;
  const writes = [...source.writes, ...rendered.writes];
  const planned = [
    ...source.writes.map(({ offset, bytes }) => rangeOf(offset, BigInt(bytes.length))),
    ...rendered.planned,
  ];
  return { ...rendered, writes, planned };
}

/** Does a file hold the planned result already, byte for byte? False when there is none. */
export function sameAsPlanned(plan: PatchPlan, output: string): boolean {
  if (!statSync(output, { throwIfNoEntry: false })?.isFile()) return false;
  const there = FileSource.open(output);
  try {
    const { fileSize } = plan.rendered;
    const planned = { source: preview(plan.image, plan.rendered), offset: 0n };
    return (
      there.size === fileSize && sameStretch(planned, { source: there, offset: 0n }, fileSize, newBlocks(fileSize))
    );
  } finally {
    there.close();
  }
}

async function writeInPlace(plan: PatchPlan, source: FileSource, options: WriteOptions): Promise<Written> {
  if (!changes(plan)) return { how: 'unchanged', secondReader: { verdict: 'agrees', details: [] } };
  if ((source.stats.mode & 0o222) === 0) fail('write.read-only', { file: source.name }, {});
  const target = attempt(source.name, 'look at the file', () => realpathSync(options.inputPath));
  const unlock = lock(target, source.name);
  try {
    const laidOver = plan.image.source !== source;
    const direct = laidOver ? undefined : planDirect(source, plan.facts.claims, plan.rendered);
    if (direct === undefined) {
      const written = await clone(plan, source, options, target, source.name);
      const others = source.stats.nlink - 1;
      if (others < 1) return written;
      const names = others === 1 ? 'another name of the file (a hard link) leads' : `${others} other names lead`;
      return { ...written, warnings: [`a new file took its place; ${names} to the image as it was`] };
    }
    let opinion: Written['secondReader'] | undefined;
    await writeDirect(target, source, direct, plan.rendered.fileSize, async (replaced) => {
      // What is on disk now, with the one write that is still to come laid over it.
      const now = FileSource.open(target, source.name);
      try {
        const readBack = direct.early.map(({ offset, bytes }) => ({
          offset,
          bytes: now.read(offset, BigInt(bytes.length), 'bytes just written'),
        }));
        // Every other byte is the input's own: it is the same file, and nothing else was written.
        const before = new OverlaySource(source, replaced);
        const result = new OverlaySource(before, [...readBack, direct.commit], now.size);
        opinion = await prove(plan, { ...plan.image, source: before }, readElf(result), options);
      } finally {
        now.close();
      }
    });
    return { how: 'direct', secondReader: opinion ?? { verdict: 'agrees', details: [] } };
  } finally {
    unlock();
  }
}

async function writeOutput(
  plan: PatchPlan,
  source: FileSource,
  options: WriteOptions,
  output: string,
): Promise<Written> {
  const existing = attempt(output, 'look at the output', () => statSync(output, { throwIfNoEntry: false }));
  if (existing !== undefined && existing.ino === source.stats.ino && existing.dev === source.stats.dev) {
    fail('write.same-file', { file: output }, { input: source.name });
  }
  if (existing !== undefined && !existing.isFile()) {
    fail('write.not-a-file', { file: output }, { kind: existing.isDirectory() ? 'folder' : 'device or pipe' });
  }
  return clone(plan, source, options, resolveTarget(output), output);
}

async function clone(
  plan: PatchPlan,
  source: FileSource,
  options: WriteOptions,
  target: string,
  targetName: string,
): Promise<Written> {
  const { writeClone } = await import('./write/clone.js');
  const { onProgress } = options;
  let opinion: Written['secondReader'] | undefined;
  await writeClone(source, writesOver(plan), {
    inputPath: options.inputPath,
    target,
    targetName,
    onProgress: onProgress && ((done, total) => onProgress('copying', done, total)),
    check: async (path) => {
      const copy = FileSource.open(path, targetName);
      try {
        opinion = await prove(plan, plan.image, readElf(copy), options);
      } finally {
        copy.close();
      }
    },
  });
  return { how: 'clone', secondReader: opinion ?? { verdict: 'agrees', details: [] } };
}

/** Judges the result as read back, by our own laws and by the second reader. */
async function prove(
  plan: PatchPlan,
  baseline: ElfImage,
  image: ElfImage,
  { onProgress }: WriteOptions,
): Promise<Written['secondReader']> {
  const findings = verifyImage({
    image,
    baseline,
    expectation: expectationOf(plan),
    onProgress: onProgress && ((done, total) => onProgress('comparing', done, total)),
  }).filter(({ level }) => level === 'error');
  const [first] = findings;
  if (first !== undefined) {
    fail('verify.failed', first.place, { check: first.check, text: first.text, more: findings.length - 1 });
  }
  const opinion = await secondReader(image);
  if (opinion.verdict === 'differs') {
    fail('verify.second-reader', { file: image.source.name }, { details: opinion.details.join('; ') });
  }
  return { verdict: opinion.verdict, details: opinion.details };
}
