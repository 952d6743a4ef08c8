import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FileSource } from '../../../src/base/bytes/file-source.js';
import { BufferSource, type ByteSource } from '../../../src/base/bytes/source.js';
import { planOriginal } from '../../../src/edit/mkelf32/mkelf32.js';
import { writeMkelf32, writeParts } from '../../../src/edit/mkelf32/write.js';
import { workFolder } from '../../support/cli.js';
import { simple } from './support.js';

const folder = workFolder();
afterAll(() => folder.remove());

/** A source that counts what is read from it; its load segment is as long as it says, and made of zeros. */
class Counting implements ByteSource {
  readonly name = 'counted';
  readonly size: bigint;
  most = 0;
  total = 0;
  readonly #head: BufferSource;

  constructor(filesz: number) {
    const bytes = simple(16, BigInt(filesz));
    new DataView(bytes.buffer).setBigUint64(64 + 32, BigInt(filesz), true);
    this.#head = new BufferSource(bytes);
    this.size = BigInt(0x1000 + filesz);
  }

  read(offset: bigint, length: bigint, part: string): Uint8Array {
    return offset < 0x1000n ? this.#head.read(offset, length, part) : new Uint8Array(Number(length));
  }

  readInto(_offset: bigint, target: Uint8Array): void {
    this.most = Math.max(this.most, target.length);
    this.total += target.length;
  }
}

describe('writeParts()', () => {
  it('copies through one small buffer, however large the image', async () => {
    const size = 0x6000123;
    const source = new Counting(size);
    const { parts } = planOriginal(source, { notes: false, loadBase: 0n, finalExec: undefined });
    const fd = openSync('/dev/null', 'w');
    await writeParts(fd, source, parts);
    closeSync(fd);
    expect(source.total).toBe(size);
    expect(source.most).toBe(0x100000);
  });
});

describe('writeMkelf32()', () => {
  const bytes = simple(0x1000, 0x1000n);
  const request = { notes: false, loadBase: 0n, finalExec: undefined };

  it('leaves the old output when the finished file is refused, or the input changed meanwhile', async () => {
    const input = folder.write('in', bytes);
    const output = folder.write('out', new Uint8Array(3));
    const source = FileSource.open(input);
    const container = planOriginal(source, request);
    const seen: number[] = [];
    const refuse = ({ size }: ByteSource) => {
      seen.push(Number(size));
      throw new Error('refused');
    };
    await expect(writeMkelf32(source, container, { input, output, check: refuse })).rejects.toThrow('refused');
    expect(seen).toEqual([Number(container.fileSize)]);
    const change = () => writeFileSync(input, bytes.slice(0, -1));
    await expect(writeMkelf32(source, container, { input, output, check: change })).rejects.toThrow('read.changed');
    source.close();
    expect([...readFileSync(output)]).toEqual([0, 0, 0]);
    expect(readdirSync(folder.path).sort()).toEqual(['in', 'out']);
  });

  it('has nothing of the output in its place before it is whole', async () => {
    const input = folder.write('in', bytes);
    const output = join(folder.path, 'new');
    const source = FileSource.open(input);
    const container = planOriginal(source, request);
    let during: string[] = [];
    const check = () => {
      during = readdirSync(folder.path);
    };
    await writeMkelf32(source, container, { input, output, check });
    source.close();
    expect(during).not.toContain('new');
    expect(readFileSync(output).length).toBe(Number(container.fileSize));
  });
});
