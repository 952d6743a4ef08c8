/**
 * What was asked of files and how it came out, in the terms that CI systems share: a rule by a stable name, a file, and what
 * breaks the rule. A command makes answers, and github.ts, sarif.ts and junit.ts spell them.
 */
import type { PatchError } from '../../base/errors/patch-error.js';
import { accepts, type Verdict } from '../../loaders/rule.js';
import type { Check, Finding } from '../../verify/check.js';
import type { SecondOpinion } from '../../verify/second-reader.js';
import type { LoaderFacts } from '../loader-report.js';
import type { PeVerifyFacts } from '../pe-verify-report.js';
import { decidesByStructure, type VerifyFacts } from '../verify-report.js';

/** One thing that breaks a rule. A warning or a note does not make the answer a no. */
export interface Fault {
  readonly level: 'error' | 'warning' | 'note';
  readonly text: string;
  /** In bytes from the start of the file. */
  readonly offset?: bigint | undefined;
  readonly part?: string | undefined;
}

/** How a rule came out for a file. */
export interface Answer {
  readonly file: string;
  /** Stable: `segment-in-file`, `qemu-pvh`, `read.truncated`. */
  readonly rule: string;
  /** Who is hurt where the rule is broken, or what it asks for. */
  readonly because: string;
  readonly faults: readonly Fault[];
}

/** Is the answer a no? */
export function isNo({ faults }: Answer): boolean {
  return faults.some(({ level }) => level === 'error');
}

/** What ended the work on a file, as the answer to whether it can be read. */
export function errorAnswer({ id, place: { file, offset, part }, detail, hint }: PatchError): Answer {
  const text = hint === undefined ? detail : `${detail}; ${hint}`;
  return {
    file: file ?? '',
    rule: id,
    because: `xen-elfpatch explain ${id} tells more`,
    faults: [{ level: 'error', text, offset, part }],
  };
}

/** The checks of an ELF image, the second reader's opinion, and the loaders that were asked about. */
export function verifyAnswers(facts: VerifyFacts, checks: readonly Check[]): readonly Answer[] {
  const { file, baseline, findings, secondReader, unreadable, loaders } = facts;
  const decides = decidesByStructure(loaders, baseline);
  if (unreadable !== undefined) {
    return [...softened([{ ...errorAnswer(unreadable), file }], decides), ...loaderAnswers(file, loaders)];
  }
  const structure = [...checkAnswers(file, checks, baseline, findings), secondAnswer(file, secondReader)];
  return [...softened(structure, decides), ...loaderAnswers(file, loaders)];
}

/** The checks of a PE image, and the loaders that were asked about. */
export function peVerifyAnswers(facts: PeVerifyFacts, checks: readonly Check[]): readonly Answer[] {
  const { file, baseline, findings, loaders } = facts;
  const structure = checkAnswers(file, checks, baseline, findings);
  return [...softened(structure, decidesByStructure(loaders, baseline)), ...loaderAnswers(file, loaders)];
}

function checkAnswers(
  file: string,
  checks: readonly Check[],
  baseline: string | undefined,
  findings: readonly Finding[],
): readonly Answer[] {
  const made = checks.filter(
    ({ needs }) => needs !== 'expectation' && (needs !== 'baseline' || baseline !== undefined),
  );
  return made.map(({ name, because }) => ({
    file,
    rule: name,
    because,
    faults: findings
      .filter(({ check }) => check === name)
      .map(({ level, text, place: { offset, part } }) => ({
        level: level === 'advice' ? 'note' : level,
        text,
        offset,
        part,
      })),
  }));
}

function secondAnswer(file: string, { verdict, details }: SecondOpinion): Answer {
  const because = 'a reader that shares no code with this one reads the same';
  const rule = 'second-reader';
  if (verdict === 'differs') return { file, rule, because, faults: details.map((text) => ({ level: 'error', text })) };
  const why = verdict === 'cannot-read' ? `elfy cannot read this shape: ${details.join('; ')}` : undefined;
  return { file, rule, because, faults: why === undefined ? [] : [{ level: 'note', text: why }] };
}

/** Where loaders that were named decide, a fault of the structure is no more than a warning. */
function softened(answers: readonly Answer[], decides: boolean): readonly Answer[] {
  if (decides) return answers;
  const soft = (fault: Fault): Fault => (fault.level === 'error' ? { ...fault, level: 'warning' } : fault);
  return answers.map((answer) => ({ ...answer, faults: answer.faults.map(soft) }));
}

/** Of loaders that nobody asked about nothing is said: no answer hangs on them. */
function loaderAnswers(file: string, loaders: LoaderFacts | undefined): readonly Answer[] {
  if (loaders === undefined || loaders.asked.length === 0) return [];
  return loaders.verdicts.map((verdict) => ({
    file,
    rule: verdict.loader,
    because: `${verdict.title} starts it`,
    faults: [...refusal(verdict), ...verdict.warnings.map(({ text }) => ({ level: 'warning', text }) as const)],
  }));
}

function refusal(verdict: Verdict): readonly Fault[] {
  if (accepts(verdict)) return [];
  const { outcome, message, reason } = verdict;
  const why = [message ?? outcome, ...(reason === undefined ? [] : [reason])].join(': ');
  return [{ level: 'error', text: why }];
}
