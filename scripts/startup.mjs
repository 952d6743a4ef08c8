// Start-up of the bundled command as a paired ratio: medians of runs that alternate with `node -e 0`.
//   node scripts/startup.mjs [--runs N] [-- COMMAND...]      without a command: notes on a small kernel made here
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../bin/xen-elfpatch.js', import.meta.url));

/** Milliseconds that one run of node takes. */
function time(args) {
  const start = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const taken = Number(process.hrtime.bigint() - start) / 1e6;
  if (status !== 0) throw new Error(`node ${args.join(' ')} ended with ${status}: ${stderr}`);
  return taken;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/** Medians in milliseconds of `node -e 0` and of the command, and their ratio. `before` runs ahead of each command. */
export function startup(command, runs = 41, before = () => {}) {
  const empty = [];
  const ours = [];
  for (let run = 0; run < runs; run++) {
    empty.push(time(['-e', '0']));
    before();
    ours.push(time([MAIN, ...command]));
  }
  return { empty: median(empty), ours: median(ours), ratio: median(ours) / median(empty) };
}

/** A 64-bit little-endian image of a few hundred bytes with one PT_LOAD and one PT_NOTE that holds PHYS32_ENTRY. */
export function smallKernel() {
  const bytes = Buffer.alloc(512);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeUInt16LE(2, 16); // ET_EXEC
  bytes.writeUInt16LE(62, 18); // EM_X86_64
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(0x100000n, 24);
  bytes.writeBigUInt64LE(64n, 32); // e_phoff
  for (const [at, value] of [64, 56, 2, 64].entries()) bytes.writeUInt16LE(value, 52 + 2 * at);
  const header = (at, type, flags, fields) => {
    bytes.writeUInt32LE(type, at);
    bytes.writeUInt32LE(flags, at + 4);
    for (const [i, value] of fields.entries()) bytes.writeBigUInt64LE(value, at + 8 + 8 * i);
  };
  header(64, 1, 5, [0n, 0x100000n, 0x100000n, 512n, 512n, 0x1000n]);
  header(120, 4, 4, [256n, 0x100100n, 0x100100n, 20n, 20n, 4n]);
  bytes.writeUInt32LE(4, 256);
  bytes.writeUInt32LE(4, 260);
  bytes.writeUInt32LE(18, 264);
  bytes.write('Xen\0', 268, 'latin1');
  bytes.writeUInt32LE(0x100000, 272);
  return bytes;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const runs = args[0] === '--runs' ? Number(args.splice(0, 2)[1]) : 41;
  if (args[0] === '--') args.shift();
  const folder = mkdtempSync(join(tmpdir(), 'startup-'));
  try {
    const kernel = join(folder, 'kernel');
    writeFileSync(kernel, smallKernel());
    const command = args.length > 0 ? args : ['notes', kernel];
    const { empty, ours, ratio } = startup(command, runs);
    const name = args.length > 0 ? args.join(' ') : 'notes (small kernel)';
    console.log(
      `start-up of ${name}: ${ours.toFixed(1)} ms, node -e 0: ${empty.toFixed(1)} ms, ratio ${ratio.toFixed(2)}`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
