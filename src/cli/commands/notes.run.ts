/** `notes IMAGE`: reads an image and prints what its notes say. */

import type { ByteSource } from '../../base/bytes/source.js';
import { PatchError, placePrefix } from '../../base/errors/patch-error.js';
import { oneLine } from '../../base/printable.js';
import { looksLikeElf, readElf } from '../../formats/elf/read.js';
import { type NotesFacts, notesFacts } from '../../inspect/notes/notes-facts.js';
import { walkAsXen } from '../../loaders/read/loader-walks.js';
import type { CiFormat } from '../../report/ci/ci-formats.js';
import { type Json, jsonDocument, jsonPieces } from '../../report/json.js';
import { notesPieces, notesStream } from '../../report/notes-report.js';
import { counted, type Style, styleOf } from '../../report/text.js';
import { isToldPe } from '../../report/told-pe.js';
import type { ExitStatus } from '../command.js';
import { type OpenImage, openImage } from '../input.js';
import { isTerminal, sayLead, wantsColor, writeErr, writeOut, writePieces } from '../output.js';
import { tell, writeAnswers } from '../told.js';
import type { NotesArgs } from './notes.js';

/** Exit 1 when the image has no Xen note and `--require-xen` is given, or there is a warning and `--strict`. */
export async function runNotes(args: NotesArgs): Promise<ExitStatus> {
  if (args.readnotes) return asReadnotes(args);
  if (args.format !== undefined) return forCi(args, args.format);
  const { facts, pe } = await read(args.image, args.limit);
  const style = styleOf(!args.json && wantsColor(args.color));
  if (pe !== undefined) {
    tell({ word: 'no ELF notes' });
    if (args.requireXen) tellMissing(pe.file);
    writeOut(args.json ? jsonDocument('notes', { images: [pe.json()] }) : pe.text(style));
    return args.requireXen ? 1 : 0;
  }
  const { notes } = facts.xen;
  tell({ word: counted(notes.length, 'Xen note') });
  const warned = warn(facts);
  const missing = args.requireXen && notes.length === 0;
  if (missing) tellMissing(facts.image.source.name);
  if (args.json) writePieces(jsonPieces('notes', { images: [notesStream(facts, args)] }));
  else writePieces(notesPieces(facts, args, style));
  return missing || (args.strict && warned) ? 1 : 0;
}

/** Exit 1: no Xen note. */
async function forCi({ image, limit }: NotesArgs, format: CiFormat): Promise<ExitStatus> {
  const { facts, pe } = await read(image, limit);
  const count = pe === undefined ? facts.xen.notes.length : 0;
  tell({ word: counted(count, 'Xen note') });
  const faults = count > 0 ? [] : ([{ level: 'error', text: 'no Xen note found' }] as const);
  const because = 'the image carries a note that Xen reads';
  await writeAnswers(format, 'notes', [{ file: image, rule: 'require-xen', because, faults }]);
  return count > 0 ? 0 : 1;
}

function tellMissing(file: string): void {
  sayLead('xen-elfpatch:', 'bad', `${placePrefix({ file })}no Xen note found, --require-xen wants one`);
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
async function asReadnotes({ image, requireXen, limit }: NotesArgs): Promise<ExitStatus> {
  const { formatReadnotes } = await import('../../loaders/read/readnotes.js');
  const { brokenTables, isElfBinary, libelfImage } = await import('../../loaders/xen/libelf-image.js');
  const input = await openOrRefused(image, limit);
  try {
    const elf = input !== undefined && isElfBinary(input.source) ? libelfImage(input.source) : undefined;
    const refused = { stdout: '', stderr: `File ${oneLine(image)} is not an ELF image\n`, exit: 1 } as const;
    const { stdout, stderr, exit } = elf === undefined ? refused : formatReadnotes(elf, brokenTables(elf));
    // Bytes, not text, for whatever reads them; a terminal gets what every report gives it.
    writeOut(isTerminal(1) ? stdout : Buffer.from(stdout, 'latin1'));
    writeErr(stderr);
    if (!requireXen || elf === undefined || walkAsXen(elf).notes.length > 0) return exit;
    sayLead('xen-elfpatch:', 'bad', `${image}: no Xen note found, --require-xen wants one`);
    return 1;
  } finally {
    input?.close();
  }
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
