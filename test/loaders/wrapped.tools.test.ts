/** What each loader says of a kernel in a wrapper: a table by hand, from containers.md and from what the loaders did. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { factsOf, openContainer, wholeOf } from '../../src/formats/container/open.js';
import { wrapperFix } from '../../src/formats/note/fix.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { accepts } from '../../src/loaders/rule.js';
import type { XenVersion } from '../../src/loaders/xen-version.js';
import { bzImage, packForTest, type TestFormat } from '../support/bzimage.js';
import { fixture } from '../support/fixtures.js';

const kernel = readFileSync(fixture('pv64-notes'));

function packed(program: string, ...args: readonly string[]): Uint8Array {
  const { status, stdout } = spawnSync(program, args, { input: kernel, maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
  return stdout;
}

function sizeWord(): Uint8Array {
  const word = Buffer.alloc(4);
  word.writeUInt32LE(kernel.length);
  return word;
}

async function verdicts(bytes: Uint8Array, xenVersion: XenVersion = '4.22') {
  const outer = new BufferSource(bytes, 'vmlinuz');
  const opened = await openContainer(outer);
  const facts = factsOf(opened);
  const wrapped = facts === undefined ? undefined : { facts, outer };
  return new Map(judgeLoaders(wholeOf(opened), { xenVersion, wrapped }).map((verdict) => [verdict.loader, verdict]));
}

/** The loaders of a PV kernel that take it. */
async function takers(bytes: Uint8Array, xenVersion?: XenVersion): Promise<string> {
  const all = await verdicts(bytes, xenVersion);
  const short = { 'xen-pv': 'tools', 'xen-dom0-pv': 'hypervisor', 'grub-xen': 'grub' };
  return Object.entries(short)
    .filter(([name]) => {
      const verdict = all.get(name);
      return verdict !== undefined && accepts(verdict);
    })
    .map(([, word]) => word)
    .join(' ');
}

const ALL = 'tools hypervisor grub';

describe('a bzImage', () => {
  it.each([
    ['gzip', ALL],
    ['xz', ALL],
    ['zstd', 'tools hypervisor'],
    ['lz4', 'tools hypervisor'],
    ['lzma', 'tools hypervisor'],
    ['bzip2', 'hypervisor'],
    ['lzo', 'hypervisor'],
    ['stored', ALL],
  ] as const satisfies readonly (readonly [TestFormat, string])[])(
    'with %s payload is taken by %s',
    async (format, by) => {
      expect(await takers(bzImage({ format, data: kernel }))).toBe(by);
    },
  );

  it.each([
    ['xz with CRC64', 'xz', packed('xz', '-c', '--check=crc64'), 'tools grub'],
    ['xz with SHA-256', 'xz', packed('xz', '-c', '--check=sha256'), 'tools grub'],
    ['xz with no check', 'xz', packed('xz', '-c', '--check=none'), ALL],
    ['xz with the filter for Arm', 'xz', packed('xz', '-c', '--check=crc32', '--arm', '--lzma2'), 'tools grub'],
    ['xz with 128 MiB dictionary', 'xz', packed('xz', '-c', '--check=crc32', '--lzma2=dict=128MiB'), ALL],
    ['zstd with 256 MiB window', 'zstd', packed('zstd', '-c', '--ultra', '-22', '--long=28'), 'tools'],
  ] as const)('%s', async (_what, format, stream, by) => {
    expect(await takers(bzImage({ format, data: kernel, stream }))).toBe(by);
  });

  it.each([
    ['zstd', Uint8Array.of(0, 0, 0, 0), 'hypervisor'],
    ['zstd', Uint8Array.of(7, 7, 7), 'hypervisor'],
    ['zstd', Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0), 'tools hypervisor'],
    ['lz4', new Uint8Array(4), 'tools'],
    ['lz4', new Uint8Array(8), 'tools'],
    ['lz4', new Uint8Array(3), ''],
    ['lz4', Uint8Array.of(0x02, 0x21, 0x4c, 0x18), ''],
    ['xz', new Uint8Array(4), 'tools hypervisor'],
    ['xz', new Uint8Array(3).fill(7), 'tools hypervisor'],
    ['bzip2', new Uint8Array(4), 'hypervisor'],
  ] as const)('%s with bytes between the stream and the size word, %#', async (format, spare, by) => {
    const image = bzImage({ format, data: kernel, spare });
    expect(await takers(image)).toBe(by);
    const opened = await openContainer(new BufferSource(image));
    if (opened.kind !== 'bzimage') throw new Error('not a bzImage');
    // bzip2 does not tell where its stream ends; skippable frames belong to zstd's.
    const unseen = format === 'bzip2' || (format === 'zstd' && spare.length === 8);
    expect(opened.facts.warnings).toHaveLength(unseen ? 0 : 1);
  });

  it('goes by the release of Xen', async () => {
    const dictionary = packed('xz', '-c', '--check=crc32', '--lzma2=dict=128MiB');
    const xz = bzImage({ format: 'xz', data: kernel, stream: dictionary });
    expect(await takers(xz, '4.19')).toBe('hypervisor grub');
    expect(await takers(xz, '4.20')).toBe(ALL);
    const zstd = bzImage({ format: 'zstd', data: kernel });
    expect(await takers(zstd, '4.14')).toBe('');
    expect(await takers(zstd, '4.15')).toBe('tools hypervisor');
  });

  it('has other ways elsewhere, and the notes play no part', async () => {
    const all = await verdicts(bzImage({ format: 'gzip', data: readFileSync(fixture('pvh64-notes')) }));
    expect(all.get('qemu-pvh')).toMatchObject({ outcome: 'other-path', rule: 'not-bzimage' });
    expect(all.get('kexec')).toMatchObject({ outcome: 'other-path', rule: 'not-bzimage' });
    expect(all.get('qemu-multiboot')).toMatchObject({ outcome: 'other-path', rule: 'not-bzimage' });
    expect(all.get('cloud-hypervisor')).toMatchObject({ outcome: 'other-path', rule: 'not-bzimage' });
    expect(all.get('libkrun')).toMatchObject({ outcome: 'other-path', rule: 'unpacks' });
    expect(all.get('grub-multiboot')).toMatchObject({ outcome: 'refused' });
    expect(all.get('xen-pvh')).toMatchObject({ outcome: 'accepted' });
  });

  it('is refused in the words of the loader, with the way out', async () => {
    const all = await verdicts(bzImage({ format: 'lzo', data: kernel }));
    expect(all.get('xen-pv')).toMatchObject({
      message: 'xc_dom_find_loader: no loader found: Invalid kernel',
      reason: expect.stringContaining('LZO decompress support unavailable'),
      cure: wrapperFix({ payload: 'extract', compressor: 'gzip' }),
      rule: 'unpacks',
    });
    expect(all.get('grub-xen')).toMatchObject({ message: 'not xen image' });
    const crc64 = packed('xz', '-c', '--check=crc64');
    expect((await verdicts(bzImage({ format: 'xz', data: kernel, stream: crc64 }))).get('xen-dom0-pv')).toMatchObject({
      message: 'Input was encoded with settings that are not supported by this XZ decoder',
    });
  });
});

describe('a gzip file', () => {
  const gzip = packForTest('gzip', kernel);
  const withFlags = Buffer.concat([gzip.subarray(0, 10), Buffer.from('name\0'), gzip.subarray(10)]);
  withFlags[3] = 8;

  it('is taken by Xen, its tools, GRUB and kexec, and not by the others', async () => {
    const pvh = gzipSync(readFileSync(fixture('pvh64-notes')));
    const all = await verdicts(pvh);
    expect(await takers(gzip)).toBe(ALL);
    expect(await takers(withFlags)).toBe(ALL);
    expect(all.get('xen-pvh')).toMatchObject({ outcome: 'accepted' });
    expect(all.get('kexec')).toMatchObject({ outcome: 'accepted' });
    expect(all.get('qemu-pvh')).toMatchObject({ outcome: 'refused', message: 'invalid kernel header' });
    for (const name of ['firecracker', 'cloud-hypervisor']) {
      expect(all.get(name)).toMatchObject({ outcome: 'refused', message: 'Invalid Elf magic number' });
    }
    expect(all.get('libkrun')).toMatchObject({
      outcome: 'other-path',
      message: expect.stringContaining('in the gzip stream at e_entry'),
      cure: wrapperFix({ payload: 'extract' }),
    });
    const multiboot = await verdicts(gzipSync(readFileSync(fixture('mb1'))));
    expect(multiboot.get('grub-multiboot')).toMatchObject({ outcome: 'accepted' });
    expect(multiboot.get('qemu-pvh')).toMatchObject({ outcome: 'refused' });
    expect(multiboot.get('qemu-multiboot')).toMatchObject({ outcome: 'other-path', rule: 'multiboot-header' });
  });

  it.each([
    ['zeros behind it', Buffer.concat([gzip, new Uint8Array(16)]), ''],
    ['text behind it', Buffer.concat([gzip, Buffer.from('hello world, hello')]), 'grub'],
    ['a smaller second member', Buffer.concat([gzip, gzipSync('x')]), ''],
    // Its size is that of the first: by luck, it is what they need.
    ['itself behind it', Buffer.concat([gzip, gzip]), ALL],
  ])('with %s: the last 4 bytes are its size to them', async (_what, bytes, by) => {
    expect(await takers(bytes)).toBe(by);
  });

  it('with bit 1 of its flags set is refused by the hypervisor', async () => {
    // FHCRC: the low half of the CRC-32 of the header.
    const header = Buffer.from(gzip.subarray(0, 10));
    header[3] = 2;
    const crc = (await import('node:zlib')).crc32(header) & 0xffff;
    const flagged = Buffer.concat([header, Uint8Array.of(crc & 255, crc >> 8), gzip.subarray(10)]);
    expect(await takers(flagged)).toBe('tools grub');
    expect((await verdicts(flagged)).get('xen-dom0-pv')).toMatchObject({ message: 'Multi part input' });
  });
});

describe('an ELF packed as a whole', () => {
  it.each(['xz', 'zstd', 'lz4', 'lzma', 'bzip2', 'lzo'] as const)(
    '%s is for the hypervisor, with its size behind it',
    async (format) => {
      const stream = packForTest(format, kernel);
      expect(await takers(stream)).toBe(format === 'xz' || format === 'lzo' ? 'grub' : '');
      const whole = Buffer.concat([stream, sizeWord()]);
      expect(await takers(whole)).toBe('hypervisor');
      const opened = await openContainer(new BufferSource(whole));
      expect(opened).toMatchObject({ kind: 'stream', facts: { format, sizeWord: true } });
      expect(Buffer.compare((opened as { unpacked: Uint8Array }).unpacked, kernel)).toBe(0);
    },
  );
});
