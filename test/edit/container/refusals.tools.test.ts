import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { planContainer, planInside } from '../../../src/edit/container/pipeline.js';
import { resultSource } from '../../../src/edit/container/rebuilt.js';
import { DEFAULT_PLACEMENT } from '../../../src/edit/elf/plan/placement-options.js';
import { packGzip } from '../../../src/formats/container/gzip.js';
import { openContainer } from '../../../src/formats/container/open.js';
import type { PayloadAction } from '../../../src/formats/container/payload-action.js';
import { parseSetting } from '../../../src/formats/note/value.js';
import { type BzImageOptions, bzImage, packForTest, relocationTail } from '../../support/bzimage.js';
import { fixture } from '../../support/fixtures.js';

const kernel = readFileSync(fixture('pvh64-notes'));
const data = Buffer.concat([kernel, relocationTail()]);

/** The problem that a promise ends with; a success or any other error fails the test. */
async function problem(work: Promise<unknown>): Promise<PatchError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof PatchError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const open = (bytes: Uint8Array) => openContainer(new BufferSource(bytes, 'vmlinuz'));

/** An edit that needs more room than the payload has. */
const NOISE = `hex:${Buffer.from(Uint8Array.from({ length: 3000 }, (_, i) => (i * i * 31) >> 4)).toString('hex')}`;

async function plan(
  bytes: Uint8Array,
  way: PayloadAction | undefined,
  options: { set?: string; strip?: boolean; compressor?: string } = {},
) {
  const source = new BufferSource(bytes, 'vmlinuz');
  const opened = await openContainer(source);
  if (opened.kind === 'elf') throw new Error('not a container');
  const setting = parseSetting(options.set ?? 'PHYS32_ENTRY=0x123456');
  const elf = way === 'detach' ? undefined : planInside(opened, [{ kind: 'set', setting }], DEFAULT_PLACEMENT);
  return planContainer(source, opened, elf, {
    way,
    stripSignature: options.strip === true,
    compressor: options.compressor,
    keepTail: false,
  });
}

describe('openContainer() refuses', () => {
  const cases: readonly (readonly [string, Partial<BzImageOptions>, string])[] = [
    ['a boot protocol without payload', { version: 0x206 }, 'bzimage.protocol'],
    ['no setup sectors', { setupSects: 0 }, 'bzimage.header'],
    ['a header without payload fields', { headerLength: 0x4a }, 'bzimage.header'],
    [
      'an unknown compression',
      { stream: Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 1, 2, 3, 4, 5, 6) },
      'bzimage.compression',
    ],
    ['a size word that is too large', { format: 'lz4', sizeWord: data.length + 4 }, 'bzimage.size'],
    ['a size word that is too small', { format: 'xz', sizeWord: data.length - 4 }, 'bzimage.size'],
    ['a size word beyond the limit', { format: 'xz', sizeWord: 0x40000001 }, 'bzimage.size'],
    ['more than the format can make', { format: 'lz4', sizeWord: 0x3fffffff }, 'bzimage.size'],
    ['a damaged stream', { format: 'xz', stream: packForTest('xz', data).fill(0x55, 200, 260) }, 'bzimage.corrupt'],
    ['a payload that is no ELF', { data: Buffer.alloc(4096, 'text') }, 'bzimage.not-elf'],
  ];
  it.each(cases)('%s', async (_what, options, id) => {
    expect((await problem(open(bzImage({ data, ...options })))).id).toBe(id);
  });

  it('a payload beyond the end of the file, with every number', async () => {
    const image = bzImage({ data });
    const error = await problem(open(image.subarray(0, 0xc00)));
    expect(error.message).toMatch(
      /^vmlinuz\+0x248: setup header: the payload 0xacc\+0x\w+ reaches 0x\w+, the file ends at 0xc00 \[bzimage.bounds\]$/,
    );
  });

  it('no payload', async () => {
    const image = bzImage({ data });
    new DataView(image.buffer).setUint32(0x248, 0, true);
    expect((await problem(open(image))).id).toBe('bzimage.no-payload');
  });

  it('a file that ends inside the setup header', async () => {
    expect((await problem(open(bzImage({ data }).subarray(0, 0x220)))).id).toBe('bzimage.header');
  });

  it('what cannot be unpacked for want of a program, by its name', async () => {
    const { PATH } = process.env;
    process.env['PATH'] = '/nonexistent';
    try {
      const error = await problem(
        open(
          bzImage({ data, stream: Uint8Array.of(0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d, 0x0a, 0x1a, 0x0a), format: 'lzo' }),
        ),
      );
      expect(error).toMatchObject({ id: 'codec.missing', hint: expect.stringContaining('lzop') });
    } finally {
      process.env['PATH'] = PATH;
    }
  });

  const others: readonly (readonly [string, Uint8Array, string])[] = [
    ['an arm64 Image', at(0x38, 0x41, 0x52, 0x4d, 0x64), 'container.no-notes'],
    ['a RISC-V Image', at(0x38, 0x52, 0x53, 0x43, 0x05), 'container.no-notes'],
    ['an EFI zboot image', Uint8Array.of(0x4d, 0x5a, 0, 0, 0x7a, 0x69, 0x6d, 0x67, 0, 0), 'container.no-notes'],
    ['a U-Boot uImage', Uint8Array.of(0x27, 0x05, 0x19, 0x56, 0, 0, 0, 0, 0), 'container.no-notes'],
    ['an EFI program', at(0, 0x4d, 0x5a), 'container.no-notes'],
    ['an ARM zImage', at(0x24, 0x18, 0x28, 0x6f, 0x01), 'container.no-notes'],
    ['an ARM zImage', at(0x24, 0x01, 0x6f, 0x28, 0x18), 'container.no-notes'],
    ['a cpio archive', Buffer.from('070701000000000000000000000000'), 'container.no-notes'],
    ['a cpio archive', Buffer.from('070702000000000000000000000000'), 'container.no-notes'],
    ['text that begins like a cpio archive', Buffer.from('070708000000000000000000000000'), 'read.not-elf'],
    ['a bare xz stream of text', packForTest('xz', Buffer.from('text')), 'read.not-elf'],
    ['a bare zstd stream of a gzip file', packForTest('zstd', gzipSync(kernel)), 'container.contains-container'],
    ['a bare xz stream, damaged', packForTest('xz', kernel).fill(0x55, 200, 260), 'container.corrupt'],
    ['a bare lz4 stream, cut short', packForTest('lz4', kernel).subarray(0, 400), 'container.corrupt'],
    ['a bare zstd stream, cut short', packForTest('zstd', kernel).subarray(0, 400), 'container.corrupt'],
    ['gzip in gzip', gzipSync(gzipSync(kernel)), 'container.contains-container'],
    ['a bzImage in gzip', gzipSync(bzImage({ data })), 'container.contains-container'],
    ['text in gzip', gzipSync(Buffer.from('text')), 'read.not-elf'],
    ['gzip cut short', gzipSync(kernel).subarray(0, 400), 'gzip.corrupt'],
    ['text', Buffer.from('hello'), 'read.not-elf'],
    ['nothing', new Uint8Array(0), 'read.not-elf'],
  ];
  it.each(others)('%s, and says what it is', async (what, bytes, id) => {
    const error = await problem(open(bytes));
    expect(error.id).toBe(id);
    if (id === 'container.no-notes') expect(error.message).toContain(what);
    if (id.startsWith('container.')) expect(error.hint).toBeTruthy();
  });

  it('a unified kernel image, which is a PE with a section .linux', async () => {
    const image = bzImage({ data, pe: 'new' });
    image.set(Buffer.from('.linux\0\0'), 0x40 + 24 + 160);
    image.fill(0, 0x202, 0x206);
    const { message, hint } = await problem(open(image));
    expect(message).toContain('a unified kernel image, not signed');
    expect(`${message} ${hint}`).not.toMatch(/the whole is signed|and sign it/);
    // The certificate table: data directory 4.
    image.set([0, 0x10, 0, 0, 8, 0, 0, 0], 0x40 + 24 + 112 + 4 * 8);
    const signed = await problem(open(image));
    expect(signed.message).toContain('a unified kernel image, signed');
    expect(signed.hint).toContain('and sign it');
  });

  it('what borrows the header of a bzImage, by the name that it gives itself', async () => {
    const image = bzImage({ data });
    image.set(Buffer.from('Memtest86+ v6.10\0'), 0x300);
    new DataView(image.buffer, image.byteOffset).setUint16(0x20e, 0x100, true);
    new DataView(image.buffer, image.byteOffset).setUint32(0x248, 0, true);
    expect((await problem(open(image))).message).toContain('it calls itself "Memtest86+ v6.10"');
    new DataView(image.buffer, image.byteOffset).setUint16(0x206, 0x207, true);
    expect(await problem(open(image))).toMatchObject({
      id: 'bzimage.protocol',
      message: expect.stringContaining('it calls itself "Memtest86+ v6.10"'),
    });
    // No text, no word of it.
    image.fill(0xff, 0x300, 0x340);
    expect((await problem(open(image))).message).not.toContain('calls itself');
  });
});

describe('planContainer() refuses', () => {
  it('a signed image, unless the signature may go', async () => {
    const image = bzImage({ data, pe: 'new', certificate: 1472 });
    const error = await problem(plan(image, 'attach'));
    expect(error).toMatchObject({ id: 'pe.signed', hint: expect.stringContaining('--strip-signature') });
    expect((await plan(image, 'attach', { strip: true })).rebuilt.writes.length).toBeGreaterThan(0);
  });

  it('a certificate table that does not end the file', async () => {
    const image = bzImage({ data, pe: 'new', certificate: 64, behind: new Uint8Array(32) });
    expect((await problem(plan(image, 'attach', { strip: true }))).id).toBe('pe.certificate');
  });

  it('bytes of unknown purpose behind the kernel', async () => {
    const image = bzImage({ data, behind: Buffer.from('somebody needs this') });
    expect((await problem(plan(image, 'attach'))).id).toBe('bzimage.trailing');
  });

  it('a kernel whose size is a lie: nothing of it may be cut off', async () => {
    const image = bzImage({ data });
    new DataView(image.buffer).setUint32(0x1f4, 0, true);
    expect((await problem(plan(image, 'attach'))).id).toBe('bzimage.header');
    // Attached, and then 64 bytes of the kernel are behind its stated end.
    const source = new BufferSource(bzImage({ data }), 'vmlinuz');
    const { rebuilt } = await plan(bzImage({ data }), 'attach');
    const attached = new Uint8Array(Number(rebuilt.fileSize));
    resultSource(source, rebuilt).readInto(0n, attached, 'attached');
    const view = new DataView(attached.buffer);
    view.setUint32(0x1f4, view.getUint32(0x1f4, true) - 4, true);
    for (const way of ['attach', 'detach'] as const) {
      expect((await problem(plan(attached, way, { set: 'PHYS32_ENTRY=0x777777' }))).id).toBe('bzimage.trailing');
    }
  });

  it('attach, when the file would be longer than init_size', async () => {
    expect((await problem(plan(bzImage({ data, initSize: 0x800 }), 'attach'))).id).toBe('bzimage.too-large');
  });

  it('replace of a payload whose tail is not understood, and names attach', async () => {
    for (const tail of [Uint8Array.of(0, 0, 0, 0, 0, 0, 0), Uint8Array.of(1, 2, 3, 4), new Uint8Array(64)]) {
      const error = await problem(plan(bzImage({ data: Buffer.concat([kernel, tail]) }), 'replace'));
      expect(error).toMatchObject({ id: 'bzimage.tail', hint: expect.stringContaining('attach') });
    }
  });

  it.each([0, 2])('replace when the lengths are found %d times', async (pairs) => {
    const error = await problem(plan(bzImage({ data, pairs }), 'replace'));
    expect(error.id).toBe('bzimage.pair');
    expect(error.message).toContain(`${pairs} times`);
  });

  it('replace that does not fit, with both sizes', async () => {
    const image = bzImage({ data, format: 'xz' });
    const error = await problem(plan(image, 'replace', { set: `99=${NOISE}` }));
    expect(error.message).toMatch(/the new stream needs \d+ bytes, \d+ are there \(xz .*\) \[bzimage.no-room\]$/);
  });

  it('replace without its compressor, and with one that fails', async () => {
    const image = bzImage({ data, format: 'zstd' });
    expect((await problem(plan(image, 'replace', { compressor: '/nonexistent/zstd' }))).id).toBe('codec.missing');
    expect((await problem(plan(image, 'replace', { compressor: 'false' }))).id).toBe('codec.failed');
  });

  it('replace and detach of what they do not apply to', async () => {
    const image = bzImage({ data });
    expect((await problem(plan(image, 'detach'))).id).toBe('bzimage.not-attached');
    const gzip = await packGzip(new BufferSource(kernel));
    expect((await problem(plan(gzip, 'replace'))).id).toBe('container.wrong-way');
    expect((await problem(plan(gzip, 'attach'))).id).toBe('container.wrong-way');
  });

  it('bare compressed streams, and names the way out', async () => {
    const error = await problem(plan(packForTest('zstd', kernel), undefined));
    expect(error).toMatchObject({ id: 'container.bare-stream', hint: expect.stringContaining('--payload extract') });
    expect((await problem(plan(packForTest('xz', kernel), 'attach'))).id).toBe('container.bare-stream');
  });

  it('gzip files of several members, or with anything behind', async () => {
    const gzip = await packGzip(new BufferSource(kernel));
    expect((await problem(plan(Buffer.concat([gzip, gzip]), undefined))).id).toBe('gzip.members');
    expect((await problem(plan(Buffer.concat([gzip, new Uint8Array(16)]), undefined))).id).toBe('gzip.trailing');
  });
});

/** 128 zero bytes but for these. */
function at(offset: number, ...bytes: readonly number[]): Uint8Array {
  const file = new Uint8Array(128);
  file.set(bytes, offset);
  return file;
}
