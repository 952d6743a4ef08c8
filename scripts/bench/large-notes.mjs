// A large descriptor: a copy of the Node that runs gets a single executable application, by stamp and by npm's postject.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compare, peakMemory } from './measure.mjs';

const command = fileURLToPath(new URL('../../bin/xen-elfpatch.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'xen-elfpatch-bench-'));
const at = (name) => join(folder, name);
const MB = 1_000_000;

/** postject's command; undefined where no registry has it for us. */
function postject() {
  const npm = spawnSync('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', 'postject@1.0.0-alpha.6']);
  const path = at('node_modules/postject/dist/cli.js');
  if (npm.status !== 0) return undefined;
  return readFileSync(path).length > 0 ? path : undefined;
}

try {
  const other = postject();
  const out = at('out');
  // postject changes the file that it is given.
  const before = () => copyFileSync(process.execPath, out);
  for (const size of process.argv.includes('--quick') ? [5 * MB] : [5 * MB, 100 * MB]) {
    const blob = at(`blob-${size}`);
    writeFileSync(blob, Buffer.alloc(size, 'never the same block\n'));
    const ours = [command, 'stamp', process.execPath, '-o', out, '--note', `NODE_SEA_BLOB:0=file:${blob}`, '--loaded'];
    const mebibytes = peakMemory(ours);
    const name = `stamp, a note of ${size / MB} MB`;
    if (other === undefined) {
      console.log(`${name}: peak ${mebibytes.toFixed(0)} MiB; npm has no postject here`);
      continue;
    }
    const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';
    const theirs = [other, out, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', fuse];
    compare(`${name} / postject`, [process.execPath, ...ours], [process.execPath, ...theirs], {
      runs: 3,
      before,
      target: '<= 0.1',
    });
    before();
    const peak = peakMemory(theirs);
    const ratio = (mebibytes / peak).toFixed(2);
    console.log(`  peak memory ${ratio}   ${mebibytes.toFixed(0)} MiB over ${peak.toFixed(0)} MiB   (target <= 0.1)`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
