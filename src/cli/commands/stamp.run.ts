/** `stamp`: from words to notes, and from there as every edit. */

import { FileSource } from '../../base/bytes/file-source.js';
import { fail } from '../../base/errors/patch-error.js';
import { parseBuildId } from '../../edit/stamp/build-id.js';
import { sourceDate } from '../../edit/stamp/date.js';
import { fileBytes, parseNote, parseNoteKey } from '../../edit/stamp/note-words.js';
import { type Metadata, parseMetadata } from '../../edit/stamp/package-metadata.js';
import { asksForEdits, planStamp, type StampWish, stampsOf } from '../../edit/stamp/stamp.js';
import { looksLikeElf, readElf } from '../../formats/elf/read.js';
import { hasLinuxMagic } from '../../formats/linux/boot-header.js';
import { GNU } from '../../formats/note/note-types.js';
import { looksLikePe } from '../../formats/pe/read.js';
import { type Json, jsonDocument } from '../../report/json.js';
import { otherNotesJson } from '../../report/patch-report.js';
import { stampsJson, stampsText } from '../../report/stamp-report.js';
import { styleOf } from '../../report/text.js';
import { applyPlan, imageOf, withWarnings } from '../apply.js';
import type { ExitStatus } from '../command.js';
import { type OpenInput, openInput } from '../input.js';
import { sayLead, wantsColor, writeOut } from '../output.js';
import { refusePayload } from '../result-options.js';
import { tell, writeAnswers } from '../told.js';
import { asksForPe, isMember, type StampArgs } from './stamp.js';

/** Runs the command. Exit 1: `--check` found work to do, or stamps missing or wrong. */
export async function runStamp(args: StampArgs): Promise<ExitStatus> {
  const input = openInput(args.image);
  try {
    return await stamp(args, input);
  } finally {
    input.close();
  }
}

async function stamp(args: StampArgs, input: OpenInput): Promise<ExitStatus> {
  if (!looksLikeElf(input.source)) {
    // A boot image is a PE image around a kernel: without a word for its shell the kernel is meant.
    const pe = looksLikePe(input.source) && (asksForPe(args) || !hasLinuxMagic(input.source));
    if (!pe) {
      refusePeStamps(args, input.source.name);
      return stampInside(args, input);
    }
    const { stampPe } = await import('../stamp-pe.js');
    return stampPe(args, input, packageOf(args));
  }
  refusePeStamps(args, input.source.name);
  refusePayload(args, input.source.name);
  const { image, warnings } = imageOf(input.source, args);
  const { options, files } = wishOf(args, image.encoding);
  if (!asksForEdits(options)) return show(args, image, options.buildId?.kind === 'keep');
  return withFiles(options, () => {
    const plan = withWarnings(planStamp(image, options), warnings);
    return applyPlan('stamp', plan, args, input, files, { json: { otherNotes: otherNotesJson(plan) } });
  });
}

/** Large descriptors are read from their files while the work lasts. */
async function withFiles(options: StampWish, work: () => Promise<ExitStatus>): Promise<ExitStatus> {
  try {
    return await work();
  } finally {
    for (const { rest } of [...options.notes, ...(options.add ?? [])]) {
      if (rest?.source instanceof FileSource) rest.source.close();
    }
  }
}

/** Errors: `usage.bad`. */
function refusePeStamps(args: StampArgs, file: string): void {
  if (!asksForPe(args)) return;
  const what = `--sbat, --sbom and --add-section are for a PE image, and ${file} is none`;
  fail('usage.bad', {}, { what, hint: '--note OWNER:TYPE=VALUE puts any note into an ELF file' });
}

/** A file that is no ELF: what it wraps is loaded, with all that unpacks it, only now. */
async function stampInside(args: StampArgs, input: OpenInput): Promise<ExitStatus> {
  const { applyContainer, lookedThrough, openWrapped } = await import('../apply-container.js');
  const opened = await openWrapped(input, args.limit);
  const image = readElf(opened.elf);
  const { options, files } = wishOf(args, image.encoding);
  if (!asksForEdits(options)) {
    return show(args, image, options.buildId?.kind === 'keep', input.source.name, lookedThrough(opened));
  }
  return withFiles(options, () => {
    const plan = planStamp(image, options);
    return applyContainer('stamp', opened, plan, args, input, files, { json: { otherNotes: otherNotesJson(plan) } });
  });
}

/** The stamps that are there; with `--check`, whether they are right. */
async function show(
  args: StampArgs,
  image: ReturnType<typeof readElf>,
  wantsId: boolean,
  file = image.source.name,
  lead = '',
): Promise<ExitStatus> {
  const stamps = stampsOf(image);
  const problems = stamps.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  if (args.check && !stamps.some(({ text }) => text !== undefined)) problems.push('found no package metadata');
  tell({ word: problems.length > 0 ? 'not right' : stamps.length > 0 ? 'stamped' : 'no stamps' });
  if (args.format !== undefined) {
    const faults = problems.map((text) => ({ level: 'error', text }) as const);
    const because = 'package metadata say what the image belongs to';
    await writeAnswers(args.format, 'stamp', [{ file, rule: 'package-metadata', because, faults }]);
    return problems.length > 0 ? 1 : 0;
  }
  if (args.json) {
    const answer: { readonly [key: string]: Json } = { file, ok: problems.length === 0, problems };
    writeOut(jsonDocument('stamp', { ...answer, stamps: stampsJson(stamps) }));
  } else writeOut(lead + stampsText(file, stamps, styleOf(wantsColor(args.color))));
  if (wantsId && !stamps.some(({ owner }) => owner === GNU)) fail('stamp.no-build-id', { file }, {});
  if (!args.check) return 0;
  for (const problem of problems) sayLead('xen-elfpatch:', 'bad', `${file}: ${problem}`);
  return problems.length > 0 ? 1 : 0;
}

/** The package metadata that are asked for, and the files that were read for them. Errors: `stamp.*`, `plan.bad-file`. */
function packageOf(args: StampArgs) {
  const files: string[] = [];
  const members: [string, string][] = [];
  let metadata: Metadata | undefined;
  for (const text of args.metadata) {
    const equals = text.indexOf('=');
    if (isMember(text)) {
      if (equals === 0) fail('stamp.bad-metadata', {}, { why: `found ${text}, wanted KEY=VALUE` });
      members.push([text.slice(0, equals), text.slice(equals + 1)]);
    } else if (text.startsWith('{')) metadata = parseMetadata(text);
    else {
      const path = text.startsWith('file:') ? text.slice(5) : text;
      files.push(path);
      metadata = parseMetadata(Buffer.from(fileBytes(path)).toString('utf8'), { file: path });
    }
  }
  if (args.date !== undefined) members.push([args.date, sourceDate(process.env['SOURCE_DATE_EPOCH'])]);
  return { metadata, members: Object.fromEntries(members), files };
}

/** Errors: `stamp.*`, `plan.bad-file`. */
function wishOf(args: StampArgs, encoding: ReturnType<typeof readElf>['encoding']) {
  const { metadata, members, files } = packageOf(args);
  for (const text of [...args.notes, ...args.added])
    if (text.includes('=file:')) files.push(text.slice(text.indexOf('=file:') + 6));
  const options: StampWish = {
    metadata,
    members,
    buildId: args.buildId === undefined ? undefined : parseBuildId(args.buildId),
    notes: args.notes.map((text) => parseNote(text, encoding)),
    add: args.added.map((text) => parseNote(text, encoding)),
    remove: args.remove.map(parseNoteKey),
    placement: { placement: args.placement, loaded: args.loaded, mustSurvive: args.mustSurvive, kind: args.kind },
  };
  return { options, files };
}
