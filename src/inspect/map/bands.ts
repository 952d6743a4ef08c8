/** A file as disjoint bands, each with the part it shows on top: headers, tables, notes, PT_LOADs, other sections, gaps. */
import { compare, type Range } from '../../base/bytes/range.js';
import type { ByteSource } from '../../base/bytes/source.js';
import {
  type ElfImage,
  ehdrSize,
  hasFileBytes,
  phdrTable,
  sectionFileRange,
  segmentFileRange,
  shdrTable,
} from '../../formats/elf/image.js';
import { PT_LOAD, PT_NOTE, SHT_NOTE } from '../../formats/elf/names.js';
import { sectionName } from '../../formats/elf/section-names.js';

/** What a stretch of the file holds. */
export type BandKind = 'header' | 'table' | 'notes' | 'load' | 'section' | 'free' | 'data';

/** A stretch of the file. */
export interface Band extends Range {
  readonly kind: BandKind;
  /** `ELF header`, `PT_LOAD 2`, `.symtab`, `12 sections`. */
  readonly name: string;
  /** The PT_LOAD, or section of a PE image, that holds these bytes, whatever is on top. */
  readonly load: number | undefined;
}

/** Claims that are drawn; of more, the rest is left to what lies under it. */
export const CLAIM_LIMIT = 4096;
/** A gap larger than this is not read to see whether it is zero. */
const READ_LIMIT = 0x4000000n;
const WINDOW = 0x40000n;

/** What a format says of a stretch of the file. */
export interface Claim extends Range {
  readonly kind: BandKind;
  readonly name: string;
  /** Higher ones cover lower ones. */
  readonly rank: number;
  readonly load: number | undefined;
}

/** The whole file in order, without a hole. */
export function fileBands(image: ElfImage): Band[] {
  return bandsOf(image.source, claimsOf(image));
}

/** A stretch of a file, and of the claims on it the one that is seen; undefined: there is none. */
export interface Stripe extends Range {
  readonly top: Claim | undefined;
  /** All claims that hold it. */
  readonly open: readonly Claim[];
}

/** The first `size` bytes of a file, in order, cut at every edge of a claim; nothing for an empty file. */
export function stripesOf(size: bigint, all: readonly Claim[]): Stripe[] {
  const usedRanges = all.filter(({ start, end }) => start < end && start < size);
  const points = [...new Set([0n, size, ...usedRanges.flatMap(({ start, end }) => [start, end])])]
    .filter((point) => point <= size)
    .sort(compare);
  const starting = new Map<bigint, Claim[]>();
  for (const claim of usedRanges) {
    const same = starting.get(claim.start);
    if (same === undefined) starting.set(claim.start, [claim]);
    else same.push(claim);
  }
  let open: Claim[] = [];
  return points.slice(0, -1).map((start, i) => {
    open = [...open.filter((claim) => claim.end > start), ...(starting.get(start) ?? [])];
    const top = open.reduce<Claim | undefined>(
      (best, c) => (best === undefined || c.rank >= best.rank ? c : best),
      undefined,
    );
    return { start, end: points[i + 1] ?? start, top, open };
  });
}

/** A file as the claims on it divide it; what no claim covers is free, or unclaimed bytes. */
export function bandsOf(source: ByteSource, all: readonly Claim[]): Band[] {
  const bands: Band[] = [];
  for (const { start, end, top, open } of stripesOf(source.size, all)) {
    const load = open.find(({ kind }) => kind === 'load')?.load;
    const last = bands.at(-1);
    const next: Band =
      top === undefined
        ? { start, end, ...gap(source, { start, end }), load: undefined }
        : { start, end, kind: top.kind, name: top.name, load };
    const joins = last !== undefined && last.kind === next.kind && last.name === next.name && last.load === next.load;
    if (joins) bands[bands.length - 1] = { ...last, end };
    else bands.push(next);
  }
  return joinSections(bands);
}

function claimsOf(image: ElfImage): Claim[] {
  const ehdr = { start: 0n, end: ehdrSize(image.encoding) };
  const segments = image.segments.slice(0, CLAIM_LIMIT).flatMap((s, i): Claim[] => {
    const range = segmentFileRange(s);
    if (s.p_type === PT_LOAD) return [{ ...range, kind: 'load', name: `PT_LOAD ${i}`, rank: 2, load: i }];
    if (s.p_type === PT_NOTE) return [{ ...range, kind: 'notes', name: `PT_NOTE ${i}`, rank: 4, load: undefined }];
    return [];
  });
  const sections = image.sections.slice(0, CLAIM_LIMIT).flatMap((s, i): Claim[] => {
    if (!hasFileBytes(s)) return [];
    const name = sectionName(image, i) || `section ${i}`;
    const notes = s.sh_type === SHT_NOTE;
    return [{ ...sectionFileRange(s), kind: notes ? 'notes' : 'section', name, rank: notes ? 3 : 1, load: undefined }];
  });
  return [
    ...sections,
    ...segments,
    {
      ...phdrTable(image),
      kind: 'table',
      name: `program headers (${image.segments.length})`,
      rank: 5,
      load: undefined,
    },
    {
      ...shdrTable(image),
      kind: 'table',
      name: `section headers (${image.sections.length})`,
      rank: 5,
      load: undefined,
    },
    { ...ehdr, kind: 'header', name: 'ELF header', rank: 6, load: undefined },
  ];
}

function gap(source: ByteSource, { start, end }: Range): Pick<Band, 'kind' | 'name'> {
  if (end - start > READ_LIMIT) return { kind: 'data', name: 'unclaimed bytes' };
  for (let at = start; at < end; at += WINDOW) {
    const length = end - at < WINDOW ? end - at : WINDOW;
    if (source.read(at, length, 'unclaimed bytes').some((byte) => byte !== 0)) {
      return { kind: 'data', name: 'unclaimed bytes' };
    }
  }
  return { kind: 'free', name: 'free' };
}

/** Sections outside memory that stand side by side, with nothing but small free gaps between, are one band. */
function joinSections(bands: readonly Band[]): Band[] {
  const joined: { band: Band; count: number }[] = [];
  for (const band of bands) {
    const last = joined.at(-1);
    const padding = band.kind === 'free' && band.end - band.start < 64n && last?.band.kind === 'section';
    if (last !== undefined && (padding || (band.kind === 'section' && last.band.kind === 'section'))) {
      const count = last.count + (padding ? 0 : 1);
      last.band = { ...last.band, end: band.end, name: count > 1 ? `${count} sections` : last.band.name };
      last.count = count;
    } else joined.push({ band, count: 1 });
  }
  return joined.map(({ band }) => band);
}
