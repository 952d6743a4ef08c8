/** `linearize`: from the command line to a layout, and from the layout to a written and proved image; or a verdict. */
import { layOutLinear } from '../../linearize/lay-out.js';
import { changesLinear, writeLinear } from '../../linearize/pipeline.js';
import { verifyLinear } from '../../linearize/verify/verify.js';
import { readPe } from '../../pe/read.js';
import { jsonDocument } from '../../report/json.js';
import { type LinearOutcome, linearJson, linearText } from '../../report/linear-report.js';
import { linearVerdictJson, linearVerdictText } from '../../report/linear-verdict.js';
import { styleOf } from '../../report/text.js';
import type { ExitStatus } from '../command.js';
import { prepareDepfile } from '../depfile.js';
import { type OpenInput, openInput } from '../input.js';
import { wantsColor, writeErr, writeOut } from '../output.js';
import { startProgress } from '../progress.js';
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
      tailNames: args.wish.tail,
      wantsTags: args.wish.mb2 !== 'none',
    });
    if (args.json) writeOut(jsonDocument('linearize', linearVerdictJson(verdict, args.baseline)));
    else writeOut(linearVerdictText(verdict, args.baseline, styleOf(wantsColor(args.color))));
    return verdict.findings.some(({ level }) => level === 'error') ? 1 : 0;
  } finally {
    baseline?.close();
  }
}

async function linearize(args: LinearizeArgs, input: OpenInput): Promise<ExitStatus> {
  const layout = layOutLinear(readPe(input.source), args.wish);
  const changes = changesLinear(layout);
  const name = input.source.name;
  for (const warning of layout.warnings) writeErr(`xen-elfpatch: warning: ${name}: ${warning}\n`);
  const report = (outcome: LinearOutcome) => {
    if (args.json) writeOut(jsonDocument('linearize', linearJson(layout, changes, outcome)));
    else {
      // With the image on standard output the report has to go elsewhere.
      const write = args.output === '-' ? writeErr : writeOut;
      write(linearText(layout, changes, outcome, styleOf(args.output !== '-' && wantsColor(args.color))));
    }
  };
  if (args.check || args.dryRun) {
    report({ kind: args.check ? 'checked' : 'planned' });
    return args.check && changes ? 1 : 0;
  }
  const depfile = prepareDepfile({ depfile: args.depfile, image: args.image, output: args.output }, []);
  const progress = startProgress('writing');
  let outcome: LinearOutcome;
  try {
    const write = (output: string | undefined) =>
      writeLinear(layout, { inputPath: input.path, output, onProgress: progress.report });
    if (args.output === '-') {
      const { writeToStdout } = await import('../stdout-image.js');
      outcome = { kind: 'written', verdict: await writeToStdout(write), output: '-' };
    } else {
      const output = args.inPlace ? undefined : args.output;
      outcome = { kind: 'written', verdict: await write(output), output: output ?? args.image };
    }
  } catch (error) {
    depfile?.discard();
    throw error;
  } finally {
    progress.end();
  }
  depfile?.keep();
  report(outcome);
  return 0;
}
