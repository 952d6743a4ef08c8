/**
 * From what loaders say of an image to the smallest edit that makes them take it. What a refusing rule names goes first,
 * then what the image itself tells; every edit is tried on the plan of the result, which the loaders judge before a byte is
 * written. None is kept that does not bring a loader further, and none that loses one that took the image.
 */
import type { ByteSource } from '../../base/bytes/source.js';
import { fail } from '../../base/errors/patch-error.js';
import type { ElfImage } from '../../formats/elf/image.js';
import type { Edit } from '../../formats/note/edits.js';
import type { ImageFix } from '../../formats/note/fix.js';
import type { AskedOptions } from '../../formats/note/line-options.js';
import { infoOf, type XenNoteName } from '../../formats/note/xen-notes.js';
import { type JudgeOptions, judgeLoaders } from '../../loaders/loaders.js';
import { guestLoaders, rowTargets } from '../../loaders/names.js';
import { walkAsXen } from '../../loaders/read/loader-walks.js';
import { accepts, type Verdict } from '../../loaders/rule.js';
import type { Wrapped } from '../../loaders/wrapped.js';
import { NEWEST_XEN, type XenVersion } from '../../loaders/xen-version.js';
import { type PatchPlan, planUnchanged } from '../elf/pipeline.js';
import { refuseTooManyHeaders } from '../elf/plan/most-headers.js';
import { DEFAULT_PLACEMENT, type PlacementOptions } from '../elf/plan/placement-options.js';
import { adviceOn, SIGN_AGAIN } from './advice.js';
import { type Candidate, candidatesFor, stepWords } from './candidates.js';
import { type Repaired, readRepaired, repaired } from './header-repair.js';
import { imageFix, ruleCandidates, sameEdit } from './rule-fix.js';
import { attempt, isFailure, type State, type Subject, startOf, type Tries } from './search.js';
import { type Told, toldBy } from './told.js';
import { BARE, isWay, type Way } from './way.js';

/** What is wrong for one loader, and what became of it. */
export interface Diagnosis {
  readonly loader: string;
  readonly before: Verdict;
  readonly after: Verdict;
  /** Where the loader does not take the result: what is in the way, or what only the kernel's builder can tell. */
  readonly advice: string | undefined;
}

/** The edits found for an image, with the verdicts of the loaders before and after them. */
export interface FoundFix {
  readonly image: ElfImage;
  /** What the image tells of its entries; nothing else is made up. */
  readonly told: Told;
  readonly diagnoses: readonly Diagnosis[];
  /** Reasons and edits, in the order in which they apply; a repair of the headers first, then the wrapper. */
  readonly steps: readonly Candidate[];
  /** All steps together. */
  readonly fix: ImageFix;
  /** Undefined: nothing is to be done, or nothing that would help is known. */
  readonly plan: PatchPlan | undefined;
  /** Do all loaders take the result? */
  readonly cured: boolean;
  /** Edits that would have been tried and why they cannot be made. */
  readonly failed: readonly string[];
}

/** Under what conditions loaders get the image. */
export interface Conditions {
  /** Default: the newest known. */
  readonly xenVersion?: XenVersion;
  /** Bytes of memory that the machine or guest has; default: 4 GiB. */
  readonly memory?: bigint | undefined;
  /** What the image is in. */
  readonly before?: Wrapped | undefined;
  /** How the result may be wrapped, best first; see waysFor(). Default: as the image is. */
  readonly ways?: readonly Way[] | undefined;
  /** What was asked besides, which a command in an advice says again. */
  readonly line?: AskedOptions | undefined;
  /** The image as readRepaired() has it, and what was tried on it: of one search for the next, with all else the same. */
  readonly shared?: SharedSearch | undefined;
}

/** What searches for several loaders on one file under the same conditions share. */
export interface SharedSearch {
  readonly read: Repaired;
  readonly tries: Tries;
}

/** Notes that only a PV guest has. */
const PV_NOTES: readonly XenNoteName[] = ['ENTRY', 'VIRT_BASE', 'XEN_VERSION', 'LOADER'];

/** The loaders that an image seems made for, by the notes it has. Errors: `fix.no-target`. */
export function targetsOf(image: ElfImage): string[] {
  const types = new Set(walkAsXen(image).notes.map(({ record }) => record.type));
  const has = (name: XenNoteName) => types.has(infoOf(name).type);
  const { bits } = image.encoding;
  const pvh = has('PHYS32_ENTRY') ? guestLoaders('pvh', bits) : [];
  const pv = PV_NOTES.some(has) && toldBy(image).pv ? guestLoaders('pv', bits) : [];
  if (pvh.length + pv.length === 0) fail('fix.no-target', { file: image.source.name }, {});
  return [...pv, ...pvh];
}

/**
 * Looks for the smallest edit after which all of `loaders` take the image (none named: those its notes are for). Writes
 * nothing. Errors: those of readElf, `fix.no-target`, `plan.too-many-headers`.
 */
export function findFix(
  source: ByteSource,
  loaders: readonly string[],
  options: PlacementOptions = DEFAULT_PLACEMENT,
  { xenVersion = NEWEST_XEN, memory, before: wrapped, ways, line, shared }: Conditions = {},
): FoundFix {
  const read = shared?.read ?? readRepaired(source);
  refuseTooManyHeaders(read.image);
  const names = loaders.length > 0 ? rowTargets(loaders) : targetsOf(read.image);
  const before = judgeLoaders(source, { names, xenVersion, memory, wrapped });
  const { image, steps: repairs } = repairedFor(read, { names, xenVersion, memory, wrapped });
  const subject = {
    source,
    image,
    names,
    options,
    xenVersion,
    memory,
    before: wrapped,
    line,
    told: toldBy(image),
    tries: shared?.tries,
  };
  const asItIs: Way = { ...BARE, after: wrapped };
  const possible = ways === undefined || ways.length === 0 ? [asItIs] : ways;
  const { way, best, steps, failed, cured } = bestWay(subject, before, possible);
  const wrapper = way.alone || steps.length > 0 ? way.wrapper : undefined;
  const all = [
    ...repairs,
    ...(wrapper === undefined ? [] : [{ reason: wrapperReason(before, way), edits: [], wrapper }]),
    ...steps,
  ];
  return {
    image,
    told: subject.told,
    diagnoses: before.map((verdict, i) => {
      const after = best.verdicts[i] ?? verdict;
      const mended = accepts(after);
      const advice = mended ? undefined : adviceOn(subject, after);
      return { loader: verdict.loader, before: verdict, after: mended ? after : { ...after, cure: undefined }, advice };
    }),
    steps: all,
    fix: {
      kind: 'image',
      edits: steps.flatMap(({ edits }) => edits),
      repairs: repairs.flatMap((step) => step.repairs ?? []),
      wrapper,
    },
    // Reading past a stale header and taking the image out of its wrapper are changes, too.
    plan: best.plan ?? (all.length === 0 ? undefined : planUnchanged(image)),
    cured,
    failed,
  };
}

/** The image after every repair of its headers that a refusing loader's rule names, each judged before the next. */
function repairedFor({ image: read, step }: Repaired, asked: JudgeOptions) {
  const steps = step === undefined ? [] : [step];
  let image = read;
  for (let more = true; more; ) {
    more = false;
    // In whatever it is wrapped now, a repair counts for the ways that take it out, too.
    const judged = [asked.wrapped, undefined].flatMap((wrapped) =>
      judgeLoaders(image.source, { ...asked, wrapped }).filter((verdict) => !accepts(verdict)),
    );
    for (const repair of judged.flatMap(({ cure }) => imageFix(cure)?.repairs ?? [])) {
      const next = steps.some(({ repairs }) => repairs?.some(({ kind }) => kind === repair.kind))
        ? undefined
        : repaired(image, repair);
      if (next?.step === undefined) continue;
      image = next.image;
      steps.push(next.step);
      more = true;
      break;
    }
  }
  return { image, steps };
}

function wrapperReason(before: readonly Verdict[], { alone }: Way): string {
  if (!alone) return SIGN_AGAIN;
  const refused = before.find((verdict) => !accepts(verdict));
  if (refused === undefined) return 'the kernel is to be taken out of its file';
  return `${refused.loader} does not take the kernel as it is wrapped: ${refused.reason ?? refused.message ?? ''}`;
}

/** What came of one way to wrap the result. */
interface Outcome {
  readonly way: Way;
  readonly best: State;
  readonly steps: readonly Candidate[];
  readonly failed: readonly string[];
  readonly cured: boolean;
}

/** The first way in which all loaders take the result, else the one in which most do. */
function bestWay(subject: Subject, before: readonly Verdict[], ways: readonly Way[]): Outcome {
  const wanted = before.flatMap(({ cure }) => imageFix(cure)?.wrapper ?? []);
  const named = (way: Way) => wanted.some((wrapper) => isWay(way, wrapper));
  let best: Outcome | undefined;
  for (const way of [...ways.filter(named), ...ways.filter((each) => !named(each))]) {
    const outcome = searchWay(subject, way);
    if (outcome?.cured === true) return outcome;
    if (outcome !== undefined && (best === undefined || outcome.best.score < best.best.score)) best = outcome;
  }
  return (
    best ?? { way: BARE, best: { plan: undefined, verdicts: before, score: 0 }, steps: [], failed: [], cured: false }
  );
}

/** Undefined: the way loses a loader before anything is edited. */
function searchWay(subject: Subject, way: Way): Outcome | undefined {
  const start = startOf(subject, way);
  if (isFailure(start)) return undefined;
  const candidates = candidatesFor(subject.image, subject.names, subject.told);
  const failed: string[] = [];
  const chosen: Candidate[] = [];
  let best: State = start;
  const take = (candidate: Candidate, isGood: (state: State) => boolean): string | undefined => {
    if (best.score === 0 || chosen.some((each) => sameStep(each, candidate))) return undefined;
    const state = attempt(subject, way, editsOf([...chosen, candidate]));
    if (isFailure(state)) return state.text;
    if (state.score < best.score && isGood(state)) {
      best = state;
      chosen.push(candidate);
    }
    return undefined;
  };
  const takeAny = (candidate: Candidate) => {
    const why = take(candidate, () => true);
    if (why !== undefined) failed.push(`${stepWords(candidate).join(' ') || 'rewriting the notes'}: ${why}`);
  };
  const named = () => ruleCandidates(subject.image, best.verdicts, candidates, subject.options);
  // A rule knows what it looks for: where its own edit is all that the loader wants, nothing smaller is looked for. A preset
  // sets whatever a kind of guest needs, and is the first choice only where there are no notes to mend.
  const bare = walkAsXen(subject.image).notes.length === 0;
  for (const { loader, candidate } of named()) {
    if (isPreset(candidate) && !bare) continue;
    take(candidate, ({ verdicts }) => verdicts.some((verdict) => verdict.loader === loader && accepts(verdict)));
  }
  // One edit may open the way for another: as many rounds as there is progress.
  for (let score = Number.POSITIVE_INFINITY; best.score > 0 && best.score < score; ) {
    score = best.score;
    for (const candidate of candidates) takeAny(candidate);
    for (const { candidate } of named()) take(candidate, () => true);
  }
  const needed = prune(subject, way, chosen, best);
  const cured = best.verdicts.every(accepts);
  return { way, best: needed.best, steps: needed.steps, failed: [...new Set(failed)], cured };
}

/** Leaves out what is not needed for the same end. */
function prune(subject: Subject, way: Way, chosen: readonly Candidate[], end: State) {
  let steps = chosen;
  let best = end;
  for (const candidate of chosen) {
    const rest = steps.filter((step) => step !== candidate);
    if (rest.length === 0) continue;
    const state = attempt(subject, way, editsOf(rest));
    if (isFailure(state) || state.score > end.score) continue;
    steps = rest;
    best = state;
  }
  return { steps, best };
}

function isPreset({ edits }: Candidate): boolean {
  return edits.some(({ kind }) => kind === 'preset');
}

function editsOf(candidates: readonly Candidate[]): Edit[] {
  return candidates.flatMap(({ edits }) => [...edits]);
}

function sameStep(a: Candidate, b: Candidate): boolean {
  if (a === b) return true;
  return (
    a.edits.length === b.edits.length &&
    a.edits.every((edit, i) => b.edits[i] !== undefined && sameEdit(edit, b.edits[i]))
  );
}
