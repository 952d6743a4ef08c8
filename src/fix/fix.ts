/**
 * From what loaders say of an image to the smallest edit that makes them take it. Every edit is tried on the plan of the
 * result, which the loaders judge before a byte is written; none is kept that does not bring a loader further, and none
 * that loses one that took the image.
 */
import type { ByteSource } from '../bytes/source.js';
import type { ElfImage } from '../elf/image.js';
import { readElf } from '../elf/read.js';
import { fail, PatchError } from '../errors/patch-error.js';
import { preview } from '../layout/render.js';
import { judgeLoaders, lostLoaders } from '../loaders/loaders.js';
import { accepts, type Verdict } from '../loaders/rule.js';
import type { Wrapped } from '../loaders/wrapped.js';
import { NEWEST_XEN, type XenVersion } from '../loaders/xen-version.js';
import { walkAsXen } from '../note/loader-walks.js';
import { XEN_ELFNOTE } from '../note/note-types.js';
import { changes, type PatchPlan, planPatch, planUnchanged } from '../pipeline.js';
import { DEFAULT_WISH, type Edit, type PlacementWish } from '../plan/edits.js';
import { adviceOn, isAboutContainer } from './advice.js';
import { type Candidate, candidatesFor } from './candidates.js';
import { readRepaired } from './header-repair.js';

/** What is wrong for one loader, and what became of it. */
export interface Diagnosis {
  readonly loader: string;
  readonly before: Verdict;
  readonly after: Verdict;
  /** Where the loader does not take the result: what is in the way, or what only the kernel's builder can tell. */
  readonly advice: string | undefined;
}

export interface Fix {
  readonly image: ElfImage;
  readonly diagnoses: readonly Diagnosis[];
  /** Reasons and edits, in the order in which they apply; a repair of the headers first. */
  readonly steps: readonly Candidate[];
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
  /** What the image is in, and what the result will be in. */
  readonly before?: Wrapped | undefined;
  readonly after?: Wrapped | undefined;
}

const { ENTRY, VIRT_BASE, XEN_VERSION, LOADER, PHYS32_ENTRY } = XEN_ELFNOTE;
/** Any of these says that the image wants to be a PV guest. */
const PV_TYPES: readonly number[] = [ENTRY, VIRT_BASE, XEN_VERSION, LOADER];

/** The loaders that an image seems made for, by the notes it has. Errors: `fix.no-target`. */
export function targetsOf(image: ElfImage): string[] {
  const types = new Set(walkAsXen(image).notes.map(({ record }) => record.type));
  const pvh = types.has(PHYS32_ENTRY)
    ? ['xen-pvh', 'qemu-pvh', ...(image.encoding.bits === 64 ? ['linux-loader'] : [])]
    : [];
  const pv = PV_TYPES.some((type) => types.has(type)) ? ['xen-pv'] : [];
  if (pvh.length + pv.length === 0) fail('fix.no-target', { file: image.source.name }, {});
  return [...pv, ...pvh];
}

/**
 * Looks for the smallest edit after which all of `loaders` take the image (none named: those its notes are for). Writes
 * nothing. Errors: those of readElf, `fix.no-target`.
 */
export function findFix(
  source: ByteSource,
  loaders: readonly string[],
  wish: PlacementWish = DEFAULT_WISH,
  { xenVersion = NEWEST_XEN, before: wrapped, after }: Conditions = {},
): Fix {
  const { image, reason } = readRepaired(source);
  const names = loaders.length > 0 ? loaders : targetsOf(image);
  const before = judgeLoaders(source, { names, xenVersion, wrapped });
  const repair: Candidate[] =
    reason === undefined ? [] : [{ reason, words: ['(e_shoff, e_shnum and e_shstrndx set to 0)'], edits: [] }];
  const search = new Search(image, source, names, wish, { xenVersion, before: wrapped, after });
  const candidates = candidatesFor(image, names);
  const failed: string[] = [];
  let best = search.start(reason !== undefined);
  const chosen: Candidate[] = [];
  // One cure may open the way for another: as many rounds as there is progress.
  for (let progress = true; progress && best.score > 0; ) {
    progress = false;
    for (const candidate of candidates) {
      if (best.score === 0 || chosen.includes(candidate)) continue;
      const state = search.attempt([...chosen, candidate]);
      if (typeof state === 'string') failed.push(`${candidate.words.join(' ') || 'rewriting the notes'}: ${state}`);
      else if (state.score < best.score) {
        best = state;
        chosen.push(candidate);
        progress = true;
      }
    }
  }
  const needed = search.prune(chosen, best);
  return {
    image,
    diagnoses: before.map((verdict, i) => ({
      loader: verdict.loader,
      before: verdict,
      ...outcome(source, best.verdicts[i] ?? verdict, xenVersion),
    })),
    steps: [...repair, ...needed.steps],
    plan: needed.plan ?? (reason === undefined ? undefined : search.repairOnly()),
    cured: best.verdicts.every(accepts),
    failed: [...new Set(failed)],
  };
}

/** A cure that a refusing verdict names was among the edits tried, and did not help or cannot be made. */
function outcome(source: ByteSource, verdict: Verdict, xenVersion: XenVersion): Pick<Diagnosis, 'after' | 'advice'> {
  if (accepts(verdict)) return { after: verdict, advice: undefined };
  if (isAboutContainer(verdict.cure)) return { after: verdict, advice: verdict.cure };
  return { after: { ...verdict, cure: undefined }, advice: adviceOn(source, verdict, xenVersion) };
}

interface State {
  readonly plan: PatchPlan | undefined;
  readonly verdicts: readonly Verdict[];
  /** 0: every loader takes the image and has nothing to remark. */
  readonly score: number;
}

class Search {
  readonly #image: ElfImage;
  readonly #source: ByteSource;
  readonly #names: readonly string[];
  readonly #wish: PlacementWish;
  readonly #conditions: Conditions & { readonly xenVersion: XenVersion };

  constructor(
    image: ElfImage,
    source: ByteSource,
    names: readonly string[],
    wish: PlacementWish,
    conditions: Conditions & { readonly xenVersion: XenVersion },
  ) {
    this.#image = image;
    this.#source = source;
    this.#names = names;
    this.#wish = wish;
    this.#conditions = conditions;
  }

  /** The image as it is, its headers repaired. */
  start(repaired: boolean): State {
    const { xenVersion, before: wrapped } = this.#conditions;
    const subject = repaired ? this.#image.source : this.#source;
    const verdicts = judgeLoaders(subject, { names: this.#names, xenVersion, wrapped });
    return { plan: undefined, verdicts, score: scoreOf(verdicts) + oldForm(this.#image) };
  }

  /** The state after these edits, or why they cannot be made or must not. */
  attempt(candidates: readonly Candidate[]): State | string {
    try {
      const edits: Edit[] = candidates.flatMap((candidate) => [...candidate.edits]);
      const plan = planPatch(this.#image, edits, this.#wish);
      const result = preview(this.#image, plan.rendered);
      const { xenVersion, before } = this.#conditions;
      // A plan that changes nothing leaves the wrapper alone, too.
      const after = changes(plan) ? this.#conditions.after : before;
      const [lost] = lostLoaders(this.#source, result, { before, after });
      if (lost !== undefined) return `${lost.before.loader} would not take the image any more`;
      const verdicts = judgeLoaders(result, { names: this.#names, xenVersion, wrapped: after });
      return { plan, verdicts, score: scoreOf(verdicts) + oldForm(readElf(result)) };
    } catch (error) {
      if (error instanceof PatchError) return error.detail;
      throw error;
    }
  }

  /** Leaves out what is not needed for the same end. */
  prune(
    chosen: readonly Candidate[],
    { plan, score }: State,
  ): { steps: readonly Candidate[]; plan: PatchPlan | undefined } {
    let steps = chosen;
    let best = plan;
    for (const candidate of chosen) {
      const rest = steps.filter((step) => step !== candidate);
      if (rest.length === 0) continue;
      const state = this.attempt(rest);
      if (typeof state === 'string' || state.score > score) continue;
      steps = rest;
      best = state.plan;
    }
    return { steps, plan: best };
  }

  /** A plan that changes nothing but what reading the image repaired. */
  repairOnly(): PatchPlan {
    return planUnchanged(this.#image);
  }
}

/** The `__xen_guest` string alone is taken by PV loaders, for as long as they read it; notes are the form that all know. */
function oldForm(image: ElfImage): number {
  return walkAsXen(image).from === 'legacy' ? 1 : 0;
}

/** How far a loader is from taking the image: the rules that are left when it refuses, else what it remarks. */
function scoreOf(verdicts: readonly Verdict[]): number {
  return verdicts.reduce((sum, verdict) => {
    if (accepts(verdict)) return sum + verdict.warnings.length;
    const left = verdict.rules.filter(({ result }) => result === 'not-reached').length;
    return sum + 1000 + 10 * left;
  }, 0);
}
