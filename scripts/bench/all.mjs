// `make bench`: every figure a ratio of two commands measured in turn within this run. Nothing here passes or fails.
//   node scripts/bench/all.mjs [--quick]      --quick: fewer pairs, a 100 MB image instead of 600 MB
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CACHE } from '../images/cache.mjs';
import { printStartups, usualCommands } from '../startup.mjs';
import { writeLargeImage } from './large-image.mjs';
import { compare, has, printPeak, timed } from './measure.mjs';
import { nodes } from './nodes.mjs';

const quick = process.argv.includes('--quick');
const root = fileURLToPath(new URL('../..', import.meta.url));
const command = join(root, 'bin/xen-elfpatch.js');
const small = join(root, 'fixtures/bin/pvh64-bare');
const folder = mkdtempSync(join(tmpdir(), 'xen-elfpatch-bench-'));
const at = (name) => join(folder, name);
const patcher = (...args) => [process.execPath, command, ...args];
const PVH = ['--set', 'PHYS32_ENTRY=0x100000'];
const MB = 1_000_000;

try {
  console.log(`node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}\n`);
  const pairs = quick ? 11 : 41;
  const started = at('startup');
  mkdirSync(started);
  printStartups(usualCommands(started), nodes(), pairs);

  const large = at('large');
  const out = at('out');
  writeLargeImage(small, large, (quick ? 100 : 600) * MB);
  const remove = () => rmSync(out, { force: true });
  const copied = ['sh', '-c', 'cp "$1" "$2" && sync "$2"', 'sh'];
  const patchOut = patcher('patch', large, '-o', out, ...PVH);
  compare('patch -o, every byte compared / cp', patchOut, ['cp', large, out], { before: remove, target: '<= 1.3' });
  compare('patch -o, every byte compared / cp and sync', patchOut, [...copied, large, out], {
    before: remove,
    target: '<= 1.2',
  });
  for (const objcopy of ['objcopy', 'llvm-objcopy', 'llvm-objcopy-14'].filter(has)) {
    const other = [objcopy, '--add-section', `.note.Xen=${join(root, 'LICENSE')}`, large, out];
    compare(`patch -o / ${objcopy} --add-section`, patchOut, other, { runs: 5, before: remove, target: '<= 0.8' });
  }
  // Debian's own, where somebody has fetched it: scripts/fetch-images.mjs large.
  const debian = join(CACHE, 'images/vmlinux-dbg');
  if (existsSync(debian)) {
    const patched = patcher('patch', debian, '-o', out, '--set', 'GUEST_VERSION=2.6-bench');
    const options = { runs: 5, before: remove, target: '<= 1.2' };
    compare("patch -o of Debian's vmlinux with debug data / cp and sync", patched, [...copied, debian, out], options);
  }
  printPeak('patch -o of that', patchOut.slice(1), '<= 20');
  remove();

  // One descriptor gets another value of the same length: headers, notes and that range are all that is touched.
  const [tiny, huge] = [at('10mb'), at('1gb')];
  writeLargeImage(small, tiny, 10 * MB);
  writeLargeImage(small, huge, (quick ? 200 : 1000) * MB);
  let turn = 0;
  const edit = (file) => () =>
    patcher('patch', file, '--in-place', '--set', `GUEST_VERSION=v${String(turn++).padStart(8, '0')}`);
  for (const file of [tiny, huge]) timed(edit(file));
  compare('in place: 1 GB / 10 MB', edit(huge), edit(tiny), { runs: quick ? 7 : 21, target: '<= 1.05' });
  printPeak('patch --in-place of 1 GB', edit(huge)().slice(1), '<= 20');
} finally {
  rmSync(folder, { recursive: true, force: true });
}

for (const more of ['verdicts', 'memory', 'batch', 'mkelf32', 'pe', 'containers', 'large-notes']) {
  const script = new URL(`./${more}.mjs`, import.meta.url);
  if (existsSync(script)) await import(script.href);
}
