// Many images in one command: the time over that of a command each, and peak memory at 100 and at 2,000 images.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median, printPeak, timed } from './measure.mjs';

const COUNT = 500;
const command = fileURLToPath(new URL('../../bin/xen-elfpatch.js', import.meta.url));
const kernel = fileURLToPath(new URL('../../fixtures/bin/pvh64-notes', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bench-batch-'));

/** A folder of its own with so many kernels. */
function kernels(name, count) {
  const path = join(folder, name);
  rmSync(path, { recursive: true, force: true });
  mkdirSync(path);
  for (let i = 0; i < count; i++) cpSync(kernel, join(path, `kernel-${i}`));
  return path;
}

try {
  for (const [title, args] of [
    ['verify', ['verify']],
    ['patch --in-place', ['patch', '--in-place', '--set', 'GUEST_VERSION=bench']],
  ]) {
    const ratios = [];
    for (let run = 0; run < 3; run++) {
      const path = kernels('one', COUNT);
      const one = timed([process.execPath, command, ...args, '--recursive', path]);
      const other = kernels('each', COUNT);
      const start = process.hrtime.bigint();
      for (const file of readdirSync(other)) spawnSync(process.execPath, [command, ...args, join(other, file)]);
      ratios.push(one / (Number(process.hrtime.bigint() - start) / 1e6));
    }
    const title60 = `${title}: ${COUNT} images in one command / ${COUNT} commands`.padEnd(58);
    console.log(`${title60} ${median(ratios).toFixed(2)}   ${cpus().length} processors, 3 pairs   (target <= 0.15)`);
  }
  for (const count of [100, 2000]) {
    const path = kernels('many', count);
    printPeak(`verify --json of ${count} images`, [command, 'verify', '--json', '--recursive', path], 'no growth');
    const edit = ['patch', '--in-place', '--set', 'GUEST_VERSION=bench', '--recursive', path];
    printPeak(`patch --in-place of ${count} images`, [command, ...edit], 'no growth');
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
