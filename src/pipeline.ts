/**
 * The pipeline as a list of passes: read → plan → layout → write → verify. Each arrow is a value; only the first and the
 * last two passes touch the disk.
 */
import { realpathSync, statSync } from 'node:fs';
import { FileSource, OverlaySource } from './bytes/source.js';
import type { ElfImage } from './elf/image.js';
import { readElf } from './elf/read.js';
import { fail } from './errors/patch-error.js';
import { alreadyThere, coveringNow } from './layout/already-there.js';
import type { Job } from './layout/job.js';
import { layOut } from './layout/lay-out.js';
import type { Layout, Refusal, Survival } from './layout/layout.js';
import { survivalOf } from './layout/survival.js';
import type { NoteContent } from './note/record.js';
import { DEFAULT_WISH, type Edit, type PlacementWish } from './plan/edits.js';
import { findHome } from './plan/home.js';
import { refuseUnpatchable } from './plan/soundness.js';
import { type Facts, survey } from './plan/survey.js';
import { wantedNotes } from './plan/wanted.js';
import type { Expectation } from './verify/finding.js';
import { secondReader } from './verify/second-reader.js';
import { verifyImage } from './verify/verify.js';
import { resolveTarget } from './write/beside.js';
import { planDirect, writeDirect } from './write/direct.js';
import { lock } from './write/lock.js';
import { type Rendered, render } from './write/render.js';
import { attempt } from './write/system.js';

/** Everything decided about an edit, before a byte is written. */
export interface PatchPlan {
  readonly image: ElfImage;
  readonly facts: Facts;
  /** The Xen notes that the result will have, in order. */
  readonly xenNotes: readonly NoteContent[];
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
  return plan.rendered.writes.length > 0 || plan.rendered.fileSize !== plan.image.source.size;
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
  const home = findHome(facts);
  const wanted = wantedNotes(facts, home, edits);
  // From here on the notes of the result are settled; only their place is open.
  const job: Job = { facts, home, wanted: wanted.notes, wish };
  if (alreadyThere(job)) {
    const rendered = { writes: [], shift: undefined, fileSize: image.source.size, planned: [] };
    const xenNotes = wanted.notes.map(({ content }) => content);
    const survives = survivalOf(image, coveringNow(job));
    return { image, facts, xenNotes, layout: undefined, rendered, refused: [], survives, warnings: wanted.warnings };
  }
  const { layout, refused, survives } = layOut(job);
  // From here on no offset changes; rendering only finds out which bytes differ.
  const rendered = render(image, layout);
  const warnings = [...wanted.warnings, ...layout.warnings, ...trailingData(facts, layout)];
  return { image, facts, xenNotes: layout.xenNotes, layout, rendered, refused, survives, warnings };
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
    planned: rendered.planned,
    shift: rendered.shift,
    fileSize: rendered.fileSize,
    extendedLoad: layout?.extendedLoad,
    addedLoads: layout?.addedLoads ?? 0,
    replacedSegments: layout?.replacedSegments ?? [],
    touchedSections: layout?.touchedSections ?? [],
    foreignAdded: layout?.neutralized ?? [],
  };
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
  const source = plan.image.source;
  if (!(source instanceof FileSource)) throw new TypeError('writePatch needs an image that was read from a file');
  return options.output === undefined
    ? writeInPlace(plan, source, options)
    : writeOutput(plan, source, options, options.output);
}

async function writeInPlace(plan: PatchPlan, source: FileSource, options: WriteOptions): Promise<Written> {
  if (!changes(plan)) return { how: 'unchanged', secondReader: { verdict: 'agrees', details: [] } };
  if ((source.stats.mode & 0o222) === 0) fail('write.read-only', { file: source.name }, {});
  const target = attempt(source.name, 'look at the file', () => realpathSync(options.inputPath));
  const unlock = lock(target, source.name);
  try {
    const direct = planDirect(source, plan.facts.claims, plan.rendered);
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
  await writeClone(source, plan.rendered, {
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
