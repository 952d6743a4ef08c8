/** `linearize`: from the command line to a layout, and from the layout to a written and proved image; or a verdict. */

import { layOutLinear } from '../../edit/linear/lay-out.js';
import { changesLinear, type LinearWritten, writeLinear } from '../../edit/linear/pipeline.js';
import { readPe } from '../../formats/pe/read.js';
import { jsonDocument } from '../../report/json.js';
import { type LinearOutcome, linearJson, linearText } from '../../report/linear-report.js';
import { linearVerdictJson, linearVerdictText } from '../../report/linear-verdict.js';
import { styleOf } from '../../report/text.js';
import { verifyLinear } from '../../verify/pe/verify.js';
import type { ExitStatus } from '../command.js';
import { finish, type Outcome } from '../finish.js';
import { type OpenInput, openInput } from '../input.js';
import { wantsColor, writeOut } from '../output.js';
import type { LinearizeArgs } from './linearize.js';

/** Runs the command. Exit 1: `--check` found work to do, or the file or the result breaks a law. */
export async function runLinearize(args: LinearizeArgs): Promise<ExitStatus> {
  const input = openInput(args.image);
  try {
    return args.verify ? judge(args, input) : await linearize(args, input);
  } finally {
    input.close();
  }
}

function judge(args: LinearizeArgs, input: OpenInput): ExitStatus {
  const baseline = args.baseline === undefined ? undefined : openInput(args.baseline);
  try {
    const verdict = verifyLinear(readPe(input.source), {
      baseline: baseline === undefined ? undefined : readPe(baseline.source),
      tailNames: args.options.tail,
      wantsTags: args.options.mb2 !== 'none',
    });
    if (args.json) writeOut(jsonDocument('linearize', linearVerdictJson(verdict, args.baseline)));
    else writeOut(linearVerdictText(verdict, args.baseline, styleOf(wantsColor(args.color))));
    const no = args.strict ? ['error', 'warning'] : ['error'];
    return verdict.findings.some(({ level }) => no.includes(level)) ? 1 : 0;
  } finally {
    baseline?.close();
  }
}

async function linearize(args: LinearizeArgs, input: OpenInput): Promise<ExitStatus> {
  const layout = layOutLinear(readPe(input.source), args.options);
  const changes = changesLinear(layout);
  const outcomeOf = (outcome: Outcome<LinearWritten>): LinearOutcome =>
    outcome.kind === 'written' ? { ...outcome, verdict: outcome.written.verdict } : outcome;
  return finish<LinearWritten>(
    {
      command: 'linearize',
      file: input.source.name,
      inputPath: input.path,
      warnings: layout.warnings,
      changes,
      files: [],
      write: (output, steps) =>
        writeLinear(layout, {
          inputPath: input.path,
          output,
          strict: args.strict,
          onProgress: steps('writing'),
        }),
      text: (outcome, style) => linearText(layout, changes, outcomeOf(outcome), style),
      json: (outcome) => linearJson(layout, changes, outcomeOf(outcome)),
    },
    { ...args, ifChanged: false },
  );
}
