// Stores V8's compiled code of the bundled command beside it. The command is run for that, so that the code of what
// every run needs is in the store and not only the outermost function.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { smallKernel } from './startup.mjs';

const filename = resolve('dist/cli/main.js');
const [kernel] = process.argv.slice(2);

if (kernel === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'code-cache-'));
  try {
    writeFileSync(join(folder, 'kernel'), smallKernel());
    // In a process of its own: the command writes to standard output and sets an exit status.
    const args = [fileURLToPath(import.meta.url), join(folder, 'kernel')];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`the bundled command ended with ${status}\n${stderr}`);
    const cachedData = readFileSync(`${filename}.cache`);
    const script = new Script(readFileSync(filename, 'utf8'), { filename, cachedData });
    if (script.cachedDataRejected) throw new Error('V8 does not take back the code it has just compiled');
  } finally {
    rmSync(folder, { recursive: true });
  }
} else {
  const script = new Script(readFileSync(filename, 'utf8'), { filename });
  process.argv = [process.execPath, filename, 'patch', '--in-place', '--set', 'GUEST_OS=linux', kernel];
  process.on('exit', () => writeFileSync(`${filename}.cache`, script.createCachedData()));
  const module = { exports: {} };
  script.runInThisContext()(module.exports, createRequire(filename), module, filename);
}
