// Verdicts in one process, by the library: each loader on small images, all of them, and an image of more notes than any loader
// has a limit for. CPU time of this process, a median; run by all.mjs, or alone.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { median } from './measure.mjs';

const root = new URL('../../', import.meta.url);
const { BufferSource, judgeLoaders, LOADER_NAMES } = await import(new URL('dist/lib/index.js', root).href);

/** Milliseconds of CPU that a call takes. */
function cpu(call) {
  const start = process.cpuUsage();
  call();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

function typical(call, runs) {
  call();
  return median(Array.from({ length: runs }, () => cpu(call)));
}

/** ELF64 with one PT_LOAD and a PT_NOTE of so many records, PHYS32_ENTRY the last of them. */
function withNotes(count) {
  const table = 64;
  const code = 0x1000;
  const notes = 0x2000;
  const size = 16 * (count - 1) + 20;
  const bytes = Buffer.alloc(notes + size);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  for (const [at, value] of [
    [16, 2],
    [18, 62],
    [52, 64],
    [54, 56],
    [56, 2],
    [58, 64],
  ])
    bytes.writeUInt16LE(value, at);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(0x100000n, 24);
  bytes.writeBigUInt64LE(BigInt(table), 32);
  const header = (index, type, flags, ...words) => {
    const at = table + 56 * index;
    bytes.writeUInt32LE(type, at);
    bytes.writeUInt32LE(flags, at + 4);
    for (const [place, word] of words.entries()) bytes.writeBigUInt64LE(BigInt(word), at + 8 + 8 * place);
  };
  header(0, 1, 7, code, 0x100000, 0x100000, 0x1000, 0x1000, 0x1000);
  header(1, 4, 4, notes, 0, 0, size, size, 4);
  for (let index = 0; index < count; index++) {
    const at = notes + 16 * index;
    const last = index === count - 1;
    bytes.writeUInt32LE(4, at);
    bytes.writeUInt32LE(last ? 4 : 0, at + 4);
    bytes.writeUInt32LE(last ? 18 : 0x100, at + 8);
    bytes.write('Xen\0', at + 12, 'latin1');
    if (last) bytes.writeUInt32LE(0x100000, at + 16);
  }
  return bytes;
}

for (const name of ['pvh64-notes', 'pv64-notes', 'mb1']) {
  const source = new BufferSource(readFileSync(fileURLToPath(new URL(`fixtures/bin/${name}`, root))), name);
  const each = LOADER_NAMES.map((loader) => typical(() => judgeLoaders(source, { names: [loader] }), 101));
  const slowest = Math.max(...each);
  const all = typical(() => judgeLoaders(source), 51);
  console.log(
    `verdicts on ${name}: the slowest ${slowest.toFixed(2)} ms (target <= 1), all ${LOADER_NAMES.length} ${all.toFixed(2)} ms (target <= 15)`,
  );
}
const many = withNotes(70_000);
// A source of its own for each run: what one verdict keeps of a source serves the next.
const judgeMany = () => judgeLoaders(new BufferSource(many, 'notes'));
console.log(`all verdicts on 70,000 notes: ${typical(judgeMany, 5).toFixed(0)} ms of CPU (target <= 1000)`);
