/** The kernel of dom0, built by the hypervisor: xen/arch/x86/pv/dom0_build.c and xen/arch/x86/hvm/dom0_build.c. */
import { rangeOf } from '../../base/bytes/range.js';
import { hex } from '../../base/errors/hex.js';
import type { Phdr } from '../../formats/elf/headers.js';
import { EM_386, EM_X86_64 } from '../../formats/elf/names.js';
import { featureMask } from '../../formats/note/features.js';
import { preset, setText, unset } from '../../formats/note/fix.js';
import { mebibytes } from '../memory.js';
import { crash, type Loader, loader, lost, type Rule, refuse, warn } from '../rule.js';
import { HIDDEN_FAULTS } from './accepted-but-broken.js';
import { NOT_COMPRESSED_DOM0 } from './containers.js';
import {
  areaEnd,
  machineFor,
  memoryForArea,
  pieceOf,
  pvFit,
  pvhPlacement,
  pvNeeds,
  pvPages,
  type Takes,
} from './dom0-memory.js';
import { asItIs, mend, mendFeatures, notRequired } from './mend.js';
import { XenParse } from './parse.js';
import { INIT_RULES, PARSE_RULES } from './parser-rules.js';
import { xenValues } from './values.js';

const PV = 'xen/arch/x86/pv/dom0_build.c, dom0_construct_pv';
const LOAD = 'xen/common/libelf/libelf-loader.c, elf_load_binary';
const PVH = 'xen/arch/x86/hvm/dom0_build.c, pvh_load_kernel';

const DOM0_BIT = featureMask('dom0');
const SUPERVISOR_BIT = featureMask('supervisor_mode_kernel');
const PAGE = 0x1000n;
const MIB = 0x100000n;
/** Where Xen itself lives in the address space of a 64-bit PV guest. */
const XEN_AREA = { start: 0xffff_8000_0000_0000n, end: 0xffff_8800_0000_0000n };
/** Addresses between the two halves do not exist. */
const HOLE = { start: 0x8000_0000_0000n, end: 0xffff_8000_0000_0000n };
/** 32-bit guests: the highest start of the hole for Xen. */
const COMPAT_START_MAX = 0xf580_0000n;

/** A dom0 kernel says so in its features, if it has the note that is there to say it. */
const SUPPORTS_DOM0 = (source: string): Rule<XenParse> => ({
  name: 'supports-dom0',
  source,
  because: 'with SUPPORTED_FEATURES there, bit 11 (dom0) has to be in it or in FEATURES',
  run(parse) {
    const { supportedNote, supported } = parse.parameters;
    if (!supportedNote || (supported & DOM0_BIT) !== 0) return undefined;
    return refuse('Kernel does not support Dom0 operation', { cure: mendFeatures(parse, asItIs, 'dom0') });
  },
});

/** The least and the most end of the initial area, which grows with what memory Xen leaves. */
function areaEnds(parse: XenParse): { readonly least: bigint; readonly most: bigint } {
  const end = (takes: Takes) => areaEnd(parse, pvPages(parse, parse.memory, takes));
  return { least: end('most'), most: end('least') };
}

const PV_NEEDS = {
  small: 'Domain 0 allocation is too small for kernel image',
  torn: 'Not enough RAM for domain 0 allocation',
} as const;

const PV_IN_MEMORY: Rule<XenParse> = {
  name: 'in-memory',
  source: PV,
  because: 'the initial area is one piece of memory, a power of two of pages; dom0 must have so many',
  run(parse) {
    const { memory } = parse;
    const fit = pvFit(parse, memory, 'about');
    const piece = pieceOf(parse, pvPages(parse, memory, 'about'));
    const why = `the kernel and its tables take ${mebibytes(piece)} in one aligned piece, of a machine with ${mebibytes(memory)}`;
    if (fit !== 'good') return refuse(PV_NEEDS[fit], { reason: why, needs: pvNeeds(parse) });
    const isSure = pvFit(parse, memory, 'most') === 'good';
    return isSure ? undefined : warn(`${why}: Xen may not have so much left`);
  },
};

function tooLong({ p_filesz, p_memsz }: Phdr): string {
  return `p_filesz ${hex(p_filesz)} is larger than p_memsz ${hex(p_memsz)}`;
}

/** One above the last address. */
const ADDRESSES_END = 1n << 64n;

const PV_RULES: readonly Rule<XenParse>[] = [
  {
    name: 'class',
    source: PV,
    because: 'a 64-bit Xen takes 64-bit kernels, and 32-bit PAE ones only where it was built for them',
    run(parse) {
      const { is64, machine, image } = parse;
      const { encoding } = image;
      const { pae } = parse.parameters;
      const mismatch = 'Mismatch between Xen and DOM0 kernel';
      if (is64) {
        if (machine !== EM_X86_64) return refuse(mismatch, { reason: `ELF64 with e_machine ${machine}` });
        return encoding.endian === 'little' ? undefined : refuse(mismatch, { reason: 'not little-endian' });
      }
      if (machine !== EM_386 || pae === 'none' || encoding.endian === 'big') {
        const withPae = machine === EM_386 ? mend(parse, setText('PAE_MODE', 'yes')) : undefined;
        return refuse(mismatch, { reason: `ELF32 with e_machine ${machine}, PAE_MODE ${pae}`, cure: withPae });
      }
      return warn('needs a Xen built with 32-bit PV; others say: Found 32-bit PV kernel, but CONFIG_PV32 missing');
    },
  },
  SUPPORTS_DOM0(PV),
  {
    name: 'virt-base-page-aligned',
    source: PV,
    because: 'Xen computes page tables from it and dies of the result',
    run(parse) {
      const { virtBase } = parse.addresses;
      if (virtBase % PAGE === 0n) return undefined;
      return crash(
        'Xen dies: Xen BUG at arch/x86/pv/dom0_build.c, or GENERAL PROTECTION FAULT',
        mend(parse, preset('pv')),
      );
    },
  },
  {
    name: 'hv-start-low',
    source: PV,
    because: '32-bit only: the hole for Xen cannot begin above 0xf5800000',
    run(parse) {
      const { is64 } = parse;
      const { hvStartLow } = parse.parameters;
      if (is64 || hvStartLow === undefined) return undefined;
      const start = (hvStartLow + 0x1fffffn) & ~0x1fffffn;
      if (start <= COMPAT_START_MAX) return undefined;
      return refuse('Domain 0 expects too high a hypervisor start address', {
        cure: mend(parse, unset('HV_START_LOW')),
      });
    },
  },
  PV_IN_MEMORY,
  {
    name: 'clear-of-xen',
    source: PV,
    because: 'the initial area must not touch the addresses that Xen keeps for itself',
    run(parse) {
      const { is64, addresses } = parse;
      const { virtBase } = addresses;
      if (!is64) return undefined;
      const { least: end } = areaEnds(parse);
      if (virtBase >= XEN_AREA.end || end <= XEN_AREA.start) return undefined;
      return refuse('DOM0 image overlaps with Xen private area.', {
        reason: `${hex(virtBase)} to at least ${hex(end)}; Xen has ${hex(XEN_AREA.start)} to ${hex(XEN_AREA.end)}`,
      });
    },
  },
  {
    name: 'no-supervisor-mode',
    source: PV,
    because: 'a PV kernel does not run in ring 0',
    run(parse) {
      if ((parse.parameters.required & SUPERVISOR_BIT) === 0) return undefined;
      return refuse('Dom0 requires supervisor-mode execution', {
        reason: 'FEATURES has !supervisor_mode_kernel',
        cure: mendFeatures(parse, notRequired('supervisor_mode_kernel')),
      });
    },
  },
  {
    name: 'segments-copied',
    source: LOAD,
    because: 'the copy fails at addresses that do not exist, and where p_filesz is larger than p_memsz',
    run({ loadable, addresses: { virtBase, paddrOffset }, is64 }) {
      for (const s of loadable) {
        const { start, end } = rangeOf(BigInt.asUintN(64, s.p_paddr + virtBase - paddrOffset), s.p_memsz);
        const nowhere = is64 && start < HOLE.end && end > HOLE.start;
        if (nowhere) return refuse('Failed to load the kernel binary', { reason: `no such address: ${hex(start)}` });
        if (s.p_filesz > s.p_memsz) return refuse('Failed to load the kernel binary', { reason: tooLong(s) });
      }
      return undefined;
    },
  },
  {
    name: 'hypercall-page-in-area',
    source: PV,
    because: 'the page is filled before the kernel starts, so it has to lie in the initial area',
    run(parse) {
      const { hypercallPage: page } = parse.parameters;
      const { virtBase } = parse.addresses;
      if (page === undefined) return undefined;
      const { least: end, most } = areaEnds(parse);
      const invalid = 'Invalid HYPERCALL_PAGE field in ELF notes.';
      if (end >= ADDRESSES_END) {
        return refuse(invalid, {
          reason: `the initial area from ${hex(virtBase)} ends behind the last address: its end wraps to ${hex(BigInt.asUintN(64, end))}`,
        });
      }
      if (page < virtBase || page >= most) {
        return refuse(invalid, {
          reason: `${hex(page)} is not in the initial area, ${hex(virtBase)} to ${hex(most)} without an initrd`,
          cure: mend(parse, preset('pv')),
          needs: page < virtBase ? undefined : memoryForArea(parse, page + PAGE),
        });
      }
      if (page >= end)
        return warn(`HYPERCALL_PAGE ${hex(page)} is in the initial area only if memory makes it long enough`);
      if (page + PAGE > most) {
        return lost(
          `HYPERCALL_PAGE ${hex(page)} runs past the initial area, which ends at ${hex(most)}: Xen dies of that`,
        );
      }
      if (page + PAGE > end) return warn(`HYPERCALL_PAGE ${hex(page)} may run past the initial area: Xen dies of that`);
      if (page % PAGE === 0n) return undefined;
      return lost(`HYPERCALL_PAGE ${hex(page)} is not page aligned: what stands in front of it is filled`);
    },
  },
  {
    name: 'p2m-clear-of-area',
    source: PV,
    because: 'the table at INIT_P2M must not meet the initial mapping',
    run(parse) {
      const { initP2m } = parse.parameters;
      const { virtBase } = parse.addresses;
      if (initP2m === undefined) return undefined;
      if (!parse.is64) return warn('INIT_P2M is ignored in a 32-bit kernel');
      const without = mend(parse, unset('INIT_P2M'));
      const meets = initP2m >= virtBase && initP2m < areaEnds(parse).least;
      return meets ? refuse('DOM0 P2M table overlaps with the initial mapping', { cure: without }) : undefined;
    },
  },
];

/** The least memory of a machine for a PVH dom0 that is not moved. */
function pvhNeeds({ pend }: XenParse): bigint | undefined {
  // Its own page tables take a part of what it gets.
  const machine = machineFor(pend + pend / 64n + 2n * MIB);
  return pvhPlacement(machine, MIB, pend) === 'memory' ? machine : undefined;
}

/** What Xen asks whether it is memory: each PT_LOAD as it is copied, and since 4.19 the whole image at once. */
function pvhRanges(parse: XenParse): readonly { readonly start: bigint; readonly end: bigint }[] {
  if (parse.since('4.19')) return [{ start: parse.pstart, end: parse.pend }];
  // What wraps is not found out by the copy.
  return parse.loadable
    .map(({ p_paddr, p_memsz }) => ({ start: p_paddr, end: p_paddr + p_memsz }))
    .filter(({ start, end }) => end > start && end < ADDRESSES_END);
}

const COPY_FAILED = 'Failed to load kernel: -1';

const PVH_RULES: readonly Rule<XenParse>[] = [
  {
    name: 'phys32-entry',
    source: PVH,
    because: 'a PVH dom0 is entered at PHYS32_ENTRY and nowhere else',
    run(parse) {
      if (parse.parameters.physEntry !== undefined) return undefined;
      return refuse('Unable to find XEN_ELFNOTE_PHYS32_ENTRY address', { cure: mend(parse, preset('pvh')) });
    },
  },
  { ...SUPPORTS_DOM0(PVH), since: '4.22', backported: ['4.20.4', '4.21.2'] },
  {
    name: 'image-in-memory',
    source: 'xen/arch/x86/hvm/dom0_build.c, check_and_adjust_load_address (4.19); elf_load_binary',
    because: 'the image must lie in RAM (since 4.19: in one stretch of it, or PHYS32_RELOC must allow another place)',
    run(parse) {
      const asked = pvhRanges(parse).map((range) => ({
        ...range,
        there: pvhPlacement(parse.memory, range.start, range.end),
      }));
      const bad = asked.find(({ there }) => there === 'hole' || there === 'none');
      const unsure = asked.find(({ there }) => there === 'unsure');
      const worst = bad ?? unsure;
      if (worst === undefined) return undefined;
      const { start, end, there } = worst;
      const range = `${hex(start)} to ${hex(end)}`;
      if (parse.since('4.19') && parse.parameters.reloc !== undefined) {
        return warn('the image is moved, as PHYS32_RELOC allows, where its place is no RAM');
      }
      if (there === 'unsure') return warn(`needs RAM from ${range}; no PHYS32_RELOC allows another place`);
      const says = parse.since('4.19') ? 'Address conflict and not relocatable' : COPY_FAILED;
      if (there === 'hole')
        return refuse(says, { reason: `${range} is to be loaded, and there is no RAM at 0xa0000 to 0x100000` });
      const reason = `${range} is to be loaded, and a machine with ${mebibytes(parse.memory)} gives dom0 less`;
      return refuse(says, { reason, needs: pvhNeeds(parse) });
    },
  },
  {
    name: 'segments-copied',
    source: LOAD,
    because: 'the copy fails where p_filesz is larger than p_memsz: a negative count of zeros is written',
    run({ loadable }) {
      const long = loadable.find((s) => s.p_filesz > s.p_memsz);
      return long === undefined ? undefined : refuse(COPY_FAILED, { reason: tooLong(long) });
    },
  },
];

/** Xen building a PV dom0 (xen/arch/x86/pv/dom0_build.c). */
export const xenDom0Pv: Loader = loader<XenParse>({
  name: 'xen-dom0-pv',
  open: (source, options) => new XenParse(source, 'pv', options),
  rules: [NOT_COMPRESSED_DOM0, ...INIT_RULES, ...PARSE_RULES, ...PV_RULES, ...HIDDEN_FAULTS],
  values: xenValues,
  needsMemory: pvNeeds,
});

/** Xen building a PVH dom0 (xen/arch/x86/hvm/dom0_build.c). */
export const xenDom0Pvh: Loader = loader<XenParse>({
  name: 'xen-dom0-pvh',
  open: (source, options) => new XenParse(source, 'hvm', options),
  rules: [NOT_COMPRESSED_DOM0, ...INIT_RULES, ...PARSE_RULES, ...PVH_RULES, ...HIDDEN_FAULTS],
  values: xenValues,
  needsMemory: pvhNeeds,
});
