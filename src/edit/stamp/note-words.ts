/** Notes of any owner as words on a command line: `OWNER:TYPE=VALUE`. */
import { type OpenFile, port, portOrNone } from '../../base/bytes/ports.js';
import { describeSystemError } from '../../base/bytes/source.js';
import { hexDigitBytes, utf8Bytes } from '../../base/bytes/text.js';
import { fail, PatchError } from '../../base/errors/patch-error.js';
import type { Encoding } from '../../formats/elf/struct.js';
import { encodeNumber, fitsWidth, isWidth } from '../../formats/note/desc.js';
import { DESC_LIMIT, KEPT } from '../../formats/note/large-notes.js';
import { XEN } from '../../formats/note/note-types.js';
import { type NoteContent, nameOf } from '../../formats/note/record.js';

/** Owner and type of a note. */
export interface NoteKey {
  readonly owner: string;
  readonly type: number;
}

const WANTED_KEY = 'OWNER:TYPE, the type a decimal or 0x… number below 2^32';
const NUMBER = /^(?:0x[0-9a-f]+|0|[1-9][0-9]*)$/i;

/** `FDO:0xcafe1a7e`. Xen's own notes are the business of patch. Errors: `stamp.bad-note`. */
export function parseNoteKey(text: string): NoteKey {
  const colon = text.lastIndexOf(':');
  const owner = text.slice(0, Math.max(colon, 0));
  const digits = text.slice(colon + 1);
  const type = NUMBER.test(digits) ? BigInt(digits) : -1n;
  if (colon < 1 || type < 0n || type > 0xffff_ffffn) fail('stamp.bad-note', {}, { found: text, wanted: WANTED_KEY });
  if (owner.length > 255 || /[^\x20-\x7e]/.test(owner)) {
    fail('stamp.bad-note', {}, { found: text, wanted: 'an owner of at most 255 printable ASCII characters' });
  }
  if (owner === XEN) {
    fail('stamp.bad-note', {}, { found: text, wanted: 'another owner: patch --set writes Xen’s notes' });
  }
  return { owner, type: Number(type) };
}

/**
 * A note to be written. VALUE is text with a NUL behind it, `hex:…`, `file:PATH`, or, with a width behind the type
 * (`Vendor:1/4=0x10`), a number. A large file stays open, for what is in the note is its start and where the rest is.
 * Errors: `stamp.bad-note`, `plan.bad-file`.
 */
export function parseNote(text: string, { endian }: Encoding): NoteContent {
  const { owner, type, digits, value } = partsOf(text);
  const name = nameOf(owner);
  if (digits !== undefined) return { name, type, desc: number(text, value, digits, endian) };
  if (value.startsWith(FILE)) return { name, type, ...fileDesc(value.slice(FILE.length)) };
  return { name, type, desc: descriptor(text, value) };
}

/** Is that a note, without a look at the file that it may name? Errors: `stamp.bad-note`. */
export function checkNote(text: string): void {
  const { digits, value } = partsOf(text);
  if (digits !== undefined) number(text, value, digits, 'little');
  else if (!value.startsWith(FILE)) descriptor(text, value);
}

const FILE = 'file:';

/** `OWNER:TYPE[/DIGITS]=VALUE`. Errors: `stamp.bad-note`. */
function partsOf(text: string) {
  const equals = text.indexOf('=');
  const value = text.slice(equals + 1);
  const [, key = text.slice(0, equals), digits] = /^(.*)\/([0-9]+)$/s.exec(text.slice(0, equals)) ?? [];
  if (equals < 0) fail('stamp.bad-note', {}, { found: text, wanted: 'OWNER:TYPE=VALUE' });
  return { ...parseNoteKey(key), digits, value };
}

function number(text: string, value: string, digits: string, endian: Encoding['endian']): Uint8Array {
  const width = Number(digits);
  if (!isWidth(width)) fail('stamp.bad-note', {}, { found: text, wanted: 'a width of 1, 2, 4 or 8 bytes' });
  if (!NUMBER.test(value) || !fitsWidth(BigInt(value), width)) {
    fail('stamp.bad-note', {}, { found: text, wanted: `a decimal or 0x… number of ${width} bytes` });
  }
  return encodeNumber(BigInt(value), width, endian);
}

function descriptor(text: string, value: string): Uint8Array {
  if (value.startsWith('hex:')) {
    const bytes = hexBytesOf(value.slice(4));
    if (bytes === undefined) fail('stamp.bad-note', {}, { found: text, wanted: 'hex: with two digits a byte' });
    return bytes;
  }
  if (value.includes('\0')) fail('stamp.bad-note', {}, { found: text, wanted: 'text without a NUL' });
  return utf8Bytes(`${value}\0`);
}

/** The bytes of a file as a descriptor: of a large one its start, and the open file for the rest. Errors: `plan.bad-file`. */
function fileDesc(path: string): Pick<NoteContent, 'desc' | 'rest'> {
  const source = openRegular(path);
  if (source === undefined || source.size <= BigInt(FILE_LIMIT)) {
    source?.close();
    return { desc: fileBytes(path) };
  }
  if (source.size > DESC_LIMIT) {
    const { size } = source;
    source.close();
    fail('plan.bad-file', { file: path }, { reason: `it has ${size} bytes, and a descriptor at most ${DESC_LIMIT}` });
  }
  const start = BigInt(KEPT);
  return { desc: source.read(0n, start, path), rest: { source, offset: start, size: source.size - start } };
}

/** Undefined where it is no regular file, or cannot be opened: reading it whole tells. */
function openRegular(path: string): OpenFile | undefined {
  try {
    return portOrNone('openFile')?.(path);
  } catch {
    return undefined;
  }
}

/** Bytes of a file, for a descriptor. Errors: `plan.bad-file`; `read.not-a-file` for a named pipe or a device. */
export function fileBytes(path: string): Uint8Array {
  try {
    const bytes = port('readFile')(path, FILE_LIMIT);
    if (bytes.length > FILE_LIMIT)
      fail('plan.bad-file', { file: path }, { reason: `it is larger than ${FILE_LIMIT} bytes` });
    return bytes;
  } catch (error) {
    if (error instanceof PatchError) throw error;
    return fail('plan.bad-file', { file: path }, { reason: describeSystemError(error) }, error);
  }
}

const FILE_LIMIT = 0x100000;

/** `0011aabb` to bytes; undefined when it is no such thing. */
export function hexBytesOf(text: string): Uint8Array | undefined {
  const digits = text.replaceAll(/\s+/g, '');
  return digits !== '' && /^([0-9a-f]{2})+$/i.test(digits) ? hexDigitBytes(digits) : undefined;
}
