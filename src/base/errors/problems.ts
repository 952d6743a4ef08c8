import { containerProblems } from './problems/container.js';
import { fixProblems } from './problems/fix.js';
import { linearizeProblems } from './problems/linearize.js';
import { mkelf32Problems } from './problems/mkelf32.js';
import { noteProblems } from './problems/note.js';
import { peProblems } from './problems/pe.js';
import { planProblems } from './problems/plan.js';
import { readProblems } from './problems/read.js';
import { stampProblems } from './problems/stamp.js';
import { usageProblems } from './problems/usage.js';
import { verifyProblems } from './problems/verify.js';
import { writeProblems } from './problems/write.js';

/** Every refusal the tool knows, by its stable id. Append-only. */
export const PROBLEMS = {
  ...usageProblems,
  ...readProblems,
  ...noteProblems,
  ...planProblems,
  ...writeProblems,
  ...verifyProblems,
  ...mkelf32Problems,
  ...containerProblems,
  ...peProblems,
  ...linearizeProblems,
  ...stampProblems,
  ...fixProblems,
} as const;

/** The id of a problem, `plan.no-symbol`, as `--json` and `explain` have it. */
export type ProblemId = keyof typeof PROBLEMS;

/** What must be said about a problem when it is thrown. */
export type ContextOf<Id extends ProblemId> = Parameters<(typeof PROBLEMS)[Id]['text']>[0];
