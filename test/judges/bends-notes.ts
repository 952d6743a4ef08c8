/** What is bent in note records and in the segments that hold them. */
import { latin1 } from '../support/elf-builder.js';
import type { Bend } from './bends-elf.js';
import type { Dice } from './dice.js';
import { BASE, eight, four, type Plan, type PlannedNote, type PlannedSegment, recordOf } from './plan.js';

const U64 = (1n << 64n) - 1n;
const PT_NOTE = 4;

const noteSegment = ({ segments }: Plan): PlannedSegment | undefined => segments.find(({ type }) => type === PT_NOTE);

/** The record of PHYS32_ENTRY, or the first that is left. */
const entryNote = ({ notes }: Plan): PlannedNote | undefined => notes.find(({ type }) => type === 18) ?? notes[0];

function onSegment(change: (segment: PlannedSegment, roll: Dice, plan: Plan) => void): Bend {
  return {
    late: true,
    run(plan, roll) {
      const segment = noteSegment(plan);
      if (segment !== undefined) change(segment, roll, plan);
    },
  };
}

function onEntry(change: (note: PlannedNote, roll: Dice) => void): Bend {
  return {
    run(plan, roll) {
      const note = entryNote(plan);
      if (note !== undefined) change(note, roll);
    },
  };
}

const zeros = (size: number): Uint8Array => new Uint8Array(size);

export const NOTE_BENDS: Readonly<Record<string, Bend>> = {
  'no-note': {
    run(plan) {
      plan.notes = [];
      plan.segments = plan.segments.filter(({ type }) => type !== PT_NOTE);
    },
  },
  'note-in-section': {
    run(plan, roll) {
      plan.segments = plan.segments.filter(({ type }) => type !== PT_NOTE);
      const section = { type: 7, addr: 0n, offset: BigInt(plan.notesAt), size: 20n, entsize: 0n };
      plan.sections = [
        { type: 0, addr: 0n, offset: 0n, size: 0n, entsize: 0n },
        { ...section, size: roll.of(20n, 19n, 24n) },
      ];
    },
  },
  'note-twice': {
    late: true,
    run(plan, roll) {
      const segment = noteSegment(plan);
      if (segment === undefined) return;
      const by = roll.of(0n, 0n, 4n, 12n, 20n);
      plan.segments.splice(roll.below(plan.segments.length + 1), 0, {
        ...segment,
        offset: segment.offset + by,
        filesz: roll.of(segment.filesz, segment.filesz - by, 20n, 8n),
        align: roll.of(4n, 4n, 8n, 1n),
      });
      plan.header.e_phnum++;
    },
  },
  'note-align': onSegment((segment, roll) => {
    segment.align = roll.of(0n, 0n, 1n, 2n, 3n, 8n, 8n, 16n, 0x1000n, 1n << 32n, U64);
  }),
  'note-size': onSegment((segment, roll) => {
    const { filesz } = segment;
    segment.filesz = roll.of(0n, 1n, 11n, 12n, 16n, filesz - 4n, filesz - 1n, filesz + 1n, filesz + 4n, filesz + 12n);
  }),
  'note-size-huge': onSegment((segment, roll) => {
    const { offset } = segment;
    segment.filesz = roll.of(0x10000n, 1n << 32n, 1n << 62n, U64, U64 - offset, U64 - offset + 1n, U64 - offset + 30n);
  }),
  'note-offset': onSegment((segment, roll) => {
    const { offset } = segment;
    segment.offset = roll.of(0n, offset - 4n, offset + 4n, offset + 1n, 0x8000n, 1n << 32n, 1n << 63n, U64, U64 - 19n);
  }),
  'note-in-memory': onSegment((segment, roll) => {
    segment.vaddr = segment.paddr = roll.of(BASE + 0x3000n, BASE, 0x1000n, U64 - 0xfffn);
    segment.memsz = roll.of(segment.filesz, 0x1000n, U64);
  }),
  'entry-address': onEntry((note, roll) => {
    const at = roll.of(
      0n,
      1n,
      BASE,
      BASE + 0x80n,
      BASE + 0xfffn,
      BASE + 0x1000n,
      BASE + 0x2000n,
      BASE - 1n,
      0x100_0000n,
      0xffff_ffffn,
    );
    note.desc = four(at);
  }),
  'entry-of-8-bytes': onEntry((note, roll) => {
    note.desc = eight(BASE + roll.of(0n, 0x100n, 1n << 32n, 5n << 32n, -BASE));
    note.descsz = 8;
  }),
  'entry-size': onEntry((note, roll) => {
    note.descsz = roll.of(0, 1, 2, 3, 5, 8, 12, 0x100, 0x7fff_fffc, 0xffff_fff0, 0xffff_fffc, 0xffff_fffd, 0xffff_ffff);
  }),
  owner: onEntry((note, roll) => {
    note.owner = roll.of(
      latin1('xen\0'),
      latin1('Xenx'),
      latin1('GNU\0'),
      latin1('Xen\0\0\0\0\0'),
      zeros(0),
      latin1('Xen\0abcd'),
    );
    note.namesz = note.owner.length;
  }),
  'owner-size': onEntry((note, roll) => {
    note.namesz = roll.of(0, 1, 3, 5, 7, 8, 0x100, 0x7fff_fffc, 0xffff_fff4, 0xffff_fffc, 0xffff_fffd, 0xffff_ffff);
  }),
  'note-type': onEntry((note, roll) => {
    note.type = roll.of(0, 1, 3, 17, 19, 0x112, 0xffff_ffff);
  }),
  'another-note': {
    run(plan, roll) {
      const other = roll.of(
        recordOf(3, zeros(20), 'GNU\0'),
        recordOf(5, zeros(16), 'GNU\0'),
        recordOf(1, zeros(3), 'Odd!\0'),
        recordOf(0xcafe1a7e, latin1('{"type":"deb","os":"debian"}\0'), 'FDO\0'),
        recordOf(18, four(BASE + 0x200n)),
        recordOf(18, four(BASE + 0x200n), 'GNU\0'),
        recordOf(6, latin1('linux\0')),
        recordOf(18, zeros(0)),
      );
      plan.notes.splice(roll.below(plan.notes.length + 1), 0, { ...other });
    },
  },
  'gap-in-notes': {
    run(plan, roll) {
      const at = roll.below(Math.max(1, plan.notes.length));
      const note = plan.notes[at];
      if (note !== undefined) note.gap = roll.of(1, 4, 8, 12, 16, 24);
      if (roll.percent(60)) plan.notes.push(recordOf(3, zeros(20), 'GNU\0'));
    },
  },
};
