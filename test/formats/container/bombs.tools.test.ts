/** Small files that become large ones: what is no ELF is not unpacked, and nothing is unpacked beyond the limit. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installPorts, type Ports, port } from '../../../src/base/bytes/ports.js';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { beginning } from '../../../src/formats/container/beginning.js';
import { openContainer } from '../../../src/formats/container/open.js';
import { bzImage, packForTest, type TestFormat } from '../../support/bzimage.js';
import { runCli, workFolder } from '../../support/cli.js';
import { fixture } from '../../support/fixtures.js';

const FORMATS = ['gzip', 'xz', 'zstd', 'lz4', 'lzma', 'bzip2', 'lzo'] as const satisfies readonly TestFormat[];
const SIZE = 0x400000;
const LIMIT = 0x100000;
const kernel = readFileSync(fixture('pvh64-notes'));
const zeros = Buffer.alloc(SIZE);
const withElf = Buffer.concat([kernel, Buffer.alloc(SIZE)]);

/** Most bytes that one call of a codec was allowed to make, and made. */
let allowed = 0;
let made = 0;
const real = {
  inflate: port('inflate'),
  inflateBeginning: port('inflateBeginning'),
  loadZstd: port('loadZstd'),
  runProgram: port('runProgram'),
} satisfies Partial<Ports>;

beforeEach(() => {
  allowed = 0;
  made = 0;
  const heard = (most: number, size: number) => {
    allowed = Math.max(allowed, most);
    made = Math.max(made, size);
  };
  installPorts({
    inflate(packed, limit, likely) {
      const result = real.inflate(packed, limit, likely);
      heard(limit, 'bytes' in result ? result.bytes.length : 0);
      return result;
    },
    inflateBeginning(packed) {
      const bytes = real.inflateBeginning(packed);
      heard(0, bytes?.length ?? 0);
      return bytes;
    },
    async loadZstd() {
      const decode = await real.loadZstd();
      return (frame, size) => {
        heard(size, size);
        return decode(frame, size);
      };
    },
    async runProgram(program, args, input, limit, onProgress) {
      const result = await real.runProgram(program, args, input, limit, onProgress);
      heard(limit, 'bytes' in result ? result.bytes.length : 0);
      return result;
    },
  });
});
afterEach(() => installPorts(real));

const open = (bytes: Uint8Array, limit?: bigint) => openContainer(new BufferSource(bytes, 'bomb'), { limit });

describe.each(FORMATS)('a bomb of %s', (format) => {
  const bare = packForTest(format, zeros);
  const elf = packForTest(format, withElf);

  it('begins with what it was packed from', async () => {
    for (const [packed, data] of [
      [bare, zeros],
      [elf, withElf],
    ] as const) {
      const start = await beginning(format, packed);
      expect(start?.length).toBeGreaterThanOrEqual(0x400);
      expect(Buffer.compare(start ?? zeros, data.subarray(0, start?.length))).toBe(0);
    }
    expect(allowed).toBeLessThanOrEqual(0x20000);
    // Of a format of ours, the first block; LZ4 has chunks of 8 MiB and is not heard here.
    expect(made).toBeLessThanOrEqual(LIMIT);
  });

  it('that is no ELF is refused before it is unpacked, bare and as a payload', async () => {
    await expect(open(bare)).rejects.toMatchObject({ id: 'read.not-elf' });
    await expect(open(bzImage({ format, data: zeros }))).rejects.toMatchObject({ id: 'bzimage.not-elf' });
    expect(allowed).toBeLessThanOrEqual(0x20000);
    expect(made).toBeLessThanOrEqual(LIMIT);
  });

  it('with an ELF in front is not unpacked beyond the limit, and is within it', async () => {
    await expect(open(elf, BigInt(LIMIT))).rejects.toMatchObject({ id: 'container.limit' });
    await expect(open(bzImage({ format, data: withElf }), BigInt(LIMIT))).rejects.toMatchObject({
      id: 'container.limit',
    });
    expect(allowed).toBeLessThanOrEqual(LIMIT);
    expect(made).toBeLessThanOrEqual(LIMIT);
    const exact = BigInt(withElf.length);
    expect(await open(elf, exact)).toMatchObject({ facts: { unpackedSize: exact } });
    await expect(open(elf, exact - 1n)).rejects.toMatchObject({ id: 'container.limit' });
  });

  it('that is damaged from the start is for the whole to tell', async () => {
    const broken = Buffer.from(elf).fill(0xff, 12, 40);
    const start = await beginning(format, broken);
    if (start === undefined)
      await expect(open(broken)).rejects.toMatchObject({ id: expect.stringMatching(/corrupt$/) });
  });
});

describe('--limit', () => {
  const folder = workFolder();
  const bomb = join(folder.path, 'bomb.gz');
  writeFileSync(bomb, packForTest('gzip', withElf));

  it.each([
    ['notes', bomb],
    ['verify', bomb],
    ['layout', bomb],
    ['diff', bomb, fixture('pvh64-notes')],
    ['patch', bomb, '--check', '--set', 'GUEST_OS=x'],
    ['patch', fixture('pvh64-notes'), '--check', '--copy-from', bomb],
    ['fix', bomb, '--for', 'qemu-pvh', '--check'],
    ['stamp', bomb],
    ['verify', fixture('pvh64-notes'), '--baseline', bomb],
    ['layout', fixture('pvh64-notes'), '--compare', bomb],
  ])('%s %s %s %s %s', (...line) => {
    const { status, stderr } = runCli([...line, '--limit', '1M']);
    expect(stderr).toContain('unpacks to more than 0x100000 bytes, wanted at most that [container.limit]');
    expect(status).toBe(2);
    expect(runCli([...line, '--limit', '0x2000000']).stderr).not.toContain('container.limit');
  });

  it.each(['', '0', 'x', '1T', '-1', '1.5M', '0x'])('refuses %j', (size) => {
    const { status, stderr } = runCli(['notes', bomb, `--limit=${size}`]);
    expect(stderr).toContain('[usage.bad]');
    expect(status).toBe(2);
  });
});
