/** What an earlier edit left behind is known by proof: this image's own tables in an earlier state, and nothing less. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { planPatch } from '../../../src/edit/elf/pipeline.js';
import type { Edit } from '../../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../../src/edit/elf/render.js';
import { deadRanges } from '../../../src/formats/elf/dead-tables.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { fixture } from '../../support/fixtures.js';

const ADD: Edit = {
  kind: 'copy-from',
  file: 'x',
  notes: [{ name: Buffer.from('Xen\0'), type: 6, desc: Buffer.from('mini-os\0') }],
};

function read(bytes: Uint8Array) {
  return readElf(new BufferSource(bytes, 'image'));
}

function patched(bytes: Uint8Array, edits: readonly Edit[]): Buffer {
  const plan = planPatch(read(bytes), edits);
  const source = preview(plan.image, plan.rendered);
  return Buffer.from(source.read(0n, source.size, 'result'));
}

const spans = (bytes: Uint8Array) => deadRanges(read(bytes)).map(({ start, end }) => [Number(start), Number(end)]);

const input = readFileSync(fixture('pvh64-bare'));
const shoff = Number(input.readBigUInt64LE(40));
const shnum = input.readUInt16LE(60);
const names = input.readUInt16LE(62);
const namesAt = Number(input.readBigUInt64LE(shoff + names * 64 + 24));
const once = patched(input, [ADD]);

describe('deadRanges()', () => {
  it('finds none where nothing was edited, stripped or not', () => {
    expect(spans(input)).toEqual([]);
    const stripped = Buffer.from(input);
    stripped.writeBigUInt64LE(0n, 40);
    stripped.writeUInt16LE(0, 60);
    stripped.writeUInt16LE(0, 62);
    expect(spans(stripped)).toEqual([]);
  });

  it('finds the old section names and headers as one range, their alignment with them', () => {
    expect(spans(once)).toEqual([[namesAt, shoff + shnum * 64]]);
  });

  it('finds the tables of an edit that was killed before its commit', () => {
    const killed = Buffer.from(once);
    input.copy(killed, 0, 0, 512);
    // The notes stand at the end of the header slack, the tables behind the end of the input.
    expect(spans(killed)).toEqual([
      [0x1000 - 24, 0x1000],
      [input.length, once.length],
    ]);
  });

  it('finds them with bytes of somebody else in front and behind, and leaves those out', () => {
    const foreign = Buffer.from('somebody else’s, found from the end of the file');
    const before = spans(once);
    expect(spans(Buffer.concat([once, foreign]))).toEqual(before);
    const killed = Buffer.concat([input, foreign, once.subarray(input.length)]);
    // The old table says that the names stand elsewhere, so they are not taken for names.
    const table = Number(once.readBigUInt64LE(40)) + foreign.length;
    expect(spans(killed)).toEqual([
      [0x1000 - 24, 0x1000],
      [table, killed.length],
    ]);
  });

  it.each([
    ['the type of a section', 4],
    ['its address', 16],
    ['its size', 32],
    ['what it links to', 40],
  ])('finds none where %s is another one', (_, field) => {
    for (let index = 1; index < shnum; index++) {
      // The name table may have had another size; every other section is what it was.
      if (index === names && field !== 4) continue;
      const other = Buffer.from(once);
      const at = shoff + index * 64 + field;
      other.writeUInt8(other.readUInt8(at) ^ 1, at);
      expect(spans(other), `section ${index}`).toEqual([]);
    }
  });

  it('does not take names that are other ones', () => {
    const other = Buffer.from(once);
    other.writeUInt8(other.readUInt8(namesAt + 3) ^ 1, namesAt + 3);
    expect(spans(other)).toEqual([[shoff, shoff + shnum * 64]]);
  });

  it('gives up on a file that is made to fit everywhere', { timeout: 20_000 }, () => {
    // Thousands of null entries, each in front of the same entries as the table's, but for the last one.
    const table = once.subarray(Number(once.readBigUInt64LE(40)));
    const almost = Buffer.from(table.subarray(0, table.length - 64));
    const many = Buffer.concat([once, Buffer.alloc(0x400000, almost)]);
    expect(spans(many).length).toBeLessThan(0x10000);
  });
});
