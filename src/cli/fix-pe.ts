/** `fix` of a PE image: the layout that verify names, written and proved as linearize writes it. */
import { fail } from '../base/errors/patch-error.js';
import { findPeFix } from '../edit/fix/pe-fix.js';
import type { LinearLayout } from '../edit/linear/layout.js';
import { changesLinear, type LinearWritten, proveLinear, writeLinear } from '../edit/linear/pipeline.js';
import { refuseUnmovable } from '../edit/linear/preconditions.js';
import { layOutStamped } from '../edit/pe/lay-out.js';
import { PE_UNTOUCHED, type PeWritten, writePeStamp } from '../edit/pe/pipeline.js';
import type { PeImage } from '../formats/pe/image.js';
import { readPe } from '../formats/pe/read.js';
import { type LinearOutcome, linearText } from '../report/linear-report.js';
import { peStampText } from '../report/pe-stamp-report.js';
import type { ExitStatus } from './command.js';
import type { FixArgs } from './commands/fix.js';
import { finish, type Outcome } from './finish.js';
import type { OpenInput } from './input.js';
import { type FixTold, settleFix } from './settle-fix.js';

/**
 * Exit 1: no fix is known, or `--check` found something to fix. Errors: `usage.bad`, `pe.*`, `linear.*`, `write.*`,
 * `verify.failed`; `pe.signed` where a signature would have to go and --strip-signature was not given.
 */
export async function fixPe(args: FixArgs, input: OpenInput): Promise<ExitStatus> {
  refuseForElf(args, input.source.name);
  const image = readPe(input.source);
  const found = findPeFix(image, args.loaders, { xenVersion: args.xenVersion, memory: args.memory });
  const { layout, fix } = found;
  return settleFix(args, found, {
    name: input.source.name,
    fix,
    needed: layout !== undefined && changesLinear(layout),
    planned: layout !== undefined,
    warnings: layout?.warnings ?? [],
    apply(told) {
      if (layout === undefined) return writeAsItIs(image, args, input, told);
      if (!args.stripSignature) refuseUnmovable(image, '--strip-signature');
      return writeLaidOut(layout, args, input, told);
    },
  });
}

function writeLaidOut(layout: LinearLayout, args: FixArgs, input: OpenInput, told: FixTold): Promise<ExitStatus> {
  const changes = changesLinear(layout);
  const outcomeOf = (outcome: Outcome<LinearWritten>): LinearOutcome =>
    outcome.kind === 'written' ? { ...outcome, verdict: outcome.written.verdict } : outcome;
  return finish<LinearWritten>(
    {
      ...common(layout.image, input),
      warnings: layout.warnings,
      changes,
      ...(args.ifChanged
        ? {
            result: {
              planned: () => layout.output,
              there: { verdict: proveLinear(layout, layout.output), warnings: [] },
            },
          }
        : {}),
      write: (output, steps) =>
        writeLinear(layout, { inputPath: input.path, output, strict: args.strict, onProgress: steps('writing') }),
      text: (outcome, style) => `${told.lead}${linearText(layout, changes, outcomeOf(outcome), style)}`,
      json: (outcome) => ({
        ...documentOf(layout.image, changes, outcome),
        size: { before: layout.image.source.size, after: layout.output.size },
        ...told.json,
      }),
    },
    args,
  );
}

/** Nothing to fix; the output still has to be the image. */
function writeAsItIs(image: PeImage, args: FixArgs, input: OpenInput, told: FixTold): Promise<ExitStatus> {
  const layout = layOutStamped(image, NOTHING);
  return finish<PeWritten>(
    {
      ...common(image, input),
      warnings: [],
      changes: false,
      result: { planned: () => layout.output, there: PE_UNTOUCHED },
      write: (output, steps) =>
        writePeStamp(layout, { inputPath: input.path, output, strict: args.strict, onProgress: steps('writing') }),
      text: (outcome, style) =>
        `${told.lead}${peStampText(layout, outcome.kind === 'written' ? { ...outcome, ...outcome.written } : outcome, style)}`,
      json: (outcome) => ({ ...documentOf(image, false, outcome), ...told.json }),
    },
    args,
  );
}

const NOTHING = {
  sbat: [],
  allowSbatDowngrade: false,
  metadata: undefined,
  members: {},
  sbom: undefined,
  sections: [],
  stripSignature: false,
} as const;

function common(image: PeImage, input: OpenInput) {
  return { command: 'fix', file: image.source.name, inputPath: input.path, files: [] } as const;
}

/** The members that tell of the file, besides the diagnosis. */
function documentOf(image: PeImage, changed: boolean, outcome: Outcome<unknown>) {
  const written = outcome.kind === 'written' ? { output: outcome.output } : null;
  return { file: image.source.name, format: 'pe', changed, written };
}

/** A PE image has no notes, no program headers, and no payload that is looked into. Errors: `usage.bad`. */
function refuseForElf(args: FixArgs, file: string): void {
  const found = (
    [
      ['--payload', args.payload !== undefined],
      ['--compressor', args.compressor !== undefined],
      ['--keep-tail', args.keepTail],
      ['--loaded', args.loaded === true],
      ['--not-loaded', args.loaded === false],
      ['--must-survive', args.mustSurvive.length > 0],
      ['--kind', args.kind !== undefined],
    ] as const
  ).find(([, is]) => is);
  if (found === undefined) return;
  const what = `${found[0]} is for an ELF file, and ${file} is a PE image, which holds no notes`;
  fail('usage.bad', {}, { what, hint: `Leave ${found[0]} out` });
}
