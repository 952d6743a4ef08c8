/** Damaged containers: a PatchError or a right answer, never another error, and no more memory than the file warrants. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/bytes/source.js';
import { packGzip } from '../../src/container/gzip.js';
import { openContainer } from '../../src/container/open.js';
import { recognise } from '../../src/container/recognise.js';
import { planContainer, planInside } from '../../src/container-pipeline.js';
import { PatchError } from '../../src/errors/patch-error.js';
import { parseSetting } from '../../src/note/value.js';
import { DEFAULT_WISH } from '../../src/plan/edits.js';
import { bzImage, relocationTail, type TestFormat } from '../support/bzimage.js';
import { fixture } from '../support/images.js';

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

/** Opens, plans an attach, and says whether anything but a PatchError came of it. */
async function work(bytes: Uint8Array): Promise<string | undefined> {
  const source = new BufferSource(bytes, 'fuzzed');
  try {
    const opened = await openContainer(source);
    if (opened.kind === 'elf') return undefined;
    const setting = parseSetting('PHYS32_ENTRY=0x123456');
    const elf = planInside(opened, [{ kind: 'set', setting }], DEFAULT_WISH);
    const wish = { way: undefined, stripSignature: true, compressor: undefined, keepTail: false };
    await planContainer(source, opened, elf, wish);
    return undefined;
  } catch (error) {
    if (error instanceof PatchError && error.id !== 'internal.bug') return undefined;
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
      const bomb = bzImage({ format, data: new Uint8Array(0x8000000), sizeWord: 0x10000 });
      const before = process.memoryUsage().rss;
      await expect(openContainer(new BufferSource(bomb))).rejects.toMatchObject({
        // gzip states its own size; what it unpacks to is then no ELF.
        id: format === 'gzip' ? 'bzimage.not-elf' : expect.stringMatching(/^bzimage\.(size|corrupt)$/),
      });
      if (format !== 'gzip') expect(process.memoryUsage().rss - before).toBeLessThan(0x6000000);
    },
  );
});
