/** Laws of the section header table (gABI, "Section Header", "String Table"). */
import { isAlignment } from '../../base/bytes/align.js';
import { normalize, type Range, rangeAt, rangeOf } from '../../base/bytes/range.js';
import { fits } from '../../base/bytes/source.js';
import { hex, hexRange } from '../../base/errors/hex.js';
import { type ElfImage, hasFileBytes, isAllocated } from '../../formats/elf/image.js';
import { SHF_INFO_LINK, SHT_REL, SHT_RELA, SHT_STRTAB } from '../../formats/elf/names.js';
import type { KeyedViolation, Violation } from '../check.js';
import type { ElfCheck } from './elf-check.js';
import { isRealSection, type Subject, sectionPart } from './subject.js';

/** Checks of the section header table. */
export const sectionChecks: readonly ElfCheck[] = [
  {
    name: 'section-in-file',
    invariant: 23,
    needs: 'image',
    because: 'strip, objcopy and debuggers copy sh_size bytes from sh_offset',
    *run({ image, fileSize }) {
      for (const [index, section] of image.sections.entries()) {
        const { sh_offset, sh_size } = section;
        if (!hasFileBytes(section) || fits(sh_offset, sh_size, fileSize)) continue;
        const text = `its bytes are ${hexRange(sh_offset, sh_offset + sh_size)}, the file ends at ${hex(fileSize)}`;
        yield { offset: sh_offset, part: sectionPart(image, index), text };
      }
    },
  },
  {
    name: 'section-alignment',
    invariant: 24,
    needs: 'image',
    because: 'tools round by masking with sh_addralign - 1',
    *run({ image }) {
      for (const [index, { sh_offset, sh_addralign }] of image.sections.entries()) {
        if (!isRealSection(image, index) || isAlignment(sh_addralign)) continue;
        const text = `sh_addralign is ${hex(sh_addralign)}, wanted 0 or a power of two`;
        yield { offset: sh_offset, part: sectionPart(image, index), text };
      }
    },
  },
  {
    name: 'section-address',
    invariant: 24,
    needs: 'image-or-not-worse',
    because: 'a tool that lays the image out again moves a section whose address does not fit its alignment',
    *run({ image }) {
      for (const [index, section] of image.sections.entries()) {
        const { sh_offset, sh_addr, sh_addralign } = section;
        if (!isRealSection(image, index) || !isAllocated(section)) continue;
        if (sh_addralign <= 1n || sh_addr % sh_addralign === 0n) continue;
        const text = `sh_addr is ${hex(sh_addr)}, wanted a multiple of sh_addralign, ${hex(sh_addralign)}`;
        const key = `${index} ${sh_addr} ${sh_addralign}`;
        yield { offset: sh_offset, part: sectionPart(image, index), text, key };
      }
    },
  },
  {
    name: 'section-follows-load',
    invariant: 25,
    needs: 'image-or-not-worse',
    because: 'strip and objcopy rebuild a segment from its sections: one that is off goes to the wrong address',
    run: sectionFollowsLoad,
  },
  {
    name: 'section-links',
    invariant: 26,
    needs: 'image',
    because: 'sh_link and sh_info lead readers to string tables, symbol tables and relocated sections by index',
    *run({ image }) {
      const count = image.sections.length;
      for (const [index, section] of image.sections.entries()) {
        if (!isRealSection(image, index)) continue;
        const { sh_offset, sh_link, sh_info, sh_type, sh_flags } = section;
        const infoIsIndex = sh_type === SHT_REL || sh_type === SHT_RELA || (sh_flags & SHF_INFO_LINK) !== 0n;
        for (const [field, found] of [['sh_link', sh_link] as const, ['sh_info', infoIsIndex ? sh_info : 0] as const]) {
          if (found < count) continue;
          const text = `${field} is ${found}, wanted an index below ${count}`;
          yield { offset: sh_offset, part: sectionPart(image, index), text };
        }
      }
    },
  },
  {
    name: 'section-names',
    invariant: 26,
    needs: 'image',
    because: 'tools find sections by their names',
    run: sectionNames,
  },
];

/** Where LOADs put which addresses, by the distance between file offset and address. */
function* sectionFollowsLoad({ image, loads }: Subject): Generator<KeyedViolation> {
  const byDistance = new Map<bigint, Range[]>();
  for (const { segment } of loads) {
    const distance = segment.p_offset - segment.p_vaddr;
    const ranges = byDistance.get(distance) ?? [];
    ranges.push(rangeOf(segment.p_vaddr, segment.p_memsz));
    byDistance.set(distance, ranges);
  }
  const anywhere = normalize([...byDistance.values()].flat());
  const sorted = new Map([...byDistance].map(([distance, ranges]) => [distance, normalize(ranges)]));

  for (const [index, section] of image.sections.entries()) {
    const { sh_addr, sh_offset, sh_size } = section;
    if (!isAllocated(section) || !hasFileBytes(section)) continue;
    if (rangeAt(anywhere, sh_addr) === undefined) continue;
    const home = rangeAt(sorted.get(sh_offset - sh_addr) ?? [], sh_addr);
    if (home !== undefined && sh_addr + sh_size <= home.end) continue;
    const text = `no PT_LOAD puts file offset ${hex(sh_offset)} at its address ${hex(sh_addr)}`;
    yield { offset: sh_offset, part: sectionPart(image, index), text, key: `${index} ${sh_addr} ${sh_size}` };
  }
}

function* sectionNames({ image, fileSize }: Subject): Generator<Violation> {
  if (image.shstrndx === 0 || image.sections.length === 0) return;
  const part = 'section-name table';
  const table = image.sections[image.shstrndx];
  if (table === undefined) {
    yield { part, text: `e_shstrndx is ${image.shstrndx}, wanted an index below ${image.sections.length}` };
    return;
  }
  const { sh_offset, sh_size, sh_type } = table;
  if (sh_type !== SHT_STRTAB) {
    yield { offset: sh_offset, part, text: `sh_type is ${hex(sh_type)}, wanted SHT_STRTAB (${hex(SHT_STRTAB)})` };
    return;
  }
  // Bytes outside the file are the finding of section-in-file.
  if (!fits(sh_offset, sh_size, fileSize)) return;
  const end = endOfLastString(image, sh_offset, sh_size);
  for (const [index, { sh_name }] of image.sections.entries()) {
    if (BigInt(sh_name) < end || sh_name === 0) continue;
    const text = `sh_name is ${hex(sh_name)}, wanted the start of a string in ${hex(end)} bytes of names`;
    yield { offset: sh_offset, part: sectionPart(image, index), text };
  }
}

/** Bytes of the table up to its last NUL, that one included: a string that starts there has an end. */
function endOfLastString({ source }: ElfImage, offset: bigint, size: bigint): bigint {
  const block = new Uint8Array(4096);
  let end = size;
  while (end > 0n) {
    const piece = end < BigInt(block.length) ? block.subarray(0, Number(end)) : block;
    const start = end - BigInt(piece.length);
    source.readInto(offset + start, piece, 'section-name table');
    const nul = piece.lastIndexOf(0);
    if (nul >= 0) return start + BigInt(nul) + 1n;
    end = start;
  }
  return 0n;
}
