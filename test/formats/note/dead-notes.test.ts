/** Notes that an edit left in a file without section headers are known by being alone in their gap. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { freeNoteHead, remainsOf } from '../../../src/formats/note/dead-notes.js';
import { encodeNotes, nameOf } from '../../../src/formats/note/record.js';
import { elf } from '../../support/elf-builder.js';

const encoding = { bits: 64, endian: 'little' } as const;
const image = (stripped: boolean) =>
  elf(encoding)
    .load(0x100000n, new Uint8Array(0x40).fill(0x90), { align: 0x1000n })
    .section('.text', { inside: { load: 0, at: 0, size: 0x40 } })
    .with({ stripped })
    .build();

function note(owner: string, size: number): Uint8Array {
  return encodeNotes([{ name: nameOf(owner), type: 6, desc: new Uint8Array(size).fill(0x61) }], encoding.endian);
}

/** What is found behind the image when these parts stand there. */
function behind(parts: readonly Uint8Array[], stripped = true): [number, number][] {
  const bytes = image(stripped);
  const all = new Uint8Array(Buffer.concat([bytes, ...parts]));
  return remainsOf(readElf(new BufferSource(all, 'image'))).map(({ start, end }): [number, number] => [
    Number(start) - bytes.length,
    Number(end) - bytes.length,
  ]);
}

const ZEROS = new Uint8Array(32);

describe('remainsOf(), without section headers', () => {
  it.each<[string, readonly Uint8Array[]]>([
    ['a note of Xen', [note('Xen', 5)]],
    ['zeros, several notes, zeros', [ZEROS, note('Xen', 5), note('GNU', 20), ZEROS, note('Xen', 90), ZEROS]],
  ])('is %s', (_, parts) => {
    expect(behind(parts)).toEqual([[0, parts.reduce((sum, { length }) => sum + length, 0)]]);
  });

  it.each<[string, readonly Uint8Array[]]>([
    ['zeros alone', [ZEROS]],
    ['notes of others alone', [note('GNU', 20)]],
    ['anything else behind', [note('Xen', 5), Uint8Array.of(1, 0, 0, 0)]],
    ['anything else in front', [Uint8Array.of(0xff, 0xff, 0xff, 0xff), note('Xen', 5)]],
    ['an image with its notes', [image(true), note('Xen', 5)]],
    ['a note that is cut', [note('Xen', 90).subarray(0, 40)]],
  ])('is nothing where there is %s', (_, parts) => {
    expect(behind(parts)).toEqual([]);
  });

  it('is told by the section headers where there are some', () => {
    expect(behind([note('Xen', 5)], false)).toEqual([]);
  });
});

/** Room of `size` bytes that says of itself that it is free. */
function free(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(freeNoteHead(BigInt(size), encoding));
  return bytes;
}

describe.each([true, false])('a note of free room, section headers stripped: %s', (stripped) => {
  const OTHERS = new Uint8Array(8).fill(0xff);

  it.each([16, 20, 400])('of %i bytes is known among bytes of others', (size) => {
    expect(behind([OTHERS, free(size), OTHERS], stripped)).toEqual([[8, 8 + size]]);
  });

  it.each<[string, () => Uint8Array]>([
    ['with a byte in it', () => free(40).fill(1, 39)],
    ['that is cut', () => free(40).subarray(0, 36)],
    ['of another type', () => free(40).fill(1, 8, 9)],
    ['of another owner', () => free(40).fill(0x6c, 12, 13)],
    ['behind another image', () => new Uint8Array(Buffer.concat([image(true), free(40)]))],
  ])('is not one %s', (_, bytes) => {
    expect(behind([OTHERS, bytes()], stripped)).toEqual([]);
  });

  it('is not one at an odd place', () => {
    expect(behind([OTHERS.subarray(0, 6), free(40), OTHERS], stripped)).toEqual([]);
  });
});
