/**
 * What has to change in the source or the link of a kernel where no edit of the file makes a loader take it: one row a rule,
 * with the addresses and the names of the file that was judged. Rules that mean the same have the same name in every loader.
 */
import { type ByteSource, fits } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { PT_INTERP } from '../../formats/elf/names.js';
import { findMb1 } from '../../formats/multiboot/mb1.js';
import { QEMU_MB1 } from '../../formats/multiboot/windows.js';
import { KERNEL_START as CROSVM_START } from '../../loaders/crosvm.js';
import { isOfFamily } from '../../loaders/names.js';
import { START as OPENVMM_START } from '../../loaders/openvmm.js';
import { hasElfMagic } from '../../loaders/read/lenient-elf.js';
import type { Verdict } from '../../loaders/rule.js';
import {
  damaged,
  elfHeader,
  firstOf,
  isOdd,
  linuxMark,
  machine,
  noElf,
  noSegments,
  notExecutable,
  oddHeader,
  otherwise,
} from './header-advice.js';
import { LinkFacts, type LinkRow, type Load, placeOf } from './link-facts.js';
import { MULTIBOOT_ADVICE, unseenHeader } from './multiboot-advice.js';
import { releaseAdvice } from './release-advice.js';

const PAGE = 0x1000n;
const MIB = 0x100000n;
const GIB4 = 0x1_0000_0000n;

const outside =
  ({ source }: LinkFacts) =>
  ({ p_offset, p_filesz }: Load) =>
    p_filesz > 0n && !fits(p_offset, p_filesz, source.size);

const cutShort: LinkRow = (facts) =>
  facts.about(
    outside(facts),
    (name, { p_offset, p_filesz }) =>
      `${name} has its bytes at ${hex(p_offset)} to ${hex(p_offset + p_filesz)} of a file of ${hex(facts.source.size)}: the file was cut short, so link or copy it again`,
  );

const longFile: LinkRow = (facts) =>
  facts.about(
    ({ p_filesz, p_memsz }) => p_filesz > p_memsz,
    (name, { p_filesz, p_memsz }) =>
      `${name} has p_filesz ${hex(p_filesz)} above p_memsz ${hex(p_memsz)}, which no linker writes: link it again, or undo what set them`,
  );

const wraps: LinkRow = (facts) => {
  const end = 1n << BigInt(facts.image.encoding.bits);
  return facts.about(
    ({ p_paddr, p_memsz }) => p_paddr + p_memsz > end,
    (name, load) =>
      `${name} would take ${placeOf(load)}, behind the last address: correct its size or its AT(…) in the linker script`,
  );
};

const tooHigh: LinkRow = (facts) =>
  facts.about(
    ({ p_paddr, p_memsz }) => p_paddr + p_memsz > GIB4,
    (name, load) =>
      `${name} goes to p_paddr ${placeOf(load)}, where no memory is: AT(ADDR(section) - base) in the linker script lowers it`,
  );

const overlapping =
  (unit: bigint): LinkRow =>
  (facts) => {
    const sorted = facts.loads
      .filter(({ p_memsz }) => p_memsz > 0n)
      .sort((a, b) => (a.p_paddr < b.p_paddr ? -1 : a.p_paddr > b.p_paddr ? 1 : a.index - b.index));
    for (const [at, next] of sorted.entries()) {
      const before = sorted[at - 1];
      if (before === undefined || up(before.p_paddr + before.p_memsz, unit) <= next.p_paddr) continue;
      const align = unit > 1n ? `, and start it at a page of its own: . = ALIGN(${hex(unit)})` : '';
      return `${facts.loadName(before)} takes ${placeOf(before)} and ${facts.loadName(next)} ${placeOf(next)}: move one of them in the linker script by its address or AT(…)${align}`;
    }
    return undefined;
  };

function up(value: bigint, unit: bigint): bigint {
  return ((value + unit - 1n) / unit) * unit;
}

/** The least p_paddr of a PT_LOAD. */
const LEAST: Readonly<Partial<Record<string, bigint>>> = { crosvm: CROSVM_START, openvmm: OPENVMM_START };

const tooLow: LinkRow = (facts) => {
  const least = LEAST[facts.verdict.loader];
  return least === undefined
    ? undefined
    : facts.about(
        ({ p_paddr }) => p_paddr < least,
        (name, { p_paddr }) =>
          `${name} goes to p_paddr ${hex(p_paddr)}, and ${facts.verdict.loader} takes ${hex(least)} or above: link the kernel there, or lift it by AT(…) in the linker script`,
      );
};

const lowest = ({ loads }: LinkFacts): Load | undefined =>
  loads
    .filter(({ p_memsz }) => p_memsz > 0n)
    .reduce<Load | undefined>((low, load) => (low === undefined || load.p_paddr < low.p_paddr ? load : low), undefined);

/** An e_entry of the other kind of address than the loader enters by. */
const entryOfOtherKind: LinkRow = (facts) => {
  const { e_entry } = facts.image.header;
  const entered = facts.verdict.values['entry'];
  if (entered !== undefined && entered !== e_entry) return undefined;
  const [by, wanted] = entersVirtually(facts) ? PHYSICAL_TO_VIRTUAL : VIRTUAL_TO_PHYSICAL;
  return facts.about(
    (load) => e_entry >= load[by] && e_entry - load[by] < load.p_filesz && load.p_vaddr !== load.p_paddr,
    (name, load) => {
      const meant = BigInt.asUintN(facts.image.encoding.bits, e_entry - load[by] + load[wanted]);
      const [is, enters] = by === 'p_vaddr' ? ['virtual', 'physical'] : ['physical', 'virtual'];
      return `e_entry ${hex(e_entry)} is the ${is} address of code in ${name}, and ${facts.verdict.loader} enters by ${enters} ones: link it by ld -e ${hex(meant)}, or by ENTRY(symbol) of a symbol that the linker script puts there`;
    },
  );
};

const VIRTUAL_TO_PHYSICAL = ['p_vaddr', 'p_paddr'] as const;
const PHYSICAL_TO_VIRTUAL = ['p_paddr', 'p_vaddr'] as const;

/** Loaders that set up the addresses of the link before they enter. */
const entersVirtually = ({ verdict: { loader, rule } }: LinkFacts): boolean =>
  isOfFamily(loader, 'pv') || (loader === 'limine' && rule === 'entry-in-a-segment');

/** An address that is entered, and no file bytes there. */
const entryOutside: LinkRow = (facts) => {
  const other = entryOfOtherKind(facts);
  if (other !== undefined) return other;
  const { header } = facts.image;
  const homes = facts.loads
    .filter(({ p_filesz }) => p_filesz > 0n)
    .slice(0, 3)
    .map(
      (load) =>
        `${facts.loadName(load)} at p_vaddr ${hex(load.p_vaddr)}, p_paddr ${hex(load.p_paddr)} to ${hex(load.p_paddr + load.p_filesz)}`,
    );
  return `the entry has to lie in the file bytes of a PT_LOAD (${homes.join('; ')}): correct the note that tells it (PHYS32_ENTRY, ENTRY), or e_entry ${hex(header.e_entry)} by ENTRY(symbol) in the linker script`;
};

/** The PT_LOAD that ends last, where the machine has not so much memory. */
const beyond: LinkRow = (facts) => {
  const high = facts.loads.reduce<Load | undefined>(
    (most, load) => (most === undefined || load.p_paddr + load.p_memsz > most.p_paddr + most.p_memsz ? load : most),
    undefined,
  );
  const { needsMemory } = facts.verdict;
  const more =
    needsMemory === undefined ? '' : `, or give it ${hex(needsMemory)} bytes of memory (--memory judges by that)`;
  return high === undefined
    ? undefined
    : `${facts.loadName(high)} takes ${placeOf(high)}, and the machine has not so much memory: lower it in the linker script by its address or AT(…)${more}`;
};

/** As far as the loader says that it is a matter of memory. */
const inMemory: LinkRow = (facts) => (facts.verdict.needsMemory === undefined ? undefined : beyond(facts));

const noLoads = (e_phnum: number) =>
  `none of its ${e_phnum} program headers is a PT_LOAD: link an executable, by ld without -r`;

/** Every PT_LOAD with both its addresses, and how they are made to agree. */
const addresses: LinkRow = (facts) => {
  const homes = facts.loads
    .filter(({ p_memsz }) => p_memsz > 0n)
    .slice(0, 4)
    .map((load) => `${facts.loadName(load)} at p_vaddr ${hex(load.p_vaddr)}, p_paddr ${hex(load.p_paddr)}`);
  return `${homes.join('; ')}: in the linker script give all of them the same distance between the two, by AT(ADDR(section) - base), and name what they hold in PHDRS`;
};

const HYPERCALL_PAGE_ADVICE =
  'HYPERCALL_PAGE has to be the address of a page that the code leaves to Xen: .balign 4096 and .skip 4096 behind a symbol hypercall_page; a kernel that asks for the page by itself has no such note';

const LOW_END = 0xffff_ffff_8000_0000n;

/** By the name of the rule. */
const ROWS: Readonly<Record<string, LinkRow>> = {
  'file-size': (facts) =>
    facts.source.size === 0n
      ? noElf(facts)
      : `the file has ${hex(facts.source.size)} bytes: strip --strip-debug leaves what is loaded`,
  'elf-magic': noElf,
  'not-compressed': linuxMark,
  'not-bzimage': linuxMark,
  header: (facts) => (hasElfMagic(facts.source) ? machine(facts) : noElf(facts)),
  'byte-order': machine,
  'elf-header': elfHeader,
  flags: ({ image: { header } }) =>
    `e_flags is ${hex(header.e_flags)}, and x86 has none: link it again, or undo what set them`,
  machine,
  class: machine,
  'guest-type': machine,
  type: notExecutable,
  'program-headers': firstOf((facts) => (facts.image.header.e_phnum === 0 ? noSegments(facts) : undefined), damaged),
  'program-headers-in-file': damaged,
  'section-headers-in-file': damaged,
  'segments-in-file': firstOf(
    cutShort,
    wraps,
    (facts) => {
      const { image, source } = facts;
      const bad = image.segments.findIndex((s) => s.p_filesz > 0n && !fits(s.p_offset, s.p_filesz, source.size));
      return bad < 0
        ? undefined
        : `program header ${bad} names bytes behind the end of a file of ${hex(source.size)}: link or copy it again`;
    },
    damaged,
  ),
  'sections-in-file': damaged,
  'tables-counted': damaged,
  'names-of-sections': damaged,
  'program-header-count': damaged,
  'program-header-size': ({ image: { header, encoding } }) =>
    encoding.bits === 32
      ? 'it is an ELF32, and this loader takes ELF64 alone: link it by ld -m elf_x86_64'
      : `e_phentsize is ${header.e_phentsize}, wanted 56: link it again, or undo what changed it`,
  'program-header-offset': noSegments,
  'entry-in-high-memory': ({ image: { header } }) =>
    `e_entry is ${hex(header.e_entry)}: name the start in the linker script by ENTRY(symbol), or by ld -e, and link it at ${hex(MIB)} or above`,
  'segments-and-notes': firstOf(cutShort, longFile, tooHigh, wraps, otherwise),
  segments: firstOf(
    ({ loads, image }) => (loads.length === 0 ? noLoads(image.header.e_phnum) : undefined),
    tooLow,
    cutShort,
    longFile,
    tooHigh,
    wraps,
    (facts) => inMemory(facts),
    otherwise,
  ),
  'segment-bytes-in-file': firstOf(cutShort, otherwise),
  'bytes-in-the-file': firstOf(cutShort, otherwise),
  'file-size-in-memory-size': longFile,
  'total-size': firstOf(wraps, tooHigh),
  'no-overlap': firstOf(overlapping(1n), overlapping(PAGE), (facts) =>
    facts.about(
      ({ p_paddr, p_memsz }) => p_paddr + p_memsz > GIB4 - 0x40000n,
      (name, load) => `${name} takes ${placeOf(load)}, where the firmware is: lower it in the linker script by AT(…)`,
    ),
  ),
  'pages-of-memory': (facts) =>
    facts.about(
      ({ p_paddr, p_memsz }) => p_memsz > 0n && p_paddr % PAGE !== 0n,
      (name, { p_paddr }) =>
        `${name} begins at p_paddr ${hex(p_paddr)}: in the linker script put . = ALIGN(${hex(PAGE)}); in front of its first section`,
    ) ?? tooHigh(facts),
  'no-interpreter': (facts) => {
    const at = facts.image.segments.findIndex(({ p_type }) => p_type === PT_INTERP);
    return `program header ${at} is a PT_INTERP: link the kernel by ld -static --no-dynamic-linker, without shared libraries`;
  },
  'segments-copied': firstOf(longFile, (facts) => {
    const low = lowest(facts);
    return low === undefined
      ? undefined
      : `${facts.loadName(low)} lies at p_paddr ${placeOf(low)}: with VIRT_BASE and PADDR_OFFSET as the notes say, a PT_LOAD would stand at an address that does not exist`;
  }),
  'entry-in-bounds': (facts) => {
    const ends = facts.loads.map(
      (load) => `${facts.loadName(load)} at p_vaddr ${hex(load.p_vaddr)}, p_paddr ${placeOf(load)}`,
    );
    return `${ends.join('; ')}: the addresses in the notes do not lie in them; correct the link (AT(…), ENTRY) or the notes VIRT_BASE, PADDR_OFFSET and ENTRY`;
  },
  'clear-of-xen': (facts) => {
    const low = lowest(facts);
    return `Xen keeps 0xffff800000000000 to 0xffff880000000000 for itself: link the kernel at 0xffffffff80000000 or above${low === undefined ? '' : `; ${facts.loadName(low)} is at p_vaddr ${hex(low.p_vaddr)}`}`;
  },
  'virt-base-page-aligned': (facts) => {
    const low = lowest(facts);
    return `VIRT_BASE has to be a multiple of ${hex(PAGE)}${low === undefined ? '' : `; ${facts.loadName(low)} is at p_vaddr ${hex(low.p_vaddr)}, p_paddr ${hex(low.p_paddr)}, so it would be ${hex(BigInt.asUintN(64, low.p_vaddr - low.p_paddr))}`}`;
  },
  'start-page-aligned': (facts) => {
    const low = lowest(facts);
    return low === undefined
      ? undefined
      : `${facts.loadName(low)} begins at p_paddr ${hex(low.p_paddr)}: in the linker script put . = ALIGN(${hex(PAGE)}); in front of its first section`;
  },
  'image-in-memory': (facts) => {
    const low = lowest(facts);
    return low === undefined
      ? undefined
      : `${facts.loadName(low)} takes ${placeOf(low)}: link the kernel at ${hex(MIB)} or above; one that runs anywhere says so by the note PHYS32_RELOC, since Xen 4.19`;
  },
  'segments-apart': firstOf(overlapping(1n), wraps, addresses),
  'loaded-as-linked': addresses,
  'entry-as-linked': addresses,
  'sections-loaded': addresses,
  'hypercall-page-in-area': () => HYPERCALL_PAGE_ADVICE,
  'hypercall-page-usable': () => HYPERCALL_PAGE_ADVICE,
  'p2m-outside-image': () =>
    'INIT_P2M has to be an address outside of the image; without the note the table follows the kernel',
  'code-in-file': () =>
    'this is a file of debug information (objcopy --only-keep-debug): give the kernel that it was split from',
  'entry-in-a-segment': entryOutside,
  'multiboot-entry': entryOutside,
  'in-memory': firstOf(wraps, (facts) => inMemory(facts) ?? beyond(facts)),
  'hypercall-page-clear-of-entry': () =>
    'HYPERCALL_PAGE has to be the address of a page that the code leaves to Xen: .balign 4096 and .skip 4096 behind a symbol hypercall_page',
  'pvh-known': ({ verdict }) => releaseAdvice(verdict),
  'higher-half': (facts) => {
    const [first] = facts.loads;
    const place = first === undefined ? '' : `; ${facts.loadName(first)} is at p_vaddr ${hex(first.p_vaddr)}`;
    return `no PT_LOAD is at ${hex(LOW_END)} or above: link the kernel there${place}`;
  },
  'not-multiboot': ({ source }) => {
    const header = findMb1(source, QEMU_MB1);
    const place = header === undefined ? 'the multiboot 1 header' : `the multiboot 1 header at ${hex(header.offset)}`;
    return `QEMU goes by ${place} before any note: link the kernel without it, or as ELF32 at ${hex(MIB)} or above with it alone`;
  },
};

/** The rules that a sentence about the link answers. */
export const ADVISED_RULES: readonly string[] = [...new Set([...Object.keys(ROWS), ...Object.keys(MULTIBOOT_ADVICE)])];

/** What loaders of several protocols ask of a Multiboot header. */
const HEADER_RULES: ReadonlySet<string> = new Set(['tags', 'address-fields', 'multiboot-flags']);

/** What is to be changed so that the loader of this verdict takes the file; undefined where its rule has no row. */
export function linkAdvice(source: ByteSource, verdict: Verdict): string | undefined {
  const { loader, rule = '' } = verdict;
  const facts = new LinkFacts(source, verdict);
  const byHeader = isOfFamily(loader, 'multiboot') || HEADER_RULES.has(rule);
  const advice = (byHeader ? MULTIBOOT_ADVICE[rule]?.(facts) : undefined) ?? ROWS[rule]?.(facts);
  const header = advice === undefined || !hasElfMagic(source) ? undefined : unseenHeader(source, loader);
  return header === undefined ? advice : `${advice}; and ${header}`;
}

/** What is said of a file whose headers no edit can rest on. */
export function damageAdvice(source: ByteSource, verdict: Verdict): string | undefined {
  const facts = new LinkFacts(source, verdict);
  if (!hasElfMagic(source)) return noElf(facts);
  // Of a kernel in a wrapper the verdict may be about the wrapper.
  const aboutWrapper = verdict.rule === 'elf-magic' && !isOfFamily(verdict.loader, 'multiboot');
  const link = aboutWrapper ? undefined : linkAdvice(source, verdict);
  return link ?? cutShort(facts) ?? longFile(facts) ?? (isOdd(facts) ? oddHeader(facts) : LINK_AGAIN);
}

const LINK_AGAIN = 'link the kernel again, or undo what changed the file';
