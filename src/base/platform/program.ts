/**
 * Compressors of the host, as kernel builds use them: fed and read through pipes, arguments never through a shell, with
 * an environment that cannot change what they do, and with an end to what they may print.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { ProgramResult } from '../bytes/ports.js';
import { type ByteSource, describeSystemError } from '../bytes/source.js';

/** What a compressor can print of an error that is worth repeating. */
const WORDS = 200;
const CHUNK = 0x100000n;

/**
 * Runs `program` on `input`; at most `limit` bytes come back, and no more are ever held. Progress is counted on the
 * input.
 */
export function runProgram(
  program: string,
  args: readonly string[],
  input: ByteSource,
  limit: number,
  onProgress?: (done: bigint, total: bigint) => void,
): Promise<ProgramResult> {
  // An empty name is none; spawn() would throw.
  if (program === '') return Promise.resolve({ kind: 'missing' });
  // XZ_OPT, ZSTD_CLEVEL, GZIP and the like would change the result from outside.
  const env = { PATH: searchPath(process.env['PATH'] ?? '/usr/bin:/bin'), LC_ALL: 'C' };
  return new Promise((resolve) => {
    let child: ChildProcessWithoutNullStreams;
    try {
      child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    } catch (error) {
      // What a system says at once that has no memory, or no process, left.
      return resolve({ kind: 'failed', why: describeSystemError(error) });
    }
    const output = new Output(limit, Number(input.size));
    let said = '';
    child.on('error', (error) => {
      const code = 'code' in error ? error.code : undefined;
      if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') resolve({ kind: 'missing' });
      else resolve({ kind: 'failed', why: describeSystemError(error) });
    });
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        if (output.add(chunk)) return;
        resolve({ kind: 'too-long', bytes: output.bytes() });
      } catch {
        // What a system says that has no memory left: nothing else in there throws.
        resolve({ kind: 'failed', why: 'there is not enough memory for what comes out' });
      }
      child.kill('SIGKILL');
    });
    child.stderr.setEncoding('latin1').on('data', (text: string) => {
      if (said.length < WORDS) said += text;
    });
    // EPIPE: it stopped reading, and its own status tells why.
    child.stdin.on('error', () => undefined);
    child.on('close', (status, signal) => {
      if (status === 0) return resolve({ kind: 'done', bytes: output.bytes() });
      const first = said.trim().split('\n')[0]?.slice(0, WORDS) ?? '';
      const ended = signal === null ? `status ${status}` : `signal ${signal}`;
      resolve({ kind: 'failed', why: first === '' ? ended : first.replace(/[^\x20-\x7e]/g, '?') });
    });
    let fed = 0n;
    const feed = (): void => {
      while (fed < input.size) {
        const part = input.read(fed, input.size - fed < CHUNK ? input.size - fed : CHUNK, 'data for a program');
        fed += BigInt(part.length);
        const room = child.stdin.write(part);
        onProgress?.(fed, input.size);
        if (!room) return void child.stdin.once('drain', feed);
      }
      child.stdin.end();
    };
    feed();
  });
}

/** Folders by their whole names: an empty one, or `.`, is the current folder, where whoever sent an image may have put a program. */
function searchPath(path: string): string {
  return path
    .split(':')
    .filter((folder) => folder.startsWith('/'))
    .join(':');
}

/** What real compressors reach on kernels, and room to spare. */
const USUAL_RATIO = 16;

/** Of less than this no more than usual is expected. */
const LITTLE = 0x100000;

/**
 * One buffer that is filled as bytes come, so that nothing is held twice: room for all that may come is taken at once, and
 * pages that are not written cost nothing. A system that counts them all the same may refuse; then it grows, as it does for
 * little input, of which many may be unpacked one after the other.
 */
class Output {
  readonly #limit: number;
  #buffer: Uint8Array;
  #size = 0;

  constructor(limit: number, inputSize: number) {
    this.#limit = limit;
    const usual = Math.min(limit, Math.max(Number(CHUNK), inputSize * USUAL_RATIO));
    try {
      this.#buffer = new Uint8Array(inputSize < LITTLE ? usual : limit);
    } catch {
      this.#buffer = new Uint8Array(usual);
    }
  }

  /** False: more than the limit; as much as fits is kept. */
  add(chunk: Uint8Array): boolean {
    const room = this.#limit - this.#size;
    if (chunk.length <= room) {
      this.#keep(chunk);
      return true;
    }
    this.#keep(chunk.subarray(0, room));
    return false;
  }

  #keep(chunk: Uint8Array): void {
    const size = this.#size + chunk.length;
    if (size > this.#buffer.length) {
      const larger = new Uint8Array(Math.min(this.#limit, Math.max(size, this.#buffer.length * 2)));
      larger.set(this.#buffer.subarray(0, this.#size));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#size);
    this.#size = size;
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#size);
  }
}
