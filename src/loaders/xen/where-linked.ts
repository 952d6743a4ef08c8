/**
 * Is what Xen loads where it was linked? PT_LOADs are copied to the places that p_paddr says, and nobody compares: a kernel whose
 * data lies elsewhere than its code looks for it is started, and lost. Linked places are told by p_vaddr and by the allocated
 * sections, where there are any.
 */

import { compare } from '../../base/bytes/range.js';
import { countWhile } from '../../base/bytes/sorted.js';
import { hex } from '../../base/errors/hex.js';
import type { Phdr, Shdr } from '../../formats/elf/headers.js';
import { isAllocated } from '../../formats/elf/image.js';
import { SHF_EXECINSTR, SHF_TLS, SHF_WRITE, SHT_NOBITS, SHT_PROGBITS } from '../../formats/elf/names.js';
import { hasPhysical, hasVirtual } from '../read/file-bytes.js';
import { lost, type Rule, warn } from '../rule.js';
import type { XenParse } from './parse.js';

const LOAD = 'xen/common/libelf/libelf-loader.c, elf_load_binary';

const MIB = 0x10_0000n;
const PAGE = 0x1000n;

/**
 * Code and data that were linked nearer to each other than this find each other by their distance. A PT_LOAD farther off is
 * one that the kernel takes to its place itself, as Linux does with its data of each CPU, linked at 0, or maps there, as a kernel
 * does whose first instructions are linked at their physical address and the rest elsewhere.
 */
const NEAR = 0x800_0000n;

const wrapped = (value: bigint) => BigInt.asUintN(64, value);

/** What is added to a physical address of the image to have the address at which it is loaded. */
export function loadOffset({ hvm, addresses: { virtBase, paddrOffset } }: XenParse): bigint {
  return hvm ? 0n : wrapped(virtBase - paddrOffset);
}

/** The entry that is gone by: physical in an HVM container. */
export function enteredAt({ hvm, parameters, addresses }: XenParse): bigint {
  return hvm ? (parameters.physEntry ?? addresses.entry) : addresses.entry;
}

/** The PT_LOAD with the file byte that is entered. */
function homeOf(parse: XenParse): Phdr | undefined {
  const at = wrapped(enteredAt(parse) - loadOffset(parse));
  return parse.loadable.find((s) => hasPhysical(s, at));
}

const LINKED_TOGETHER: Rule<XenParse> = {
  name: 'loaded-as-linked',
  source: LOAD,
  because:
    'each PT_LOAD goes where its own p_paddr says: one that is not as far from the code as it was linked is not found',
  run(parse) {
    const home = homeOf(parse);
    if (home === undefined) return undefined;
    const shift = wrapped(home.p_paddr - home.p_vaddr);
    const offset = loadOffset(parse);
    const astray = parse.loadable.find((s) => {
      // At the very address that it was linked for: code that names it by its address finds it, wherever that code is.
      if (wrapped(s.p_paddr + offset) === s.p_vaddr) return false;
      const distance = s.p_vaddr > home.p_vaddr ? s.p_vaddr - home.p_vaddr : home.p_vaddr - s.p_vaddr;
      const expected = wrapped(s.p_vaddr + shift);
      // Below 1 MiB lives what a kernel copies there itself, to start further CPUs.
      return s.p_memsz > 0n && distance < NEAR && expected !== s.p_paddr && expected >= MIB;
    });
    if (astray === undefined) return undefined;
    const { p_paddr, p_vaddr } = astray;
    const expected = wrapped(p_vaddr + shift);
    return lost(
      `the PT_LOAD linked at ${hex(p_vaddr)} is loaded at p_paddr ${hex(p_paddr)}, and with the code that is entered it belongs at ${hex(expected)}`,
    );
  },
};

const ENTRY_AS_LINKED: Rule<XenParse> = {
  name: 'entry-as-linked',
  source: LOAD,
  because: 'PADDR_OFFSET and VIRT_BASE move the whole image, and not the entry: it may then be in other code',
  run(parse) {
    const home = homeOf(parse);
    if (parse.hvm || home === undefined) return undefined;
    const entry = enteredAt(parse);
    const moved = wrapped(home.p_paddr + loadOffset(parse) - home.p_vaddr);
    const isLinked = parse.loadable.some((s) => hasVirtual(s, entry));
    if (moved === 0n || !isLinked) return undefined;
    return lost(
      `VIRT_BASE and PADDR_OFFSET load what was linked at ${hex(home.p_vaddr)} at ${hex(wrapped(home.p_vaddr + moved))}: the entry ${hex(entry)} is not the code that was linked there`,
    );
  },
};

/** PT_LOADs by linked address, for the one that has an address. */
class Linked {
  readonly #sorted: readonly Phdr[];
  /** Of the first n: the one that reaches farthest. */
  readonly #reach: readonly Phdr[];

  constructor(segments: readonly Phdr[]) {
    this.#sorted = segments.filter(({ p_memsz }) => p_memsz > 0n).sort((a, b) => compare(a.p_vaddr, b.p_vaddr));
    let far: Phdr | undefined;
    this.#reach = this.#sorted.map((s) => {
      if (far === undefined || s.p_vaddr + s.p_memsz > far.p_vaddr + far.p_memsz) far = s;
      return far;
    });
  }

  /** Those that may hold the address: the nearest below, and the farthest reaching. */
  around(address: bigint): Phdr[] {
    const at = this.#upTo(address) - 1;
    const both = [this.#sorted[at], this.#reach[at]];
    return both.flatMap((s) => (s !== undefined && address - s.p_vaddr < s.p_memsz ? [s] : []));
  }

  /** The end of the page in which the last one in front of the address ends. */
  pageEndBefore(address: bigint): bigint {
    const before = this.#reach[this.#upTo(address) - 1];
    return before === undefined ? 0n : (before.p_vaddr + before.p_memsz + PAGE - 1n) & -PAGE;
  }

  /** How many of them begin at the address or in front of it. */
  #upTo(address: bigint): number {
    return countWhile(this.#sorted, ({ p_vaddr }) => p_vaddr <= address);
  }
}

/** Does the code rely on this section? What is only read can be a table of the tools, which no PT_LOAD has. */
function isNeeded(s: Shdr): boolean {
  if (!isAllocated(s) || (s.sh_flags & SHF_TLS) !== 0n || s.sh_size === 0n) return false;
  return (s.sh_flags & (SHF_WRITE | SHF_EXECINSTR)) !== 0n && (s.sh_type === SHT_PROGBITS || s.sh_type === SHT_NOBITS);
}

const SECTIONS_LOADED: Rule<XenParse> = {
  name: 'sections-loaded',
  source: LOAD,
  because: 'sections are not asked; what they say of code and data has to be what the PT_LOADs do',
  run({ image, loadable, hvm }) {
    const linked = new Linked(loadable);
    for (const [index, s] of image.sections.entries()) {
      if (!isNeeded(s)) continue;
      const what = `section ${index}, linked at ${hex(s.sh_addr)},`;
      const homes = linked.around(s.sh_addr);
      const [home] = homes;
      if (s.sh_type === SHT_NOBITS) {
        if (homes.some((p) => s.sh_addr + s.sh_size <= p.p_vaddr + p.p_memsz)) continue;
        // A PV guest has its table of pages and its start info there, from the next page on; a PVH guest may have nothing.
        const isTaken = !hvm && s.sh_addr + s.sh_size > linked.pageEndBefore(s.sh_addr);
        if (isTaken)
          return lost(`${what} is memory of no PT_LOAD: behind the image are Xen's own tables for the guest`);
        return warn(`${what} is memory of no PT_LOAD: it works only while nothing else is there`);
      }
      if (home === undefined) return lost(`${what} is in no PT_LOAD that Xen loads`);
      const loaded = homes.some(
        (p) => s.sh_offset - p.p_offset === s.sh_addr - p.p_vaddr && s.sh_addr + s.sh_size <= p.p_vaddr + p.p_filesz,
      );
      if (loaded) continue;
      const [file, memory] = [s.sh_offset - home.p_offset, s.sh_addr - home.p_vaddr];
      if (file === memory) return lost(`${what} ends behind the file bytes of its PT_LOAD`);
      return lost(
        `${what} is loaded ${hex(memory > file ? memory - file : file - memory)} bytes off: p_offset is shifted`,
      );
    }
    return undefined;
  },
};

/** Rules for what is loaded elsewhere than the code will look for it. */
export const WHERE_LINKED: readonly Rule<XenParse>[] = [LINKED_TOGETHER, ENTRY_AS_LINKED, SECTIONS_LOADED];
