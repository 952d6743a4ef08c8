/** Laws of the program header table (gABI, "Program Header"). */
import { isAlignment } from '../../base/bytes/align.js';
import { compare, contains, type Range, rangeOf } from '../../base/bytes/range.js';
import { fits } from '../../base/bytes/source.js';
import { hex, hexRange } from '../../base/errors/hex.js';
import type { Phdr } from '../../formats/elf/headers.js';
import { addressSpace, segmentFileRange } from '../../formats/elf/image.js';
import { PT_INTERP, PT_LOAD, PT_PHDR, segmentTypeName } from '../../formats/elf/names.js';
import type { KeyedViolation, Violation } from '../check.js';
import type { ElfCheck } from './elf-check.js';
import { type Subject, segmentPart } from './subject.js';

/** Checks of the program header table. */
export const segmentChecks: readonly ElfCheck[] = [
  {
    name: 'segment-in-file',
    invariant: 6,
    needs: 'image',
    because: 'a loader copies p_filesz bytes from p_offset',
    *run({ image, fileSize }) {
      for (const [index, { p_offset, p_filesz }] of image.segments.entries()) {
        if (p_filesz === 0n || fits(p_offset, p_filesz, fileSize)) continue;
        const text = `its bytes are ${hexRange(p_offset, p_offset + p_filesz)}, the file ends at ${hex(fileSize)}`;
        yield { offset: p_offset, part: segmentPart(index), text };
      }
    },
  },
  {
    name: 'load-sizes',
    invariant: 7,
    needs: 'image',
    because: 'a loader makes room for p_memsz bytes and copies p_filesz into it',
    *run({ loads }) {
      for (const { index, segment } of loads) {
        const { p_filesz, p_memsz } = segment;
        if (p_filesz <= p_memsz) continue;
        yield at(index, segment, `p_filesz is ${hex(p_filesz)}, wanted at most p_memsz, ${hex(p_memsz)}`);
      }
    },
  },
  {
    name: 'segment-alignment',
    invariant: 8,
    needs: 'image-or-not-worse',
    because: 'readers round by masking with p_align - 1',
    *run({ image }) {
      for (const [index, segment] of image.segments.entries()) {
        const { p_align } = segment;
        if (isAlignment(p_align)) continue;
        const text = `p_align is ${hex(p_align)}, wanted 0 or a power of two`;
        yield { ...at(index, segment, text), key: `${identity(segment)} ${p_align}` };
      }
    },
  },
  {
    name: 'load-congruence',
    invariant: 8,
    needs: 'image-or-not-worse',
    because: 'a loader that maps pages needs file offset and address equal within a page',
    *run({ loads }) {
      for (const { index, segment } of loads) {
        const { p_offset, p_vaddr, p_align } = segment;
        if (p_align <= 1n || (p_offset - p_vaddr) % p_align === 0n) continue;
        const text = `p_offset ${hex(p_offset)} and p_vaddr ${hex(p_vaddr)} differ modulo p_align ${hex(p_align)}`;
        const residue = (((p_offset - p_vaddr) % p_align) + p_align) % p_align;
        yield { ...at(index, segment, text), key: `${identity(segment)} ${p_align} ${residue}` };
      }
    },
  },
  {
    name: 'load-overlap',
    invariant: 9,
    needs: 'image-or-not-worse',
    because: 'where LOADs overlap, the order of loading decides what memory holds; some loaders refuse',
    *run(subject) {
      yield* loadOverlaps(subject, 'virtual', (s) => s.p_vaddr);
      yield* loadOverlaps(subject, 'physical', (s) => s.p_paddr);
    },
  },
  {
    name: 'address-wrap',
    invariant: 10,
    needs: 'image',
    because: 'an end of segment beyond the address space is a small address to a reader that adds in fixed width',
    *run({ image }) {
      const space = addressSpace(image.encoding);
      for (const [index, segment] of image.segments.entries()) {
        for (const field of ['p_vaddr', 'p_paddr'] as const) {
          if (field === 'p_paddr' && segment.p_type !== PT_LOAD) continue;
          const end = segment[field] + segment.p_memsz;
          if (end <= space) continue;
          yield at(index, segment, `${field} + p_memsz is ${hex(end)}, wanted at most ${hex(space)}`);
        }
      }
    },
  },
  {
    name: 'leading-entries',
    invariant: 11,
    needs: 'image-or-not-worse',
    because: 'PT_PHDR and PT_INTERP are wanted in front of every PT_LOAD',
    *run({ image, loads }) {
      const firstLoad = loads[0]?.index ?? image.segments.length;
      for (const [index, segment] of image.segments.entries()) {
        if (index < firstLoad || (segment.p_type !== PT_PHDR && segment.p_type !== PT_INTERP)) continue;
        const text = `${segmentTypeName(segment.p_type)} stands behind the PT_LOAD of program header ${firstLoad}`;
        yield { ...at(index, segment, text), key: identity(segment) };
      }
    },
  },
  {
    name: 'phdr-segment',
    invariant: 12,
    needs: 'image',
    because: 'a program finds its own program headers through PT_PHDR, in memory',
    run: phdrSegment,
  },
];

function at(index: number, { p_offset }: Phdr, text: string): Violation {
  return { offset: p_offset, part: segmentPart(index), text };
}

/** What stays the same about an entry when others are put around it. */
function identity({ p_type, p_vaddr, p_paddr }: Phdr): string {
  return `${p_type} ${p_vaddr} ${p_paddr}`;
}

/**
 * Each LOAD against the one in front of it that reaches farthest: every LOAD that overlaps an earlier one is one
 * finding, so 70,000 segments over the same page make 70,000 findings, not their square.
 */
function* loadOverlaps({ loads }: Subject, kind: string, address: (s: Phdr) => bigint): Generator<KeyedViolation> {
  const memory = loads
    .map(({ index, segment }) => ({ index, segment, range: rangeOf(address(segment), segment.p_memsz) }))
    .filter(({ range }) => range.start < range.end)
    .sort((a, b) => compare(a.range.start, b.range.start) || a.index - b.index);
  let farthest = memory[0];
  for (const next of memory.slice(1)) {
    if (farthest !== undefined && next.range.start < farthest.range.end) {
      const [one, other] = [farthest, next];
      // Only what is told, or compared with a baseline, is put into words.
      yield {
        offset: next.segment.p_offset,
        part: segmentPart(next.index),
        get text() {
          return `its ${kind} addresses ${show(other.range)} overlap ${show(one.range)} of program header ${one.index}`;
        },
        get key() {
          return `${kind} ${identity(one.segment)} / ${identity(other.segment)}`;
        },
      };
    }
    if (farthest === undefined || next.range.end > farthest.range.end) farthest = next;
  }
}

function show({ start, end }: Range): string {
  return hexRange(start, end);
}

function* phdrSegment({ image, phdrs, loads }: Subject): Generator<Violation> {
  const size = phdrs.end - phdrs.start;
  // Where LOADs put the table: an image may have tens of thousands of both kinds.
  const addresses = new Set(
    loads.flatMap(({ segment: load }) => {
      if (!contains(segmentFileRange(load), phdrs)) return [];
      const address = load.p_vaddr + (phdrs.start - load.p_offset);
      return contains(rangeOf(load.p_vaddr, load.p_memsz), rangeOf(address, size)) ? [address] : [];
    }),
  );
  for (const [index, segment] of image.segments.entries()) {
    if (segment.p_type !== PT_PHDR) continue;
    const { p_offset, p_filesz, p_memsz, p_vaddr } = segment;
    if (isLonger(segment, phdrs) && addresses.has(p_vaddr)) {
      const text = `p_filesz is ${hex(p_filesz)}, more than the program header table has, ${hex(size)} bytes`;
      yield { ...at(index, segment, text), level: 'warning' };
    } else if (p_offset !== phdrs.start || p_filesz !== size || p_memsz !== size) {
      const found = `found offset ${hex(p_offset)}, p_filesz ${hex(p_filesz)}, p_memsz ${hex(p_memsz)}`;
      yield at(index, segment, `${found}, wanted the program header table: ${hex(phdrs.start)}, ${hex(size)} bytes`);
    } else if (!addresses.has(p_vaddr)) {
      yield at(index, segment, `no PT_LOAD puts the program header table at ${hex(p_vaddr)}`);
    }
  }
}

/**
 * A PT_PHDR that begins with the table and ends behind it. ld.lld 14 and rust-lld write it where they drop an entry at the
 * end; readers take its address and count by AT_PHNUM or e_phnum.
 */
function isLonger({ p_offset, p_filesz, p_memsz }: Phdr, { start, end }: Range): boolean {
  return p_offset === start && p_filesz === p_memsz && p_filesz > end - start;
}
