/** The result of an edit as a Blob: what stays is a slice of the file and costs no memory; what differs is read from the plan. */
import { compare, type Range } from '../../base/bytes/range.js';
import { type Changed, changedSource } from '../../base/bytes/shifted.js';
import type { ByteSource } from '../../base/bytes/source.js';
import type { MadeBytes } from '../work/edits.js';

/** Bytes that are made at once. */
const STEP = 0x400000n;

/** The whole result. */
export function resultBlob(file: Blob, source: ByteSource, made: MadeBytes): Blob {
  const { result, ranges } =
    made.kind === 'changed'
      ? { result: changedSource(source, made.changed), ranges: madeRanges(made.changed, source.size) }
      : { result: made.source, ranges: [{ start: 0n, end: made.source.size }] };
  const shift = made.kind === 'changed' ? made.changed.shift : undefined;
  const parts: BlobPart[] = [];
  const make = ({ start, end }: Range) => {
    for (let at = start; at < end; at += STEP) {
      const bytes = new Uint8Array(Number(end - at < STEP ? end - at : STEP));
      result.readInto(at, bytes, 'result');
      parts.push(bytes);
    }
  };
  let done = 0n;
  for (const { start, end } of [...ranges, { start: result.size, end: result.size }]) {
    if (start > done) keep(done, start);
    if (end > done) make({ start: start > done ? start : done, end });
    if (end > done) done = end;
  }
  return new Blob(parts, { type: 'application/octet-stream' });

  /** Bytes of the result that are those of the file; none of them lies on both sides of the gap. */
  function keep(start: bigint, end: bigint): void {
    const by = shift !== undefined && start >= shift.at + shift.by ? shift.by : 0n;
    parts.push(file.slice(Number(start - by), Number(end - by)));
  }
}

/** What of the result is not simply the file, by offset: writes, copies, the gap, all behind the end of the file. */
function madeRanges({ writes, copies = [], shift, fileSize, inputEnd }: Changed, size: bigint): Range[] {
  const end = (inputEnd ?? size) + (shift?.by ?? 0n);
  return [
    ...writes.map(({ offset, bytes }) => ({ start: offset, end: offset + BigInt(bytes.length) })),
    ...copies.map(({ to, size: length }) => ({ start: to, end: to + length })),
    ...(shift === undefined ? [] : [{ start: shift.at, end: shift.at + shift.by }]),
    ...(end < fileSize ? [{ start: end, end: fileSize }] : []),
  ]
    .map((range) => ({ start: range.start, end: range.end < fileSize ? range.end : fileSize }))
    .filter((range) => range.start < range.end)
    .sort((a, b) => compare(a.start, b.start));
}
