/**
 * Text to standard output and error, written at once and whole: an exit right behind it loses nothing, and a reader that
 * went away (`| head`) ends the command quietly. Does without process.stdout, whose first use costs start-up time.
 */
import { fstatSync, statSync, writeSync } from 'node:fs';
import { systemError } from '../base/bytes/source.js';
import { waitABit } from '../base/bytes/wait.js';

/**
 * Writes results. Does not return when the reader has gone: there is nobody left to tell.
 * Errors: `read.open` when they cannot be written, as on a full disk.
 */
export function writeOut(text: string | Uint8Array): void {
  if (!writeAll(1, text)) process.exit(process.exitCode ?? 0);
}

/** Writes errors, warnings and progress; a closed standard error is not a reason to stop. */
export function writeErr(text: string): void {
  writeAll(2, text);
}

/** False when nobody reads any more (EPIPE). */
function writeAll(fd: 1 | 2, text: string | Uint8Array): boolean {
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

export const COLOR_MODES = ['auto', 'always', 'never'] as const;
export type ColorMode = (typeof COLOR_MODES)[number];

/** Should results be coloured? `auto`: on a terminal, unless NO_COLOR is set to anything (https://no-color.org). */
export function wantsColor(mode: ColorMode): boolean {
  if (mode !== 'auto') return mode === 'always';
  return !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb' && isTerminal(1);
}

/** Columns of the terminal on standard output; COLUMNS or 80 where there is none. */
export function terminalWidth(): number {
  if (isTerminal(1) && process.stdout.columns > 0) return process.stdout.columns;
  const told = Number(process.env['COLUMNS']);
  return Number.isSafeInteger(told) && told >= 40 ? told : 80;
}
