// Peak memory over `node -e 0` of the same Node, in MiB: ordinary kernels, 60,000 notes, and small files that claim to become
// large ones. Run by all.mjs, or alone. Nothing large is held here: what a process held when it started another counts as the
// peak of that one.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { smallKernel } from '../startup.mjs';
import { has, printPeak } from './measure.mjs';

const command = fileURLToPath(new URL('../../bin/xen-elfpatch.js', import.meta.url));
const MANY = 60_000;
const ZEROS = 1_000_000_000;

/** A kernel whose PT_NOTE holds so many notes of Xen, of types that it knows and others. */
function kernelWithNotes(count) {
  const NOTE = 24;
  const head = smallKernel().subarray(0, 256);
  const notes = Buffer.alloc(count * NOTE);
  for (let i = 0; i < count; i++) {
    const at = i * NOTE;
    notes.writeUInt32LE(4, at);
    notes.writeUInt32LE(8, at + 4);
    notes.writeUInt32LE(i % 3 === 0 ? 1000 + i : i % 20, at + 8);
    notes.write('Xen\0', at + 12, 'latin1');
    notes.writeUInt32LE(0x100000 + i, at + 16);
  }
  // p_filesz and p_memsz of the PT_NOTE, then of the PT_LOAD.
  for (const at of [152, 160]) head.writeBigUInt64LE(BigInt(notes.length), at);
  for (const at of [96, 104]) head.writeBigUInt64LE(BigInt(head.length + notes.length), at);
  return Buffer.concat([head, notes]);
}

const folder = mkdtempSync(join(tmpdir(), 'bench-memory-'));
try {
  const file = (name, bytes) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const small = file('small', smallKernel());
  printPeak('notes on a small kernel', [command, 'notes', small], '<= 20');
  printPeak('verify of a small kernel', [command, 'verify', small], '<= 20');
  printPeak(
    'patch --in-place of a small kernel',
    [command, 'patch', small, '--in-place', '--set', 'GUEST_OS=x'],
    '<= 20',
  );
  const many = file('many', kernelWithNotes(MANY));
  printPeak('notes on 60,000 notes', [command, 'notes', many], '<= 64');
  printPeak('notes --json on 60,000 notes', [command, 'notes', '--json', many], '<= 64');
  const zeros = file('zeros', '');
  for (const [name, script] of [
    ['gzip', 'gzip -c'],
    ['xz', 'xz -0c'],
    ['zstd', 'zstd -qc'],
    ['lz4', 'lz4 -lqc'],
  ]) {
    if (!has(name)) continue;
    spawnSync('sh', ['-c', `head -c ${ZEROS} /dev/zero | ${script} > "$1"`, 'sh', zeros]);
    const size = `${Math.round(statSync(zeros).size / 1000)} kB`;
    printPeak(`notes on ${size} of ${name} that become 1 GB of zeros`, [command, 'notes', zeros], '<= 20', [2]);
  }
  const packed = file('packed.gz', '');
  spawnSync('sh', ['-c', '{ cat "$1"; head -c 67108864 /dev/zero; } | gzip -c > "$2"', 'sh', small, packed]);
  printPeak('notes on a gzip file of 64 MiB', [command, 'notes', packed], '<= 96');
  printPeak('the same, --limit 1M', [command, 'notes', packed, '--limit', '1M'], '<= 20', [2]);
} finally {
  rmSync(folder, { recursive: true });
}
