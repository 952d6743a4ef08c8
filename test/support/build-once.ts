/** Before any test: the bundle is built, unless it is newer than everything it is made of. */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const BUNDLE = 'dist/cli/main.js';
const SOURCES = ['bin', 'src', 'scripts', 'package.json'];

/** Called by vitest (globalSetup). */
export function setup(): void {
  if (newest(BUNDLE) > Math.max(...SOURCES.map(newest))) return;
  const { status, stderr } = spawnSync(process.execPath, ['scripts/bundle.mjs', '--no-types'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`scripts/bundle.mjs ended with ${status}\n${stderr}`);
}

/** Modification time of the newest file at or below a path; 0 when there is none. */
function newest(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}
