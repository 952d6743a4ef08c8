/**
 * Hides the machine from tests that need nothing of it: a PATH with node and sh and nothing else, and a cache without images.
 * A test that needs more fails here, on every machine, and says so by its suffix (CONTRIBUTING.md).
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { resolve } from 'node:path';

const BARE = resolve('node_modules/.bare-machine');

/** Made once, beside its place and then renamed: other workers make it at the same moment. */
function make(): void {
  const half = mkdtempSync(`${BARE}-`);
  mkdirSync(`${half}/bin`);
  mkdirSync(`${half}/cache`);
  symlinkSync(process.execPath, `${half}/bin/node`);
  symlinkSync('/bin/sh', `${half}/bin/sh`);
  try {
    renameSync(half, BARE);
  } catch (error) {
    rmSync(half, { recursive: true });
    if (!existsSync(BARE)) throw error;
  }
}

if (!existsSync(`${BARE}/bin/node`)) {
  rmSync(BARE, { recursive: true, force: true });
  make();
}
process.env['PATH'] = `${BARE}/bin`;
process.env['XDG_CACHE_HOME'] = `${BARE}/cache`;
