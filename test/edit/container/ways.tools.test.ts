import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { FileSource } from '../../../src/base/bytes/file-source.js';
import { BufferSource, type ByteSource } from '../../../src/base/bytes/source.js';
import {
  containerChanges,
  planContainer,
  planInside,
  proveContainer,
  writeContainer,
} from '../../../src/edit/container/pipeline.js';
import { resultSource } from '../../../src/edit/container/rebuilt.js';
import { DEFAULT_PLACEMENT } from '../../../src/edit/elf/plan/placement-options.js';
import { packGzip } from '../../../src/formats/container/gzip.js';
import { openContainer } from '../../../src/formats/container/open.js';
import type { PayloadAction } from '../../../src/formats/container/payload-action.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { parseSetting } from '../../../src/formats/note/value.js';
import { walkAsXen } from '../../../src/loaders/read/loader-walks.js';
import { BZIMAGE_CHECKS, GZIP_CHECKS, judgeBzImage, judgeGzip } from '../../../src/verify/container/checks.js';
import { bzImage, payloadOf, relocationTail, type TestFormat, unpackForTest } from '../../support/bzimage.js';
import { fixture } from '../../support/fixtures.js';
import { BREAKABLE, CONTAINER_BREAKS, type ContainerBreak } from '../../verify/breaks/container.js';

const kernel = readFileSync(fixture('pvh64-notes'));
const tail = relocationTail();
const data = Buffer.concat([kernel, tail]);
const folder = mkdtempSync(join(tmpdir(), 'containers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function whole(source: ByteSource): Uint8Array {
  const bytes = new Uint8Array(Number(source.size));
  source.readInto(0n, bytes, 'test');
  return bytes;
}

interface Options {
  readonly set?: string;
  readonly strip?: boolean;
  readonly compressor?: string;
  readonly keepTail?: boolean;
}

async function planOf(bytes: Uint8Array, way: PayloadAction | undefined, asked: Options = {}) {
  const source = new BufferSource(bytes, 'vmlinuz');
  const opened = await openContainer(source);
  if (opened.kind === 'elf') throw new Error('not a container');
  const edits =
    asked.set === '' ? [] : [{ kind: 'set' as const, setting: parseSetting(asked.set ?? 'PHYS32_ENTRY=0x123456') }];
  const elf = way === 'detach' ? undefined : planInside(opened, edits, DEFAULT_PLACEMENT);
  const options = {
    way,
    stripSignature: asked.strip === true,
    compressor: asked.compressor,
    keepTail: asked.keepTail === true,
  };
  return planContainer(source, opened, elf, options);
}

/** The result of a way, proved as the command does it before it writes. */
async function rebuild(bytes: Uint8Array, way: PayloadAction | undefined, options: Options = {}): Promise<Uint8Array> {
  const plan = await planOf(bytes, way, options);
  const result = whole(resultSource(plan.source, plan.rebuilt));
  await proveContainer(plan, new BufferSource(result));
  return result;
}

/** PHYS32_ENTRY as Xen reads it from bytes that nothing of src unpacked. */
function physEntry(elf: Uint8Array): string | undefined {
  const note = walkAsXen(readElf(new BufferSource(elf))).notes.find(({ record }) => record.type === 18);
  return note === undefined ? undefined : Buffer.from(note.record.desc.subarray(0, 4)).toString('hex');
}

/** Bytes that do not compress, as a note of a type nobody knows. */
const NOISE = Buffer.from(Uint8Array.from({ length: 900 }, (_, i) => (i * i * 31) >> 3));
const QUIET = `99=hex:${'00'.repeat(NOISE.length)}`;

/** The kernel with NOISE in it. */
function noisyKernel(): Promise<Uint8Array> {
  return rebuild(bzImage({ data }), 'extract', { set: `99=hex:${NOISE.toString('hex')}`, keepTail: true });
}

const FORMATS = ['gzip', 'xz', 'zstd', 'lz4', 'lzma', 'bzip2', 'lzo'] as const satisfies readonly TestFormat[];

describe.each(FORMATS)('a bzImage with %s payload', (format) => {
  const image = bzImage({ data, format, pe: 'new' });

  it('attach: gzip finds the wanted kernel by the header, and the old part is what it was', async () => {
    const result = await rebuild(image, 'attach');
    const { stream, end } = payloadOf(result);
    expect(end).toBe(result.length);
    const unpacked = unpackForTest('gzip', stream);
    expect(physEntry(unpacked)).toBe('56341200');
    expect(Buffer.compare(unpacked.subarray(unpacked.length - tail.length), tail)).toBe(0);
    const native = result.slice(0, image.length);
    native.set(image.subarray(0x248, 0x250), 0x248);
    native.set(image.subarray(image.length - 4), image.length - 4);
    expect(Buffer.compare(native, image)).toBe(0);
    expect(crc32(result.subarray(0, image.length))).toBe(0xffffffff);
  });

  it('detach gives back every byte', async () => {
    const attached = await rebuild(image, 'attach');
    expect(Buffer.compare(await rebuild(attached, 'detach'), image)).toBe(0);
  });

  it('attaching twice drops the first, and the same edit again changes nothing', async () => {
    const once = await rebuild(image, 'attach');
    expect(containerChanges(await planOf(once, 'attach'))).toBe(false);
    const twice = await rebuild(once, 'attach', { set: 'PHYS32_ENTRY=0x654321' });
    expect(Buffer.compare(twice, await rebuild(image, 'attach', { set: 'PHYS32_ENTRY=0x654321' }))).toBe(0);
    expect(Buffer.compare(await rebuild(twice, 'detach'), image)).toBe(0);
  });

  it('replace: the program of the format finds the wanted kernel, and the lengths agree', async () => {
    // The note that becomes zeros makes room, whatever the compressor does.
    const roomy = bzImage({ data: await noisyKernel(), format, pe: 'old' });
    const result = await rebuild(roomy, 'replace', { set: QUIET });
    expect(result.length).toBe(roomy.length);
    const { stream, size } = payloadOf(result);
    const unpacked = unpackForTest(format, stream);
    expect(unpacked.length).toBe(size);
    expect(Buffer.from(unpacked).includes(NOISE)).toBe(false);
    expect(Buffer.compare(unpacked.subarray(unpacked.length - tail.length), tail)).toBe(0);
    expect(crc32(result)).toBe(0xffffffff);
  });

  it('extract gives the ELF alone, or with its tail', async () => {
    const result = await rebuild(image, 'extract', { set: '' });
    expect(Buffer.compare(result, kernel)).toBe(0);
    expect(Buffer.compare(await rebuild(image, 'extract', { set: '', keepTail: true }), data)).toBe(0);
    const gzip = await rebuild(image, 'extract', { compressor: 'gzip' });
    expect(physEntry(unpackForTest('gzip', gzip))).toBe('56341200');
  });
});

describe('replace', () => {
  it.each(['old', 'new'] as const)('raises init_size by what the stream is shorter, %s PE header', async (pe) => {
    const image = bzImage({ data: await noisyKernel(), format: 'xz', pe });
    const result = await rebuild(image, 'replace', { set: QUIET });
    const word = (bytes: Uint8Array, at: number) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
    expect(word(result, 0x260)).toBe(word(image, 0x260) + 0x1000);
    // SizeOfCode, SizeOfImage, VirtualSize of .text: only the old layout covers init_size.
    const more = pe === 'old' ? 0x1000 : 0;
    for (const at of [0x5c, 0x90, 0xf8 + 80 + 8]) expect(word(result, at)).toBe(word(image, at) + more);
    // The pair behind the payload follows the header.
    const pair = Buffer.alloc(8);
    pair.writeUInt32LE(word(result, 0x24c));
    pair.writeUInt32LE(payloadOf(result).size, 4);
    expect(Buffer.from(result).indexOf(pair, payloadOf(image).end)).toBeGreaterThan(0);
  });
});

describe('--strip-signature', () => {
  it('gives back the unsigned image, byte for byte, and then attach works on it', async () => {
    const unsigned = bzImage({ data, pe: 'new' });
    const signed = bzImage({ data, pe: 'new', certificate: 1472 });
    expect(Buffer.compare(await rebuild(signed, undefined, { set: '', strip: true }), unsigned)).toBe(0);
    expect(Buffer.compare(await rebuild(signed, 'attach', { strip: true }), await rebuild(unsigned, 'attach'))).toBe(0);
  });

  it('changes nothing where there is none, and a kernel without CRC keeps its last word', async () => {
    const image = bzImage({ data, pe: 'new', crc: false });
    expect(containerChanges(await planOf(image, undefined, { set: '', strip: true }))).toBe(false);
    const attached = await rebuild(image, 'attach');
    expect([...attached.subarray(image.length - 4, image.length)]).toEqual([...image.subarray(image.length - 4)]);
  });
});

describe('a gzip file', () => {
  it('stays one, deterministic, with the tail kept', async () => {
    const image = await packGzip(new BufferSource(data));
    const result = await rebuild(image, undefined);
    const unpacked = unpackForTest('gzip', result);
    expect(physEntry(unpacked)).toBe('56341200');
    expect(Buffer.compare(unpacked.subarray(unpacked.length - tail.length), tail)).toBe(0);
    expect(Buffer.compare(await rebuild(image, undefined), result)).toBe(0);
    expect(containerChanges(await planOf(result, undefined))).toBe(false);
  });
});

describe('writeContainer()', () => {
  it('keeps mode bits, leaves nothing beside the target, and touches it only when the result is proved', async () => {
    const path = join(folder, 'vmlinuz');
    writeFileSync(path, bzImage({ data }));
    chmodSync(path, 0o640);
    const source = FileSource.open(path);
    const opened = await openContainer(source);
    if (opened.kind === 'elf') throw new Error('not a container');
    const elf = planInside(
      opened,
      [{ kind: 'set', setting: parseSetting('PHYS32_ENTRY=0x123456') }],
      DEFAULT_PLACEMENT,
    );
    const options = { way: undefined, stripSignature: false, compressor: undefined, keepTail: false };
    const plan = await planContainer(source, opened, elf, options);
    // A result that is not what was wanted: one byte of the old part differs.
    const spoiled = {
      ...plan,
      rebuilt: { ...plan.rebuilt, writes: [...plan.rebuilt.writes, { offset: 0x700n, bytes: Uint8Array.of(0) }] },
    };
    const before = readFileSync(path);
    await expect(writeContainer(spoiled, { inputPath: path, output: undefined })).rejects.toMatchObject({
      id: 'verify.failed',
      exit: 1,
      message: expect.stringContaining('container-native-kept'),
    });
    expect(Buffer.compare(readFileSync(path), before)).toBe(0);
    expect(await writeContainer(plan, { inputPath: path, output: undefined })).toMatchObject({ how: 'clone' });
    source.close();
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(Buffer.compare(readFileSync(path), whole(resultSource(new BufferSource(before), plan.rebuilt)))).toBe(0);
  });
});

describe('the checks', () => {
  const image = bzImage({ data, ...BREAKABLE });
  const attach = (bytes: Uint8Array) => rebuild(bytes, 'attach');
  const judged = async (way: ContainerBreak['way'], before: Uint8Array, after: Uint8Array, wanted?: Uint8Array) => {
    const open = (bytes: Uint8Array) => openContainer(new BufferSource(bytes, 'vmlinuz'));
    const [was, is] = [await open(before), await open(after)];
    if (way === 'gzip') {
      if (was.kind !== 'gzip' || is.kind !== 'gzip') throw new Error('not a gzip file');
      return judgeGzip({ before: was, after: is, wanted: new BufferSource(wanted ?? is.unpacked) });
    }
    if (was.kind !== 'bzimage' || is.kind !== 'bzimage') throw new Error('not a bzImage');
    return judgeBzImage(way, { before: was, after: is, wanted: new BufferSource(wanted ?? is.unpacked) });
  };

  it('find nothing wrong with good results', async () => {
    const attached = await attach(image);
    const gzip = await packGzip(new BufferSource(data));
    expect(await judged('attach', image, attached)).toEqual([]);
    expect(await judged('replace', image, image)).toEqual([]);
    expect(await judged('detach', attached, await rebuild(attached, 'detach'))).toEqual([]);
    expect(await judged('gzip', gzip, gzip, data)).toEqual([]);
  });

  it.each(CONTAINER_BREAKS)('$way: $check notices $what', async ({ check, way, alone, make }) => {
    const gzip = await packGzip(new BufferSource(data));
    const { before, after, wanted } = await make({ image, data, kernel, gzip, attach });
    const found = await judged(way, before, after, wanted);
    const names = found.map((finding) => finding.check);
    if (alone === true) expect(names).toEqual([check]);
    else expect(names).toContain(check);
    const row = [...BZIMAGE_CHECKS, ...GZIP_CHECKS].find(({ name }) => name === check);
    expect(found.find((finding) => finding.check === check)).toMatchObject({
      level: 'error',
      because: row?.because,
      place: { file: 'vmlinuz' },
    });
  });

  it.each([
    ['another kind of file', 'attach', async () => packGzip(new BufferSource(data)), 'container-kind-kept'],
    ['what cannot be opened', 'attach', async () => image.subarray(0, 0x900), 'container-opens'],
    ['another ELF', 'extract', async () => readFileSync(fixture('pv64-notes')), 'container-extracted'],
    ['the ELF that has not the wanted notes', 'attach', async () => image, 'container-unpacks-to-wanted'],
  ] as const)('refuse %s as a result', async (_what, way, result, check) => {
    const plan = await planOf(image, way);
    await expect(proveContainer(plan, new BufferSource(await result(), 'result'))).rejects.toMatchObject({
      id: 'verify.failed',
      exit: 1,
      message: expect.stringContaining(check),
    });
  });
});
