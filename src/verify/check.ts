/**
 * The engine of every verifier: how a check is declared, what it is asked about, and how all that breaks it becomes
 * findings. ELF images, PE images and containers bring a table of checks and the parts to look at, and nothing else.
 */
import { compare } from '../base/bytes/range.js';
import { PatchError, type Place } from '../base/errors/patch-error.js';

/**
 * error: the file is wrong. warning: breaks the format but occurs in files that boot, or was there before the edit.
 * advice: nothing that boots breaks by it.
 */
export type Level = 'error' | 'warning' | 'advice';

/** One place where a check does not hold. The check's name and reason are added by the engine. */
export interface Violation {
  readonly offset?: bigint | undefined;
  readonly part?: string | undefined;
  readonly text: string;
  /** Where it differs from the check's own level. */
  readonly level?: Level | undefined;
}

/** A violation that can be recognized again in another version of the file, wherever it then stands. */
export interface KeyedViolation extends Violation {
  readonly key: string;
}

interface Row {
  /** Stable; users and tests name it. */
  readonly name: string;
  /** Who is hurt when it does not hold. */
  readonly because: string;
  /** An error when left out. */
  readonly level?: Level;
}

/** A check of one file by itself. */
export interface ImageCheck<Image> extends Row {
  readonly needs: 'image';
  run(image: Image): Iterable<Violation>;
}

/**
 * About one file, and files in daily use break it. Alone a violation is a warning; with a baseline it is an error unless
 * the baseline had it too.
 */
export interface NotWorseCheck<Image> extends Row {
  readonly needs: 'image-or-not-worse';
  run(image: Image): Iterable<KeyedViolation>;
}

/** About what a file kept of the one it was made from. */
export interface BaselineCheck<Pair> extends Row {
  readonly needs: 'baseline';
  run(pair: Pair): Iterable<Violation>;
}

/** About what an edit was meant to do. */
export interface ExpectationCheck<Planned> extends Row {
  readonly needs: 'expectation';
  run(planned: Planned): Iterable<Violation>;
}

/** A row of a table. Without type arguments: any row, to be read but not run. */
export type Check<Image = never, Pair = never, Planned = never> =
  | ImageCheck<Image>
  | NotWorseCheck<Image>
  | BaselineCheck<Pair>
  | ExpectationCheck<Planned>;

/** What a table is asked about. The checks that need a part that is not there are not made. */
export interface Subject<Image, Pair, Planned> {
  /** The file's name, for the places of findings. */
  readonly file: string;
  readonly image?: Image | undefined;
  /** The file it was made from, alone. */
  readonly original?: Image | undefined;
  /** Both of them. */
  readonly pair?: Pair | undefined;
  /** Both, and what was meant to change. */
  readonly planned?: Planned | undefined;
}

/** One check that does not hold, and where. */
export interface Finding {
  /** The name of the check, stable. */
  readonly check: string;
  readonly level: Level;
  readonly because: string;
  readonly place: Place;
  /** What was found and what was wanted, one line. */
  readonly text: string;
}

/** Findings told of one check; a damaged image with 70,000 headers needs no 70,000 lines. */
const PER_CHECK = 64;

const RANK: Readonly<Record<Level, number>> = { error: 0, warning: 1, advice: 2 };

/**
 * All that breaks the checks of a table: errors first, then warnings, then advice. Within a level by file offset, or as
 * the table has it. A bad file is an answer, never an exception; what the operating system refuses while reading is one
 * (`read.open`, `read.changed`).
 */
export function run<Image, Pair, Planned>(
  checks: readonly Check<Image, Pair, Planned>[],
  subject: Subject<Image, Pair, Planned>,
  order: 'offset' | 'table',
): Finding[] {
  const findings = checks.flatMap((check) => findingsOf(check, subject));
  const offset = ({ place }: Finding) => (order === 'offset' ? (place.offset ?? 0n) : 0n);
  return findings.sort((a, b) => RANK[a.level] - RANK[b.level] || compare(offset(a), offset(b)));
}

function findingsOf<Image, Pair, Planned>(
  check: Check<Image, Pair, Planned>,
  subject: Subject<Image, Pair, Planned>,
): Finding[] {
  const { name, because, level: usual = 'error' } = check;
  const found: Finding[] = [];
  const add = ({ level = usual, offset, part, text }: Violation) => {
    found.push({ check: name, level, because, place: { file: subject.file, offset, part }, text });
  };
  const more = { error: 0, warning: 0, advice: 0 };
  try {
    for (const violation of violationsOf(check, subject)) {
      if (found.length < PER_CHECK) add(violation);
      else more[violation.level ?? usual] += 1;
    }
  } catch (error) {
    if (!(error instanceof PatchError) || !isAboutTheFile(error)) throw error;
    add({ offset: error.place.offset, part: error.place.part, text: `cannot be judged: ${error.detail}` });
  }
  for (const level of ['error', 'warning', 'advice'] as const) {
    if (more[level] > 0) add({ level, part: 'and more', text: `${more[level]} further ${level}s of this kind` });
  }
  return found;
}

/** Headers that lead nowhere and notes too large to hold are the file's fault; a file that vanished is not. */
function isAboutTheFile({ id }: PatchError): boolean {
  return id === 'read.truncated' || id === 'read.too-large' || id.startsWith('note.') || id.startsWith('pe.');
}

function violationsOf<Image, Pair, Planned>(
  check: Check<Image, Pair, Planned>,
  { image, original, pair, planned }: Subject<Image, Pair, Planned>,
): Iterable<Violation> {
  switch (check.needs) {
    case 'image':
      return image === undefined ? [] : check.run(image);
    case 'image-or-not-worse':
      return image === undefined ? [] : notWorse(check, image, original);
    case 'baseline':
      return pair === undefined ? [] : check.run(pair);
    case 'expectation':
      return planned === undefined ? [] : check.run(planned);
  }
}

/** Alone, a violation is a warning. Against a baseline it is an error, unless the baseline has the same one. */
function* notWorse<Image>(
  check: NotWorseCheck<Image>,
  image: Image,
  original: Image | undefined,
): Generator<Violation> {
  const known = original === undefined ? undefined : new Set(Array.from(check.run(original), ({ key }) => key));
  for (const violation of check.run(image)) {
    const { offset, part } = violation;
    const worse = known !== undefined && !known.has(violation.key);
    yield {
      offset,
      part,
      get text() {
        return violation.text;
      },
      level: worse ? 'error' : 'warning',
    };
  }
}
