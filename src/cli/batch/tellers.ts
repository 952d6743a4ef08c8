/**
 * How a batch tells what it does: text, one JSON document, a document a line, or what a CI system reads. Each gets the
 * images one by one, and keeps no more of them than its end needs.
 */
import { PatchError } from '../../base/errors/patch-error.js';
import {
  type BatchCounts,
  type BatchRow,
  batchEntry,
  batchTable,
  countsJson,
  frameOf,
  memberText,
} from '../../report/batch-report.js';
import type { Answer } from '../../report/ci/answers.js';
import type { CiFormat } from '../../report/ci/ci-formats.js';
import { ciReport } from '../../report/ci/ci-report.js';
import { type Json, jsonDocument, onOneLine } from '../../report/json.js';
import type { Style } from '../../report/text.js';
import type { ExitStatus } from '../command.js';
import { type Piece, tellWritten, writeErr, writeOut } from '../output.js';
import type { Ran } from './one.js';

/** An image that is done. */
export interface Done {
  readonly name: string;
  /** Has it a block of text of its own? */
  readonly shown: boolean;
  readonly ran: Ran;
}

/** Told of each image, and of the end. */
export interface Teller {
  /** Must images come in the order in which they were named? */
  readonly inOrder: boolean;
  add(done: Done): void;
  end(exit: ExitStatus, counts: BatchCounts): void;
}

/** Where results go. */
export interface Out {
  write(text: string | Uint8Array): void;
  /** What kept them from going there, of a batch that goes on all the same. */
  problem(): PatchError | undefined;
}

/** Standard output. A batch that writes images is not stopped by it: what is not told is told at the end. */
export function outFor(writes: boolean): Out {
  let problem: PatchError | undefined;
  if (!writes) return { write: writeOut, problem: () => undefined };
  return {
    write(text) {
      if (problem !== undefined) return;
      try {
        tellWritten('what was written', typeof text === 'string' ? text : Buffer.from(text).toString('latin1'));
      } catch (error) {
        if (!(error instanceof PatchError)) throw error;
        problem = error;
      }
    },
    problem: () => problem,
  };
}

/** A block an image, a table at the end. `quiet`: only of those with which something is wrong. */
export function textTeller(style: Style, quiet: boolean, out: Out): Teller {
  const rows: BatchRow[] = [];
  let before: 'nothing' | 'line' | 'block' = 'nothing';
  return {
    inOrder: true,
    add({ name, shown, ran }) {
      const { exit, pieces, told } = ran;
      if (quiet && exit === 0) return;
      rows.push({ file: name, exit, word: wordOf(ran), verdicts: told.verdicts ?? [] });
      const printed = shown ? pieces : pieces.filter(({ fd }) => fd === 2 && exit > 1);
      const text = printed.filter(({ fd }) => fd === 1).map(({ text }) => String(text));
      const kind = text.join('').trimEnd().includes('\n') ? 'block' : 'line';
      if (before !== 'nothing' && text.length > 0 && (kind === 'block' || before === 'block')) out.write('\n');
      for (const piece of printed) put(piece, out);
      if (text.length > 0) before = kind;
    },
    end(_exit, counts) {
      if (quiet && rows.length === 0) return;
      out.write(`${before === 'nothing' ? '' : '\n'}${batchTable(rows, counts, style)}`);
    },
  };
}

function put({ fd, text }: Piece, out: Out): void {
  if (fd === 1) out.write(text);
  else writeErr(String(text));
}

function wordOf({ exit, told }: Ran): string {
  return told.error?.id ?? told.word ?? (exit === 0 ? 'good' : 'not');
}

/** What goes to standard error beside a document. */
function aside({ pieces }: Ran): void {
  for (const { fd, text } of pieces) if (fd === 2) writeErr(String(text));
}

/** What the command printed as its document; undefined where it ended in an error. */
function resultOf({ pieces, told }: Ran): Json | undefined {
  if (told.error !== undefined) return undefined;
  const text = pieces.filter(({ fd }) => fd === 1).map((piece) => String(piece.text));
  return text.length === 0 ? undefined : JSON.parse(text.join(''));
}

/** All images as an array of one document, which is written while it grows: `xen-elfpatch/batch/1`. */
export function jsonTeller(command: string, out: Out): Teller {
  const frame = (after: { readonly [key: string]: Json }) =>
    frameOf({ schema: 'xen-elfpatch/batch/1', command }, after);
  let empty = true;
  return {
    inOrder: true,
    add({ name, ran }) {
      aside(ran);
      const entry = batchEntry(name, ran.exit, resultOf(ran), ran.told.error?.facts);
      out.write(`${empty ? frame({}).head : ''}${memberText(entry, empty)}`);
      empty = false;
    },
    end(exit, counts) {
      const { head, tail } = frame({ exit, ...countsJson(counts) });
      out.write(`${empty ? head : ''}${tail(empty)}`);
    },
  };
}

/** `notes` has always had all images in a document of its own: `xen-elfpatch/notes/1`, an error's where none can be read. */
export function notesTeller(out: Out): Teller {
  const frame = (after: { readonly [key: string]: Json }) => frameOf({ schema: 'xen-elfpatch/notes/1' }, after);
  const failed: { readonly file: string; readonly error: { readonly [key: string]: Json } }[] = [];
  let empty = true;
  const write = (entry: { readonly [key: string]: Json }) => {
    out.write(`${empty ? frame({}).head : ''}${memberText(entry, empty)}`);
    empty = false;
  };
  return {
    inOrder: true,
    add({ name, ran }) {
      aside(ran);
      const { error } = ran.told;
      if (error !== undefined) {
        if (empty) failed.push({ file: name, error: error.facts });
        else write({ file: name, error: error.facts });
        return;
      }
      for (const entry of failed.splice(0)) write(entry);
      const result = resultOf(ran);
      const [image] = (result as { readonly images: readonly { readonly [key: string]: Json }[] }).images;
      if (image !== undefined) write(image);
    },
    end(exit, { passedOver }) {
      if (empty && failed.length > 0) {
        out.write(jsonDocument('error', { command: 'notes', exit, errors: failed.map(({ error }) => error) }));
        return;
      }
      const { head, tail } = frame(passedOver > 0 ? { passedOver } : {});
      out.write(`${empty ? head : ''}${tail(empty)}`);
    },
  };
}

/** Each image as a document of its own on a line, as soon as it is ready: `xen-elfpatch/batch-image/1`. */
export function linesTeller(command: string, out: Out): Teller {
  return {
    inOrder: false,
    add({ name, ran }) {
      aside(ran);
      const entry = batchEntry(name, ran.exit, resultOf(ran), ran.told.error?.facts);
      out.write(onOneLine(jsonDocument('batch-image', { command, ...entry })));
    },
    end() {},
  };
}

/** Annotations as they come; one document of the others at the end. */
export function ciTeller(format: CiFormat, command: string, out: Out): Teller {
  const all: Answer[] = [];
  return {
    inOrder: true,
    add({ ran }) {
      aside(ran);
      const answers = ran.told.answers ?? [];
      if (format === 'github') out.write(ciReport(format, command, answers));
      else all.push(...answers);
    },
    end() {
      if (format !== 'github') out.write(ciReport(format, command, all));
    },
  };
}
