/**
 * Notes in memory that no header covers: an edit that needs more room than a PT_LOAD has leaves the old ones behind,
 * for code may reach them by symbols. They are recognised by their framing alone, so that stripping changes nothing.
 */
import type { Range } from '../../base/bytes/range.js';
import { findBytes, latin1Bytes } from '../../base/bytes/text.js';
import { type ElfImage, loads, segmentFileRange } from '../../formats/elf/image.js';
import { FDO, GNU, LINUX, XEN } from '../../formats/note/note-types.js';
import { NHDR_SIZE, roundUp } from '../../formats/note/record.js';

/** Owners that a run of notes is found by; any other owner may follow. */
const OWNERS = [XEN, GNU, FDO, LINUX].map((owner) => latin1Bytes(`${owner}\0`));
const MOST_NAME = 64;
const MOST_DESC = 0x10000;
const WINDOW = 0x40000;
/** More runs than this are no notes; those behind count as bytes. */
const MOST_RUNS = 1024;

/** The runs of contiguous, 4-padded note records inside PT_LOADs, in file order per PT_LOAD. */
export function noteRuns(image: ElfImage): Range[] {
  const runs: Range[] = [];
  const seen = new Set<string>();
  for (const { segment } of loads(image)) {
    const range = segmentFileRange(segment);
    if (seen.has(`${range.start} ${range.end}`)) continue;
    seen.add(`${range.start} ${range.end}`);
    runsIn(image, range, runs);
    if (runs.length >= MOST_RUNS) break;
  }
  return runs;
}

function runsIn(image: ElfImage, { start, end }: Range, runs: Range[]): void {
  const overlap = BigInt(NHDR_SIZE + 8);
  let from = start;
  for (let at = start; at < end; at += BigInt(WINDOW)) {
    const length = end - at < BigInt(WINDOW) + overlap ? end - at : BigInt(WINDOW) + overlap;
    const window = image.source.read(at, length, 'loaded bytes');
    for (const offset of startsIn(window, at, image.encoding.endian === 'little')) {
      if (offset < from || runs.length >= MOST_RUNS) continue;
      const stop = endOfRun(image, offset, end);
      if (stop === offset) continue;
      runs.push({ start: offset, end: stop });
      from = stop;
    }
  }
}

/** File offsets of 4-aligned headers whose owner is one of those looked for. */
function startsIn(window: Uint8Array, base: bigint, little: boolean): bigint[] {
  const starts: bigint[] = [];
  const view = new DataView(window.buffer, window.byteOffset, window.length);
  for (const owner of OWNERS) {
    for (let name = findBytes(window, owner, NHDR_SIZE); name >= 0; name = findBytes(window, owner, name + 1)) {
      const offset = base + BigInt(name - NHDR_SIZE);
      if (offset % 4n !== 0n) continue;
      if (view.getUint32(name - NHDR_SIZE, little) === owner.length) starts.push(offset);
    }
  }
  return starts.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Where the records that begin at `start` end; `start` itself when there is none. */
function endOfRun(image: ElfImage, start: bigint, limit: bigint): bigint {
  let at = start;
  while (at + BigInt(NHDR_SIZE) <= limit) {
    const header = image.source.read(at, BigInt(NHDR_SIZE), 'loaded bytes');
    const view = new DataView(header.buffer, header.byteOffset, header.length);
    const little = image.encoding.endian === 'little';
    const [name, desc] = [view.getUint32(0, little), view.getUint32(4, little)];
    if (name < 2 || name > MOST_NAME || desc > MOST_DESC) break;
    const padded = BigInt(NHDR_SIZE + roundUp(name, 4) + roundUp(desc, 4));
    if (at + BigInt(NHDR_SIZE + roundUp(name, 4) + desc) > limit) break;
    const owner = image.source.read(at + BigInt(NHDR_SIZE), BigInt(name), 'loaded bytes');
    if (owner[name - 1] !== 0 || owner.subarray(0, name - 1).some((byte) => byte < 0x20 || byte > 0x7e)) break;
    at += padded;
  }
  return at < limit ? at : limit;
}
