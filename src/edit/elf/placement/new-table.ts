/**
 * `new-table`: a new PT_LOAD behind all others holds the program header table and the notes, for images that read their own
 * headers in memory and have no room beside them (patchelf does the like). PT_PHDR moves with the table.
 *
 * AT_PHDR has to lead there. Linux computes it from the PT_LOAD that holds e_phoff (fs/binfmt_elf.c, since 5.18); older
 * kernels and qemu-user add e_phoff to where the first PT_LOAD's offset 0 is. Both are right where the new PT_LOAD has the
 * first one's distance between address and offset. The end of the last PT_LOAD is where brk begins, so the new one is the
 * highest, on pages of its own: the page that holds the end of .bss is nobody else's to map.
 */
import { alignUp } from '../../../base/bytes/align.js';
import { rangeOf } from '../../../base/bytes/range.js';
import { hex } from '../../../base/errors/hex.js';
import type { Phdr } from '../../../formats/elf/headers.js';
import { addressSpace, type ElfImage, isAllocated, loads } from '../../../formats/elf/image.js';
import { PF_R, PT_LOAD } from '../../../formats/elf/names.js';
import { NO_TARGET } from '../plan/rewrite-target.js';
import { compose, mergeFor } from './compose.js';
import { refusedBy } from './conditions.js';
import type { Layout, Refusal } from './layout.js';
import { commonAlign, largestPage } from './pages.js';
import { bytesText, onlyAdds, type PlacementInput } from './placement-input.js';
import { phdrSize } from './program-headers.js';

const LEAST_PAGE = 0x1000n;
/** A hole in the file that older kernels are worth: what .bss is in most programs. It is written as nothing. */
const HOLE_LIMIT = 0x1000000n;
/** Zero bytes behind the notes that a later edit may grow into, and what the end is rounded up to. */
const SPARE = 0x80n;
const SPARE_UNIT = 0x100n;
/** Where the addresses of a user end: 47 bits on most machines; 3 GiB on most of 32 bits. */
const USER_END = { 64: 1n << 47n, 32: 0xc0000000n } as const;

/** Where the table and the notes go. */
interface Place {
  readonly p_offset: bigint;
  readonly p_vaddr: bigint;
  readonly p_align: bigint;
  /** Do kernels before 5.18 find the table, too? */
  readonly forAll: boolean;
}

/** The layout, or why the image cannot have one. */
export function newTable(given: PlacementInput): Layout | Refusal {
  const refuse = (reason: string): Refusal => ({ placement: 'new-table', reason });
  const input = withOwnEntry(given);
  const { analysis, target } = input;
  const { image } = analysis;
  const refused = refusedBy('new-table', input);
  if (refused !== undefined) return refused;
  const merged = mergeFor(input);
  if ('reason' in merged) return refuse(merged.reason);
  const more = target.segments.length > 0 ? 1 : 2;

  const tableSize = phdrSize(analysis) * BigInt(image.segments.length + more);
  const notesAt = alignUp(tableSize, merged.align);
  const size = alignUp(notesAt + merged.size + SPARE, SPARE_UNIT);
  const place = placeFor(image, analysis.fileSize, size, input.kind.kind === 'program');
  if ('reason' in place) return refuse(place.reason);
  const { p_offset, p_vaddr, p_align, forAll } = place;
  const highest = highestLoad(image);
  const p_paddr = highest === undefined ? p_vaddr : p_vaddr - highest.p_vaddr + highest.p_paddr;
  if (p_paddr < 0n || p_paddr + size > addressSpace(image.encoding)) {
    return refuse(`no physical addresses are left for ${hex(p_vaddr)}`);
  }
  const own = target.segments.at(-1);
  return compose(input, merged, {
    placement: 'new-table',
    summary: `program headers and notes in a PT_LOAD of their own (${bytesText(size)} at ${hex(p_vaddr)})`,
    slot: own === undefined ? { kind: 'grown' } : { kind: 'merged', index: own },
    range: rangeOf(p_offset + notesAt, merged.size),
    loadedAt: { p_vaddr: p_vaddr + notesAt, p_paddr: p_paddr + notesAt },
    end: p_offset + size,
    table: { p_offset, p_vaddr, p_paddr },
    addedLoad: { p_type: PT_LOAD, p_flags: PF_R, p_offset, p_vaddr, p_paddr, p_filesz: size, p_memsz: size, p_align },
    warnings: [...warningsFor(input), ...(forAll ? [] : [OLD_KERNELS])],
  });
}

const OLD_KERNELS =
  'Linux before 5.18 and qemu-user would look for the program headers elsewhere: the file would need a hole of the size of .bss';

/**
 * Notes that are only added get an entry of their own in the new table, so that the PT_NOTE that would have been redirected
 * goes on to show what it shows where it shows it. Not so in a kernel: some loaders look into one PT_NOTE only.
 */
function withOwnEntry(input: PlacementInput): PlacementInput {
  return input.kind.kind === 'program' && onlyAdds(input) ? { ...input, target: NO_TARGET } : input;
}

function warningsFor({ kind, target }: PlacementInput): string[] {
  const told = [
    'readers of core files look for the program headers in the first page, and will not find them there, nor the build-id',
  ];
  if (kind.kind === 'kernel') told.push('the image needs more memory: its end moves up by a PT_LOAD');
  return target.segments.length > 0 || kind.kind === 'program' ? told : told.slice(1);
}

function placeFor(
  image: ElfImage,
  fileSize: bigint,
  size: bigint,
  isProgram: boolean,
): Place | { readonly reason: string } {
  const first = loads(image)[0]?.segment;
  if (first === undefined) return { reason: 'the image has no PT_LOAD whose addresses could be followed' };
  const page = largestPage(image);
  const top = alignUp(memoryEnd(image), page);
  const distance = first.p_vaddr - first.p_offset;
  const behindFile = alignUp(fileSize + distance, page);
  const near = behindFile > top ? behindFile : top;
  const p_align = commonAlign(distance, page);
  const forAll = near - behindFile <= HOLE_LIMIT && p_align >= LEAST_PAGE;
  const place: Place = forAll
    ? { p_offset: near - distance, p_vaddr: near, p_align, forAll }
    : { p_offset: alignUp(fileSize, page), p_vaddr: top, p_align: page, forAll };
  const space = addressSpace(image.encoding);
  const user = USER_END[image.encoding.bits];
  const limit = isProgram && top <= user ? user : space;
  if (place.p_vaddr + size > limit) return { reason: `no addresses are left behind ${hex(top)}` };
  if (place.p_offset + size > space) return { reason: `offsets would exceed ${image.encoding.bits} bits` };
  return place;
}

function highestLoad(image: ElfImage): Phdr | undefined {
  return loads(image)
    .map(({ segment }) => segment)
    .reduce<Phdr | undefined>((top, s) => (top === undefined || vEnd(s) > vEnd(top) ? s : top), undefined);
}

/** End of what PT_LOADs and allocated sections have of the addresses. */
function memoryEnd(image: ElfImage): bigint {
  const sections = image.sections.filter(isAllocated).map(({ sh_addr, sh_size }) => sh_addr + sh_size);
  return [...loads(image).map(({ segment }) => vEnd(segment)), ...sections].reduce((a, b) => (a > b ? a : b), 0n);
}

function vEnd({ p_vaddr, p_memsz }: Phdr): bigint {
  return p_vaddr + p_memsz;
}
