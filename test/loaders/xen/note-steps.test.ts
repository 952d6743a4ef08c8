/** What a reader of notes makes of their padding: the table of walks, and the warning where Xen's may change. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import type { Encoding } from '../../../src/formats/elf/struct.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { NOTE_WALKS, type NoteStep, unitOf } from '../../../src/loaders/read/note-steps.js';
import { cstr, elf, num, type TestNote } from '../../support/elf-builder.js';

const LE64: Encoding = { bits: 64, endian: 'little' };
const LE32: Encoding = { bits: 32, endian: 'little' };
const MIB = 0x10_0000n;

describe('what is padded to', () => {
  it.each<readonly [step: NoteStep, bits: 32 | 64, units: readonly bigint[]]>([
    ['four', 64, [4n, 4n, 4n, 4n, 4n]],
    ['p_align', 64, [0n, 1n, 4n, 8n, 4096n]],
    ['four-or-eight', 64, [4n, 4n, 4n, 8n, 8n]],
    ['four-or-eight', 32, [4n, 4n, 4n, 4n, 4n]],
  ])('%s in ELF%i', (step, bits, units) => {
    expect([0n, 1n, 4n, 8n, 4096n].map((align) => unitOf(step, align, bits))).toEqual(units);
  });

  it('every reader has a row that says all of it', () => {
    for (const row of Object.values(NOTE_WALKS)) expect(Object.values(row).every((word) => word.length > 1)).toBe(true);
  });
});

/** Notes of a PVH kernel, with one of 20 bytes in front, so that a step of 8 leads elsewhere. */
function kernel(encoding: Encoding, align: bigint, notes: readonly TestNote[]): Uint8Array {
  return elf(encoding)
    .header({ e_type: 2, e_machine: encoding.bits === 64 ? 62 : 3, e_entry: MIB })
    .load(MIB, new Uint8Array(0x100).fill(0x90))
    .noteSegment(notes, { align })
    .build();
}

const entry: TestNote = { type: 18, desc: num(MIB, 4, LE64) };
const os: TestNote = { type: 6, desc: cstr('linux') };

describe("a verdict that depends on today's rule", () => {
  it.each<readonly [what: string, encoding: Encoding, align: bigint, notes: readonly TestNote[], told: boolean]>([
    ['p_align 8, and a second note in a step of 4', LE64, 8n, [entry, os], true],
    ['p_align 4', LE64, 4n, [entry, os], false],
    ['p_align 8 in ELF32', LE32, 8n, [entry, os], false],
    ['p_align 8, and one note', LE64, 8n, [entry], false],
  ])('%s', (_, encoding, align, notes, told) => {
    for (const name of ['xen-pvh', 'xen-dom0-pvh']) {
      const [verdict] = judgeLoaders(new BufferSource(kernel(encoding, align, notes), 'kernel'), { names: [name] });
      expect(verdict?.outcome).toMatch(/accepted|with-warnings/);
      expect(verdict?.warnings.some(({ rule }) => rule === 'notes-stepped-by-4')).toBe(told);
    }
  });
});
