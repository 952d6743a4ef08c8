/**
 * A build-id computed from what a loader puts into memory. Notes and headers do not count, so the id names the program
 * whatever is stamped on it, and stamping twice gives the same id. Owner GNU, type NT_GNU_BUILD_ID, as `ld --build-id`
 * writes it.
 */
import { type Hasher, port } from '../../base/bytes/ports.js';
import { intersect, normalize, type Range } from '../../base/bytes/range.js';
import { fail } from '../../base/errors/patch-error.js';
import type { Phdr } from '../../formats/elf/headers.js';
import { type ElfImage, ehdrSize, loads, phdrTable, shdrTable } from '../../formats/elf/image.js';
import { noteAreas } from '../../formats/note/areas.js';
import { didYouMean } from '../../formats/note/nearest.js';
import { GNU, NT_GNU_BUILD_ID } from '../../formats/note/note-types.js';
import { type NoteContent, nameOf } from '../../formats/note/record.js';
import { hexBytesOf } from './note-words.js';
import { noteRuns } from './orphan-notes.js';

/** Hash functions of a build-id, with the bytes of an id. */
export const ALGORITHMS = { sha1: 20, sha256: 32 } as const;
/** A hash function of a build-id. */
export type Algorithm = keyof typeof ALGORITHMS;

/** What to do with the build-id. `keep`: there has to be one. */
export type BuildIdWish =
  | { readonly kind: 'keep' }
  | { readonly kind: 'set'; readonly id: Uint8Array }
  | { readonly kind: 'compute'; readonly algorithm: Algorithm };

/** The value of `--build-id`. Errors: `stamp.bad-build-id`. */
export function parseBuildId(text: string): BuildIdWish {
  if (text === 'keep') return { kind: 'keep' };
  if (text === 'sha1' || text === 'sha256') return { kind: 'compute', algorithm: text };
  const id = hexBytesOf(text.replace(/^0x/i, ''));
  if (id === undefined || id.length < 2 || id.length > 64) {
    fail('stamp.bad-build-id', {}, { found: text, hint: didYouMean(text, ['keep', ...Object.keys(ALGORITHMS)]) });
  }
  return { kind: 'set', id };
}

const BLOCK = 0x40000;
/** PT_LOADs may share bytes; so many times the size of the file are hashed at most. */
const MOST_TIMES = 8n;

/** The note that holds a build-id. */
export function buildIdNote(id: Uint8Array): NoteContent {
  return { name: nameOf(GNU), type: NT_GNU_BUILD_ID, desc: id };
}

/**
 * The hash over class, machine, entry point and the PT_LOADs: addresses, flags and bytes, with notes and header tables
 * taken as zero and zeros at the end of a PT_LOAD left out, because notes may be added there. Notes that an edit left
 * behind in memory are recognised by their framing and do not count either.
 * Errors: those of noteAreas, `stamp.too-much`.
 */
export function computeBuildId(image: ElfImage, algorithm: Algorithm): Uint8Array {
  const { encoding, header, source } = image;
  const hash = port('newHasher')(algorithm);
  const skipped = normalize([
    { start: 0n, end: ehdrSize(encoding) },
    phdrTable(image),
    shdrTable(image),
    ...noteAreas(image).map(({ range }) => range),
    ...noteRuns(image),
  ]);
  put(hash, BigInt(encoding.bits), BigInt(header.e_machine), header.e_entry);
  let left = source.size * MOST_TIMES;
  for (const { index, segment } of loads(image)) {
    left -= segment.p_filesz;
    if (left < 0n) {
      fail('stamp.too-much', { file: source.name, part: `program header ${index}` }, { times: Number(MOST_TIMES) });
    }
    hashLoad(hash, image, segment, skipped);
  }
  return hash.digest();
}

function put(hash: Hasher, ...numbers: readonly bigint[]): void {
  const bytes = new DataView(new ArrayBuffer(numbers.length * 8));
  for (const [i, number] of numbers.entries()) bytes.setBigUint64(i * 8, number, true);
  hash.update(new Uint8Array(bytes.buffer));
}

/** A PT_LOAD that holds nothing but notes, made for them, leaves no trace. */
function hashLoad(hash: Hasher, image: ElfImage, load: Phdr, skipped: readonly Range[]): void {
  const bss = load.p_memsz > load.p_filesz ? load.p_memsz : 0n;
  let begun = false;
  const begin = () => {
    if (!begun) put(hash, load.p_vaddr, load.p_paddr, BigInt(load.p_flags), bss);
    begun = true;
  };
  if (bss > 0n) begin();
  const block = new Uint8Array(BLOCK);
  let length = 0n;
  let zeros = 0n;
  for (let at = 0n; at < load.p_filesz; at += BigInt(BLOCK)) {
    const rest = load.p_filesz - at;
    const bytes = rest < BigInt(BLOCK) ? block.subarray(0, Number(rest)) : block;
    const start = load.p_offset + at;
    image.source.readInto(start, bytes, 'loaded bytes');
    for (const hole of intersect([{ start, end: start + BigInt(bytes.length) }], skipped)) {
      bytes.fill(0, Number(hole.start - start), Number(hole.end - start));
    }
    const used = lastUsed(bytes);
    if (used > 0) {
      begin();
      putZeros(hash, zeros);
      hash.update(bytes.subarray(0, used));
      length += zeros + BigInt(used);
      zeros = 0n;
    }
    zeros += BigInt(bytes.length - used);
  }
  if (begun) put(hash, length);
}

const NOTHING = new Uint8Array(0x1000);

function putZeros(hash: Hasher, count: bigint): void {
  for (let left = count; left > 0n; left -= BigInt(NOTHING.length)) {
    hash.update(left < BigInt(NOTHING.length) ? NOTHING.subarray(0, Number(left)) : NOTHING);
  }
}

/** Length without the zeros at the end. */
function lastUsed(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return end;
}
