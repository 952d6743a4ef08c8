// mkelf32 against programs in C that move the same bytes. The original is not to be had as a package; `dd bs=1k` makes its
// system calls, a read and a write for each 1024 bytes, and cp is as fast as it gets. Neither syncs; mkelf32 does, because
// a rename without it can leave an empty file behind a power cut. Every time is a whole process, node's start included.
//   node scripts/bench/mkelf32.mjs [--quick]
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compare, peakMemory } from './measure.mjs';

const MAIN = fileURLToPath(new URL('../../bin/xen-mkelf32.js', import.meta.url));
const MiB = 1 << 20;
const quick = process.argv.includes('--quick');

/** An ELF64 with one load segment of so many bytes, all of them on disk. */
function writeImage(path, size) {
  const head = Buffer.alloc(4096);
  head.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  head.writeBigUInt64LE(64n, 32);
  for (const [i, value] of [64, 56, 1].entries()) head.writeUInt16LE(value, 52 + 2 * i);
  head.writeUInt32LE(1, 64);
  for (const [i, value] of [4096n, 0x200000n, 0x200000n, BigInt(size), BigInt(size), 64n].entries()) {
    head.writeBigUInt64LE(value, 72 + 8 * i);
  }
  const fd = openSync(path, 'w');
  writeSync(fd, head);
  const block = Buffer.alloc(MiB, 0x5a);
  for (let done = 0; done < size; done += MiB) writeSync(fd, block);
  closeSync(fd);
}

const folder = mkdtempSync(join(tmpdir(), 'bench-mkelf32-'));
try {
  const input = join(folder, 'in');
  const out = join(folder, 'out');
  const ours = [process.execPath, MAIN, input, out, '0x200000'];
  const options = { runs: quick ? 5 : 15, before: () => rmSync(out, { force: true }) };
  writeImage(input, 3 * MiB);
  compare('start-up: xen-mkelf32 on 3 MiB / node -e 0', ours, [process.execPath, '-e', '0'], { ...options, runs: 21 });
  console.log(`peak memory of xen-mkelf32 on 3 MiB: ${peakMemory(ours.slice(1)).toFixed(0)} MiB`);
  writeImage(input, 512 * MiB);
  const size = 'xen-mkelf32 on 512 MiB';
  compare(`${size} / dd bs=1k`, ours, ['dd', `if=${input}`, `of=${out}`, 'bs=1k', 'status=none'], options);
  compare(`${size} / cp`, ours, ['cp', input, out], options);
  compare(`${size} / cp and sync`, ours, ['sh', '-c', 'cp "$1" "$2" && sync "$2"', 'sh', input, out], options);
  console.log(`peak memory of ${size}: ${peakMemory(ours.slice(1)).toFixed(0)} MiB`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
