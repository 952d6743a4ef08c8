/**
 * Regular files of a tar stream (POSIX.1-2017, pax, "ustar Interchange Format" and "pax Interchange Format"; GNU tar,
 * "Basic Tar Format"): their names and contents. Links, folders, devices and sparse files are stepped over.
 */
import { type ByteStream, type Member, memberOf } from './stream.js';

const BLOCK = 512n;
/** Fields of a header, as [first byte, behind the last]. */
const NAME = [0, 100] as const;
const SIZE = [124, 136] as const;
const CHECKSUM = [148, 156] as const;
const TYPE = 156;
const MAGIC = [257, 263] as const;
const PREFIX = [345, 500] as const;
const USTAR = 'ustar\0';
const REGULAR: ReadonlySet<string> = new Set(['0', '\0', '7']);
/** A size that is no octal number, but 11 bytes of a binary one. */
const BINARY = 0x80;

/** The regular files, one by one. Errors: `archive.bad`. */
export async function* tarMembers(stream: ByteStream): AsyncGenerator<Member> {
  let longName: string | undefined;
  let pax: ReadonlyMap<string, string> = new Map();
  while (!(await stream.isOver())) {
    const header = await stream.take(BLOCK);
    if (header.every((byte) => byte === 0)) return;
    if (!hasItsChecksum(header)) stream.refuse('a header has another checksum than it says');
    const type = String.fromCharCode(header[TYPE] ?? 0);
    const size = sizeOf(header, pax) ?? stream.refuse('a size is no number');
    const padding = (BLOCK - (size % BLOCK)) % BLOCK;
    if (type === 'L' || type === 'x') {
      const content = await stream.take(size);
      if (type === 'L') longName = textOf(content, [0, content.length]);
      else pax = recordsOf(content) ?? stream.refuse('an extended header cannot be read');
      await stream.skip(padding);
      continue;
    }
    // What an extended header says is of the file behind it; K says where that links to.
    if (type === 'K' || type === 'g') {
      await stream.skip(size + padding);
      continue;
    }
    const { member, leave } = memberOf(stream, pax.get('path') ?? longName ?? nameOf(header), size);
    if (REGULAR.has(type)) yield member;
    await leave();
    await stream.skip(padding);
    longName = undefined;
    pax = new Map();
  }
}

function hasItsChecksum(header: Uint8Array): boolean {
  const [from, to] = CHECKSUM;
  let sum = 0;
  for (const [i, byte] of header.entries()) sum += i >= from && i < to ? 0x20 : byte;
  return octal(textOf(header, CHECKSUM)) === BigInt(sum);
}

function sizeOf(header: Uint8Array, pax: ReadonlyMap<string, string>): bigint | undefined {
  const stated = pax.get('size');
  if (stated !== undefined) return /^\d{1,18}$/.test(stated) ? BigInt(stated) : undefined;
  const [from, to] = SIZE;
  if (((header[from] ?? 0) & BINARY) === 0) return octal(textOf(header, SIZE));
  const size = header.subarray(from + 1, to).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  return size < 1n << 63n ? size : undefined;
}

function octal(text: string): bigint | undefined {
  const digits = text.trim();
  if (digits === '') return 0n;
  return /^[0-7]+$/.test(digits) ? BigInt(`0o${digits}`) : undefined;
}

function nameOf(header: Uint8Array): string {
  const prefix = rawText(header, MAGIC) === USTAR ? textOf(header, PREFIX) : '';
  return `${prefix === '' ? '' : `${prefix}/`}${textOf(header, NAME)}`;
}

/** Up to the NUL. */
function textOf(bytes: Uint8Array, field: readonly [number, number]): string {
  const [text = ''] = rawText(bytes, field).split('\0');
  return text;
}

function rawText(bytes: Uint8Array, [from, to]: readonly [number, number]): string {
  return new TextDecoder().decode(bytes.subarray(from, to));
}

/** Records `LENGTH KEY=VALUE` with a line feed, LENGTH counting all of it. */
function recordsOf(content: Uint8Array): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>();
  for (let at = 0; at < content.length && content[at] !== 0; ) {
    const [, digits] = /^(\d{1,7}) /.exec(rawText(content, [at, at + 9])) ?? [];
    const length = Number(digits);
    if (digits === undefined || length <= digits.length + 1 || at + length > content.length) return undefined;
    const text = rawText(content, [at + digits.length + 1, at + length - 1]);
    const equals = text.indexOf('=');
    if (equals > 0) records.set(text.slice(0, equals), text.slice(equals + 1));
    at += length;
  }
  return records;
}
