/**
 * Were the places that an edit wrote to free? Only headers, notes and unused zeros may be overwritten, and unclaimed bytes
 * that are provably this image's own tables in an earlier state.
 */

import { differingRanges, newBlocks, sameStretch, ZEROS } from '../../base/bytes/byte-comparison.js';
import { intersect, normalize, overlaps, type Range, subtractSorted } from '../../base/bytes/range.js';
import { hex, hexRange } from '../../base/errors/hex.js';
import { Phdr } from '../../formats/elf/headers.js';
import { hasFileBytes, sectionFileRange, segmentFileRange } from '../../formats/elf/image.js';
import {
  PT_GNU_RELRO,
  PT_GNU_STACK,
  PT_LOAD,
  PT_NOTE,
  PT_NULL,
  PT_PHDR,
  SHT_NOTE,
  segmentTypeName,
} from '../../formats/elf/names.js';
import { remainsOf } from '../../formats/note/dead-notes.js';
import type { Violation } from '../check.js';
import { wentElsewhere } from './moved-sections.js';
import { originOf, type Pair } from './pair.js';
import { sectionPart, segmentPart } from './subject.js';

/** Places told; behind them there is no doubt left. */
const LIMIT = 16;

/** Entries whose file bytes are their own: not those that hold everything, nor those that mark a part of a LOAD. */
const SHARING: ReadonlySet<number> = new Set([PT_LOAD, PT_NOTE, PT_NULL, PT_PHDR, PT_GNU_STACK, PT_GNU_RELRO]);

/** Planned ranges over bytes of the baseline that another claim covers, or that are not zero. */
export function* plannedOverForeign(pair: Pair): Generator<Violation> {
  const { image } = pair.before;
  const own = pair.before.ownRanges();
  const taken = normalize(pair.planned.flatMap((range) => originOf(pair, range))).flatMap((range) =>
    subtractSorted(range, own),
  );
  yield* overSections(pair, taken);

  const claims = image.segments.flatMap((s, index) =>
    SHARING.has(s.p_type) || s.p_filesz === 0n ? [] : [{ index, range: segmentFileRange(s) }],
  );
  const places = intersect(taken, normalize(claims.map(({ range }) => range)));
  for (const place of places.filter((one) => !staysAsItIs(pair, one)).slice(0, LIMIT)) {
    const owner = claims.find(({ range }) => overlaps(range, place));
    const name = segmentTypeName(image.segments[owner?.index ?? 0]?.p_type ?? 0);
    yield over(place, `${name} of ${segmentPart(owner?.index ?? 0)}`);
  }
  yield* overNonZero(pair, taken);
}

function* overSections(pair: Pair, taken: readonly Range[]): Generator<Violation> {
  const { image, fileSize } = pair.before;
  const owned = image.sections.flatMap((section, index) => {
    // A section that moved away has left its place, and a note section may hold other notes.
    const free = !hasFileBytes(section) || section.sh_type === SHT_NOTE || wentElsewhere(pair, index);
    return free || index === image.shstrndx ? [] : [{ index, range: sectionFileRange(section) }];
  });
  const inside = intersect([{ start: 0n, end: fileSize }], normalize(owned.map(({ range }) => range)));
  const areNotes = (place: Range) =>
    owned.every(
      ({ index, range }) => !overlaps(range, place) || pair.after.image.sections[index]?.sh_type === SHT_NOTE,
    );
  const places = intersect(taken, inside).filter((place) => !areNotes(place) || !staysAsItIs(pair, place));
  for (const place of places.slice(0, LIMIT)) {
    const owner = owned.find(({ range }) => overlaps(range, place));
    yield over(place, sectionPart(image, owner?.index ?? 0));
  }
}

function* overNonZero(pair: Pair, taken: readonly Range[]): Generator<Violation> {
  const { source } = pair.before.image;
  const vacated = normalize([
    ...pair.before.image.sections.flatMap((section, index) =>
      wentElsewhere(pair, index) ? [sectionFileRange(section)] : [],
    ),
    ...remainsOf(pair.before.image),
    formerTable(pair),
  ]);
  const places = taken.flatMap((range) => subtractSorted(range, vacated));
  const longest = places.reduce((most, { start, end }) => (end - start > most ? end - start : most), 0n);
  const blocks = newBlocks(longest);
  let told = 0;
  for (const { start, end } of places) {
    const here = { source, offset: start };
    const written = [...differingRanges({ source: ZEROS, offset: 0n }, here, end - start, blocks)];
    // Bytes that stay as they are and get their meaning back, as notes to which a header leads again, are not taken.
    const first = written.find((run) => !staysAsItIs(pair, { start: start + run.start, end: start + run.end }));
    if (first === undefined) continue;
    const at = start + first.start;
    const text = `the edit takes ${hexRange(start, end)} of the baseline, where the byte at ${hex(at)} is not zero`;
    yield { offset: at, part: 'bytes taken', text };
    told += 1;
    if (told >= LIMIT) return;
  }
}

/**
 * The entries that stood already where the program headers go: those of this very image in an earlier state, to which an edit
 * returns. A PT_LOAD may have grown since, and a PT_NOTE or PT_PHDR may have led elsewhere; all else has to agree.
 */
function formerTable({ before, after }: Pair): Range {
  const { start, end } = after.phdrs;
  const { source, encoding } = before.image;
  const none = { start, end: start };
  if (start === before.phdrs.start || end > before.fileSize) return none;
  const entry = Phdr.size(encoding);
  const bytes = source.read(start, end - start, 'program headers of before');
  const other = after.image.segments.findIndex((now, i) => !isFormer(Phdr.decode(bytes, i * entry, encoding), now));
  const count = other < 0 ? after.image.segments.length : other;
  return { start, end: start + BigInt(count * entry) };
}

function isFormer(old: Phdr, now: Phdr): boolean {
  const isNote = (p_type: number) => p_type === PT_NOTE || p_type === PT_NULL;
  if (isNote(old.p_type)) return isNote(now.p_type);
  if (old.p_type !== now.p_type) return false;
  if (old.p_type === PT_PHDR) return true;
  const isGrown = old.p_type === PT_LOAD && old.p_filesz === old.p_memsz && now.p_filesz === now.p_memsz;
  return Object.entries(old).every(
    ([field, value]) => value === now[field as keyof Phdr] || (isGrown && /^p_(filesz|memsz)$/.test(field)),
  );
}

/** Notes and program headers to which the file leads again, with the bytes that are there: an undo, looked at without its plan. */
function staysAsItIs({ before, after, shift, expectation }: Pair, { start, end }: Range): boolean {
  if (expectation !== undefined || shift !== undefined || end > after.fileSize || end > before.fileSize) return false;
  const shown = normalize([after.phdrs, ...after.areas().map(({ range }) => range)]);
  if (subtractSorted({ start, end }, shown).length > 0) return false;
  const [was, is] = [before, after].map(({ image: { source } }) => ({ source, offset: start }));
  return was !== undefined && is !== undefined && sameStretch(was, is, end - start, newBlocks(end - start));
}

function over(place: Range, owner: string): Violation {
  const text = `the edit takes ${hexRange(place.start, place.end)} of the baseline, which belong to ${owner}`;
  return { offset: place.start, part: 'bytes taken', text };
}
