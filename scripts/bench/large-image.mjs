// Makes a large linked kernel: one of our own with a section of debug-like bytes behind it, as a build with DWARF leaves.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

const SHDR = 64;
const CHUNK = 1 << 20;

/** Writes an image of about `size` bytes made from an ELF64 kernel with a section header table. */
export function writeLargeImage(kernel, path, size) {
  const bytes = readFileSync(kernel);
  const shoff = Number(bytes.readBigUInt64LE(40));
  const shnum = bytes.readUInt16LE(60);
  const table = Buffer.concat([bytes.subarray(shoff, shoff + shnum * SHDR), Buffer.alloc(SHDR)]);
  const start = Math.ceil(bytes.length / 16) * 16;
  const debug = Math.ceil((size - start) / CHUNK) * CHUNK;

  const entry = shnum * SHDR;
  table.writeUInt32LE(0, entry); // sh_name: the empty name
  table.writeUInt32LE(1, entry + 4); // SHT_PROGBITS
  table.writeBigUInt64LE(BigInt(start), entry + 24);
  table.writeBigUInt64LE(BigInt(debug), entry + 32);
  table.writeBigUInt64LE(1n, entry + 48);
  const header = Buffer.from(bytes);
  header.writeBigUInt64LE(BigInt(start + debug), 40);
  header.writeUInt16LE(shnum + 1, 60);

  const fd = openSync(path, 'w');
  writeSync(fd, header, 0, header.length, 0);
  const block = Buffer.alloc(CHUNK);
  for (let at = 0, seed = 1; at < debug; at += CHUNK) {
    // Never the same block twice, so that nothing on the way can deduplicate.
    for (let i = 0; i < CHUNK; i += 4) {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      block.writeUInt32LE(seed, i);
    }
    writeSync(fd, block, 0, CHUNK, start + at);
  }
  writeSync(fd, table, 0, table.length, start + debug);
  closeSync(fd);
}
