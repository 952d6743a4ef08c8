/** A found fix as text for people and as members of a `xen-elfpatch/fix/1` document. */

import { oneLine, printable } from '../base/printable.js';
import { type Candidate, stepWords } from '../edit/fix/candidates.js';
import type { FoundFix } from '../edit/fix/fix.js';
import { shellWord } from '../formats/note/shell.js';
import { accepts, type Verdict } from '../loaders/rule.js';
import type { Json } from './json.js';
import { nameOf } from './loader-report.js';
import { type Style, table } from './text.js';

/** What is told of a found fix, whatever the image is. */
export interface FixFacts extends Pick<FoundFix, 'diagnoses' | 'steps' | 'cured' | 'failed'> {
  readonly image: { readonly source: { readonly name: string } };
}

/** What is left to do where nothing was written. */
export interface FixEnd {
  /** The line that writes the result. */
  readonly command?: string | undefined;
  /** The warning for which --strict refuses the result. */
  readonly warning?: string | undefined;
}

/** What each loader says now, why, and the edit; behind it what is left to do. */
export function fixText(
  { image, diagnoses, steps, cured, failed }: FixFacts,
  style: Style,
  file = image.source.name,
  { command, warning }: FixEnd = {},
): string {
  const lines = [`${style.bold(printable(file))}: ${headline(diagnoses, steps.length, cured)}\n`];
  lines.push(
    table(
      diagnoses.map(({ loader, before, after }) => [
        loader,
        `${verdictText(before)}${steps.length === 0 ? '' : `; with the edit: ${verdictText(after)}`}`,
      ]),
      '  ',
    ),
  );
  for (const step of steps) {
    lines.push(`  because ${printable(step.reason)}\n    edit: ${style.good(editText(step))}\n`);
  }
  // Spelled for a shell, it holds nothing that would have to be escaped, and must not be.
  if (command !== undefined) lines.push(`  fix: ${command}\n`);
  if (warning !== undefined) lines.push(`  not written with --strict, which takes no warning: ${printable(warning)}\n`);
  if (!cured) for (const why of failed.slice(0, FAILED_SHOWN)) lines.push(`  not possible: ${printable(why)}\n`);
  if (!cured) {
    const advice = new Set(diagnoses.flatMap((each) => (each.advice === undefined ? [] : [each.advice])));
    for (const what of advice) lines.push(`  what to do: ${oneLine(what)}\n`);
  }
  return lines.join('');
}

const FAILED_SHOWN = 6;

function headline(diagnoses: FixFacts['diagnoses'], steps: number, cured: boolean): string {
  if (steps === 0 && cured) return 'nothing to fix';
  if (!cured) return steps === 0 ? 'no fix is known' : 'better with an edit, not fixed';
  return diagnoses.every(({ before }) => accepts(before))
    ? 'taken already, and an edit makes it sound'
    : 'an edit fixes it';
}

function verdictText({ outcome, message, reason, warnings }: Verdict): string {
  const why = reason === undefined ? '' : ` (${printable(reason)})`;
  if (outcome === 'accepted') return 'takes it';
  if (outcome === 'with-warnings') return `takes it, but ${printable(warnings[0]?.text ?? '')}`;
  return `${outcome === 'crash' ? 'dies' : outcome === 'other-path' ? 'another way' : 'refuses'}: ${printable(message ?? '')}${why}`;
}

/** The same edit on the command line of `patch`, quoted for a shell, where it has one; else what it does. */
function editText(step: Candidate): string {
  const words = stepWords(step);
  if (words.length === 0) return 'the notes written anew, contiguous, p_align 4, Xen’s PT_NOTE last';
  if (step.told !== undefined) return printable(words.join(' '));
  // What a shell is to read holds nothing that would have to be escaped, and must not be.
  const quoted = words.map(shellWord);
  return quoted.includes(undefined) ? printable(words.join(' ')) : quoted.join(' ');
}

/** What `fix` adds to the document of its plan. `asked`: the loaders as the command line names them. */
export function fixJson(
  { diagnoses, steps, cured, failed }: FixFacts,
  asked: readonly string[] = [],
): { readonly [key: string]: Json } {
  const verdict = ({ outcome, message, reason, rule }: Verdict) => ({
    outcome,
    rule: rule ?? null,
    message: message ?? null,
    reason: reason ?? null,
    cure: null,
  });
  return {
    cured,
    diagnoses: diagnoses.map(({ loader, before, after, advice }) => ({
      loader: nameOf(before, asked),
      row: loader,
      before: verdict(before),
      after: verdict(after),
      advice: advice ?? null,
    })),
    steps: steps.map((step) => ({ reason: step.reason, edit: [...stepWords(step)] })),
    notPossible: [...failed],
  };
}
