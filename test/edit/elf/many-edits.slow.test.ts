/**
 * A thousand edits in a row on one file, in memory: each step is proved, the size is bounded whatever the edits, the last undo gives
 * back every loaded byte, and the order in which a value is reached leaves no trace.
 */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { expectationOf, planPatch } from '../../../src/edit/elf/pipeline.js';
import type { Edit } from '../../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../../src/edit/elf/render.js';
import type { ElfImage } from '../../../src/formats/elf/image.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { ENCODINGS, type Encoding } from '../../../src/formats/elf/struct.js';
import { parseSetting } from '../../../src/formats/note/value.js';
import { walkAsXen } from '../../../src/loaders/read/loader-walks.js';
import { verifyImage } from '../../../src/verify/elf/verify.js';
import { elf } from '../../support/elf-builder.js';

const EDITS = 1000;
const set = (text: string): Edit => ({ kind: 'set', setting: parseSetting(text) });
const open = (bytes: Uint8Array): ElfImage => readElf(new BufferSource(bytes, 'image'));

/** A kernel with code, data, symbols and room behind its program headers, or none; perhaps bytes of others behind everything. */
function kernel(
  encoding: Encoding,
  { slack, stripped, trailing }: { readonly slack: number; readonly stripped: boolean; readonly trailing: number },
): Uint8Array {
  return elf(encoding)
    .load(0x100000n, new Uint8Array(0x400).fill(0x90), { align: 0x1000n })
    .load(0x200000n, new Uint8Array(0x100).fill(0xaa), { align: 0x1000n, memsz: 0x800n })
    .section('.text', { inside: { load: 0, at: 0, size: 0x400 } })
    .symbol('_start', 0x100000n)
    .with({ slack, stripped, trailing: new Uint8Array(trailing).fill(0x77) })
    .build();
}

/** Edits one, and proves the step as a written file is proved. */
function step(bytes: Uint8Array, edit: Edit): Uint8Array {
  const plan = planPatch(open(bytes), [edit]);
  const source = preview(plan.image, plan.rendered);
  const result = source.read(0n, source.size, 'result');
  const findings = verifyImage({ image: open(result), baseline: plan.image, expectation: expectationOf(plan) });
  expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  return result;
}

/** The same numbers every time: a failure can be run again. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}

const NAMES = ['GUEST_OS', 'GUEST_VERSION', 'LOADER'];

/** The edit of one step: mostly a new value of any length, now and then one note less or none at all. */
function editOf(random: () => number): Edit {
  const kind = random() % 12;
  if (kind === 0) return { kind: 'clear' };
  if (kind === 1) return { kind: 'unset', type: 6 };
  if (kind === 2) return set(`PHYS32_ENTRY=0x10${(random() % 16).toString(16)}000`.slice(0, 21));
  return set(`${NAMES[random() % NAMES.length]}=${'v'.repeat(random() % 120)}`);
}

const LAST = [set('GUEST_OS=linux'), set('GUEST_VERSION=6.1'), set('LOADER=generic'), set('PHYS32_ENTRY=0x100000')];

function notesOf(bytes: Uint8Array): string[] {
  return walkAsXen(open(bytes))
    .notes.map(({ record }) => `${record.type} ${Buffer.from(record.desc).toString('hex')}`)
    .toSorted();
}

/** What is loaded, and where: addresses, sizes, every byte. */
function loadedBytes(bytes: Uint8Array): string[] {
  return open(bytes)
    .segments.filter(({ p_type }) => p_type === 1)
    .map((s) => {
      const held = Buffer.from(bytes).subarray(Number(s.p_offset), Number(s.p_offset + s.p_filesz));
      return `${s.p_vaddr} ${s.p_paddr} ${s.p_memsz} ${held.toString('hex')}`;
    });
}

// Two of the four encodings hold what differs: the size of headers, and the order of bytes.
describe.each(ENCODINGS.filter(({ bits, endian }) => (bits === 64) === (endian === 'little')))(
  'ELF$bits $endian',
  (encoding) => {
    describe.each([
      { slack: 0, stripped: false, trailing: 0 },
      { slack: 300, stripped: false, trailing: 0 },
      { slack: 0, stripped: true, trailing: 0 },
      { slack: 300, stripped: false, trailing: 97 },
      { slack: 0, stripped: true, trailing: 97 },
    ])('$slack bytes behind the program headers, stripped: $stripped, $trailing bytes of others', (shape) => {
      const { slack, trailing } = shape;
      const first = kernel(encoding, shape);

      it(`${EDITS} edits of a few values in turn, as builds make them: the size is bounded`, () => {
        const values = ['a', 'b'.repeat(40), 'c'.repeat(90), 'd'.repeat(17)];
        let bytes = first;
        let [early, late] = [0, 0];
        for (let count = 0; count < EDITS; count++) {
          bytes = step(bytes, set(`GUEST_VERSION=${values[count % values.length]}`));
          if (count < 20) early = Math.max(early, bytes.length);
          late = Math.max(late, bytes.length);
        }
        expect(late).toBe(early);
        expect(late).toBeLessThan(first.length + 0x800);
      });

      it(`${EDITS} edits of any kind: each proved, the size bounded, the last undo gives back what was loaded`, () => {
        const random = numbers(13 + slack);
        let bytes = first;
        let longest = 0;
        for (let count = 0; count < EDITS; count++) {
          bytes = step(bytes, editOf(random));
          longest = Math.max(longest, bytes.length);
        }
        // Notes of four kinds, a table and names, each twice at most: the one in use and the one that it replaced.
        // Among bytes of others room is in more pieces.
        expect(longest).toBeLessThan(first.length + (trailing > 0 ? 0xc00 : 0x800));
        bytes = step(bytes, { kind: 'clear' });
        expect(notesOf(bytes)).toEqual([]);
        expect(loadedBytes(bytes)).toEqual(loadedBytes(first));
        expect(Buffer.from(bytes).includes(Buffer.alloc(trailing, 0x77))).toBe(true);
      });

      it('the order in which a value is reached leaves no trace in what is found', () => {
        const reached = [0, 1, 2, 3].map((turn) => {
          const random = numbers(turn);
          let bytes = first;
          for (let count = 0; count < 40; count++) bytes = step(bytes, editOf(random));
          for (const edit of [...LAST.slice(turn), ...LAST.slice(0, turn)]) bytes = step(bytes, edit);
          return bytes;
        });
        const [straight = first] = reached;
        for (const bytes of reached) {
          expect(notesOf(bytes)).toEqual(notesOf(straight));
          expect(loadedBytes(bytes)).toEqual(loadedBytes(first));
          const again = planPatch(open(bytes), LAST);
          expect(again.rendered.writes).toEqual([]);
          const cleared = step(bytes, { kind: 'clear' });
          expect(loadedBytes(cleared)).toEqual(loadedBytes(first));
        }
      });
    });
  },
);
