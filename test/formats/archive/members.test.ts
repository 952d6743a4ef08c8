/** Streams of tar and cpio, made by hand: what real programs write, and what none should. */
import { describe, expect, it } from 'vitest';
import { cpioMembers } from '../../../src/formats/archive/cpio.js';
import { ByteStream, type Member } from '../../../src/formats/archive/stream.js';
import { tarMembers } from '../../../src/formats/archive/tar.js';

const text = (value: string) => new TextEncoder().encode(value);

interface Header {
  readonly name?: string;
  readonly type?: string;
  readonly content?: Uint8Array;
  /** In place of the content's. */
  readonly size?: string | Uint8Array;
  readonly prefix?: string;
}

/** A member as tar writes it: the header with its checksum, and the content up to a whole block. */
function tar({ name = 'a', type = '0', content = new Uint8Array(0), size, prefix = '' }: Header): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write('0000644\0', 100);
  header.set(typeof size === 'object' ? size : text(size ?? `${content.length.toString(8).padStart(11, '0')}\0`), 124);
  header.write('        ', 148);
  header.write(type, 156);
  header.write('ustar\0', 257);
  header.write(prefix, 345);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

function cpio(
  name: string,
  content: Uint8Array,
  { mode = 0o100644, size = content.length, magic = '070701' } = {},
): Buffer {
  const fields = [1, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name.length + 1, 0];
  const head = magic + fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
  return Buffer.concat([padded(Buffer.from(`${head}${name}\0`)), padded(Buffer.from(content))]);
}

const END = Buffer.alloc(1024);
const TRAILER = cpio('TRAILER!!!', new Uint8Array(0), { mode: 0 });

/** In pieces of a size, as a pipe may give them. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(
  members: (stream: ByteStream) => AsyncGenerator<Member>,
  bytes: Uint8Array,
  { size = 4096, taken = 1n << 40n } = {},
): Promise<string[][]> {
  const found: string[][] = [];
  for await (const member of members(new ByteStream('x.tar', pieces(bytes, size)))) {
    const content: Uint8Array[] = [];
    for await (const part of member.some(taken)) content.push(Uint8Array.from(part));
    found.push([member.name, Buffer.concat(content).toString()]);
  }
  return found;
}

const long = `${'d/'.repeat(90)}kernel`;
const pax = (records: string) => tar({ name: 'x', type: 'x', content: text(records) });
const record = (pair: string) => `${pair.length + 4} ${pair}\n`;

describe('tar', () => {
  it.each([1, 7, 512, 4096])('regular files, whatever their names are kept in, in pieces of %d bytes', async (size) => {
    const bytes = Buffer.concat([
      tar({ name: 'boot/', type: '5' }),
      tar({ name: 'boot/a', content: text('one') }),
      tar({ name: 'old', type: '\0', content: text('two') }),
      tar({ name: 'b', prefix: 'long/prefix', content: text('x'.repeat(513)) }),
      tar({ name: '././@LongLink', type: 'L', content: text(`${long}\0`) }),
      tar({ name: 'cut', content: text('three') }),
      pax(record(`path=${'p'.repeat(20)}`)),
      tar({ name: 'cut', content: text('four') }),
      tar({ name: 'last', size: Uint8Array.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4]), content: text('five') }),
      END,
    ]);
    expect(await read(tarMembers, bytes, { size })).toEqual([
      ['boot/a', 'one'],
      ['old', 'two'],
      ['long/prefix/b', 'x'.repeat(513)],
      [long, 'three'],
      ['p'.repeat(20), 'four'],
      ['last', 'five'],
    ]);
  });

  it('links, devices, folders and sparse files are stepped over, as is what is not asked for of a content', async () => {
    const bytes = Buffer.concat([
      ...['1', '2', '3', '4', '5', '6'].map((type) => tar({ name: `t${type}`, type })),
      tar({ name: 'sparse', type: 'S', content: text('data') }),
      tar({ name: 'g', type: 'g', content: text(record('comment=')) }),
      tar({ name: '@LongLink', type: 'K', content: text('target\0') }),
      tar({ name: 'b', content: text('0123456789') }),
      tar({ name: 'c', content: text('c') }),
      END,
    ]);
    expect(await read(tarMembers, bytes, { taken: 3n })).toEqual([
      ['b', '012'],
      ['c', 'c'],
    ]);
  });

  it('an archive without its last blocks is read to its end', async () => {
    expect(await read(tarMembers, tar({ content: text('x') }))).toEqual([['a', 'x']]);
    expect(await read(tarMembers, new Uint8Array(0))).toEqual([]);
  });

  const checksum = tar({});
  checksum[0] = 0x62;
  it.each([
    ['a header that is cut', tar({}).subarray(0, 511), 'ends within'],
    ['a content that is cut', tar({ content: text('x') }).subarray(0, 600), 'ends within'],
    ['another checksum', checksum, 'checksum'],
    ['no tar at all', Buffer.alloc(512, 'text'), 'checksum'],
    ['a size that is no number', tar({ size: '9zz' }), 'no number'],
    ['a size beyond all', tar({ size: Uint8Array.from([0xff, ...Array(11).fill(0xff)]) }), 'no number'],
    ['a name of a gigabyte', tar({ type: 'L', size: '10000000000\0' }), 'a name of'],
    ['an extended header of nonsense', pax('no record'), 'extended header'],
    ['a record beyond the end', pax('99 path=x\n'), 'extended header'],
    ['a record of no length', pax('0 path=x\n'), 'extended header'],
    ['a size in words', Buffer.concat([pax(record('size=abc')), tar({})]), 'no number'],
  ])('refuses %s', async (_, bytes, why) => {
    await expect(read(tarMembers, bytes)).rejects.toMatchObject({ id: 'archive.bad', place: { file: 'x.tar' } });
    await expect(read(tarMembers, bytes)).rejects.toThrow(why);
  });
});

describe('cpio', () => {
  it.each([1, 7, 4096])('regular files of both new formats, in pieces of %d bytes', async (size) => {
    const bytes = Buffer.concat([
      cpio('./boot', new Uint8Array(0), { mode: 0o40755 }),
      cpio('./boot/a', text('one')),
      cpio('./link', text('boot/a'), { mode: 0o120777 }),
      cpio('b', text('five5'), { magic: '070702' }),
      TRAILER,
      Buffer.alloc(300),
    ]);
    expect(await read(cpioMembers, bytes, { size })).toEqual([
      ['./boot/a', 'one'],
      ['b', 'five5'],
    ]);
  });

  it.each([
    ['no trailer', cpio('a', text('x')), 'ends within'],
    ['a content that is cut', cpio('a', text('x'), { size: 100 }), 'ends within'],
    ['the old format', cpio('a', text('x'), { magic: '070707' }), 'no header'],
    ['stripped headers of large files', cpio('a', text('x'), { magic: '07070X' }), 'no header'],
    ['nothing', new Uint8Array(0), 'ends within'],
  ])('refuses %s', async (_, bytes, why) => {
    await expect(read(cpioMembers, bytes)).rejects.toMatchObject({ id: 'archive.bad', place: { file: 'x.tar' } });
    await expect(read(cpioMembers, bytes)).rejects.toThrow(why);
  });
});
