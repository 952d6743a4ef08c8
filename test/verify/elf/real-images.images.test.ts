import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FileSource } from '../../../src/base/bytes/file-source.js';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import type { ElfImage } from '../../../src/formats/elf/image.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { verifyImage } from '../../../src/verify/elf/verify.js';
import { secondReader } from '../../../src/verify/second-reader.js';
import { corpusFiles, realImages } from '../../support/images.js';

async function withImage<T>(path: string, use: (image: ElfImage) => Promise<T> | T): Promise<T> {
  const source = FileSource.open(path);
  try {
    return await use(readElf(source));
  } finally {
    source.close();
  }
}

describe('real kernels', () => {
  it.each(realImages().map(({ name, path }) => [name, path]))('%s breaks no law, and elfy agrees', async (_, path) => {
    await withImage(path, async (image) => {
      expect(verifyImage({ image }).filter(({ level }) => level === 'error')).toEqual([]);
      expect(verifyImage({ image, baseline: image }).filter(({ level }) => level === 'error')).toEqual([]);
      expect((await secondReader(image)).verdict).toBe('agrees');
    });
  });

  it('are told apart from themselves by one bit', async () => {
    for (const { path } of realImages()) {
      const bytes = readFileSync(path);
      const baseline = readElf(new BufferSource(bytes));
      const load = baseline.segments.find((s) => s.p_type === 1 && s.p_filesz > 0n);
      if (load === undefined) continue;
      const changed = Uint8Array.from(bytes);
      const at = Number(load.p_offset + load.p_filesz / 2n);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const found = verifyImage({ image: readElf(new BufferSource(changed)), baseline });
      const errors = found.filter(({ level }) => level === 'error').map((f) => [f.check, f.place.offset]);
      expect(errors).toEqual([['load-bytes', BigInt(at)]]);
    }
  });
});

describe('programs of this machine', () => {
  it('node itself breaks no law, and elfy agrees', async () => {
    await withImage(process.execPath, async (image) => {
      expect(verifyImage({ image }).filter(({ level }) => level === 'error')).toEqual([]);
      expect((await secondReader(image)).verdict).toBe('agrees');
    });
  });
});

describe('foreign test files, broken ones among them', () => {
  it('are all judged, none of them throws, and elfy never reads another number', async () => {
    let judged = 0;
    for (const path of corpusFiles()) {
      try {
        await withImage(path, async (image) => {
          expect(Array.isArray(verifyImage({ image }))).toBe(true);
          const against = verifyImage({ image, baseline: image }).filter((f) => f.level === 'error');
          const alone = new Set(verifyImage({ image }).map((f) => f.check));
          // Against itself an image can only break what it breaks alone.
          expect(against.filter((f) => !alone.has(f.check))).toEqual([]);
          expect(`${path} ${(await secondReader(image)).verdict}`).not.toContain('differs');
          judged += 1;
        });
      } catch (error) {
        if (!(error instanceof PatchError)) throw error;
        expect(error.id).toMatch(/^read\./);
      }
    }
    expect(judged).toBeGreaterThan(500);
  });
});
