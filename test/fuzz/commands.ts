/** What is done with one input in a sample of the runs: the commands themselves, in this process. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runHere } from '../support/in-process.js';

const EDIT = ['--set', 'GUEST_OS=fuzzed'];

/**
 * Runs commands on the file `k` with these bytes. What they promise of any input: an exit status of theirs, no fault of the
 * program, and no result after an error. A fault, or undefined.
 */
export async function commandFault(folder: string, bytes: Uint8Array): Promise<string | undefined> {
  const [k, o] = ['k', 'o'].map((name) => join(folder, name)) as [string, string];
  const lines = [
    ['notes', k],
    ['notes', k, '--json'],
    ['verify', k],
    ['verify', k, '--json', '--rules', '--for', 'xen-pv'],
    ['layout', k],
    ['layout', k, '--svg', '-'],
    ['diff', k, k],
    ['fix', k],
    ['patch', k, ...EDIT, '--dry-run'],
    ['patch', k, ...EDIT, '-o', o],
    ['stamp', k, '--note', 'Owner:7=hex:01', '-o', o],
    ['linearize', k, '-o', o],
    ['mkelf32', k, o, '0x100000'],
    ['patch', k, ...EDIT, '--in-place'],
  ];
  for (const line of lines) {
    writeFileSync(k, bytes);
    rmSync(o, { force: true });
    const { status, stderr } = await runHere(line);
    const said = `${line.join(' ')}: status ${status}: ${stderr}`;
    if (![0, 1, 2].includes(status) || stderr.includes('internal.bug')) return said;
    // Xen's own tool writes front to back, and so does the one that is like it.
    if (status !== 0 && existsSync(o) && line[0] !== 'mkelf32') return `a result after an error: ${said}`;
  }
  return undefined;
}
