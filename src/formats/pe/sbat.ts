/**
 * SBAT (shim, SBAT.md): lines of six fields with commas between them, component,generation,vendor,package,version,url. The
 * first line is that of the format itself. shim refuses an image with a component of a lower generation than the one that
 * the machine remembers (csv.c, sbat.c), so a line must say just what it is meant to.
 */
import { utf8Text } from '../../base/bytes/text.js';
import { fail, type Place } from '../../base/errors/patch-error.js';

/** One line. */
export interface SbatRow {
  readonly component: string;
  readonly generation: number;
  /** The line as it stands, without its end. */
  readonly text: string;
}

/** The line that comes first: the format's own component and its generation. */
export const SBAT_HEADER = 'sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md';

const FIELDS = ['component', 'generation', 'vendor', 'package', 'version', 'URL'];
/** More is no SBAT: real ones have up to ten lines. */
const MOST_BYTES = 0x10000;
/** shim reads a generation with atoi. */
const MOST_GENERATION = 0x7fffffff;

/** Why bytes are no SBAT, and the lines up to there. */
export interface SbatReading {
  readonly rows: readonly SbatRow[];
  /** With the number of the line; undefined when all is well. */
  readonly problem: { readonly line: number; readonly why: string } | undefined;
}

/** Reads what a section or a file holds; NULs behind the last line are padding. Never throws. */
export function readSbat(bytes: Uint8Array): SbatReading {
  if (bytes.length > MOST_BYTES) {
    const why = `found ${bytes.length} bytes, wanted at most ${MOST_BYTES}`;
    return { rows: [], problem: { line: 1, why } };
  }
  const text = utf8Text(bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1));
  if (text === undefined) return { rows: [], problem: { line: 1, why: 'it is no UTF-8' } };
  const rows: SbatRow[] = [];
  const seen = new Set<string>();
  const lines = text.split('\n');
  // What stands behind the last line's end is no line.
  if (lines.at(-1) === '') lines.pop();
  for (const [index, line] of lines.entries()) {
    const row = rowOf(line);
    const why =
      typeof row === 'string'
        ? row
        : index === 0 && row.component !== 'sbat'
          ? `the first line is of component ${row.component}, wanted sbat`
          : seen.has(row.component)
            ? `component ${row.component} has a line already`
            : undefined;
    if (typeof row === 'string' || why !== undefined) return { rows, problem: { line: index + 1, why: why ?? '' } };
    seen.add(row.component);
    rows.push(row);
  }
  return { rows, problem: rows.length === 0 ? { line: 1, why: 'found no line' } : undefined };
}

/** One line, or why it is none. */
export function rowOf(line: string): SbatRow | string {
  if (line.includes('\r')) return 'found a carriage return, wanted lines that end in a line feed alone';
  if (line.includes('\0')) return 'found a NUL';
  if (/\p{Cc}|\p{Cf}/u.test(line)) return 'found a control character';
  const fields = line.split(',');
  if (fields.length !== FIELDS.length)
    return `found ${fields.length} fields, wanted ${FIELDS.length}: ${FIELDS.join(',')}`;
  const empty = fields.findIndex((field) => field.trim() === '');
  if (empty >= 0) return `field ${FIELDS[empty]} is empty`;
  const [component = '', generation = ''] = fields;
  if (!/^[1-9]\d*$/.test(generation) || Number(generation) > MOST_GENERATION) {
    return `the generation of ${component} is ${generation}, wanted a number from 1`;
  }
  return { component, generation: Number(generation), text: line };
}

/**
 * The lines of an image with others put in: one of the same component takes the old one's place, a new one comes last.
 * Errors: `pe.sbat-downgrade` for a lower generation, unless that is allowed.
 */
export function mergeSbat(
  old: readonly SbatRow[],
  given: readonly SbatRow[],
  { allowDowngrade, place }: { readonly allowDowngrade: boolean; readonly place: Place },
): SbatRow[] {
  const merged = new Map(old.map((row) => [row.component, row]));
  for (const row of given) {
    const was = merged.get(row.component);
    if (was !== undefined && row.generation < was.generation && !allowDowngrade) {
      fail('pe.sbat-downgrade', place, { component: row.component, from: was.generation, to: row.generation });
    }
    merged.set(row.component, row);
  }
  return [...merged.values()];
}

/** The bytes of a section: every line with its end. */
export function sbatText(rows: readonly SbatRow[]): string {
  return rows.map(({ text }) => `${text}\n`).join('');
}
