// The main job on a real linked kernel, step by step: `make demo`.
// The kernel is GNU Mach as Debian ships it: linked, stripped, without any Xen note. Where QEMU is installed, our own
// small kernel is booted before and after the patch as well.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const COMMAND = 'bin/xen-elfpatch.js';
const cache =
  process.env.XEN_ELFPATCH_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'xen-elfpatch');
const folder = mkdtempSync(join(tmpdir(), 'xen-elfpatch-demo-'));

const say = (text) => console.log(`\n\x1b[1m${text}\x1b[0m`);

/** Runs a command in sight of the reader; anything but the expected status ends the demo. */
function show(program, args, expected = 0) {
  const words = program === process.execPath ? ['xen-elfpatch', ...args.slice(1)] : [program, ...args];
  console.log(`$ ${words.join(' ').replaceAll(folder, '.')}`);
  const { status } = spawnSync(program, args, { stdio: 'inherit' });
  if (status !== expected) {
    console.error(`demo: ended with ${status}, expected ${expected}`);
    process.exit(1);
  }
}
const patcher = (...args) => show(process.execPath, [COMMAND, ...args]);
const has = (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

function boot(kernel, expected) {
  const options = '-nodefaults -no-user-config -machine pc -accel tcg -m 64 -display none -serial stdio -no-reboot';
  const exit = ['-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-kernel', kernel];
  show('qemu-system-x86_64', [...options.split(' '), ...exit], expected);
}

try {
  const fetched = spawnSync(process.execPath, ['scripts/fetch-images.mjs', 'demo'], { stdio: 'inherit' });
  if (fetched.status !== 0) process.exit(1);
  const kernel = join(folder, 'gnumach');
  const patched = join(folder, 'gnumach.pvh');
  copyFileSync(join(cache, 'images', 'gnumach-x86_64'), kernel);

  say('1. A real linked kernel without Xen notes (GNU Mach, from Debian)');
  patcher('notes', kernel);
  say('2. What a patch would do, and what it would not need to do');
  const edits = ['--set', 'PHYS32_ENTRY=phys:entry', '--set', 'GUEST_OS=gnumach'];
  patcher('patch', kernel, ...edits, '--dry-run');
  say('3. The patch: planned, laid out, written beside the target, read back, proved, renamed');
  patcher('patch', kernel, ...edits, '-o', patched);
  say('4. The notes afterwards');
  patcher('notes', patched);
  if (has('readelf')) show('readelf', ['-lW', patched]);
  say('5. The proof once more: nothing but notes and headers differs from the original');
  patcher('verify', patched, '--baseline', kernel);
  say('6. Patching again changes nothing');
  patcher('patch', patched, ...edits, '--check');

  if (has('qemu-system-x86_64')) {
    say('7. A kernel of our own, linked without notes: QEMU refuses it, and boots it once it is patched');
    const bare = 'fixtures/bin/pvh64-bare';
    const ready = join(folder, 'pvh64');
    boot(bare, 1);
    patcher('patch', bare, '--preset', 'pvh', '-o', ready);
    boot(ready, 33);
  } else say('7. Boot test left out: qemu-system-x86_64 is not installed (make packages installs it)');
  say('Done: notes written, verified, found by every reader, and nothing else changed.');
} finally {
  rmSync(folder, { recursive: true, force: true });
}
