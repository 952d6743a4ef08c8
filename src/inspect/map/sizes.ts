/**
 * Where the bytes of an image go: by section, by loaded part, by note owner. Each of the first two divides the file without
 * hole or overlap, so its rows add up to the size of the file.
 */
import { compare } from '../../base/bytes/range.js';
import {
  type ElfImage,
  ehdrSize,
  hasFileBytes,
  isAllocated,
  phdrTable,
  sectionFileRange,
  segmentFileRange,
  shdrTable,
} from '../../formats/elf/image.js';
import { PT_LOAD, segmentFlags } from '../../formats/elf/names.js';
import { sectionName } from '../../formats/elf/section-names.js';
import { noteAreas } from '../../formats/note/areas.js';
import { ownerOf } from '../../formats/note/record.js';
import { type PeImage, sectionTable } from '../../formats/pe/image.js';
import { CLAIM_LIMIT, type Claim, stripesOf } from './bands.js';

/** One part of an image and what it takes; bytes. */
export interface SizeRow {
  /** `.text`, `PT_LOAD 2 R-X`, `[program headers]`: what is no section stands in brackets. */
  readonly name: string;
  /** Bytes of the file that are this part's alone; where parts overlap they belong to the later one. */
  readonly file: bigint;
  /** Bytes of memory; 0: it is not loaded. */
  readonly memory: bigint;
  /** Where it begins in the file; undefined: it has no bytes there. */
  readonly offset: bigint | undefined;
  /** Its address in memory; undefined: it is not loaded. */
  readonly address: bigint | undefined;
}

/** The notes of one owner. */
export interface OwnerSize {
  readonly owner: string;
  readonly notes: number;
  /** Bytes of the records, padding included. */
  readonly size: bigint;
}

/** Every part of an image with its size, the largest first. */
export interface ImageSizes {
  readonly size: bigint;
  readonly sections: readonly SizeRow[];
  readonly segments: readonly SizeRow[];
  readonly owners: readonly OwnerSize[];
}

interface Part extends Omit<SizeRow, 'file'> {
  readonly claim: Omit<Claim, 'name' | 'load'> | undefined;
}

/** The sizes of an ELF image. Errors: those of noteAreas. */
export function elfSizes(image: ElfImage): ImageSizes {
  const { source } = image;
  const headers = [
    part('[ELF header]', { start: 0n, end: ehdrSize(image.encoding) }, 4),
    part('[program headers]', phdrTable(image), 3),
    part('[section headers]', shdrTable(image), 3),
  ];
  const sections = image.sections.slice(0, CLAIM_LIMIT).map((s, i): Part => {
    const loaded = isAllocated(s);
    const range = hasFileBytes(s) ? sectionFileRange(s) : undefined;
    return {
      name: sectionName(image, i) || `[section ${i}]`,
      memory: loaded ? s.sh_size : 0n,
      offset: range?.start,
      address: loaded ? s.sh_addr : undefined,
      claim: range === undefined ? undefined : { ...range, kind: 'section', rank: 1 },
    };
  });
  const segments = image.segments.slice(0, CLAIM_LIMIT).flatMap((s, i): Part[] => {
    if (s.p_type !== PT_LOAD) return [];
    const claim = { ...segmentFileRange(s), kind: 'load', rank: 1 } as const;
    const name = `PT_LOAD ${i} ${segmentFlags(s.p_flags)}`;
    return [{ name, memory: s.p_memsz, offset: claim.start, address: s.p_vaddr, claim }];
  });
  return {
    size: source.size,
    sections: measured(source.size, [...sections.filter(isSomething), ...headers], '[no section]'),
    segments: measured(source.size, segments, '[not loaded]'),
    owners: owners(image),
  };
}

/** The sizes of a PE image: its sections are what is loaded. */
export function peSizes(image: PeImage): ImageSizes {
  const { source, sections, optionalHeader } = image;
  const base = optionalHeader.ImageBase;
  const loaded = sections.slice(0, CLAIM_LIMIT).map(
    (s): Part => ({
      name: s.name,
      memory: s.VirtualSize,
      offset: s.SizeOfRawData > 0n ? s.PointerToRawData : undefined,
      address: base + s.VirtualAddress,
      claim: { start: s.PointerToRawData, end: s.PointerToRawData + s.SizeOfRawData, kind: 'load', rank: 1 },
    }),
  );
  const table = sectionTable(image);
  const headers = [part('[headers]', { start: 0n, end: table.end }, 3)];
  return {
    size: source.size,
    sections: measured(source.size, [...loaded, ...headers], '[no section]'),
    segments: measured(source.size, loaded, '[not loaded]'),
    owners: [],
  };
}

function part(name: string, range: { readonly start: bigint; readonly end: bigint }, rank: number): Part {
  const claim = { ...range, kind: 'table', rank } as const;
  return { name, memory: 0n, offset: range.start, address: undefined, claim };
}

/** Section 0 and empty ones say nothing about sizes. */
function isSomething({ claim, memory }: Part): boolean {
  return memory > 0n || (claim !== undefined && claim.end > claim.start);
}

function measured(size: bigint, parts: readonly Part[], rest: string): SizeRow[] {
  const claims = parts.flatMap(({ claim }, i): Claim[] =>
    claim === undefined ? [] : [{ ...claim, name: `${i}`, load: undefined }],
  );
  const files = new Map<string, bigint>();
  let other = 0n;
  for (const { start, end, top } of stripesOf(size, claims)) {
    if (top === undefined) other += end - start;
    else files.set(top.name, (files.get(top.name) ?? 0n) + (end - start));
  }
  const rows = parts.map(({ claim: _, ...row }, i): SizeRow => ({ ...row, file: files.get(`${i}`) ?? 0n }));
  if (other > 0n) rows.push({ name: rest, file: other, memory: 0n, offset: undefined, address: undefined });
  const weight = ({ file, memory }: SizeRow) => (file > memory ? file : memory);
  return rows.filter((row) => weight(row) > 0n).sort((a, b) => compare(weight(b), weight(a)));
}

function owners(image: ElfImage): OwnerSize[] {
  const found = new Map<string, { notes: number; size: bigint }>();
  const seen = new Set<bigint>();
  for (const { walk } of noteAreas(image)) {
    for (const { offset, size, name } of walk.records) {
      // A record that two headers show is there once.
      if (seen.has(offset)) continue;
      seen.add(offset);
      const owner = ownerOf(name);
      const row = found.get(owner) ?? { notes: 0, size: 0n };
      found.set(owner, { notes: row.notes + 1, size: row.size + size });
    }
  }
  return [...found].map(([owner, row]) => ({ owner, ...row })).sort((a, b) => compare(b.size, a.size));
}
