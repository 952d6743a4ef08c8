/**
 * The VALUE of NAME=VALUE as data. Nothing is evaluated here: symbols and files are looked up by those who have the
 * image, and the answer is checked against its width by checkedNumber().
 */
import { hexDigitBytes } from '../../base/bytes/text.js';
import { hex } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import { fitsWidth } from './desc.js';
import { checkFeatures } from './features.js';
import { noteName, parseNoteName, type XenNoteInfo } from './xen-notes.js';

/** The value of a setting as written, before the image is asked. */
export type ValueExpr =
  | { readonly kind: 'number'; readonly value: bigint }
  /** The value of a symbol; `physical`: mapped through the PT_LOAD that holds it. */
  | { readonly kind: 'symbol'; readonly name: string; readonly physical: boolean; readonly addend: bigint }
  /** e_entry. */
  | { readonly kind: 'entry'; readonly physical: boolean; readonly addend: bigint }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly bigint[] }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'file'; readonly path: string };

/** One note that is to be set. */
export interface Setting {
  readonly type: number;
  readonly info: XenNoteInfo | undefined;
  /** Bytes of a number or of one item of a list, where given; else the type and the class decide. */
  readonly width: number | undefined;
  readonly expr: ValueExpr;
}

/**
 * Reads `NAME=VALUE` or `NAME/4=VALUE`. Errors: `note.bad-setting` without `=`, those of parseNoteName() and parseValue().
 */
export function parseSetting(text: string): Setting {
  const equals = text.indexOf('=');
  if (equals < 0) fail('note.bad-setting', {}, { found: text });
  const { type, info, width } = parseNoteName(text.slice(0, equals));
  return { type, info, width, expr: parseValue(type, info, width, text.slice(equals + 1)) };
}

/**
 * Reads a value by the note's kind. `hex:` and `file:` give the bytes of any note.
 * Errors: `note.bad-value`, `note.value-too-wide`, `note.unknown-feature`.
 */
export function parseValue(
  type: number,
  info: XenNoteInfo | undefined,
  width: number | undefined,
  text: string,
): ValueExpr {
  const bad = (wanted: string): never => fail('note.bad-value', {}, { note: noteName(type), found: text, wanted });
  const raw = parseRaw(text, bad);
  if (raw !== undefined) return width === undefined ? raw : bad('a value without a width: the bytes have their own');
  switch (info?.kind) {
    case 'string':
      if (width !== undefined) bad('a name without a width: the value is text');
      return parseText(info, text, bad);
    case 'list':
      return parseList(info, width, text, bad);
    case 'number':
      return parseNumeric(info.name, width ?? (info.width === 4 ? 4 : 8), text, bad);
    case undefined:
      if (width === undefined) {
        bad(`hex:…, file:PATH, or a number with its width (${noteName(type)}/4=1): Xen has no such note`);
      }
      return parseNumeric(noteName(type), width ?? 8, text, bad);
  }
}

type Bad = (wanted: string) => never;

function parseRaw(text: string, bad: Bad): ValueExpr | undefined {
  if (text.startsWith('hex:')) {
    const digits = text.slice(4).replaceAll(/\s+/g, '');
    if (!/^([0-9a-f]{2})*$/i.test(digits)) bad('hex: with two hexadecimal digits a byte');
    return { kind: 'bytes', bytes: hexDigitBytes(digits) };
  }
  if (text.startsWith('file:')) {
    const path = text.slice(5);
    return path === '' ? bad('a path behind file:') : { kind: 'file', path };
  }
  return undefined;
}

function parseText(info: XenNoteInfo, text: string, bad: Bad): ValueExpr {
  if (text.includes('\0')) bad('text without a NUL: loaders end the string there');
  if (info.name === 'FEATURES') {
    const [unknown] = checkFeatures(text).unknownRequired;
    if (unknown !== undefined) fail('note.unknown-feature', {}, unknown);
  }
  return { kind: 'text', text };
}

const NUMBER = '0x[0-9a-f]+|0|[1-9][0-9]*';
const WHOLE_NUMBER = new RegExp(`^(?:${NUMBER})$`, 'i');
const EXPRESSION = new RegExp(`^(?:(sym|phys):)?(.+?)(?:([+-])(${NUMBER}))?$`, 'is');
const WANTED = 'a decimal or 0x… number, sym:NAME, phys:NAME, entry or phys:entry, each name with +N or -N';

function parseNumeric(note: string, width: number, text: string, bad: Bad): ValueExpr {
  if (WHOLE_NUMBER.test(text)) return { kind: 'number', value: checkedNumber(note, BigInt(text), width) };
  const [, prefix, name = '', sign, digits = '0'] = EXPRESSION.exec(text) ?? [];
  const addend = sign === '-' ? -BigInt(digits) : BigInt(digits);
  const physical = prefix?.toLowerCase() === 'phys';
  if (name.toLowerCase() === 'entry' && (prefix === undefined || physical)) return { kind: 'entry', physical, addend };
  if (prefix === undefined || name === '') {
    return bad(text === '' ? `${WANTED} (--unset ${note} removes the note)` : WANTED);
  }
  return { kind: 'symbol', name, physical, addend };
}

function parseList(info: XenNoteInfo, width: number | undefined, text: string, bad: Bad): ValueExpr {
  const pairs = info.name === 'L1_MFN_VALID';
  const wanted = pairs
    ? 'pairs of numbers, MASK:VALUE, with commas between them (1:1)'
    : 'one to three numbers with commas between them: alignment, lowest start, highest last byte';
  if (!pairs && width !== undefined && width !== 4) bad('no width but 4: Xen reads words of 32 bits');
  if (pairs && width !== undefined && width !== 4 && width !== 8) bad('a width of 4 or 8: that of a machine address');
  const parts = text.split(pairs ? /[,:]/ : ',').map((part) => part.trim());
  if (parts.some((part) => !WHOLE_NUMBER.test(part))) bad(wanted);
  if (pairs ? parts.length % 2 !== 0 : parts.length > 3) bad(wanted);
  const items = parts.map((part) => checkedNumber(info.name, BigInt(part), width ?? (info.width === 4 ? 4 : 8)));
  return { kind: 'list', items };
}

/** The value itself. Errors: `note.value-too-wide` when it is negative or does not fit `width` bytes. */
export function checkedNumber(note: string, value: bigint, width: number): bigint {
  if (!fitsWidth(value, width)) {
    fail('note.value-too-wide', {}, { note, value: value < 0n ? `-${hex(-value)}` : hex(value), width });
  }
  return value;
}
