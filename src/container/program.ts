/**
 * Compressors of the host, as kernel builds use them: fed and read through pipes, arguments never through a shell, with
 * an environment that cannot change what they do, and with an end to what they may print.
 */
import { spawnSync } from 'node:child_process';
import { describeSystemError } from '../bytes/source.js';

export type ProgramResult =
  | { readonly kind: 'done'; readonly bytes: Uint8Array }
  | { readonly kind: 'missing' }
  /** More came out than was allowed. */
  | { readonly kind: 'too-long' }
  | { readonly kind: 'failed'; readonly why: string };

/** What a compressor can print of an error that is worth repeating. */
const WORDS = 200;

/** Runs `program` on `input`; at most `limit` bytes come back, and no more are ever held. */
export function runProgram(program: string, args: readonly string[], input: Uint8Array, limit: number): ProgramResult {
  // XZ_OPT, ZSTD_CLEVEL, GZIP and the like would change the result from outside.
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' };
  const run = spawnSync(program, args, { input, maxBuffer: limit, env, stdio: ['pipe', 'pipe', 'pipe'] });
  if (run.error !== undefined) {
    const code = 'code' in run.error ? run.error.code : undefined;
    if (code === 'ENOENT' || code === 'EACCES') return { kind: 'missing' };
    if (code === 'ENOBUFS') return { kind: 'too-long' };
    // EPIPE: it stopped reading, and its own status tells why.
    if (code !== 'EPIPE') return { kind: 'failed', why: describeSystemError(run.error) };
  }
  if (run.status === 0) return { kind: 'done', bytes: run.stdout };
  const said = run.stderr.toString('latin1').trim().split('\n')[0]?.slice(0, WORDS) ?? '';
  const ended = run.signal === null ? `status ${run.status}` : `signal ${run.signal}`;
  return { kind: 'failed', why: said === '' ? ended : said.replace(/[^\x20-\x7e]/g, '?') };
}
