/** What a program of the host prints, in pieces, as it comes: for output that is looked through and never held. */
import { type ChildProcess, spawn } from 'node:child_process';
import { describeSystemError } from '../bytes/source.js';
import { PatchError } from '../errors/patch-error.js';
import { firstWords, hostEnvironment } from './program.js';

/** What is run, and how messages call what it is run for. */
export interface OutputOf {
  readonly program: string;
  readonly args: readonly string[];
  /** An open file that it reads as its standard input. */
  readonly stdin?: number | undefined;
  readonly file: string;
  /** What the program is needed for: `deb`. */
  readonly format: string;
}

/**
 * Runs a program. Leaving the loop ends it. Errors: `codec.missing`; `archive.bad` where it ends with another status than 0,
 * with what it says.
 */
export async function* programOutput({ program, args, stdin, file, format }: OutputOf): AsyncGenerator<Uint8Array> {
  let child: ChildProcess;
  try {
    child = spawn(program, args, { env: hostEnvironment(), stdio: [stdin ?? 'ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw PatchError.of('archive.bad', { file }, { why: describeSystemError(error) });
  }
  let said = '';
  child.stderr?.setEncoding('latin1').on('data', (text: string) => {
    said = said.length < 1000 ? said + text : said;
  });
  const ended = new Promise<PatchError | undefined>((resolve) => {
    child.on('error', (error) => {
      const code = 'code' in error ? error.code : undefined;
      const missing = code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR';
      const why = describeSystemError(error);
      resolve(
        missing
          ? PatchError.of('codec.missing', { file }, { program, format })
          : PatchError.of('archive.bad', { file }, { why }),
      );
    });
    child.on('close', (status, signal) => {
      if (status === 0) return resolve(undefined);
      const words = firstWords(said) || (signal === null ? `status ${status}` : `signal ${signal}`);
      resolve(PatchError.of('archive.bad', { file }, { why: `${program} says: ${words}` }));
    });
  });
  let whole = false;
  let broken: unknown;
  try {
    for await (const piece of child.stdout ?? []) yield piece as Uint8Array;
    whole = true;
  } catch (error) {
    // Why, the program's end tells: of one that never began some runtimes break off the output first.
    broken = error;
  } finally {
    if (!whole) child.kill('SIGKILL');
  }
  const problem = (await ended) ?? broken;
  if (problem !== undefined) throw problem;
}
