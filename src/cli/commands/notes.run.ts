/** `notes IMAGE…`: reads each image and prints what its notes say. */
import { looksLikeElf, readElf } from '../../elf/read.js';
import { type PatchError, placePrefix } from '../../errors/patch-error.js';
import { formatReadnotes, type ReadnotesOutput } from '../../note/readnotes.js';
import { readPe } from '../../pe/read.js';
import { errorDocument, errorFacts } from '../../report/error-report.js';
import { type Json, jsonDocument } from '../../report/json.js';
import { type NotesFacts, notesFacts } from '../../report/notes-facts.js';
import { notesJson, notesText } from '../../report/notes-report.js';
import { isMultibootPe, type PeFacts, peFacts, peJson, peText } from '../../report/pe-report.js';
import { styleOf } from '../../report/text.js';
import type { ExitStatus } from '../command.js';
import { asPatchError, printError } from '../errors.js';
import { openImage } from '../input.js';
import { wantsColor, writeErr, writeOut } from '../output.js';
import type { NotesArgs } from './notes.js';

/**
 * Every image is looked at, also behind one that cannot be read; that one is reported in its turn, stands in the document
 * with its error, and makes the exit status 2. Exit 1 when an image has no Xen note and `--require-xen` is given.
 */
export async function runNotes(args: NotesArgs): Promise<ExitStatus> {
  const style = styleOf(!args.json && wantsColor(args.color));
  const entries: { readonly [key: string]: Json }[] = [];
  const errors: PatchError[] = [];
  let missing = false;
  for (const [i, image] of args.images.entries()) {
    try {
      const { facts, readnotes, pe } = await read(image, args.readnotes);
      if (pe !== undefined) {
        if (args.requireXen) missing = tellMissing(pe.file);
        if (args.json) entries.push(peJson(pe));
        else writeOut((i === 0 ? '' : '\n') + peText(pe, style));
        continue;
      }
      if (!args.readnotes) warn(facts);
      if (args.requireXen && facts.xen.notes.length === 0) {
        missing = tellMissing(facts.image.source.name);
      }
      if (args.json) entries.push(notesJson(facts, args));
      else if (readnotes === undefined) writeOut((i === 0 ? '' : '\n') + notesText(facts, args, style));
      else if (!printReadnotes(readnotes)) return 2;
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
  writeErr(`xen-elfpatch: ${placePrefix({ file })}no Xen note found, --require-xen wants one\n`);
  return true;
}

type Read =
  | { readonly facts: NotesFacts; readonly readnotes: ReadnotesOutput | undefined; readonly pe?: undefined }
  | { readonly pe: PeFacts; readonly facts?: undefined; readonly readnotes?: undefined };

/** Everything is read here and now, so the image need not stay open. */
async function read(image: string, asReadnotes: boolean): Promise<Read> {
  const input = await openImage(image, (source) => looksLikeElf(source) || (!asReadnotes && isMultibootPe(source)));
  try {
    if (!looksLikeElf(input.source)) return { pe: peFacts(readPe(input.source)) };
    const elf = readElf(input.source);
    return {
      facts: { ...notesFacts(elf), container: input.container },
      readnotes: asReadnotes ? formatReadnotes(elf) : undefined,
    };
  } finally {
    input.close();
  }
}

/** False when readnotes would refuse the file. What it prints is bytes, not text. */
function printReadnotes({ stdout, stderr, exit }: ReadnotesOutput): boolean {
  writeOut(Buffer.from(stdout, 'latin1'));
  writeErr(stderr);
  return exit === 0;
}

/** What could be read in part. */
function warn({ image, areas, legacyProblem, container }: NotesFacts): void {
  for (const warning of container?.warnings ?? []) {
    writeErr(`xen-elfpatch: warning: ${placePrefix({ file: container?.file })}${warning}\n`);
  }
  for (const { range, places, problem } of areas) {
    if (problem === undefined) continue;
    const place = { file: image.source.name, offset: range.start, part: places[0]?.name };
    writeErr(`xen-elfpatch: warning: ${placePrefix(place)}${problem}\n`);
  }
  if (legacyProblem !== undefined) writeErr(`xen-elfpatch: warning: ${legacyProblem.message}\n`);
}
