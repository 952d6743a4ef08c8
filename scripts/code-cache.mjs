// Stores V8's compiled code of the bundled command beside it, dist/cli/code, for the Node that runs this. It is what a user's
// first runs would store (bin/code-cache.js): the commands of a kernel build are run with a cache folder of their own.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { smallKernel } from './startup.mjs';

const command = fileURLToPath(new URL('../bin/xen-elfpatch.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'code-cache-'));
try {
  const made = join(folder, 'code');
  const kernel = join(folder, 'kernel');
  writeFileSync(kernel, smallKernel());
  // The first run of a command is the one whose code is kept.
  for (const args of [['notes'], ['patch', '--in-place', '--set', 'GUEST_OS=linux'], ['verify']]) {
    const env = { ...process.env, XEN_ELFPATCH_CODE_CACHE: made };
    const { status, stderr } = spawnSync(process.execPath, [command, ...args, kernel], { encoding: 'utf8', env });
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}\n${stderr}`);
  }
  mkdirSync('dist/cli/code');
  // Copied, not moved: a package is for every user.
  for (const name of readdirSync(made)) writeFileSync(join('dist/cli/code', name), readFileSync(join(made, name)));
} finally {
  rmSync(folder, { recursive: true });
}
