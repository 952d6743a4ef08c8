/**
 * Package metadata (UAPI.8, "Package Metadata for Executable Files"): one JSON object in a note of owner FDO, by which
 * systemd and others tell which package an executable came from.
 */
import { parseDocument } from 'yaml';
import { utf8Bytes, utf8Text } from '../../base/bytes/text.js';
import { fail, type Place } from '../../base/errors/patch-error.js';
import { FDO, FDO_PACKAGING_METADATA } from '../../formats/note/note-types.js';
import { type NoteContent, nameOf } from '../../formats/note/record.js';

/** What the convention calls by name; every other key is a vendor's own. */
export const WELL_KNOWN_KEYS = [
  'type',
  'os',
  'osVersion',
  'name',
  'version',
  'architecture',
  'osCpe',
  'appCpe',
  'debugInfoUrl',
] as const;

/** The members of a package metadata object, as parsed from JSON. */
export type Metadata = { readonly [key: string]: unknown };

/** A descriptor that is longer than this is no metadata. */
const TEXT_LIMIT = 0x10000;
/** JSON may nest; metadata do not, beyond a list or an object of a vendor's. */
const DEPTH_LIMIT = 16;

/**
 * The object that a JSON text says, checked against the convention.
 * Errors: `stamp.bad-metadata`.
 */
export function parseMetadata(text: string, place: Place = {}): Metadata {
  const problem = metadataProblem(text);
  if (problem !== undefined) fail('stamp.bad-metadata', place, { why: problem });
  return JSON.parse(text) as Metadata;
}

/** Why a text is not what the convention asks for; undefined when it is. */
export function metadataProblem(text: string): string | undefined {
  if (text.length > TEXT_LIMIT) return `found ${text.length} characters, wanted at most ${TEXT_LIMIT}`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return `it is no JSON (${reason})`;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'it is no JSON object';
  if (/(?<!\\)(?:\\\\)*\\u/.test(text)) return 'found a \\u escape, wanted the character itself';
  return problemIn(value, '', 0) ?? duplicateKey(text) ?? knownKeyProblem(value);
}

function problemIn(value: unknown, path: string, depth: number): string | undefined {
  if (depth > DEPTH_LIMIT) return `found more than ${DEPTH_LIMIT} levels`;
  if (typeof value === 'string') return stringProblem(value, path);
  if (typeof value === 'number') {
    const lossy = Number.isInteger(value) && !Number.isSafeInteger(value);
    return lossy ? `${path} is ${value}, wanted at most 53 bits in a number` : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const inside = path === '' ? key : `${path}.${key}`;
    const problem = stringProblem(key, `the key ${JSON.stringify(key)}`) ?? problemIn(member, inside, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function stringProblem(text: string, what: string): string | undefined {
  if (/\p{Cc}/u.test(text)) return `${what} holds a control character`;
  if (/\p{Cs}/u.test(text)) return `${what} holds half a surrogate pair, which UTF-8 cannot say`;
  return undefined;
}

/** JSON.parse lets the last of two equal keys win and says nothing. */
function duplicateKey(text: string): string | undefined {
  const { errors } = parseDocument(text, { schema: 'json', uniqueKeys: true, logLevel: 'silent' });
  return errors.some(({ code }) => code === 'DUPLICATE_KEY') ? 'a key occurs twice' : undefined;
}

function knownKeyProblem(value: object): string | undefined {
  for (const key of WELL_KNOWN_KEYS) {
    const member: unknown = Object.entries(value).find(([name]) => name === key)?.[1];
    if (member !== undefined && typeof member !== 'string') return `${key} is no string`;
  }
  return undefined;
}

/** The note: compact JSON in UTF-8 with its NUL, filled up with NULs to a multiple of 4. Errors: `stamp.bad-metadata`. */
export function metadataNote(metadata: Metadata): NoteContent {
  const text = JSON.stringify(metadata);
  parseMetadata(text);
  const bytes = utf8Bytes(text);
  const desc = new Uint8Array(Math.ceil((bytes.length + 1) / 4) * 4);
  desc.set(bytes);
  return { name: nameOf(FDO), type: FDO_PACKAGING_METADATA, desc };
}

/** The JSON text in a descriptor: UTF-8 up to the first NUL. Undefined when it is no UTF-8. */
export function metadataText(desc: Uint8Array): string | undefined {
  const end = desc.indexOf(0);
  return utf8Text(end < 0 ? desc : desc.subarray(0, end));
}

/** Why the descriptor of a metadata note breaks the convention; undefined when it does not. */
export function descriptorProblem(desc: Uint8Array): string | undefined {
  if (!desc.includes(0)) return 'the text has no NUL behind it';
  if (desc.subarray(desc.indexOf(0)).some((byte) => byte !== 0)) return 'bytes follow the NUL';
  const text = metadataText(desc);
  return text === undefined ? 'the text is no UTF-8' : metadataProblem(text);
}
