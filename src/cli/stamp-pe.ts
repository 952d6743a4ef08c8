/** `stamp` of a PE image: SBAT, package metadata, a bill of materials, and sections of any name. */
import { fail } from '../base/errors/patch-error.js';
import { layOutStamped } from '../edit/pe/lay-out.js';
import { changesPe, PE_UNTOUCHED, type PeWritten, writePeStamp } from '../edit/pe/pipeline.js';
import { peStampsOf } from '../edit/pe/stamps.js';
import type { PeStampWish, SectionContent } from '../edit/pe/wish.js';
import { fileBytes } from '../edit/stamp/note-words.js';
import type { PeImage } from '../formats/pe/image.js';
import { readPe } from '../formats/pe/read.js';
import { readSbat, rowOf, type SbatRow } from '../formats/pe/sbat.js';
import { jsonDocument } from '../report/json.js';
import {
  type PeStampOutcome,
  peStampJson,
  peStampsJson,
  peStampsText,
  peStampText,
} from '../report/pe-stamp-report.js';
import { styleOf } from '../report/text.js';
import type { ExitStatus } from './command.js';
import type { StampArgs } from './commands/stamp.js';
import { finish, type Outcome } from './finish.js';
import type { OpenInput } from './input.js';
import { sayErr, wantsColor, writeOut } from './output.js';

/** What of a stamp's arguments is the same for ELF and PE. */
export interface PackageArgs {
  readonly metadata: PeStampWish['metadata'];
  readonly members: PeStampWish['members'];
  /** Files that were read for it. */
  readonly files: readonly string[];
}

/**
 * Stamps a PE image, or shows what stamps it holds. Exit 1: `--check` found work to do, or stamps missing or wrong.
 * Errors: `usage.bad`, `pe.*`, `stamp.bad-metadata`, `plan.bad-file`, `write.*`, `verify.failed`.
 */
export async function stampPe(args: StampArgs, input: OpenInput, given: PackageArgs): Promise<ExitStatus> {
  refuseForElf(args, input.source.name);
  const image = readPe(input.source);
  const files = [...given.files];
  const wish: PeStampWish = {
    sbat: sbatRows(args.sbat, files),
    allowSbatDowngrade: args.allowSbatDowngrade,
    metadata: given.metadata,
    members: given.members,
    sbom: args.sbom === undefined ? undefined : bytesOf(args.sbom, files),
    sections: args.sections.map((word) => sectionOf(word, files)),
    stripSignature: args.stripSignature,
  };
  const { sbat, metadata, sbom, sections, members } = wish;
  const asks =
    sbat.length + sections.length + Object.keys(members).length > 0 || metadata !== undefined || sbom !== undefined;
  if (!asks && !args.stripSignature) return show(args, image);
  const layout = layOutStamped(image, wish);
  const outcomeOf = (outcome: Outcome<PeWritten>): PeStampOutcome =>
    outcome.kind === 'written' ? { ...outcome, ...outcome.written } : outcome;
  return finish<PeWritten>(
    {
      command: 'stamp',
      file: image.source.name,
      inputPath: input.path,
      warnings: layout.warnings,
      changes: changesPe(layout),
      files,
      result: { planned: () => layout.output, there: PE_UNTOUCHED },
      write: (output, steps) =>
        writePeStamp(layout, { inputPath: input.path, output, strict: args.strict, onProgress: steps('writing') }),
      text: (outcome, style) => peStampText(layout, outcomeOf(outcome), style),
      json: (outcome) => peStampJson(layout, outcomeOf(outcome)),
    },
    args,
  );
}

/** A PE image has no notes, no program headers, and no payload that is looked into. Errors: `usage.bad`. */
function refuseForElf(args: StampArgs, file: string): void {
  const holds = 'which holds no notes';
  const ahead = 'whose sections go behind all that is there';
  const found = (
    [
      ['--note', args.notes.length > 0, holds],
      ['--add-note', args.added.length > 0, holds],
      ['--remove', args.remove.length > 0, holds],
      ['--build-id', args.buildId !== undefined, holds],
      ['--payload', args.payload !== undefined, 'the whole of it'],
      ['--compressor', args.compressor !== undefined, 'the whole of it'],
      ['--keep-tail', args.keepTail, 'the whole of it'],
      ['--placement', args.placement !== 'auto', ahead],
      ['--loaded', args.loaded === true, ahead],
      ['--not-loaded', args.loaded === false, ahead],
      ['--must-survive', args.mustSurvive.length > 0, ahead],
      ['--kind', args.kind !== undefined, 'which is neither'],
    ] as const
  ).find(([, is]) => is);
  if (found === undefined) return;
  const [option, , why] = found;
  const what = `${option} is for an ELF file, and ${file} is stamped as a PE image, ${why}`;
  fail('usage.bad', {}, { what, hint: '--add-section NAME=file:PATH puts any bytes into a section of their own' });
}

/** Each word a line, when it has a comma in it, or the name of a file of lines. Errors: `pe.bad-sbat`, `plan.bad-file`. */
function sbatRows(words: readonly string[], files: string[]): SbatRow[] {
  return words.flatMap((word, index) => {
    if (!word.startsWith('file:') && word.includes(',')) {
      const row = rowOf(word);
      return typeof row === 'string' ? fail('pe.bad-sbat', {}, { line: index + 1, why: row }) : [row];
    }
    const path = pathOf(word);
    files.push(path);
    const { rows, problem } = readSbat(fileBytes(path));
    if (problem !== undefined) fail('pe.bad-sbat', { file: path }, problem);
    return [...rows];
  });
}

/** `NAME=file:PATH`. Errors: `usage.bad`, `plan.bad-file`. */
function sectionOf(word: string, files: string[]): SectionContent {
  const equals = word.indexOf('=');
  const value = word.slice(equals + 1);
  if (equals < 1 || !value.startsWith('file:')) {
    fail('usage.bad', {}, { what: `--add-section: found ${word}, wanted NAME=file:PATH` });
  }
  return { name: word.slice(0, equals), bytes: bytesOf(value, files) };
}

function bytesOf(word: string, files: string[]): Uint8Array {
  const path = pathOf(word);
  files.push(path);
  return fileBytes(path);
}

function pathOf(word: string): string {
  return word.startsWith('file:') ? word.slice('file:'.length) : word;
}

/** The stamps that are there; with `--check`, whether they are there and right. */
function show(args: StampArgs, image: PeImage): ExitStatus {
  const file = image.source.name;
  const stamps = peStampsOf(image);
  const missing = [
    ...(stamps.sbat === undefined ? ['found no SBAT'] : []),
    ...(stamps.metadata === undefined ? ['found no package metadata'] : []),
  ];
  const problems = [...stamps.problems, ...(args.check ? missing : [])];
  if (args.json) {
    const ok = problems.length === 0;
    writeOut(jsonDocument('stamp', { file, format: 'pe', ok, problems, ...peStampsJson(stamps) }));
  } else writeOut(peStampsText(file, stamps, styleOf(wantsColor(args.color))));
  if (!args.check) return 0;
  for (const problem of problems) sayErr(`xen-elfpatch: ${file}: ${problem}`);
  return problems.length > 0 ? 1 : 0;
}
