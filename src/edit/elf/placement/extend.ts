/**
 * `extend`: a PT_LOAD grows over the hole in the file behind it and the notes stand inside. They are in memory, and every
 * strip tool keeps them.
 */
import { alignDown, alignUp } from '../../../base/bytes/align.js';
import { overlaps, type Range, rangeOf } from '../../../base/bytes/range.js';
import { hex } from '../../../base/errors/hex.js';
import { vaddrRange } from '../../../formats/elf/address.js';
import type { Phdr } from '../../../formats/elf/headers.js';
import {
  addressSpace,
  allocatedAt,
  type ElfImage,
  hasFileBytes,
  loads,
  phdrTable,
} from '../../../formats/elf/image.js';
import { PF_R, PF_W, PF_X, PT_NULL, SHT_NOBITS, SHT_NULL } from '../../../formats/elf/names.js';
import { sectionName } from '../../../formats/elf/section-names.js';
import { nextClaim } from '../plan/analyze.js';
import { spareForBuildId } from '../plan/rewrite-target.js';
import { slotWarnings, slotWords } from './append.js';
import { compose, mergeFor } from './compose.js';
import { refusedBy } from './conditions.js';
import { growAtEndOfLoad } from './in-place.js';
import { isLayout, type Layout, type Refusal } from './layout.js';
import { isReadFromCores } from './loaded-notes.js';
import { bytesText, onlyAdds, type PlacementInput } from './placement-input.js';
import { findSlot, phdrSize } from './program-headers.js';

const PAGE = 0x1000n;
/** Each load is held against every other; a kernel has a handful. */
const MOST_LOADS = 256;

interface Hole {
  readonly index: number;
  readonly load: Phdr;
  /** Bytes by which the load grows, alignment padding in front of the notes included. */
  readonly by: bigint;
  readonly range: Range;
}

/** The layout of `extend`, or why this image cannot have one. */
export function extend(input: PlacementInput): Layout | Refusal {
  const sparing = sparingBuildId(input);
  const spared = sparing && extendWith(sparing);
  return spared !== undefined && isLayout(spared) ? spared : extendWith(input);
}

/**
 * Notes that are only added to a program leave the PT_NOTE of its build-id where core files show it, if the one of GNU's
 * properties can be pointed at them instead.
 */
function sparingBuildId(input: PlacementInput): PlacementInput | undefined {
  const { analysis, kind, target, options } = input;
  if (kind.kind !== 'program' || options.loaded === false || !onlyAdds(input) || !isReadFromCores(analysis, target)) {
    return undefined;
  }
  const spare = spareForBuildId(analysis);
  return spare && { ...input, target: spare };
}

function extendWith(input: PlacementInput): Layout | Refusal {
  const refuse = (reason: string): Refusal => ({ placement: 'extend', reason });
  const { analysis } = input;
  const refused = refusedBy('extend', input);
  if (refused !== undefined) return refused;
  const merged = mergeFor(input);
  if ('reason' in merged) return refuse(merged.reason);
  const where = growAtEndOfLoad(input, (index, load, by) => {
    const hole = holeBehind(input, index, load, by, 1n);
    return 'reason' in hole ? hole.reason : undefined;
  });
  if (isLayout(where)) return where;
  const found = findSlot(input);
  if ('reason' in found) return { placement: 'extend', ...found };
  // A new entry takes bytes behind the table that are then no hole any more.
  const entry = found.slot.kind === 'slack' ? rangeOf(analysis.tableEnd, phdrSize(analysis)) : rangeOf(0n, 0n);
  const reasons: string[] = [];
  const holes: Hole[] = [];
  const candidates = loads(analysis.image);
  if (candidates.length > MOST_LOADS)
    return refuse(`${candidates.length} PT_LOADs, looked at are at most ${MOST_LOADS}`);
  for (const { index, segment } of candidates) {
    const hole = holeBehind(input, index, segment, merged.size, merged.align);
    if ('reason' in hole) reasons.push(`PT_LOAD ${index}: ${hole.reason}`);
    else if (overlaps({ start: segment.p_offset + segment.p_filesz, end: hole.range.end }, entry)) {
      reasons.push(`PT_LOAD ${index}: the new program header goes into the hole behind it`);
    } else holes.push(hole);
  }
  const hole = holes.sort((a, b) => unfitness(a.load) - unfitness(b.load) || a.index - b.index)[0];
  if (hole === undefined)
    return refuse(reasons.length > 0 ? reasons.slice(0, 4).join(', ') : 'the image has no PT_LOAD');
  const { load, range, by, index } = hole;
  const distance = range.start - load.p_offset;
  return compose(input, merged, {
    placement: 'extend',
    summary: `PT_LOAD ${index} extended by ${bytesText(by)} over the hole behind it, notes inside, ${slotWords(found.slot)}`,
    slot: found.slot,
    range,
    loadedAt: { p_vaddr: load.p_vaddr + distance, p_paddr: load.p_paddr + distance },
    end: range.end > analysis.fileSize ? range.end : analysis.fileSize,
    extended: { index, by },
    warnings: slotWarnings(found.slot),
  });
}

/** Read-only data is the best company for notes, then code; writable memory the least. */
function unfitness({ p_flags }: Phdr): number {
  return (p_flags & PF_W ? 2 : 0) + (p_flags & PF_X ? 1 : 0);
}

/** The hole behind a load, or why there is none that the notes fit in. */
function holeBehind(
  input: PlacementInput,
  index: number,
  load: Phdr,
  size: bigint,
  align: bigint,
): Hole | { readonly reason: string } {
  const { analysis } = input;
  const { image } = analysis;
  if ((load.p_flags & PF_R) === 0) return { reason: 'not readable' };
  if (load.p_filesz === 0n) return { reason: 'no file bytes' };
  if (load.p_filesz !== load.p_memsz) {
    return { reason: `${bytesText(load.p_memsz - load.p_filesz)} of .bss follow its file bytes` };
  }
  const fileEnd = load.p_offset + load.p_filesz;
  const range = rangeOf(alignUp(fileEnd, align), size);
  const by = range.end - fileEnd;
  const claim = nextClaim(image, fileEnd);
  const toEnd = claim === analysis.fileSize;
  if (!toEnd && range.end > claim) {
    return { reason: `${bytesText(by)} needed, ${claim - fileEnd} free behind it, up to ${claimant(image, claim)}` };
  }
  // A section outside memory may start before the load ends and reach beyond it.
  const over = image.sections.findIndex(
    (s) =>
      s.sh_type !== SHT_NOBITS &&
      s.sh_size > 0n &&
      s.sh_type !== SHT_NULL &&
      overlaps(rangeOf(s.sh_offset, s.sh_size), { start: fileEnd, end: range.end }),
  );
  if (over >= 0) return { reason: `section ${over} stands behind it` };
  const beyond = image.segments.findIndex(
    (s) =>
      s !== load &&
      s.p_type !== PT_NULL &&
      overlaps(rangeOf(s.p_offset, s.p_filesz), { start: fileEnd, end: range.end }),
  );
  if (beyond >= 0) return { reason: `program header ${beyond} covers the bytes behind it` };
  if (!analysis.isZero({ start: fileEnd, end: range.end })) return { reason: 'the bytes behind it are not zero' };
  return addressObstacle(input, load, by) ?? { index, load, by, range };
}

/** What begins at this place of the file, as headers name it. */
function claimant(image: ElfImage, at: bigint): string {
  const segment = image.segments.findIndex((s) => s.p_offset === at && s.p_filesz > 0n && s.p_type !== PT_NULL);
  if (segment >= 0) return `program header ${segment}`;
  const section = image.sections.findIndex((s) => s.sh_offset === at && hasFileBytes(s));
  if (section >= 0) return sectionName(image, section) || `section ${section}`;
  return phdrTable(image).start === at ? 'the program headers' : 'the section headers';
}

/** New addresses must be free in both address spaces, and the end of the kernel as loaders see it must stay. */
function addressObstacle(
  { analysis, kind }: PlacementInput,
  load: Phdr,
  by: bigint,
): { readonly reason: string } | undefined {
  const { image } = analysis;
  const vEnd = load.p_vaddr + load.p_memsz;
  const pEnd = load.p_paddr + load.p_memsz;
  const limit = addressSpace(image.encoding);
  if (vEnd + by > limit || pEnd + by > limit) return { reason: 'its addresses would wrap' };
  const virtual = vaddrRange(vEnd, by);
  const physical = { start: pEnd, end: pEnd + by };
  for (const { index, segment } of loads(image)) {
    if (segment === load) continue;
    if (overlaps(rangeOf(segment.p_vaddr, segment.p_memsz), virtual))
      return { reason: `PT_LOAD ${index} has the addresses from ${hex(vEnd)}` };
    if (overlaps(rangeOf(segment.p_paddr, segment.p_memsz), physical))
      return { reason: `PT_LOAD ${index} has the physical addresses from ${hex(pEnd)}` };
  }
  const shared = kind.kind === 'program' ? pageSharer(image, load, by) : undefined;
  if (shared !== undefined)
    return { reason: `PT_LOAD ${shared} is mapped over the page at ${hex(alignDown(vEnd + by, PAGE))}` };
  const section = allocatedAt(image, virtual);
  if (section !== undefined) return { reason: `section ${section} has the addresses from ${hex(vEnd)}` };
  const isLast = loads(image).every(({ segment: s }) => s.p_paddr + s.p_memsz <= pEnd);
  if (isLast && (pEnd === alignUp(pEnd, PAGE) || pEnd + by > alignUp(pEnd, PAGE))) {
    return {
      reason: `it ends the kernel in memory at ${hex(pEnd)}, and ${bytesText(by)} more would need another page`,
    };
  }
  return undefined;
}

/**
 * The PT_LOAD that execve maps over a page which the grown one would end in: whole pages are mapped, and the later wins. It is
 * harmless where both show the same bytes of the file there.
 */
function pageSharer(image: ElfImage, load: Phdr, by: bigint): number | undefined {
  const end = load.p_vaddr + load.p_memsz;
  const pages = { start: alignDown(end, PAGE), end: alignUp(end + by, PAGE) };
  const distance = load.p_vaddr - load.p_offset;
  return loads(image).find(({ segment: s }) => {
    if (s === load || s.p_vaddr - s.p_offset === distance || s.p_memsz === 0n) return false;
    return overlaps({ start: alignDown(s.p_vaddr, PAGE), end: alignUp(s.p_vaddr + s.p_memsz, PAGE) }, pages);
  })?.index;
}
