// mkelf32 against programs in C that move the same bytes: ratios of medians within one run, all of them alternating. The
// original is not to be had as a package. `dd bs=1k` makes its system calls, a read and a write for each 1024 bytes; cp is
// as fast as it gets. Neither syncs; mkelf32 does, because a rename without it can leave an empty file after a power cut.
//   node scripts/bench/mkelf32.mjs [--runs N]
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../bin/xen-mkelf32.js', import.meta.url));
const MiB = 1 << 20;

function run(command, args) {
  const start = process.hrtime.bigint();
  const { status, stderr, error } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error ?? stderr}`);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** An ELF64 with one load segment of so many bytes, all of them on disk. */
function image(path, size) {
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
  ftruncateSync(fd, 4096 + size);
  closeSync(fd);
}

/** Peak memory in MiB, as GNU time has it; undefined where that is not installed. */
function peak(args) {
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', '%M', process.execPath, ...args], { encoding: 'utf8' });
  return status === 0 ? Number(stderr.trim().split('\n').at(-1)) / 1024 : undefined;
}

/** Figures for each size: medians in milliseconds of `node -e 0`, dd, cp, cp with sync, and mkelf32. */
export function benchMkelf32(sizes = [3, 64, 512].map((n) => n * MiB), runs = 9) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-mkelf32-'));
  try {
    return sizes.map((size) => {
      const input = join(folder, 'in');
      image(input, size);
      const times = { node: [], dd: [], cp: [], cpSync: [], ours: [] };
      const out = join(folder, 'out');
      for (let i = 0; i < runs; i++) {
        times.node.push(run(process.execPath, ['-e', '0']));
        times.dd.push(run('dd', [`if=${input}`, `of=${out}`, 'bs=1k', 'status=none']));
        rmSync(out);
        times.cp.push(run('cp', ['--reflink=never', input, out]));
        rmSync(out);
        times.cpSync.push(run('sh', ['-c', 'cp --reflink=never "$1" "$2" && sync "$2"', 'sh', input, out]));
        rmSync(out);
        times.ours.push(run(process.execPath, [MAIN, input, out, '0x200000']));
        rmSync(out);
      }
      const [node, dd, cp, cpSync, ours] = Object.values(times).map(median);
      const memory = peak([MAIN, input, out, '0x200000']);
      rmSync(out, { force: true });
      return { size, node, dd, cp, cpSync, ours, memory };
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const runs = process.argv[2] === '--runs' ? Number(process.argv[3]) : 9;
  for (const { size, node, dd, cp, cpSync, ours, memory } of benchMkelf32(undefined, runs)) {
    const copying = ours - node;
    console.log(
      `mkelf32, ${size / MiB} MiB: ${ours.toFixed(0)} ms, start-up ${(ours / node).toFixed(2)} of node -e 0 in all, ` +
        `without node's start ${copying.toFixed(0)} ms = ${(copying / dd).toFixed(2)} of dd bs=1k, ` +
        `${(copying / cp).toFixed(2)} of cp, ${(copying / cpSync).toFixed(2)} of cp and sync; peak memory ${memory?.toFixed(0) ?? '?'} MiB`,
    );
  }
}
