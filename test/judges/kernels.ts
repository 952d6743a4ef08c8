/** Kernels for the judges: well-formed ones in which a few things are bent, from a table of bends by name. */
import { createHash } from 'node:crypto';
import { latin1 } from '../support/elf-builder.js';
import { ELF_BENDS } from './bends-elf.js';
import { MB1_BENDS, MB2_BENDS } from './bends-multiboot.js';
import { NOTE_BENDS } from './bends-notes.js';
import { type Dice, dice } from './dice.js';
import {
  BASE,
  bytesOf,
  CODE_SIZE,
  DATA_SIZE,
  eight,
  four,
  noteBytes,
  type Plan,
  type PlannedMultiboot,
  type PlannedNote,
  type PlannedSegment,
  recordOf,
  STUB_AT,
  STUB_SIZE,
} from './plan.js';

/** By what a kernel is meant to be started: its PVH note, its PV notes, or its Multiboot header. */
export type Flavour = 'pvh' | 'pv' | 'mb1' | 'mb2';

/** One image of a table. */
export interface Kernel {
  /** `pvh:17`: the flavour and the index, which are its seed. */
  readonly name: string;
  /** Of the bytes: a generator that makes others is noticed. */
  readonly digest: string;
  /** What was bent. */
  readonly bends: string;
  readonly bytes: Uint8Array;
  readonly stub: StubPlace;
}

/** Where in the file the code is that says it was reached. */
export interface StubPlace {
  /** Does this file offset lead to it? */
  leads(offset: bigint): boolean;
  /** Bytes from there to its end. */
  left(offset: bigint): bigint;
}

/** The stub of a file whose code stands at that offset. */
export function stubOf(codeAt: number): StubPlace {
  const [from, to] = [BigInt(codeAt), BigInt(codeAt + STUB_AT)];
  return { leads: (offset) => offset >= from && offset <= to, left: (offset) => to + BigInt(STUB_SIZE) - offset };
}

const BENDS = {
  pvh: [ELF_BENDS, NOTE_BENDS],
  pv: [ELF_BENDS, NOTE_BENDS],
  mb1: [ELF_BENDS, MB1_BENDS],
  mb2: [ELF_BENDS, MB2_BENDS],
} as const;

const load = (offset: number, address: bigint, size: number): PlannedSegment => ({
  type: 1,
  flags: 7,
  offset: BigInt(offset),
  vaddr: address,
  paddr: address,
  filesz: BigInt(size),
  memsz: 0x1000n,
  align: 0x1000n,
});

function multiboot(flavour: Flavour): PlannedMultiboot | undefined {
  if (flavour === 'pvh' || flavour === 'pv') return undefined;
  const version = flavour === 'mb1' ? 1 : 2;
  const end = { type: 0, flags: 0, size: 8, words: [], padded: true };
  return { version, at: 0x300, flags: 0, fields: [], sumOff: 0, architecture: 0, lengthOff: 0, tags: [end] };
}

const PVH_NOTE = () => recordOf(18, four(BASE + 0x100n));

/** What makes a PV kernel, in the width of its class. */
function pvNotes(wide: boolean): PlannedNote[] {
  const address = (value: bigint) => (wide ? eight(value) : four(value));
  return [
    recordOf(6, latin1('linux\0')),
    recordOf(5, latin1('xen-3.0\0')),
    recordOf(8, latin1('generic\0')),
    recordOf(9, latin1('yes\0')),
    recordOf(3, address(0n)),
    recordOf(1, address(BASE + 0x100n)),
  ];
}

/** A kernel that its loader takes. */
function sound(flavour: Flavour, roll: Dice): Plan {
  const bits = roll.percent(flavour === 'pvh' ? 60 : 30) ? 64 : 32;
  const wide = bits === 64;
  // Multiboot2 headers are looked for in the first 32 KiB, all in front of the code.
  const codeAt = flavour === 'mb2' ? 0x9000 : 0x3000;
  const dataAt = codeAt + CODE_SIZE;
  const notesAt = dataAt + DATA_SIZE;
  const notes = flavour === 'pv' ? pvNotes(wide) : flavour === 'pvh' || roll.percent(15) ? [PVH_NOTE()] : [];
  const size = BigInt(noteBytes(notes).length);
  const segments = [load(codeAt, BASE, CODE_SIZE), load(dataAt, BASE + 0x2000n, DATA_SIZE)];
  const note = { type: 4, flags: 4, offset: BigInt(notesAt), vaddr: 0n, paddr: 0n, filesz: size, memsz: 0n, align: 4n };
  if (notes.length > 0) segments.push(note);
  const sections =
    (flavour === 'pvh' || flavour === 'pv') && roll.percent(40)
      ? []
      : [
          { type: 0, addr: 0n, offset: 0n, size: 0n, entsize: 0n },
          { type: 1, addr: BASE, offset: BigInt(codeAt), size: BigInt(CODE_SIZE), entsize: 0n },
          { type: 8, addr: BASE + 0x2200n, offset: BigInt(notesAt), size: 0xe00n, entsize: 0n },
        ];
  const counts = [segments.length, sections.length] as const;
  return {
    bits,
    header: {
      e_type: 2n,
      e_machine: wide ? 62n : 3n,
      e_version: 1n,
      e_entry: BASE + 0x200n,
      e_phoff: wide ? 64n : 52n,
      e_shoff: 0n,
      e_flags: 0n,
      e_ehsize: wide ? 64n : 52n,
      e_phentsize: wide ? 56n : 32n,
      e_phnum: BigInt(counts[0]),
      e_shentsize: wide ? 64n : 40n,
      e_shnum: BigInt(counts[1]),
      e_shstrndx: 0n,
    },
    ident: new Map(),
    segments,
    sections,
    notes,
    multiboot: multiboot(flavour),
    codeAt,
    dataAt,
    notesAt,
    cut: 0,
    tail: 0,
  };
}

/** Each flavour has its own images, whatever the others are. */
const SEEDS = { pvh: 0x5f58, pv: 0x5f59, mb1: 0x5f21, mb2: 0x5f22 } as const;

/** Counts and sizes follow what was added before the bends that falsify them. */
function settle(plan: Plan): void {
  plan.header.e_phnum = BigInt(plan.segments.length);
  plan.header.e_shnum = BigInt(plan.sections.length);
  const size = noteBytes(plan.notes).length;
  const sectionsAt = (plan.notesAt + size + 15) & ~15;
  plan.header.e_shoff = plan.sections.length === 0 ? 0n : BigInt(sectionsAt);
  const note = plan.segments.find(({ type }) => type === 4);
  if (note !== undefined && plan.notes.length > 0) note.filesz = BigInt(size);
}

/** The image of that flavour and seed. */
export function kernelOf(flavour: Flavour, seed: number): Kernel {
  const roll = dice(SEEDS[flavour], seed);
  const plan = sound(flavour, roll);
  const chosen: [name: string, late: boolean, bend: (plan: Plan, roll: Dice) => void][] = [];
  for (let left = roll.of(0, 1, 1, 1, 1, 2, 2, 3); left > 0; left--) {
    const tables = BENDS[flavour];
    const table = tables[roll.percent(45) ? 0 : 1] ?? ELF_BENDS;
    const names = Object.keys(table);
    const name = roll.of(...names);
    const bend = table[name];
    if (bend !== undefined) chosen.push([name, bend.late === true, bend.run]);
  }
  for (const [, late, run] of chosen) if (!late) run(plan, roll);
  settle(plan);
  for (const [, late, run] of chosen) if (late) run(plan, roll);
  const bytes = bytesOf(plan);
  return {
    name: `${flavour}:${seed}`,
    digest: createHash('sha256').update(bytes).digest('hex').slice(0, 8),
    bends: chosen.map(([name]) => name).join(' ') || 'sound',
    bytes,
    stub: stubOf(plan.codeAt),
  };
}

/** The images of a flavour from one seed to another, the last not included. */
export function kernels(flavour: Flavour, from: number, to: number): Kernel[] {
  return Array.from({ length: to - from }, (_, index) => kernelOf(flavour, from + index));
}
