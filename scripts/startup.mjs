// Start-up of the bundled command as a paired ratio: medians of runs that alternate with `node -e 0`.
//   node scripts/startup.mjs [--runs N] [--node PATH]... [-- COMMAND...]
// Without a command: `notes` and `patch --in-place` on a small kernel made here. --node: another Node than this one, or several.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const MAIN = fileURLToPath(new URL('../bin/xen-elfpatch.js', import.meta.url));

/** Processor time of all programs that this one has run, in ticks of 10 ms; undefined on a system that does not tell. */
function childTicks() {
  try {
    // proc(5): cutime and cstime are fields 16 and 17, the name in parentheses is the second.
    const fields = readFileSync('/proc/self/stat', 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return Number(fields[13]) + Number(fields[14]);
  } catch {
    return undefined;
  }
}

/** Milliseconds that one run of a Node takes; its processor time is added to `used`. */
function time(node, args, used = { ticks: 0 }) {
  const ticks = childTicks();
  const start = process.hrtime.bigint();
  const { status, stderr, error } = spawnSync(node, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const taken = Number(process.hrtime.bigint() - start) / 1e6;
  if (status !== 0) throw new Error(`${node} ${args.join(' ')} ended with ${status}: ${error ?? stderr}`);
  used.ticks += (childTicks() ?? Number.NaN) - (ticks ?? Number.NaN);
  return taken;
}

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/**
 * Medians in milliseconds of `node -e 0` and of the command, their ratio, and that of the processor time of all runs, which
 * other programs on the machine disturb less. `before` runs ahead of each command.
 */
export function startup(command, runs = 41, before = () => {}, node = process.execPath) {
  const empty = [];
  const ours = [];
  const [usedEmpty, usedOurs] = [{ ticks: 0 }, { ticks: 0 }];
  // The first run makes the compiled code for a Node that has none.
  before();
  time(node, [MAIN, ...command]);
  for (let run = 0; run < runs; run++) {
    empty.push(time(node, ['-e', '0'], usedEmpty));
    before();
    ours.push(time(node, [MAIN, ...command], usedOurs));
  }
  const cpu = usedOurs.ticks / usedEmpty.ticks;
  return { empty: median(empty), ours: median(ours), ratio: median(ours) / median(empty), cpu };
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

/** Prints the start-up of commands on each Node; `runs` pairs of each. */
export function printStartups(commands, nodes, runs) {
  for (const node of nodes) {
    const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
    for (const { name, command, before } of commands) {
      const { empty, ours, ratio, cpu } = startup(command, runs, before, node);
      const title = `start-up: ${name} / node -e 0, Node ${version}`;
      console.log(
        `${title.padEnd(58)} ${ratio.toFixed(2)}   processor time ${cpu.toFixed(2)}, ${ours.toFixed(1)} ms over ${empty.toFixed(1)} ms, ${runs} pairs`,
      );
    }
  }
}

/** `notes` and `patch --in-place` on a small kernel in `folder`, as printStartups() takes them. */
export function usualCommands(folder) {
  const kernel = join(folder, 'kernel');
  const fresh = () => writeFileSync(kernel, smallKernel());
  fresh();
  return [
    { name: 'notes', command: ['notes', kernel] },
    { name: 'patch --in-place', command: ['patch', kernel, '--in-place', '--set', 'GUEST_OS=linux'], before: fresh },
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    options: { runs: { type: 'string', default: '41' }, node: { type: 'string', multiple: true } },
    allowPositionals: true,
  });
  const folder = mkdtempSync(join(tmpdir(), 'startup-'));
  try {
    const given = [{ name: positionals.join(' '), command: positionals }];
    const commands = positionals.length > 0 ? given : usualCommands(folder);
    printStartups(commands, values.node ?? [process.execPath], Number(values.runs));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
