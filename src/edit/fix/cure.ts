/**
 * The fix that a verdict names, tried before it is printed: what `fix` would do for that loader. A loader's rule
 * knows what it looks for; whether this image can be brought there only the plan of the result can tell.
 */
import { type ByteSource, fits } from '../../base/bytes/source.js';
import { PatchError } from '../../base/errors/patch-error.js';
import { Ehdr, EI_NIDENT, Phdr } from '../../formats/elf/headers.js';
import { EI_CLASS, EI_DATA, ELFCLASS64, ELFDATA2MSB } from '../../formats/elf/names.js';
import { isEmptyFix } from '../../formats/note/fix.js';
import type { AskedOptions } from '../../formats/note/line-options.js';
import { decodeAt, hasElfMagic, laxIdent } from '../../loaders/read/lenient-elf.js';
import { accepts, type Verdict } from '../../loaders/rule.js';
import type { Wrapped } from '../../loaders/wrapped.js';
import { NEWEST_XEN, type XenVersion } from '../../loaders/xen-version.js';
import { MOST_HEADERS } from '../elf/plan/most-headers.js';
import { DEFAULT_PLACEMENT } from '../elf/plan/placement-options.js';
import { adviceFor, adviceOn, SIGN_AGAIN } from './advice.js';
import { type FoundFix, findFix, type SharedSearch } from './fix.js';
import { readRepaired } from './header-repair.js';
import { imageFix } from './rule-fix.js';
import { attempt, isFailure, isUntold, type Subject } from './search.js';
import { toldBy } from './told.js';
import { BARE, isWay, type Way } from './way.js';

/** A verdict whose cure was tried on the image: it works, or it is not there. */
export interface ProvedVerdict extends Verdict {
  /** What is in the way, or what only its builder can tell, where no edit is known; what is left to do after a cure. */
  readonly advice?: string | undefined;
}

/** Where the image stands, and how the result may be wrapped. */
export interface ProofConditions {
  readonly xenVersion?: XenVersion;
  readonly memory?: bigint | undefined;
  /** What the image came out of. */
  readonly wrapped?: Wrapped | undefined;
  /** Default: a wrapped image stays in its wrapper. */
  readonly ways?: readonly Way[] | undefined;
  /** What was asked besides, which a command in an advice says again. */
  readonly line?: AskedOptions | undefined;
  /** Are warnings a no? Then an edit counts only if it leaves none. */
  readonly strict?: boolean | undefined;
  /** From startSearch(), for several verdicts on one file under the same conditions. */
  readonly shared?: SharedSearch | undefined;
}

/** What the proofs of several verdicts on one file share; undefined where the file cannot be read. */
export function startSearch(source: ByteSource): SharedSearch | undefined {
  // Of so many headers no edit is looked for.
  if (programHeaders(source) > MOST_HEADERS) return undefined;
  try {
    return { read: readRepaired(source), tries: new Map() };
  } catch (error) {
    if (error instanceof PatchError) return undefined;
    throw error;
  }
}

/**
 * The verdict with the fix that findFix() finds for its loader, which was seen to work; else none, and the reason. Warnings
 * keep theirs only where they go away by it. Writes nothing.
 */
export function proveCure(
  source: ByteSource,
  verdict: Verdict,
  { xenVersion = NEWEST_XEN, memory, wrapped, ways, line, strict = false, shared }: ProofConditions = {},
): ProvedVerdict {
  // PE images, which are no concern of an edit of notes: pe-advice.ts.
  if (verdict.cure?.kind === 'linearize') return verdict;
  const headers = programHeaders(source);
  if (headers > MOST_HEADERS) {
    return unproved(verdict, `found ${headers} program headers, wanted at most ${MOST_HEADERS}`);
  }
  if (wrapped !== undefined && source.size > MOST_UNPACKED) {
    return unproved(verdict, `found ${source.size} bytes packed, wanted at most ${MOST_UNPACKED}`);
  }
  const conditions = { xenVersion, memory, before: wrapped, ways, line, shared };
  // The same release judges the result.
  const target = `${verdict.loader}@${verdict.version}`;
  const named = { names: [target], options: DEFAULT_PLACEMENT, xenVersion, memory, before: wrapped, line };
  if (accepts(verdict) && !(strict && verdict.warnings.length > 0)) {
    const subject = verdict.warnings.some(({ cure }) => cure !== undefined) ? subjectOf(source, named) : undefined;
    const warnings = verdict.warnings.map((warning) => {
      const gone = subject !== undefined && endsWarning(subject, warning, ways ?? [{ ...BARE, after: wrapped }]);
      return gone ? warning : { ...warning, cure: undefined };
    });
    return { ...verdict, warnings };
  }
  // What a loader remarks on its way to a refusal is mended with the refusal, or not at all.
  const warnings = withoutCures(verdict);
  const found = fixFor(source, target, conditions);
  if ('error' in found) {
    const [left] = verdict.warnings;
    if (accepts(verdict)) return { ...verdict, warnings, advice: left && leftWarning(left) };
    const advice = adviceFor({ source, before: wrapped, line }, verdict, found.error);
    return { ...verdict, warnings, cure: undefined, advice };
  }
  const [left] = strict ? found.diagnoses.flatMap(({ after }) => after.warnings) : [];
  if (found.cured && left !== undefined) return { ...verdict, warnings, cure: undefined, advice: leftWarning(left) };
  if (found.cured && !isEmptyFix(found.fix)) {
    const advice = found.fix.wrapper?.stripSignature === true ? SIGN_AGAIN : undefined;
    return { ...verdict, warnings, cure: found.fix, advice };
  }
  const [diagnosis] = found.diagnoses;
  const advice = diagnosis?.advice ?? adviceOn({ ...named, source, image: found.image, told: found.told }, verdict);
  return { ...verdict, warnings, cure: undefined, advice };
}

/** What a kernel unpacks to, where an edit is looked for: each that is tried is packed again. Real ones stay below 100 MiB. */
export const MOST_UNPACKED = 256n << 20n;

/** How many a file has, by its header; of a table that is not in it, none. */
export function programHeaders(source: ByteSource): number {
  const bits = laxIdent(source)[EI_CLASS] === ELFCLASS64 ? 64 : 32;
  const endian = laxIdent(source)[EI_DATA] === ELFDATA2MSB ? 'big' : 'little';
  if (!hasElfMagic(source)) return 0;
  const { e_phnum, e_phoff } = decodeAt(source, BigInt(EI_NIDENT), Ehdr, { bits, endian });
  return fits(e_phoff, BigInt(e_phnum * Phdr.size({ bits, endian })), source.size) ? e_phnum : 0;
}

/** An image that fix() does not look at has no cure that was seen to work. */
function unproved(verdict: Verdict, because: string): ProvedVerdict {
  const advice = `no edit is looked for: ${because}`;
  return {
    ...verdict,
    warnings: withoutCures(verdict),
    cure: undefined,
    advice: accepts(verdict) ? undefined : advice,
  };
}

/** Where a warning is a no, an edit that leaves one is none. */
function leftWarning({ text }: Verdict['warnings'][number]): string {
  return `no edit is known that leaves no warning, which --strict wants: ${text}`;
}

function withoutCures({ warnings }: Verdict): Verdict['warnings'] {
  return warnings.map((warning) => ({ ...warning, cure: undefined }));
}

/** Is the loader's remark gone after the fix that comes with it? */
function endsWarning(subject: Subject, { rule, cure }: Verdict['warnings'][number], ways: readonly Way[]): boolean {
  const fix = imageFix(cure);
  if (fix === undefined) return false;
  const { wrapper } = fix;
  const way = wrapper === undefined ? ways[0] : ways.find((each) => isWay(each, wrapper));
  if (way === undefined) return false;
  const after = attempt(subject, way, fix.edits);
  if (isFailure(after) || after.verdicts.some((each) => isUntold(each, subject.told))) return false;
  return after.verdicts.every((each) => accepts(each) && each.warnings.every((warning) => warning.rule !== rule));
}

/** What a search starts from; undefined where the image cannot be read. */
export function subjectOf(source: ByteSource, named: Omit<Subject, 'source' | 'image' | 'told'>): Subject | undefined {
  try {
    const { image } = readRepaired(source);
    return { ...named, source, image, told: toldBy(image) };
  } catch (error) {
    if (error instanceof PatchError) return undefined;
    throw error;
  }
}

function fixFor(
  source: ByteSource,
  loader: string,
  conditions: Parameters<typeof findFix>[3],
): FoundFix | { readonly error: PatchError } {
  try {
    return findFix(source, [loader], undefined, conditions);
  } catch (error) {
    if (error instanceof PatchError) return { error };
    throw error;
  }
}
