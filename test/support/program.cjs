// Stands for bin/xen-elfpatch.js where the stand-alone program is under test: Node starts it with the same words.
const { spawnSync } = require('node:child_process');
const { join } = require('node:path');

// Some tests start it without the environment.
const made = join(__dirname, `../../dist/bin/xen-elfpatch-linux-${process.arch}`);
const { status, signal } = spawnSync(process.env.XEN_ELFPATCH_PROGRAM ?? made, process.argv.slice(2), {
  stdio: 'inherit',
});
if (signal !== null) process.kill(process.pid, signal);
process.exitCode = status ?? 1;
