/**
 * Compressors of the host, as kernel builds use them: fed and read through pipes, arguments never through a shell, with
 * an environment that cannot change what they do, and with an end to what they may print.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { ProgramResult } from '../bytes/ports.js';
import { type ByteSource, describeSystemError } from '../bytes/source.js';
import { Output } from './output.js';

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
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' };
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
