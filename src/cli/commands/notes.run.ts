/** `notes IMAGE…`: reads each image and prints what its notes say. */

import { PatchError, placePrefix } from '../../base/errors/patch-error.js';
import { oneLine } from '../../base/printable.js';
import { looksLikeElf, readElf } from '../../formats/elf/read.js';
import { readPe } from '../../formats/pe/read.js';
import { type NotesFacts, notesFacts } from '../../inspect/notes/notes-facts.js';
import { walkAsXen } from '../../loaders/read/loader-walks.js';
import { formatReadnotes } from '../../loaders/read/readnotes.js';
import { brokenTables, isElfBinary, libelfImage } from '../../loaders/xen/libelf-image.js';
import { errorDocument, errorFacts } from '../../report/error-report.js';
import { type Json, jsonDocument } from '../../report/json.js';
import { notesJson, notesText } from '../../report/notes-report.js';
import { isToldPe, type PeFacts, peFacts, peJson, peText } from '../../report/pe-report.js';
import { styleOf } from '../../report/text.js';
import type { ExitStatus } from '../command.js';
import { asPatchError, printError } from '../errors.js';
import { type OpenImage, openImage } from '../input.js';
import { isTerminal, sayErr, wantsColor, writeErr, writeOut } from '../output.js';
import type { NotesArgs } from './notes.js';

/**
 * Every image is looked at, also behind one that cannot be read; that one is reported in its turn, stands in the document
 * with its error, and makes the exit status 2. Exit 1 when an image has no Xen note and `--require-xen` is given.
 */
export async function runNotes(args: NotesArgs): Promise<ExitStatus> {
  if (args.readnotes) return asReadnotes(args);
  const style = styleOf(!args.json && wantsColor(args.color));
  const entries: { readonly [key: string]: Json }[] = [];
  const errors: PatchError[] = [];
  let missing = false;
  for (const [i, image] of args.images.entries()) {
    try {
      const { facts, pe } = await read(image, args.limit);
      if (pe !== undefined) {
        if (args.requireXen) missing = tellMissing(pe.file);
        if (args.json) entries.push(peJson(pe));
        else writeOut((i === 0 ? '' : '\n') + peText(pe, style));
        continue;
      }
      warn(facts);
      if (args.requireXen && facts.xen.notes.length === 0) {
        missing = tellMissing(facts.image.source.name);
      }
      if (args.json) entries.push(notesJson(facts, args));
      else writeOut((i === 0 ? '' : '\n') + notesText(facts, args, style));
    } catch (thrown) {
      const error = asPatchError(thrown);
      printError(error);
      errors.push(error);
      entries.push({ file: image, error: errorFacts(error) });
    }
  }
  const status = errors.length > 0 ? 2 : missing ? 1 : 0;
  if (args.json) {
    // Where nothing at all could be read there are no results: the document is an error's, as for every command.
    const none = errors.length === args.images.length;
    writeOut(none ? errorDocument('notes', 2, errors) : jsonDocument('notes', { images: entries }));
  }
  return status;
}

function tellMissing(file: string): true {
  sayErr(`xen-elfpatch: ${placePrefix({ file })}no Xen note found, --require-xen wants one`);
  return true;
}

type Read =
  | { readonly facts: NotesFacts; readonly pe?: undefined }
  | { readonly pe: PeFacts; readonly facts?: undefined };

/** Everything is read here and now, so the image need not stay open. */
async function read(image: string, limit: bigint | undefined): Promise<Read> {
  const input = await openImage(image, (source) => looksLikeElf(source) || isToldPe(source), limit);
  try {
    if (!looksLikeElf(input.source)) return { pe: peFacts(readPe(input.source)) };
    return { facts: { ...notesFacts(readElf(input.source)), container: input.container } };
  } finally {
    input.close();
  }
}

/**
 * As readnotes itself: whatever its reader takes, in its words and with its exit status, which is 0 for an ELF file
 * without Xen notes and 1 for what it does not take for ELF.
 */
async function asReadnotes({ images, requireXen, limit }: NotesArgs): Promise<ExitStatus> {
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
        sayErr(`xen-elfpatch: ${image}: no Xen note found, --require-xen wants one`);
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

/** What could be read in part. */
function warn({ image, areas, legacyProblem }: NotesFacts): void {
  for (const { range, places, problem } of areas) {
    if (problem === undefined) continue;
    const place = { file: image.source.name, offset: range.start, part: places[0]?.name };
    sayErr(`xen-elfpatch: warning: ${placePrefix(place)}${problem}`);
  }
  if (legacyProblem !== undefined) sayErr(`xen-elfpatch: warning: ${legacyProblem.message}`);
}
