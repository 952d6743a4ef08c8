/** Command lines as a person would run them: by a shell that finds `xen-elfpatch` on its PATH. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { BIN } from './cli.js';

/** Runs lines as they were printed, in that folder. */
export function shellIn(folder: string): (line: string) => { readonly status: number | null; readonly stderr: string } {
  const bin = join(folder, '.bin');
  mkdirSync(bin, { recursive: true });
  const command = join(bin, 'xen-elfpatch');
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${BIN}' "$@"\n`);
  chmodSync(command, 0o755);
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };
  return (line) => {
    const { status, stderr } = spawnSync('bash', ['-c', line], { cwd: folder, encoding: 'utf8', env });
    return { status, stderr };
  };
}

/** The words that a POSIX shell makes of a line's arguments. */
export function wordsOf(line: string): string[] {
  const { stdout } = spawnSync('sh', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
  return stdout.split('\0').slice(0, -1);
}
