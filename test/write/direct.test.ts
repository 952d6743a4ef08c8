/** Patching a file where it is: which edits can be committed by one small write, and that a failure leaves the old file. */
import {
  existsSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { FileSource } from '../../src/base/bytes/file-source.js';
import { rangeOf } from '../../src/base/bytes/range.js';
import type { Write } from '../../src/base/bytes/source.js';
import type { Rendered } from '../../src/edit/elf/render.js';
import { planDirect, writeDirect } from '../../src/write/direct.js';
import { workFolder } from '../support/cli.js';

const folder = workFolder();
afterAll(() => folder.remove());
const path = join(folder.path, 'image');
const SIZE = 2048;
const old = Uint8Array.from({ length: SIZE }, (_, i) => i & 0xff);
let source: FileSource;
beforeEach(() => {
  rmSync(path, { force: true });
  writeFileSync(path, old);
  source = FileSource.open(path);
});

/** A file that somebody else made meanwhile. */
const other = () => folder.write('other', Buffer.from('another'));

function linked(): void {
  rmSync(path);
  symlinkSync(other(), path);
}

/** `count` bytes of 0xee at an offset. */
function at(offset: number, count: number): Write {
  return { offset: BigInt(offset), bytes: new Uint8Array(count).fill(0xee) };
}

function rendered(writes: readonly Write[], fileSize = SIZE, shift?: Rendered['shift']): Rendered {
  return { writes, shift, fileSize: BigInt(fileSize), planned: [] };
}

/** Claimed: the first 64 bytes, and everything from 400 to 1200. */
const CLAIMS = [rangeOf(0n, 64n), rangeOf(400n, 800n)];

function plan(writes: readonly Write[], fileSize?: number) {
  return planDirect(source, CLAIMS, rendered(writes, fileSize));
}

const spans = (writes: readonly Write[] = []) => writes.map(({ offset, bytes }) => [Number(offset), bytes.length]);

describe('planDirect(): one write inside one sector commits', () => {
  it('a claimed write is the commit, unclaimed ones come first', () => {
    const direct = plan([at(10, 4), at(1300, 8), at(SIZE, 20)], SIZE + 20);
    expect(spans(direct?.early)).toEqual([
      [1300, 8],
      [SIZE, 20],
    ]);
    expect(direct?.commit).toEqual(at(10, 4));
  });

  it.each([
    ['it ends with the sector', [at(508, 4)], [508, 4]],
    ['it fills the sector', [at(512, 512)], [512, 512]],
    ['it begins the sector', [at(512, 1)], [512, 1]],
    ['there are two in one sector, with what is between them', [at(410, 2), at(500, 12)], [410, 102]],
  ])('possible: %s', (_, writes, commit) => {
    expect(spans([plan(writes)?.commit ?? at(0, 0)])).toEqual([commit]);
  });

  it.each([
    ['one over the edge of a sector', [at(510, 4)]],
    ['one longer than a sector', [at(512, 513)]],
    ['two in two sectors', [at(10, 4), at(600, 4)]],
    ['nothing that anybody sees', [at(1300, 8)]],
    ['nothing at all', []],
  ])('impossible: %s', (_, writes) => {
    expect(plan(writes)).toBeUndefined();
  });

  it('impossible: bytes that move, a file that shrinks', () => {
    expect(planDirect(source, CLAIMS, rendered([at(10, 4)], SIZE + 16, { at: 64n, by: 16n }))).toBeUndefined();
    expect(plan([at(10, 4)], SIZE - 1)).toBeUndefined();
  });

  it('keeps what stands between two changes of the commit', () => {
    const direct = plan([at(410, 2), at(414, 2)]);
    expect([...(direct?.commit.bytes ?? [])]).toEqual([0xee, 0xee, 412 & 0xff, 413 & 0xff, 0xee, 0xee]);
  });

  it('takes along what else goes into the sector, and leaves there nothing for the time before', () => {
    const direct = plan([at(10, 4), at(100, 8), at(300, 100), at(1300, 8)]);
    expect(spans([direct?.commit ?? at(0, 0)])).toEqual([[10, 390]]);
    expect(spans(direct?.early)).toEqual([[1300, 8]]);
    // What reaches into the next sector cannot come along.
    expect(spans(planDirect(source, [rangeOf(0n, 64n)], rendered([at(10, 4), at(500, 20)]))?.early)).toEqual([
      [500, 20],
    ]);
  });
});

describe('writeDirect()', () => {
  const direct = () => {
    const made = plan([at(10, 4), at(1300, 8), at(SIZE, 20)], SIZE + 20);
    if (made === undefined) throw new Error('no plan');
    return made;
  };

  it('shows the check everything but the commit, then commits', async () => {
    let seen: Uint8Array | undefined;
    await writeDirect(path, source, direct(), BigInt(SIZE + 20), async (before) => {
      seen = readFileSync(path);
      expect(spans(before)).toEqual([[1300, 8]]);
      expect(before[0]?.bytes).toEqual(old.slice(1300, 1308));
    });
    const early = new Uint8Array(SIZE + 20);
    early.set(old);
    early.fill(0xee, 1300, 1308);
    early.fill(0xee, SIZE);
    expect(Buffer.compare(seen ?? old, early)).toBe(0);
    early.fill(0xee, 10, 14);
    expect(readFileSync(path).equals(early)).toBe(true);
  });

  it('puts bytes and length back when the check refuses', async () => {
    const refusal = new Error('not as wanted');
    const run = writeDirect(path, source, direct(), BigInt(SIZE + 20), async () => {
      expect(statSync(path).size).toBe(SIZE + 20);
      throw refusal;
    });
    await expect(run).rejects.toBe(refusal);
    expect(readFileSync(path).equals(old)).toBe(true);
  });

  it.each([
    ['longer', () => writeFileSync(path, new Uint8Array(SIZE + 1))],
    ['written to', () => utimesSync(path, 1, 1)],
  ])('refuses a file that became %s since it was opened', async (_, change) => {
    change();
    const now = readFileSync(path);
    const run = writeDirect(path, source, direct(), BigInt(SIZE + 20), async () => undefined);
    await expect(run).rejects.toMatchObject({ id: 'read.changed' });
    expect(readFileSync(path).equals(now)).toBe(true);
  });

  it.each([
    ['took its place', () => renameSync(other(), path), 'read.changed', true],
    ['took its place by a link', linked, 'read.changed', true],
    ['does not: nothing has the name', () => rmSync(path), 'write.failed', false],
  ])('tells that another file %s during the run, and what it wrote is not in either', async (_, change, id, there) => {
    const kept = join(folder.path, 'kept');
    rmSync(kept, { force: true });
    linkSync(path, kept);
    const run = writeDirect(path, source, direct(), BigInt(SIZE + 20), async () => void change());
    await expect(run).rejects.toMatchObject({ id });
    expect(readFileSync(kept).equals(old)).toBe(true);
    expect(existsSync(path)).toBe(there);
    if (there) expect(readFileSync(path, 'latin1')).toBe('another');
  });
});
