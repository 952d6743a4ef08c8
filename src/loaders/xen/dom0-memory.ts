/**
 * What memory a dom0 gets of a machine, and where its kernel goes in it (xen/arch/x86/dom0_build.c, dom0_compute_nr_pages;
 * xen/arch/x86/pv/dom0_build.c, dom0_construct_pv; xen/arch/x86/hvm/dom0_build.c). What Xen takes for itself differs from
 * machine to machine, so most answers are for a span. No initrd is reckoned with.
 */
import { orderOf } from '../memory.js';
import type { XenParse } from './parse.js';

const PAGE = 0x1000n;
const MIB = 0x10_0000n;
const GIB4 = 0x1_0000_0000n;

/** What Xen itself takes, in bytes: seldom less, about (asked of 4.17 with 128 MiB), seldom more. */
export const XEN_TAKES = { least: 24n * MIB, about: 44n * MIB, most: 96n * MIB } as const;
/** Which of these is reckoned with. */
export type Takes = keyof typeof XEN_TAKES;

/** Where a machine of more memory than that may have a hole for devices in its first 4 GiB. */
const HOLE = 0xc000_0000n;

const up = (value: bigint, unit: bigint): bigint => (value + unit - 1n) & -unit;

/** Bytes of memory for dom0: what is free, less a sixteenth, which is 128 MiB at most. */
export function dom0Memory(memory: bigint, takes: Takes): bigint {
  const free = memory > XEN_TAKES[takes] ? memory - XEN_TAKES[takes] : 0n;
  const kept = free / 16n;
  return free - (kept < 128n * MIB ? kept : 128n * MIB);
}

/** The least memory of a machine on which dom0 surely gets so much. */
export function machineFor(bytes: bigint): bigint {
  const sixteenth = (bytes * 16n + 14n) / 15n;
  return XEN_TAKES.most + (sixteenth - bytes < 128n * MIB ? sixteenth : bytes + 128n * MIB);
}

/**
 * Pages that a PV dom0 is to have. A kernel that does not name a place for its table of them needs address space behind the
 * initial area as long as that is; where there is not so much the number is cut, to one that may be larger than the machine.
 */
export function pvPages(
  { is64, addresses: { virtBase, kend }, parameters }: XenParse,
  memory: bigint,
  takes: Takes,
): bigint {
  const pages = dom0Memory(memory, takes) / PAGE;
  if (parameters.initP2m !== undefined) return pages;
  const word = is64 ? 8n : 4n;
  const last = is64 ? 1n << 64n : 1n << 32n;
  const image = up(kend, PAGE);
  const end = image + pages * word;
  const doubled = end > virtBase ? end + end - virtBase : end;
  return doubled <= last && doubled > virtBase ? pages : BigInt.asUintN(64, (last - image) / (2n * word));
}

/** How many tables of so many bits of address a range takes. */
const tables = (start: bigint, end: bigint, bits: bigint): bigint =>
  (up(end, 1n << bits) - (start & -(1n << bits))) >> bits;

/** The end of the initial area of a PV dom0: kernel, table of pages, start info, page tables, stack, and half a MiB or more to spare. */
export function areaEnd({ is64, addresses: { virtBase, kend }, parameters }: XenParse, pages: bigint): bigint {
  const word = is64 ? 8n : 4n;
  const table = is64 && parameters.initP2m !== undefined ? 0n : pages * word;
  const tablesAt = up(up(kend, PAGE) + table, PAGE) + PAGE;
  for (let count = 2n; ; ) {
    const stackEnd = tablesAt + (count + 1n) * PAGE;
    const full = up(stackEnd, 4n * MIB);
    const end = full - stackEnd < MIB / 2n ? full + 4n * MIB : full;
    const upper = is64 ? 1n + tables(virtBase, end, 39n) + tables(virtBase, end, 30n) : tables(virtBase, end, 39n) + 4n;
    const needed = upper + tables(virtBase, end, 21n);
    if (needed <= count) return end;
    count = needed;
  }
}

/** The initial area is one piece of memory: a power of two of pages, in bytes. */
export function pieceOf(parse: XenParse, pages: bigint): bigint {
  return orderOf(BigInt.asUintN(64, areaEnd(parse, pages) - parse.addresses.virtBase)) * PAGE;
}

/** How a PV dom0 fares: `small`: it is not to have so many pages; `torn`: nowhere is so much free in one aligned piece. */
export function pvFit(parse: XenParse, memory: bigint, takes: Takes): 'good' | 'small' | 'torn' {
  const pages = pvPages(parse, memory, takes);
  const piece = pieceOf(parse, pages);
  if (piece > pages * PAGE) return 'small';
  const low = memory < HOLE ? memory : HOLE;
  // The first piece has what a PC keeps at 0; Xen sits at the end of what is below 4 GiB.
  const isThere = 2n * piece <= low - XEN_TAKES[takes] || piece <= (memory < HOLE ? 0n : memory - HOLE);
  return isThere ? 'good' : 'torn';
}

/** The least memory of a machine for a PV dom0: memory itself makes its piece larger; undefined where none is enough. */
export function pvNeeds(parse: XenParse): bigint | undefined {
  let machine = 0n;
  for (let round = 0; round < 16; round++) {
    const piece = pieceOf(parse, pvPages(parse, machine, 'least'));
    const next = 2n * piece + XEN_TAKES.most;
    if (next > 1n << 46n) return undefined;
    if (next <= machine) return machine;
    // Behind the hole for devices the piece has to be found whole again.
    machine = next <= HOLE ? next : HOLE + (piece > HOLE / 2n ? piece : HOLE / 2n) + XEN_TAKES.most;
  }
  return undefined;
}

/** The least memory with which the initial area is so long that it ends behind the address; undefined where none makes it so. */
export function memoryForArea(parse: XenParse, end: bigint): bigint | undefined {
  const reaches = (memory: bigint) => areaEnd(parse, pvPages(parse, memory, 'most')) >= end;
  let [low, high] = [0n, 1n << 24n];
  if (!reaches(high * MIB)) return undefined;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (reaches(middle * MIB)) high = middle;
    else low = middle;
  }
  return high * MIB;
}

/** A PVH dom0 has the memory that the machine has, up to its share; how sure that is for a range. */
export type Placement = 'memory' | 'unsure' | 'none' | 'hole';

/** Where a PC has none: display and ROMs. */
const ROMS = { start: 0xa_0000n, end: MIB } as const;
/** Up to here machines with so much memory have it without a hole above 1 MiB. */
const SURE = 0xa000_0000n;

/** What a PVH dom0 finds there. Some of its share goes to page tables. */
export function pvhPlacement(memory: bigint, start: bigint, end: bigint): Placement {
  if (start < ROMS.end && end > ROMS.start) return 'hole';
  const share = (takes: Takes): bigint => {
    const has = dom0Memory(memory, takes);
    // Two MiB for each 256 MiB, and one for each processor.
    const paging = has / 128n + MIB;
    return has > paging ? has - paging + (ROMS.end - ROMS.start) : 0n;
  };
  const [sure, most] = [share('most'), share('least')];
  if (end <= (sure < SURE ? sure : SURE)) return 'memory';
  if (memory <= SURE) return end <= most ? 'unsure' : 'none';
  const low = most < GIB4 ? most : GIB4;
  return end <= low || (start >= GIB4 && end <= GIB4 + memory) ? 'unsure' : 'none';
}
