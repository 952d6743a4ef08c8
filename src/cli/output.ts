/**
 * Text to standard output and error, written at once and whole: an exit right behind it loses nothing, and a reader that
 * went away (`| head`) ends the command quietly. Does without process.stdout, whose first use costs start-up time.
 *
 * Text is escaped here once more, whatever report it is of: nothing that an image or a file name holds drives a terminal.
 */

import { fstatSync, statSync, writeSync } from 'node:fs';
import { describeSystemError, systemError } from '../base/bytes/source.js';
import { waitABit } from '../base/bytes/wait.js';
import { fail } from '../base/errors/patch-error.js';
import { inLines, oneLine } from '../base/printable.js';
import { type Style, styleOf } from '../report/text.js';

/**
 * Writes results. Does not return when the reader has gone: there is nobody left to tell.
 * Errors: `read.open` when they cannot be written, as on a full disk.
 */
export function writeOut(text: string | Uint8Array): void {
  if (!writeAll(1, typeof text === 'string' ? inLines(text, colors) : text)) process.exit(process.exitCode ?? 0);
}

/** A write is worth this much: pieces are gathered until they are as many characters. */
const GATHERED = 0x10000;

/** Writes results that come in pieces of whole lines, or of JSON. Errors: those of writeOut. */
export function writePieces(pieces: Iterable<string>): void {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < GATHERED) continue;
    writeOut(text);
    text = '';
  }
  if (text !== '') writeOut(text);
}

/** Why a reader that went away got nothing. */
const READER_GONE = 'the program that was to read it has ended';

/** Writes an image, which has to arrive whole. Errors: `write.failed` when its reader has gone, else those of writeOut. */
export function sendOut(bytes: Uint8Array): void {
  if (!writeNow(1, bytes)) fail('write.failed', { file: '<stdout>' }, { action: 'write', reason: READER_GONE });
}

/** The report on an output that is written and right. Errors: `write.not-told` when it does not arrive, whatever the reason. */
export function tellWritten(output: string, text: string): void {
  let reason = READER_GONE;
  let cause: unknown;
  try {
    if (writeAll(1, inLines(text, colors))) return;
  } catch (error) {
    cause = error instanceof Error ? error.cause : undefined;
    reason = describeSystemError(cause);
  }
  fail('write.not-told', {}, { output, reason }, cause);
}

/** Writes lines about a run; a closed standard error is not a reason to stop. */
export function writeErr(text: string): void {
  writeAll(2, inLines(text, colors));
}

/** One line on standard error, whatever stands in it. */
export function sayErr(line: string): void {
  writeAll(2, `${oneLine(line)}\n`);
}

/** One line on standard error that begins with words of our own, which are set off where there are colours. */
export function sayLead(lead: string, kind: 'bad' | 'warn' | 'bold', line: string): void {
  writeAll(2, `${styleErr()[kind](lead)} ${oneLine(line)}\n`);
}

let errMode: ColorMode = 'auto';

/** Sets the colours of standard error; without it they are those of `auto`. */
export function colorErr(mode: ColorMode): void {
  errMode = mode;
}

function styleErr(): Style {
  return styleOf(errMode === 'auto' ? isColorTerminal(2) : errMode === 'always');
}

let held: { readonly fd: 1 | 2; readonly text: string | Uint8Array }[] | undefined;

/** From here on nothing is written until it is known whether all went well. Images for standard output go through. */
export function holdBack(): void {
  held = [];
}

/** Writes what was held back, or forgets it. */
export function letGo(wanted: boolean): void {
  const all = held ?? [];
  held = undefined;
  if (wanted) for (const { fd, text } of all) writeAll(fd, text);
}

/** Text that moves the cursor of the terminal on standard error; nothing foreign may stand in it. */
export function driveErr(text: string): void {
  if (held === undefined) writeAll(2, text);
}

/** False when nobody reads any more (EPIPE). */
function writeAll(fd: 1 | 2, text: string | Uint8Array): boolean {
  if (held === undefined) return writeNow(fd, text);
  held.push({ fd, text });
  return true;
}

function writeNow(fd: 1 | 2, text: string | Uint8Array): boolean {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done, bytes.length - done);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EPIPE') return false;
      if (fd === 2) return true;
      if (code !== 'EAGAIN') throw systemError(error, '<stdout>', 'write');
      // Another program made the pipe non-blocking and it is full: wait for the reader.
      waitABit();
    }
  }
  return true;
}

/** Is this descriptor a terminal? The streams of `process` are touched only for a character device other than /dev/null. */
export function isTerminal(fd: 0 | 1 | 2): boolean {
  try {
    const stats = fstatSync(fd);
    if (!stats.isCharacterDevice() || stats.rdev === statSync('/dev/null', { throwIfNoEntry: false })?.rdev)
      return false;
  } catch {
    // A closed descriptor is no terminal.
    return false;
  }
  switch (fd) {
    case 0:
      return process.stdin.isTTY === true;
    case 1:
      return process.stdout.isTTY === true;
    case 2:
      return process.stderr.isTTY === true;
  }
}

/** The choices of `--color`. */
export const COLOR_MODES = ['auto', 'always', 'never'] as const;
/** A choice of `--color`. */
export type ColorMode = (typeof COLOR_MODES)[number];

/** Should results be coloured? `auto`: on a terminal, unless NO_COLOR is set to anything (https://no-color.org). */
export function wantsColor(mode: ColorMode): boolean {
  colors = mode === 'auto' ? isColorTerminal(1) : mode === 'always';
  return colors;
}

function isColorTerminal(fd: 1 | 2): boolean {
  return !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb' && isTerminal(fd);
}

/** Was a report painted? Only then colours are let through. */
let colors = false;

/** Columns of the terminal on standard output; COLUMNS or 80 where there is none. */
export function terminalWidth(): number {
  if (isTerminal(1) && process.stdout.columns > 0) return process.stdout.columns;
  const told = Number(process.env['COLUMNS']);
  return Number.isSafeInteger(told) && told >= 40 ? told : 80;
}
