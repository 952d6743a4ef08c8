import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOCK, differingRanges, newBlocks } from '../../../src/base/bytes/byte-comparison.js';
import { normalize, type Range } from '../../../src/base/bytes/range.js';
import { BufferSource, type ByteSource, OverlaySource } from '../../../src/base/bytes/source.js';
import { compareUntouched, DIFFERENCE_LIMIT } from '../../../src/verify/elf/untouched.js';

/** A source that counts what is read from it. */
function counted(bytes: Uint8Array): ByteSource & { readonly total: () => number } {
  const source = new BufferSource(bytes);
  let total = 0;
  return {
    name: 'counted',
    size: source.size,
    total: () => total,
    read(offset, length, part) {
      total += Number(length);
      return source.read(offset, length, part);
    },
    readInto(offset, target, part) {
      total += target.length;
      source.readInto(offset, target, part);
    },
  };
}

const planned = fc
  .array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 40 })), { maxLength: 5 })
  .map((pairs) => normalize(pairs.map(([start, size]) => ({ start: BigInt(start), end: BigInt(start + size) }))));
const bytes = fc.uint8Array({ minLength: 0, maxLength: 256, min: 0, max: 2 });
const shift = fc.option(fc.record({ at: fc.nat(200).map(BigInt), by: fc.integer({ min: 1, max: 60 }).map(BigInt) }), {
  nil: undefined,
});

/** Which offsets of `after` may not be as they are, by the definition and one at a time. */
function wrongOffsets(
  before: Uint8Array,
  after: Uint8Array,
  allowed: readonly Range[],
  by?: { at: bigint; by: bigint },
) {
  const wrong: number[] = [];
  const end = Math.max(after.length, before.length + Number(by?.by ?? 0n));
  for (let at = 0; at < end; at += 1) {
    if (allowed.some((r) => r.start <= at && BigInt(at) < r.end)) continue;
    const moved = by !== undefined && at >= Number(by.at + by.by);
    const inGap = by !== undefined && at >= Number(by.at) && !moved;
    const was = inGap ? undefined : before[moved ? at - Number(by.by) : at];
    const wanted = was ?? 0;
    const is = after[at];
    // A byte that stood nowhere before has to be zero; one that stood somewhere has to be there.
    if (is === undefined ? was !== undefined : is !== wanted) wrong.push(at);
  }
  return wrong;
}

describe('compareUntouched()', () => {
  it('finds exactly the bytes that differ outside planned ranges', () => {
    fc.assert(
      fc.property(bytes, bytes, planned, shift, (a, b, allowed, by) => {
        // A shift inside the file; the writer never shifts at a place that is not there.
        const moved = by === undefined || by.at > a.length ? undefined : by;
        const found = compareUntouched({
          before: new BufferSource(a),
          after: new BufferSource(b),
          planned: allowed,
          shift: moved,
        });
        const wrong = wrongOffsets(a, b, allowed, moved);
        const holds = (at: number) => found.some(({ range }) => range.start <= at && BigInt(at) < range.end);
        if (found.length < DIFFERENCE_LIMIT) for (const at of wrong) expect(holds(at)).toBe(true);
        for (const { range } of found) {
          expect(wrong).toContain(Number(range.start));
          expect(wrong).toContain(Number(range.end) - 1);
        }
        expect(found.length > 0).toBe(wrong.length > 0);
      }),
      { numRuns: 500 },
    );
  });

  it('finds one changed byte wherever it is, across blocks', () => {
    const size = 2 * BLOCK + 777;
    const before = Uint8Array.from({ length: size }, (_, i) => i % 253);
    fc.assert(
      fc.property(fc.oneof(fc.nat(size - 1), fc.constantFrom(0, BLOCK - 1, BLOCK, 2 * BLOCK, size - 1)), (at) => {
        const after = before.slice();
        after[at] = (after[at] ?? 0) ^ 1;
        const found = compareUntouched({
          before: new BufferSource(before),
          after: new BufferSource(after),
          planned: [],
        });
        expect(found).toEqual([{ kind: 'changed', range: { start: BigInt(at), end: BigInt(at + 1) } }]);
      }),
      { numRuns: 40 },
    );
  });

  it('ends early when everything differs, and says where the first differences are', () => {
    const before = new Uint8Array(1_000_000);
    const after = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i % 100 === 0 ? 1 : 0));
    const found = compareUntouched({ before: new BufferSource(before), after: new BufferSource(after), planned: [] });
    expect(found.length).toBe(DIFFERENCE_LIMIT);
    expect(found.slice(0, 2).map(({ range }) => range.start)).toEqual([0n, 100n]);
  });

  it('reports its progress up to the whole', () => {
    const source = new BufferSource(new Uint8Array(3 * BLOCK));
    const steps: [bigint, bigint][] = [];
    compareUntouched({
      before: source,
      after: new BufferSource(new Uint8Array(3 * BLOCK)),
      planned: [{ start: 0n, end: 10n }],
      onProgress: (done, total) => steps.push([done, total]),
    });
    const total = BigInt(3 * BLOCK - 10);
    expect(steps.at(-1)).toEqual([total, total]);
    expect(steps.length).toBeGreaterThan(2);
  });

  it('comes to the same about writes laid over the input, without reading the rest of it', () => {
    const writes = fc.array(fc.tuple(fc.nat(300), fc.uint8Array({ minLength: 1, maxLength: 20, min: 0, max: 2 })), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(bytes, writes, planned, (a, list, allowed) => {
        const before = counted(a);
        const laid = list.map(([offset, data]) => ({ offset: BigInt(offset), bytes: data }));
        const after = new OverlaySource(before, laid);
        const whole = new BufferSource(after.read(0n, after.size, 'all'));
        const readBefore = before.total();
        const found = compareUntouched({ before, after, planned: allowed });
        const most = list.reduce((sum, [, data]) => sum + 2 * data.length, 0);
        expect(before.total() - readBefore).toBeLessThanOrEqual(most);
        const touched = (r: { range: Range }[]) => r.flatMap(({ range }) => pointsOf(range));
        const fromBytes = compareUntouched({ before: new BufferSource(a), after: whole, planned: allowed });
        const wrong = wrongOffsets(a, whole.read(0n, whole.size, 'all'), allowed);
        for (const at of wrong) expect(touched(found)).toContain(at);
        expect(found.length > 0).toBe(fromBytes.length > 0);
      }),
    );
  });
});

function pointsOf({ start, end }: Range): number[] {
  return Array.from({ length: Number(end - start) }, (_, i) => Number(start) + i);
}

describe('differingRanges()', () => {
  it('tells differences that are near each other as one, also across blocks', () => {
    const a = new Uint8Array(BLOCK + 200);
    const b = a.slice();
    for (const at of [10, 70, 5000, BLOCK - 1, BLOCK + 3]) b[at] = 1;
    const source = (data: Uint8Array) => ({ source: new BufferSource(data), offset: 0n });
    const found = [...differingRanges(source(a), source(b), BigInt(a.length), newBlocks(BigInt(a.length)))];
    expect(found).toEqual([
      { start: 10n, end: 71n },
      { start: 5000n, end: 5001n },
      { start: BigInt(BLOCK - 1), end: BigInt(BLOCK + 4) },
    ]);
  });
});
