/**
 * Edits tried on the plan of the result: what the loaders say of it, before a byte is written. Nothing counts as better
 * that loses a loader which took the image.
 */
import type { ByteSource } from '../../base/bytes/source.js';
import { PatchError } from '../../base/errors/patch-error.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { readElf } from '../../formats/elf/read.js';
import type { Edit } from '../../formats/note/edits.js';
import type { AskedOptions } from '../../formats/note/line-options.js';
import { judgeLoaders, lostLoaders } from '../../loaders/loaders.js';
import { isOfFamily } from '../../loaders/names.js';
import { walkAsXen } from '../../loaders/read/loader-walks.js';
import { accepts, type Verdict } from '../../loaders/rule.js';
import type { Wrapped } from '../../loaders/wrapped.js';
import type { XenVersion } from '../../loaders/xen-version.js';
import { changes, type PatchPlan, planPatch } from '../elf/pipeline.js';
import type { PlacementOptions } from '../elf/plan/placement-options.js';
import { preview } from '../elf/render.js';
import type { Told } from './told.js';
import type { Way } from './way.js';

/** What is searched for, and from where. */
export interface Subject {
  /** The file as it was given, or the image in it. */
  readonly source: ByteSource;
  /** The same, read past what the headers have wrong. */
  readonly image: ElfImage;
  readonly names: readonly string[];
  readonly options: PlacementOptions;
  readonly xenVersion: XenVersion;
  /** Bytes of memory that the machine or guest has; undefined: DEFAULT_MEMORY. */
  readonly memory?: bigint | undefined;
  /** What the image is in. */
  readonly before: Wrapped | undefined;
  /** What was asked besides, which a command in an advice says again. */
  readonly line?: AskedOptions | undefined;
  readonly told: Told;
  /** What searches on the same image tried before. */
  readonly tries?: Tries | undefined;
}

/** The image after some edits. */
export interface State {
  /** Undefined: no edit was made. */
  readonly plan: PatchPlan | undefined;
  readonly verdicts: readonly Verdict[];
  /** 0: every loader takes the image and has nothing to remark. */
  readonly score: number;
}

/** Why edits cannot be made, or must not. */
export interface Failure {
  readonly text: string;
  readonly error: PatchError | undefined;
}

/** Is it a reason why edits cannot be made, and not a state? */
export function isFailure(state: State | Made | Failure): state is Failure {
  return 'text' in state;
}

/** The image without an edit, its headers repaired, in the wrapper that the way leaves to it. */
export function startOf(subject: Subject, way: Way): State | Failure {
  const { image, names, xenVersion, memory, before } = subject;
  const wrapped = way.alone ? way.after : before;
  const verdicts = judgeLoaders(image.source, { names, xenVersion, memory, wrapped });
  const failure = way.alone ? lossOf(subject, image.source, wrapped) : undefined;
  return failure ?? { plan: undefined, verdicts, score: scoreOf(verdicts, subject.told) + oldForm(image) };
}

/** The state after these edits, or why not. */
export function attempt(subject: Subject, way: Way, edits: readonly Edit[]): State | Failure {
  const { names, xenVersion, memory } = subject;
  if (edits.length === 0) return startOf(subject, way);
  const made = triedOnce(subject, way, edits);
  if (isFailure(made)) return made;
  const { plan, result, after, old } = made;
  return orFailure(() => {
    const verdicts = judgeLoaders(result, { names, xenVersion, memory, wrapped: after });
    if (makesPvGuest(subject, verdicts)) return { text: 'nothing in the image tells a PV entry', error: undefined };
    return { plan, verdicts, score: scoreOf(verdicts, subject.told) + old };
  });
}

/** What edits make of an image, whoever is asked about it. */
interface Made {
  readonly plan: PatchPlan;
  readonly result: ByteSource;
  readonly after: Wrapped | undefined;
  readonly old: number;
}

/** Edits that were tried on an image, for searches that follow each other: by the image, what wraps the result, and the edits. */
export type Tries = Map<ElfImage, Map<Wrapped | undefined, Map<string, Made | Failure>>>;

function triedOnce(subject: Subject, way: Way, edits: readonly Edit[]): Made | Failure {
  const { tries, image } = subject;
  if (tries === undefined) return make(subject, way, edits);
  const ofImage = tries.get(image) ?? new Map<Wrapped | undefined, Map<string, Made | Failure>>();
  const ofWrapper = ofImage.get(way.after) ?? new Map<string, Made | Failure>();
  const key = `${way.alone} ${JSON.stringify(edits, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))}`;
  const made = ofWrapper.get(key) ?? make(subject, way, edits);
  tries.set(image, ofImage.set(way.after, ofWrapper.set(key, made)));
  return made;
}

function make(subject: Subject, way: Way, edits: readonly Edit[]): Made | Failure {
  const { image, options, before } = subject;
  return orFailure(() => {
    const plan = planPatch(image, edits, options);
    const result = preview(image, plan.rendered);
    // A plan that changes nothing leaves the wrapper alone, too.
    const after = way.alone || changes(plan) ? way.after : before;
    return lossOf(subject, result, after) ?? { plan, result, after, old: oldForm(readElf(result)) };
  });
}

/** A refusal as a reason why the edits cannot be made. */
function orFailure<Result>(work: () => Result): Result | Failure {
  try {
    return work();
  } catch (error) {
    if (error instanceof PatchError) return { text: error.detail, error };
    throw error;
  }
}

function lossOf({ source, before }: Subject, result: ByteSource, after: Wrapped | undefined): Failure | undefined {
  const [lost] = lostLoaders(source, result, { before, after });
  if (lost === undefined) return undefined;
  return { text: `${lost.before.loader} would not take the image any more`, error: undefined };
}

/** The `__xen_guest` string alone is taken by PV loaders, for as long as they read it; notes are the form that all know. */
function oldForm(image: ElfImage): number {
  return walkAsXen(image).from === 'legacy' ? 1 : 0;
}

/** Would a PV loader take by these verdicts what it did not take, though nothing tells where a PV guest is entered? */
function makesPvGuest(
  { image, names, xenVersion, memory, before, told }: Subject,
  verdicts: readonly Verdict[],
): boolean {
  const taken = verdicts.filter((verdict) => isUntold(verdict, told) && accepts(verdict)).map(({ loader }) => loader);
  if (taken.length === 0) return false;
  const refused = judgeLoaders(image.source, { names, xenVersion, memory, wrapped: before }).filter(
    (each) => !accepts(each),
  );
  return refused.some(({ loader }) => taken.includes(loader));
}

/** Is it a PV loader's verdict on an image that does not tell to be a PV kernel? */
export function isUntold({ loader }: Verdict, told: Told): boolean {
  return !told.pv && isOfFamily(loader, 'pv');
}

/**
 * How far a loader is from taking the image: the rules that are left when it refuses, else what it remarks. Nobody is
 * brought nearer to entering a kernel where nothing tells that it can be.
 */
function scoreOf(verdicts: readonly Verdict[], told: Told): number {
  return verdicts.reduce((sum, verdict) => {
    if (isUntold(verdict, told)) return sum;
    if (accepts(verdict)) return sum + verdict.warnings.length;
    const left = verdict.rules.filter(({ result }) => result === 'not-reached').length;
    return sum + 1000 + 10 * left;
  }, 0);
}
