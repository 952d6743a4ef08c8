/** Damaged containers: a PatchError or a right answer, never another error, and no more memory than the file warrants. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferSource, OverlaySource } from '../../../src/base/bytes/source.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { planContainer, planInside, proveContainer } from '../../../src/edit/container/pipeline.js';
import { DEFAULT_PLACEMENT } from '../../../src/edit/elf/plan/placement-options.js';
import { packGzip } from '../../../src/formats/container/gzip.js';
import { findNative } from '../../../src/formats/container/native.js';
import { openContainer } from '../../../src/formats/container/open.js';
import type { PayloadAction } from '../../../src/formats/container/payload-action.js';
import { recognise } from '../../../src/formats/container/recognise.js';
import { xzStreamEnd } from '../../../src/formats/container/stream-end.js';
import { parseSetting } from '../../../src/formats/note/value.js';
import { bzImage, packForTest, relocationTail, type TestFormat } from '../../support/bzimage.js';
import { fixture } from '../../support/fixtures.js';

const kernel = readFileSync(fixture('pvh64-notes'));
const data = Buffer.concat([kernel, relocationTail()]);
// The formats that are unpacked in this process; programs guard themselves.
const FORMATS = ['gzip', 'zstd', 'lz4', 'stored'] as const satisfies readonly TestFormat[];

const change = (size: number) =>
  fc.array(
    fc.record({
      at: fc.oneof(
        fc.integer({ min: 0, max: size - 1 }),
        fc.integer({ min: 0x1f1, max: 0x264 }),
        fc.integer({ min: 0, max: 0x140 }),
      ),
      value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 })),
    }),
    { minLength: 1, maxLength: 8 },
  );

/** Opens, plans one way of writing and proves it, and says whether anything but a PatchError came of it. */
async function work(bytes: Uint8Array, way?: PayloadAction): Promise<string | undefined> {
  const source = new BufferSource(bytes, 'fuzzed');
  try {
    const opened = await openContainer(source);
    if (opened.kind === 'elf') return undefined;
    const setting = parseSetting('PHYS32_ENTRY=0x123456');
    const elf = way === 'detach' ? undefined : planInside(opened, [{ kind: 'set', setting }], DEFAULT_PLACEMENT);
    const wish = { way, stripSignature: true, compressor: undefined, keepTail: false };
    const plan = await planContainer(source, opened, elf, wish);
    // Whatever is written of a damaged file has to hold its laws.
    const { writes, fileSize } = plan.rebuilt;
    await proveContainer(plan, new OverlaySource(source, writes, fileSize));
    return undefined;
  } catch (error) {
    // verify.failed would be a fault of ours that was found in time.
    if (error instanceof PatchError && error.id !== 'internal.bug' && error.id !== 'verify.failed') return undefined;
    return String(error instanceof Error ? error.stack : error);
  }
}

describe.each(FORMATS)('a damaged bzImage, %s', (format) => {
  const image = bzImage({ data, format, pe: 'old', certificate: 64 });

  it('ends in a PatchError or in a plan', async () => {
    const before = process.memoryUsage().arrayBuffers;
    await fc.assert(
      fc.asyncProperty(
        change(image.length),
        fc.option(fc.integer({ min: 0, max: image.length })),
        async (changes, cut) => {
          const bytes = image.slice(0, cut ?? image.length);
          for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
          expect(await work(bytes)).toBeUndefined();
        },
      ),
      { numRuns: 60 },
    );
    // Size words of up to 1 GiB were tried.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 28);
  });
});

describe('a damaged gzip file', () => {
  it('ends in a PatchError or in a plan', async () => {
    const image = await packGzip(new BufferSource(data));
    await fc.assert(
      fc.asyncProperty(change(image.length), fc.uint8Array({ maxLength: 12 }), async (changes, behind) => {
        const bytes = Buffer.concat([image, behind]);
        for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
        expect(await work(bytes)).toBeUndefined();
      }),
      { numRuns: 80 },
    );
  });
});

describe('every field of the setup header and of the PE header', () => {
  const attached = async () => {
    const source = new BufferSource(bzImage({ data, format: 'gzip', pe: 'old' }), 'attached');
    const opened = await openContainer(source);
    if (opened.kind === 'elf') throw new Error('not a container');
    const elf = planInside(
      opened,
      [{ kind: 'set', setting: parseSetting('PHYS32_ENTRY=0x654321') }],
      DEFAULT_PLACEMENT,
    );
    const wish = { way: undefined, stripSignature: true, compressor: undefined, keepTail: false };
    const { writes, fileSize } = (await planContainer(source, opened, elf, wish)).rebuilt;
    const bytes = new Uint8Array(Number(fileSize));
    new OverlaySource(source, writes, fileSize).readInto(0n, bytes, 'attached');
    return bytes;
  };

  it.each(['attach', 'replace', 'detach', 'extract'] as const)(
    'at 0, 1 and its most ends in a PatchError or a proved result: %s',
    async (way) => {
      const images = [bzImage({ data, format: 'gzip', pe: 'old', certificate: 64 }), await attached()];
      const places = [
        ...[0x1f1, 0x1f4, 0x1fe, 0x201, 0x206, 0x236, 0x248, 0x24c, 0x258, 0x260],
        ...[0x3c, 0x44, 0x46, 0x54, 0x58, 0x5c, 0x90, 0x98, 0xc4, 0xe8, 0xec, 0x100],
      ];
      for (const image of images) {
        for (const at of places) {
          for (const value of [0, 1, 0xffffffff, image.length - 0x800]) {
            for (const width of [1, 4]) {
              const bytes = image.slice();
              for (let i = 0; i < width; i++) bytes[at + i] = (value >>> (8 * i)) & 0xff;
              expect({ at, value, width, problem: await work(bytes, way) }).toEqual({
                at,
                value,
                width,
                problem: undefined,
              });
            }
          }
        }
      }
    },
  );

  it('cut short anywhere', async () => {
    const image = await attached();
    for (let end = 0; end < image.length; end += end < 0x300 ? 1 : 97) {
      expect({ end, problem: await work(image.subarray(0, end), 'attach') }).toEqual({ end, problem: undefined });
    }
  });
});

describe('a damaged bare stream', () => {
  it.each(['xz', 'zstd', 'lz4', 'bzip2'] as const)('%s ends in a PatchError or in a plan', async (format) => {
    const image = packForTest(format, kernel);
    await fc.assert(
      fc.asyncProperty(change(image.length), fc.uint8Array({ maxLength: 12 }), async (changes, behind) => {
        const bytes = Buffer.concat([image, behind]);
        for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value;
        expect(await work(bytes, 'extract')).toBeUndefined();
      }),
      { numRuns: 25 },
    );
  });
});

describe('work that an attacker could make quadratic', () => {
  it('xz data that is all footers, a kernel that is all magics, both within seconds', async () => {
    const footers = Buffer.alloc(4 << 20, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x59, 0x5a]));
    footers.set([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]);
    xzStreamEnd(footers);
    const kernelOfMagics = Buffer.alloc(8 << 20, Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0x40, 0, 0, 0, 0x50, 0]));
    const opened = await openContainer(new BufferSource(bzImage({ data })));
    if (opened.kind !== 'bzimage') throw new Error('not a bzImage');
    const image = { ...opened.image, source: new BufferSource(kernelOfMagics), setupSize: 0n, sysEnd: 8n << 20n };
    expect(() => findNative(image)).toThrow('[bzimage.native]');
  });
});

describe('recognise()', () => {
  it('answers for any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 700 }),
        fc.constantFrom([], [0x4d, 0x5a], [0x1f, 0x8b], [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]),
        (bytes, start) => {
          bytes.set(start.slice(0, bytes.length));
          expect(recognise(new BufferSource(bytes)).kind).toBeTruthy();
        },
      ),
    );
  });
});

describe('bombs', () => {
  it.each(['zstd', 'gzip', 'lz4', 'xz', 'bzip2'] as const)(
    '%s that unpacks to far more than its size word',
    async (format) => {
      // gzip states its own size; what is no ELF is not unpacked. In the others an ELF stands in front.
      const data = Buffer.concat([format === 'gzip' ? new Uint8Array(0) : kernel, new Uint8Array(0x8000000)]);
      const bomb = bzImage({ format, data, sizeWord: 0x10000 });
      const before = process.memoryUsage().rss;
      await expect(openContainer(new BufferSource(bomb))).rejects.toMatchObject({
        id: format === 'gzip' ? 'bzimage.not-elf' : expect.stringMatching(/^bzimage\.(size|corrupt)$/),
      });
      expect(process.memoryUsage().rss - before).toBeLessThan(0x6000000);
    },
  );
});
