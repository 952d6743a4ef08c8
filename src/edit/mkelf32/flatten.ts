/**
 * Several PT_LOADs as one stretch of bytes: each at its distance in physical memory from the lowest, the gaps filled with
 * zeros. This is what a loader makes of them in memory, so the one segment loads to the same contents.
 */

import { compare } from '../../base/bytes/range.js';
import { countWhile } from '../../base/bytes/sorted.js';
import { hex, hexRange } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import { type FileOffset, type Paddr, paddr, type Vaddr } from '../../formats/elf/address.js';
import type { Phdr } from '../../formats/elf/headers.js';
import { type ElfImage, loads } from '../../formats/elf/image.js';
import { refuseShort } from './checks.js';
import type { Part } from './container.js';

/** Zeros that a file may be filled up with. Above that an ELF with its own PT_LOADs is the better format. */
const ZEROS_LIMIT = 0x4000000n;

/** The PT_LOADs of an image as one stretch of bytes. Sizes and distances in bytes. */
export interface Flat {
  /** Physical address of the first byte in the input. */
  readonly base: Paddr;
  readonly fileSize: bigint;
  readonly memSize: bigint;
  readonly parts: readonly Part[];
  /** How far from the start the byte of a file range stands; undefined when no PT_LOAD holds all of the range. */
  distanceOfOffset(offset: FileOffset, size: bigint): bigint | undefined;
  /** How far from the start a virtual address is; the address behind the last byte of a PT_LOAD counts as its own. */
  distanceOfVaddr(address: Vaddr): bigint | undefined;
  /** The same question about a physical address. */
  distanceOfPaddr(address: Paddr): bigint | undefined;
}

/**
 * Lays the PT_LOADs out by physical address.
 * Errors: `mkelf32.unfit` for PT_LOADs that make no one segment, `mkelf32.short`.
 */
export function flatten(image: ElfImage): Flat {
  const file = image.source.name;
  const unfit = (what: string): never => fail('mkelf32.unfit', { file }, { what });
  const sorted = loads(image)
    .map(({ segment }) => segment)
    .filter(({ p_filesz, p_memsz }) => p_filesz > 0n || p_memsz > 0n)
    .sort((a, b) => compare(a.p_paddr, b.p_paddr));
  const [first] = sorted;
  if (first === undefined) return unfit('found no PT_LOAD with contents, wanted at least one');

  const base = paddr(first.p_paddr);
  const parts: Part[] = [];
  let fileSize = 0n;
  let memSize = 0n;
  let zeros = 0n;
  for (const { p_offset, p_paddr, p_filesz, p_memsz } of sorted) {
    const start = p_paddr - base;
    const range = hexRange(p_paddr, p_paddr + p_memsz);
    if (p_filesz > p_memsz)
      unfit(`the PT_LOAD for ${range} has ${hex(p_filesz)} bytes of file, wanted no more than memory`);
    if (start < memSize)
      unfit(`the PT_LOAD for ${range} overlaps the one in front, which ends at ${hex(base + memSize)}`);
    refuseShort(image.source, p_offset, p_filesz, 'load segment');
    if (p_filesz > 0n) {
      zeros += start - fileSize;
      if (zeros > ZEROS_LIMIT) {
        unfit(`${hex(zeros)} bytes lie between the PT_LOADs up to ${range}, wanted at most ${hex(ZEROS_LIMIT)}`);
      }
      if (start > fileSize) parts.push({ kind: 'zeros', what: 'gap', size: start - fileSize });
      parts.push({ kind: 'copy', what: 'load segment', from: p_offset, size: p_filesz });
      fileSize = start + p_filesz;
    }
    memSize = start + p_memsz;
  }
  const find = (key: 'p_offset' | 'p_vaddr' | 'p_paddr', size: 'p_filesz' | 'p_memsz') => {
    const holder = finder(sorted, key, size);
    return (at: bigint, length: bigint) => {
      const load = holder(at, length);
      return load === undefined ? undefined : at - load[key] + load.p_paddr - base;
    };
  };
  const byVaddr = find('p_vaddr', 'p_memsz');
  const byPaddr = find('p_paddr', 'p_memsz');
  return {
    base,
    fileSize,
    memSize,
    parts,
    distanceOfOffset: find('p_offset', 'p_filesz'),
    distanceOfVaddr: (address) => byVaddr(address, 0n),
    distanceOfPaddr: (address) => byPaddr(address, 0n),
  };
}

/** Finds the load whose range holds another one, in logarithmic time: sections and symbols are many. */
function finder(
  all: readonly Phdr[],
  key: 'p_offset' | 'p_vaddr' | 'p_paddr',
  size: 'p_filesz' | 'p_memsz',
): (at: bigint, length: bigint) => Phdr | undefined {
  const sorted = all.filter((load) => load[size] > 0n).sort((a, b) => compare(a[key], b[key]));
  return (at, length) => {
    const load = sorted[countWhile(sorted, (one) => one[key] <= at) - 1];
    return load !== undefined && at - load[key] + length <= load[size] ? load : undefined;
  };
}
