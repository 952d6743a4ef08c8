/** What is bent in headers and tables of an ELF file. `late`: behind the counting, so that what is counted stays false. */
import type { Dice } from './dice.js';
import { BASE, type HeaderField, type Plan, type PlannedSegment } from './plan.js';

/** One way to bend a plan. */
export interface Bend {
  readonly late?: boolean;
  run(plan: Plan, roll: Dice): void;
}

const U64 = (1n << 64n) - 1n;
const PT_LOAD = 1;

/** One of the PT_LOADs, or what is like one. */
function aLoad({ segments }: Plan, roll: Dice): PlannedSegment {
  const loads = segments.filter(({ type }) => type === PT_LOAD);
  const [first] = loads.length > 0 ? [roll.of(...loads)] : segments;
  if (first === undefined) throw new Error('a plan without segments');
  return first;
}

const last = ({ segments }: Plan): PlannedSegment => segments.filter(({ type }) => type === PT_LOAD).at(-1) ?? empty();
const empty = (): PlannedSegment => ({
  type: PT_LOAD,
  flags: 6,
  offset: 0x3000n,
  vaddr: BASE + 0x6000n,
  paddr: BASE + 0x6000n,
  filesz: 0n,
  memsz: 0n,
  align: 0x1000n,
});

function insert(plan: Plan, roll: Dice, segment: PlannedSegment): void {
  plan.segments.splice(roll.below(plan.segments.length + 1), 0, segment);
}

/** Puts the segment elsewhere in memory; its virtual address goes along half of the time. */
function move(segment: PlannedSegment, paddr: bigint, roll: Dice): void {
  segment.paddr = paddr;
  if (roll.percent(50)) segment.vaddr = paddr;
}

/** Nothing holds sizes that would fill the machine with zeros: a verdict is not worth that. */
export const ELF_BENDS: Readonly<Record<string, Bend>> = {
  'order-of-headers': {
    run(plan, roll) {
      for (let at = plan.segments.length - 1; at > 0; at--) {
        const other = roll.below(at + 1);
        const [a, b] = [plan.segments[at], plan.segments[other]];
        if (a !== undefined && b !== undefined) [plan.segments[at], plan.segments[other]] = [b, a];
      }
    },
  },
  'third-load': {
    run(plan, roll) {
      const address = BASE + roll.of(0x1000n, 0x3000n, 0x4000n, 0x10000n, 0x100000n);
      insert(plan, roll, { ...last(plan), vaddr: address, paddr: address });
    },
  },
  'page-offset': {
    run(plan, roll) {
      const segment = aLoad(plan, roll);
      move(segment, segment.paddr + roll.of(1n, 8n, 0x10n, 0x200n, 0x800n, 0xfffn), roll);
    },
  },
  overlap: {
    run(plan, roll) {
      move(last(plan), BASE + roll.of(0n, 8n, 0x800n, 0xfffn, 0x1000n, -0x200n, -0x1000n), roll);
    },
  },
  'zero-size': {
    run(plan, roll) {
      const segment = aLoad(plan, roll);
      segment.filesz = 0n;
      if (roll.percent(60)) segment.memsz = 0n;
    },
  },
  'zero-size-extra': {
    run(plan, roll) {
      const at = BASE + roll.of(0n, 0x10n, 0x800n, 0x1000n, 0x1800n, 0x2000n, 0x3000n, 0x4000n, -0x1000n, -BASE);
      insert(plan, roll, { ...empty(), vaddr: at, paddr: at });
    },
  },
  'file-above-memory': {
    run(plan, roll) {
      const segment = aLoad(plan, roll);
      segment.memsz = roll.of(0n, 1n, 0x100n, segment.filesz - 1n);
    },
  },
  'memory-size': {
    run(plan, roll) {
      aLoad(plan, roll).memsz = roll.of(1n, 0x200n, 0x1001n, 0x1fffn, 0x2000n, 0x2001n, 0x20_0000n, 0x400_0000n);
    },
  },
  'memory-size-wraps': {
    run(plan, roll) {
      const segment = aLoad(plan, roll);
      segment.memsz = roll.of(U64, U64 - segment.paddr, U64 - segment.paddr + 1n, 1n << 63n, U64 - 0xfffn, 1n << 52n);
    },
  },
  'low-address': {
    run(plan, roll) {
      const at = roll.of(0n, 0x1000n, 0x7000n, 0x8000n, 0x9f000n, 0xa0000n, 0xf0000n, 0xff000n, 0x100000n);
      move(aLoad(plan, roll), at, roll);
    },
  },
  'high-address': {
    run(plan, roll) {
      const at = roll.of(
        0xf00_0000n,
        0xfff_f000n,
        0x1000_0000n,
        0x4000_0000n,
        0xc000_0000n,
        0xfffc_0000n,
        0xffff_f000n,
        0x1_0000_0000n,
        0x1_4000_0000n,
        1n << 52n,
        U64 - 0xfffn,
      );
      move(aLoad(plan, roll), at, roll);
    },
  },
  'virtual-high': {
    run(plan) {
      const up = plan.bits === 64 ? 0xffffffff80000000n : 0xc0000000n;
      for (const segment of plan.segments) if (segment.type === PT_LOAD) segment.vaddr += up;
      plan.header.e_entry += up;
    },
  },
  'virtual-elsewhere': {
    run(plan, roll) {
      aLoad(plan, roll).vaddr += roll.of(0x1000n, -0x1000n, 0x10_0000n, 1n << 32n, 8n);
    },
  },
  'file-offset': {
    run(plan, roll) {
      const segment = aLoad(plan, roll);
      segment.offset = roll.of(
        0n,
        8n,
        0x2ff8n,
        0x3008n,
        0x10000n,
        1n << 32n,
        1n << 63n,
        U64,
        U64 - 0xfffn,
        U64 - 0x1000n,
      );
    },
  },
  'file-size': {
    run(plan, roll) {
      const segment = aLoad(plan, roll);
      segment.filesz = roll.of(
        1n,
        8n,
        0x10000n,
        0x1_0000_0000n,
        U64,
        U64 - 0xfffn,
        1n << 63n,
        U64 - segment.offset + 1n,
      );
    },
  },
  'flags-of-load': {
    run(plan, roll) {
      aLoad(plan, roll).flags = roll.of(0, 4, 5, 6, 0xffff_fff8);
    },
  },
  'type-of-load': {
    run(plan, roll) {
      aLoad(plan, roll).type = roll.of(0, 2, 3, 6, 7, 0x6474e551, 0x7fff_ffff);
    },
  },
  'other-header-over-entry': {
    run(plan, roll) {
      const type = roll.of(0, 2, 4, 6, 0x6474e550, 0x6474e551, 0x6474e552);
      const paddr = roll.of(BASE, BASE + 0x1000n, BASE - 0x1000n, 0x300_0000n, 0n);
      const align = roll.of(0n, 4n, 16n);
      insert(plan, roll, { ...empty(), type, vaddr: BASE, paddr, memsz: 0x1000n, align });
    },
  },
  interpreter: {
    run(plan, roll) {
      insert(plan, roll, { ...empty(), type: 3, filesz: roll.of(0n, 8n) });
    },
  },
  entry: {
    run(plan, roll) {
      plan.header.e_entry = roll.of(
        0n,
        BASE,
        BASE + 0x10n,
        BASE + 0xfffn,
        BASE + 0x1000n,
        BASE + 0x2000n,
        BASE - 1n,
        BASE + 0x300n,
        0x1_0020_0000n,
        0xffff_ffff_8020_0000n,
        U64,
      );
    },
  },
  machine: {
    run({ header, bits }, roll) {
      header.e_machine = roll.of(bits === 64 ? 3n : 62n, 0n, 6n, 40n, 183n);
    },
  },
  'file-type': {
    run({ header }, roll) {
      header.e_type = roll.of(0n, 1n, 3n, 3n, 4n, 0xff00n);
    },
  },
  ident: {
    run({ ident }, roll) {
      const [at, ...values] = roll.of([4, 0, 1, 2, 3], [5, 0, 2, 3], [6, 0, 2], [7, 3, 9], [0, 0x7e], [15, 1]);
      ident.set(at ?? 4, roll.of(...values));
    },
  },
  'header-field': {
    late: true,
    run({ header }, roll) {
      const field = roll.of<HeaderField>(
        'e_version',
        'e_flags',
        'e_ehsize',
        'e_phentsize',
        'e_shentsize',
        'e_shstrndx',
      );
      header[field] = roll.of(0n, 1n, 2n, 4n, 32n, 40n, 52n, 56n, 64n, 0x10000n, 0xffffn);
    },
  },
  'program-header-table': {
    late: true,
    run({ header }, roll) {
      if (roll.percent(50)) header.e_phnum = roll.of(0n, 1n, header.e_phnum - 1n, 200n, 0xffffn);
      else header.e_phoff = roll.of(0n, 8n, 0x1ff0n, 0x4000n, 0x10000n, 0xffff_fff0n, 1n << 63n);
    },
  },
  'section-header-table': {
    late: true,
    run({ header }, roll) {
      if (roll.percent(60)) header.e_shnum = roll.of(0n, 1n, 40n, 0xfeffn, 0xff00n, 0xffffn);
      else header.e_shoff = roll.of(0n, 8n, 0x4000n, 0x10000n, 0xffff_fff0n, 1n << 63n);
    },
  },
  'no-sections': {
    run(plan, roll) {
      plan.sections = [];
      if (roll.percent(20)) plan.header.e_shentsize = 0n;
    },
  },
  section: {
    run(plan, roll) {
      const offset = BigInt(roll.of(plan.codeAt, plan.dataAt, plan.notesAt, 0, 0x20000));
      const size = roll.of(0n, 8n, 0x20n, 0x100n, 0x1_0000_0000n, U64, U64 - offset + 1n, 1n << 63n);
      const type = roll.of(1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 11, 0x6fff_ffff);
      const addr = roll.of(0n, 0n, BASE, 1n << 40n, U64, U64 - 7n);
      plan.sections.splice(1 + roll.below(3), 0, {
        type,
        addr,
        offset,
        size,
        entsize: roll.of(0n, 1n, 8n, 12n, 16n, 24n),
      });
    },
  },
  cut: {
    run(plan, roll) {
      plan.cut = roll.of(1, 4, 16, 64, 0x100, 0x800, 0x1000, 0x3000);
    },
  },
  tail: {
    run(plan, roll) {
      plan.tail = roll.of(1, 4, 0x100, 0x2000);
    },
  },
};
