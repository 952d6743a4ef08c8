/** Opening the image that a command was given: a path, or `-` for standard input. */
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmdirSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { FileSource } from '../base/bytes/file-source.js';
import { type ByteSource, systemError } from '../base/bytes/source.js';
import { waitABit } from '../base/bytes/wait.js';
import { fail } from '../base/errors/patch-error.js';
import type { ContainerFacts } from '../formats/container/facts.js';
import type { Opened } from '../formats/container/open.js';
import { looksLikeElf } from '../formats/elf/read.js';
import type { Wrapped } from '../loaders/wrapped.js';
import { isTerminal } from './output.js';
import { startProgress } from './progress.js';

/** An image that is open for reading. */
export interface OpenInput {
  readonly source: FileSource;
  /** Where its bytes can be opened again while it is open. */
  readonly path: string;
  close(): void;
}

/** What messages call standard input. */
export const STDIN_NAME = '<stdin>';

/** Where the open descriptors of this process have names. */
const DESCRIPTORS = process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd';

/** What files are called in messages and documents that stand for others, as members of archives do. */
const names = new Map<string, string>();

/** Gives a file another name for everything that is said of it. */
export function nameInput(path: string, name: string): void {
  names.set(path, name);
}

/** Can a command line name what this word stands for once more? Neither standard input nor a member of an archive. */
export function isNamedAgain(word: string): boolean {
  return word !== '-' && !names.has(word);
}

let stdinTaken = false;

/** Opens an image. Errors: those of FileSource.open; `usage.bad` for a terminal or for `-` given twice. */
export function openInput(word: string): OpenInput {
  if (word !== '-') {
    const source = FileSource.open(word, names.get(word));
    return { source, path: word, close: () => source.close() };
  }
  if (stdinTaken) fail('usage.bad', {}, { what: '- was given twice, and standard input can be read once' });
  stdinTaken = true;
  if (isTerminal(0)) {
    const hint = 'Redirect an image into it: xen-elfpatch notes - < vmlinux';
    fail('usage.bad', {}, { what: 'standard input is a terminal, wanted an image', hint });
  }
  const fd = isFileAtStart() ? undefined : spool();
  const path = `${DESCRIPTORS}/${fd ?? 0}`;
  const source = FileSource.open(path, STDIN_NAME);
  return {
    source,
    path,
    close() {
      source.close();
      if (fd !== undefined) closeSync(fd);
    },
  };
}

/** An image as commands that only read see it: the ELF, whatever it is wrapped in. */
export interface OpenImage {
  /** The file as it was given, for messages and documents. */
  readonly file: string;
  /** The ELF: the file itself, or what was unpacked. */
  readonly source: ByteSource;
  /** What was looked through; undefined for a bare ELF. */
  readonly container: ContainerFacts | undefined;
  /** The container with the file as it stands, for verdicts of loaders; undefined for a bare ELF. */
  readonly wrapped: Wrapped | undefined;
  close(): void;
}

/**
 * Opens an image for reading, through gzip and bzImage. What unpacks them is loaded only for a file that is no ELF.
 * `asItStands` says which files need no unpacking, `limit` how many bytes may be unpacked. Errors: those of openInput and openContainer.
 */
export async function openImage(
  word: string,
  asItStands: (source: ByteSource) => boolean = looksLikeElf,
  limit?: bigint | undefined,
): Promise<OpenImage> {
  const input = openInput(word);
  const { source } = input;
  try {
    const { name: file } = source;
    if (asItStands(source)) return { file, source, container: undefined, wrapped: undefined, close: input.close };
    const { factsOf, openContainer, wholeOf } = await import('../formats/container/open.js');
    const progress = startProgress('unpacking');
    let opened: Opened;
    try {
      opened = await openContainer(source, { onProgress: progress.report, limit });
    } finally {
      progress.end();
    }
    const container = factsOf(opened);
    const wrapped = container === undefined ? undefined : { facts: container, outer: source };
    return { file, source: wholeOf(opened), container, wrapped, close: input.close };
  } catch (error) {
    input.close();
    throw error;
  }
}

/** Where temporary files go. Node's module is loaded only for a pipe. */
const tmpdir = () => process.getBuiltinModule('node:os').tmpdir();

/** Is standard input a file that can be opened by itself, with nothing read from it yet? */
function isFileAtStart(): boolean {
  try {
    FileSource.open(`${DESCRIPTORS}/0`).close();
    return readFileSync('/proc/self/fdinfo/0', 'latin1').startsWith('pos:\t0\n');
  } catch {
    // A pipe, or a system that does not tell: it is copied.
    return false;
  }
}

/**
 * Copies standard input to a file, because images are read by range, in any order. The file has no name any more when
 * the first byte arrives, so that no end of the command, SIGKILL included, leaves it behind.
 */
function spool(): number {
  const fd = nameless();
  try {
    const chunk = new Uint8Array(1 << 20);
    for (let got = readChunk(chunk); got > 0; got = readChunk(chunk)) {
      for (let done = 0; done < got; ) done += writeSync(fd, chunk, done, got - done);
    }
  } catch (error) {
    closeSync(fd);
    throw systemError(error, STDIN_NAME, `copy it to ${tmpdir()}`);
  }
  return fd;
}

function nameless(): number {
  try {
    const folder = mkdtempSync(join(tmpdir(), 'xen-elfpatch-'));
    const path = join(folder, 'stdin');
    const fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    rmdirSync(folder);
    return fd;
  } catch (error) {
    throw systemError(error, tmpdir(), 'make a file for standard input');
  }
}

/** Bytes read, 0 at the end. A pipe that another program made non-blocking is waited for. */
function readChunk(chunk: Uint8Array): number {
  for (;;) {
    try {
      return readSync(0, chunk, 0, chunk.length, null);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'EOF') return 0;
      if (code !== 'EAGAIN') throw error;
      waitABit();
    }
  }
}
