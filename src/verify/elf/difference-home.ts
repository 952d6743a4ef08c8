/** Whose bytes differ: a difference of two files told in the words of the image it was found in. */
import type { Range } from '../../base/bytes/range.js';
import { hexRange } from '../../base/errors/hex.js';
import { sectionFileRange, segmentFileRange } from '../../formats/elf/image.js';
import { SHT_DYNSYM, SHT_GROUP, SHT_REL, SHT_RELA, SHT_SYMTAB, SHT_SYMTAB_SHNDX } from '../../formats/elf/names.js';
import type { Violation } from '../check.js';
import { originOf, type Pair } from './pair.js';
import { type Subject, sectionPart, segmentPart } from './subject.js';
import type { Difference } from './untouched.js';

/**
 * load: bytes that a loader copies. linked: symbols, groups and relocations. section: any other section. trailing:
 * behind every claim of the headers. unclaimed: between, and bytes that were not there before.
 */
export type RewriteTarget = 'load' | 'linked' | 'section' | 'trailing' | 'unclaimed';

const LINKED: ReadonlySet<number> = new Set([SHT_SYMTAB, SHT_DYNSYM, SHT_SYMTAB_SHNDX, SHT_GROUP, SHT_REL, SHT_RELA]);

/** All unplanned differences of one home, as violations. */
export function* differencesOf(pair: Pair, home: RewriteTarget): Generator<Violation> {
  for (const difference of pair.differences()) {
    const found = homeOf(pair, difference);
    if (found.home !== home) continue;
    const range = hexRange(difference.range.start, difference.range.end);
    yield { offset: difference.range.start, part: found.part, text: `${range} ${VERDICT[difference.kind]}` };
  }
}

const VERDICT = {
  changed: 'differs from the baseline and no change was planned there',
  added: 'holds bytes that were neither there before nor planned',
  lost: 'of the baseline has no counterpart any more',
} as const;

function homeOf(pair: Pair, { kind, range }: Difference): { home: RewriteTarget; part: string } {
  if (kind === 'added') return { home: 'unclaimed', part: 'new bytes' };
  const { before } = pair;
  const start = originOf(pair, range)[0]?.start;
  if (start === undefined) return { home: 'unclaimed', part: 'file' };

  const { image } = before;
  const section = image.sections.findIndex((s) => holds(sectionFileRange(s), start));
  const inSection = section < 0 ? undefined : sectionPart(image, section);
  const load = before.loads.find(({ segment }) => holds(segmentFileRange(segment), start));
  if (load !== undefined) return { home: 'load', part: inSection ?? segmentPart(load.index) };
  if (inSection !== undefined) {
    return { home: LINKED.has(image.sections[section]?.sh_type ?? 0) ? 'linked' : 'section', part: inSection };
  }
  if (start >= endOfClaims(before)) return { home: 'trailing', part: 'bytes behind the last section and header' };
  return { home: 'unclaimed', part: 'bytes that no header speaks of' };
}

function holds({ start, end }: Range, offset: bigint): boolean {
  return start <= offset && offset < end;
}

/** Where the last claim of a header ends. */
function endOfClaims({ image, ehdr, phdrs, shdrs }: Subject): bigint {
  const claims = [ehdr, phdrs, shdrs, ...image.sections.map(sectionFileRange), ...image.segments.map(segmentFileRange)];
  // An empty one claims nothing, wherever it says it is.
  return claims.reduce((last, { start, end }) => (start < end && end > last ? end : last), 0n);
}
