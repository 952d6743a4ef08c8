import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileSource } from '../../src/base/bytes/file-source.js';
import { BufferSource, type ByteSource } from '../../src/base/bytes/source.js';
import type { ElfImage } from '../../src/formats/elf/image.js';
import { readElf } from '../../src/formats/elf/read.js';
import { ENCODINGS } from '../../src/formats/elf/struct.js';
import { secondReader } from '../../src/verify/second-reader.js';
import { elf, num } from '../support/elf-builder.js';
import { goodEdit, imageOf, NOTE, setHeader, setSection, setSegment } from '../support/good-edit.js';

/** The image as we read it, over bytes that somebody else would read differently. */
function misread(image: ElfImage, bytes: Uint8Array): ElfImage {
  return { ...image, source: new BufferSource(bytes) };
}

describe.each(ENCODINGS)('secondReader(), ELF$bits $endian', (encoding) => {
  const { after } = goodEdit(encoding);
  const image = imageOf(after);

  it('agrees about a good image', async () => {
    expect(await secondReader(image)).toEqual({ verdict: 'agrees', details: [] });
  });

  it('agrees about addresses at the top of the address space', async () => {
    const top = encoding.bits === 64 ? 0xffff_ffff_8100_0018n : 0xc100_0018n;
    const kernel = elf(encoding)
      .load(top, new Uint8Array(64))
      .noteSegment([{ type: 1, desc: num(top, 8, encoding) }], { section: '.notes' })
      .build();
    expect((await secondReader(imageOf(kernel))).verdict).toBe('agrees');
  });

  it.each([
    [
      'the note segment elsewhere',
      (b: Uint8Array) => setSegment(b, NOTE, { p_offset: 64n }),
      /program header 2: p_offset/,
    ],
    ['another type', (b: Uint8Array) => setSegment(b, NOTE, { p_type: 7 }), /program header 2: elfy reads p_type tls/],
    [
      'another entry point',
      (b: Uint8Array) => setHeader(b, { e_entry: 4n }),
      /ELF header: e_entry is 0x100000, elfy reads 4/,
    ],
    ['another section size', (b: Uint8Array) => setSection(b, '.comment', { sh_size: 3n }), /\.comment.*: sh_size/],
    ['another section name', (b: Uint8Array) => setSection(b, '.comment', { sh_name: 2 }), /elfy reads the name notes/],
  ])('differs where the bytes say something else: %s', async (_, change, pattern) => {
    const bytes = after.slice();
    change(bytes);
    const opinion = await secondReader(misread(image, bytes));
    expect(opinion.verdict).toBe('differs');
    expect(opinion.details.join('\n')).toMatch(pattern);
  });

  it('says what it could not compare when there are no section names', async () => {
    const stripped = elf(encoding)
      .load(0x1000n, new Uint8Array(16))
      .noteSegment([{ type: 1, desc: new Uint8Array(4) }]);
    expect(await secondReader(imageOf(stripped.build()))).toEqual({
      verdict: 'agrees',
      details: ['section names were not compared: the image has none'],
    });
  });

  it('cannot read what elfy does not know, and says why', async () => {
    const many = { ...image, header: { ...image.header, e_phnum: 0xffff } };
    expect(await secondReader(many)).toMatchObject({
      verdict: 'cannot-read',
      details: [expect.stringContaining('extended numbering')],
    });
    const noStrings = after.slice();
    setSection(noStrings, '.shstrtab', { sh_type: 1 });
    const opinion = await secondReader(imageOf(noStrings));
    expect(opinion).toMatchObject({ verdict: 'cannot-read', details: [expect.stringContaining('elfy gave up')] });
  });

  it('cannot read notes behind the end of the file', async () => {
    const bytes = after.slice();
    setSegment(bytes, NOTE, { p_offset: BigInt(bytes.length) });
    expect((await secondReader(imageOf(bytes))).verdict).toBe('cannot-read');
  });
});

describe('secondReader() and large files', () => {
  const encoding = { bits: 64, endian: 'little' } as const;

  it('reads nothing but headers, names and notes', async () => {
    const big = elf(encoding)
      .load(0x1000n, new Uint8Array(5_000_000))
      .noteSegment([{ type: 1, desc: new Uint8Array(4) }], { section: '.notes' })
      .build();
    const inner = new BufferSource(big);
    let total = 0;
    const source: ByteSource = {
      name: 'counted',
      size: inner.size,
      read(offset, length, part) {
        total += Number(length);
        return inner.read(offset, length, part);
      },
      readInto(offset, target, part) {
        total += target.length;
        inner.readInto(offset, target, part);
      },
    };
    expect((await secondReader(readElf(source))).verdict).toBe('agrees');
    expect(total).toBeLessThan(10_000);
  });

  it('looks at the front of a file of 5 GiB, and cannot follow notes to its end', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'verify-'));
    const path = join(folder, 'sparse');
    const { after } = goodEdit(encoding);
    const write = (bytes: Uint8Array) => {
      const fd = openSync(path, 'w');
      writeSync(fd, bytes);
      ftruncateSync(fd, 5 * 2 ** 30);
      closeSync(fd);
    };
    const ask = async () => {
      const source = FileSource.open(path);
      try {
        return await secondReader(readElf(source));
      } finally {
        source.close();
      }
    };
    try {
      write(after);
      expect((await ask()).verdict).toBe('agrees');
      const far = after.slice();
      setSegment(far, NOTE, { p_offset: 0x100000000n });
      write(far);
      expect(await ask()).toMatchObject({ verdict: 'cannot-read', details: [expect.stringContaining('0x80000000')] });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is not made to hold or go through more than real images have', async () => {
    const names = Buffer.alloc(6000, 'x');
    names[0] = 0;
    names[5999] = 0;
    const bytes = elf(encoding).section('x'.repeat(5000), { bytes: names }).build();
    expect(await secondReader(imageOf(bytes))).toMatchObject({
      verdict: 'cannot-read',
      details: ['the name of section 1 is longer than 4096 bytes'],
    });
  });
});
