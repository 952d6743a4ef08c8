/** `notes IMAGE…`: reads each image and prints what its notes say. */

import type { ByteSource } from '../../base/bytes/source.js';
import { PatchError, placePrefix } from '../../base/errors/patch-error.js';
import { oneLine } from '../../base/printable.js';
import { looksLikeElf, readElf } from '../../formats/elf/read.js';
import { type NotesFacts, notesFacts } from '../../inspect/notes/notes-facts.js';
import { walkAsXen } from '../../loaders/read/loader-walks.js';
import type { Answer } from '../../report/ci/answers.js';
import type { CiFormat } from '../../report/ci/ci-formats.js';
import { errorDocument, errorFacts } from '../../report/error-report.js';
import { type Json, jsonPieces, type Streamed } from '../../report/json.js';
import { notesPieces, notesStream } from '../../report/notes-report.js';
import { type Style, styleOf } from '../../report/text.js';
import { isToldPe } from '../../report/told-pe.js';
import type { ExitStatus } from '../command.js';
import { asPatchError, printError } from '../errors.js';
import { type OpenImage, openImage } from '../input.js';
import { isTerminal, sayLead, wantsColor, writeErr, writeOut, writePieces } from '../output.js';
import type { NotesArgs } from './notes.js';

/**
 * Every image is looked at, also behind one that cannot be read; that one is reported in its turn, stands in the document
 * with its error, and makes the exit status 2. Exit 1 when an image has no Xen note and `--require-xen` is given.
 */
export async function runNotes(args: NotesArgs): Promise<ExitStatus> {
  if (args.readnotes) return asReadnotes(args);
  if (args.format !== undefined) return forCi(args, args.format);
  const style = styleOf(!args.json && wantsColor(args.color));
  const entries: { readonly [key: string]: Streamed }[] = [];
  const errors: PatchError[] = [];
  let missing = false;
  let warned = false;
  for (const [i, image] of args.images.entries()) {
    try {
      const { facts, pe } = await read(image, args.limit);
      if (pe !== undefined) {
        if (args.requireXen) missing = tellMissing(pe.file);
        if (args.json) entries.push(pe.json());
        else writeOut((i === 0 ? '' : '\n') + pe.text(style));
        continue;
      }
      warned = warn(facts) || warned;
      if (args.requireXen && facts.xen.notes.length === 0) {
        missing = tellMissing(facts.image.source.name);
      }
      if (args.json) entries.push(notesStream(facts, args));
      else {
        if (i > 0) writeOut('\n');
        writePieces(notesPieces(facts, args, style));
      }
    } catch (thrown) {
      const error = asPatchError(thrown);
      printError(error);
      errors.push(error);
      entries.push({ file: image, error: errorFacts(error) });
    }
  }
  const status = errors.length > 0 ? 2 : missing || (args.strict && warned) ? 1 : 0;
  if (args.json) {
    // Where nothing at all could be read there are no results: the document is an error's, as for every command.
    const none = errors.length === args.images.length;
    if (none) writeOut(errorDocument('notes', 2, errors));
    else writePieces(jsonPieces('notes', { images: entries }));
  }
  return status;
}

/** One document about all images, whatever becomes of each. */
async function forCi({ images, limit }: NotesArgs, format: CiFormat): Promise<ExitStatus> {
  const { ciReport, errorAnswer } = await import('../../report/ci/ci-report.js');
  const answers: Answer[] = [];
  let status: ExitStatus = 0;
  for (const image of images) {
    try {
      const { facts, pe } = await read(image, limit);
      const there = pe === undefined && facts.xen.notes.length > 0;
      const faults = there ? [] : ([{ level: 'error', text: 'no Xen note found' }] as const);
      answers.push({ file: image, rule: 'require-xen', because: 'the image carries a note that Xen reads', faults });
      if (!there && status === 0) status = 1;
    } catch (thrown) {
      const error = asPatchError(thrown);
      printError(error);
      answers.push({ ...errorAnswer(error), file: image });
      status = 2;
    }
  }
  writeOut(ciReport(format, 'notes', answers));
  return status;
}

function tellMissing(file: string): true {
  sayLead('xen-elfpatch:', 'bad', `${placePrefix({ file })}no Xen note found, --require-xen wants one`);
  return true;
}

type Read =
  | { readonly facts: NotesFacts; readonly pe?: undefined }
  | { readonly pe: PeReport; readonly facts?: undefined };

/** What is told of a PE image; what tells it is loaded for one alone. */
interface PeReport {
  readonly file: string;
  json(): { readonly [key: string]: Json };
  text(style: Style): string;
}

/** Everything is read here and now, so the image need not stay open. */
async function read(image: string, limit: bigint | undefined): Promise<Read> {
  const input = await openImage(image, (source) => looksLikeElf(source) || isToldPe(source), limit);
  try {
    if (!looksLikeElf(input.source)) return { pe: await peReport(input.source) };
    return { facts: { ...notesFacts(readElf(input.source)), container: input.container } };
  } finally {
    input.close();
  }
}

async function peReport(source: ByteSource): Promise<PeReport> {
  const { peFacts, peJson, peText } = await import('../../report/pe-report.js');
  const { readPe } = await import('../../formats/pe/read.js');
  const facts = peFacts(readPe(source));
  return { file: facts.file, json: () => peJson(facts), text: (style) => peText(facts, style) };
}

/**
 * As readnotes itself: whatever its reader takes, in its words and with its exit status, which is 0 for an ELF file
 * without Xen notes and 1 for what it does not take for ELF.
 */
async function asReadnotes({ images, requireXen, limit }: NotesArgs): Promise<ExitStatus> {
  const { formatReadnotes } = await import('../../loaders/read/readnotes.js');
  const { brokenTables, isElfBinary, libelfImage } = await import('../../loaders/xen/libelf-image.js');
  let status: ExitStatus = 0;
  for (const image of images) {
    const input = await openOrRefused(image, limit);
    try {
      const elf = input !== undefined && isElfBinary(input.source) ? libelfImage(input.source) : undefined;
      const refused = { stdout: '', stderr: `File ${oneLine(image)} is not an ELF image\n`, exit: 1 } as const;
      const { stdout, stderr, exit } = elf === undefined ? refused : formatReadnotes(elf, brokenTables(elf));
      // Bytes, not text, for whatever reads them; a terminal gets what every report gives it.
      writeOut(isTerminal(1) ? stdout : Buffer.from(stdout, 'latin1'));
      writeErr(stderr);
      if (exit !== 0) status = exit;
      if (requireXen && elf !== undefined && walkAsXen(elf).notes.length === 0) {
        sayLead('xen-elfpatch:', 'bad', `${image}: no Xen note found, --require-xen wants one`);
        status = 1;
      }
    } finally {
      input?.close();
    }
  }
  return status;
}

/** Undefined for a file that is neither ELF nor a container of one: readnotes has its own words for that. */
async function openOrRefused(image: string, limit: bigint | undefined): Promise<OpenImage | undefined> {
  try {
    return await openImage(image, looksLikeElf, limit);
  } catch (error) {
    if (error instanceof PatchError && error.id === 'read.not-elf') return undefined;
    throw error;
  }
}

/** What could be read in part; is there any of it? */
function warn({ image, areas, legacyProblem }: NotesFacts): boolean {
  for (const { range, places, problem } of areas) {
    if (problem === undefined) continue;
    const place = { file: image.source.name, offset: range.start, part: places[0]?.name };
    sayLead('xen-elfpatch: warning:', 'warn', `${placePrefix(place)}${problem}`);
  }
  if (legacyProblem !== undefined) sayLead('xen-elfpatch: warning:', 'warn', legacyProblem.message);
  return legacyProblem !== undefined || areas.some(({ problem }) => problem !== undefined);
}
