/**
 * An edit and its undo: the program headers are the same again, and so is every byte that is loaded, in every class and byte
 * order and by every placement. Where the file alone cannot tell what was before, a warning of one of the two says what stays.
 */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { expectationOf, type PatchPlan, planPatch } from '../../../src/edit/elf/pipeline.js';
import { DEFAULT_PLACEMENT, PLACEMENTS } from '../../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../../src/edit/elf/render.js';
import { Ehdr } from '../../../src/formats/elf/headers.js';
import { type ElfImage, loads } from '../../../src/formats/elf/image.js';
import { segmentTypeName } from '../../../src/formats/elf/names.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { ENCODINGS } from '../../../src/formats/elf/struct.js';
import { nameOf } from '../../../src/formats/note/record.js';
import { parseSetting } from '../../../src/formats/note/value.js';
import { verifyImage } from '../../../src/verify/elf/verify.js';
import { imageOf, type Shape } from '../../support/generated.js';

const read = (bytes: Uint8Array) => readElf(new BufferSource(bytes, 'image'));

/** The result of a plan, held against its input with and without what was meant. */
function proved(plan: PatchPlan, blindly: boolean): ElfImage {
  const source = preview(plan.image, plan.rendered);
  const image = read(source.read(0n, source.size, 'result'));
  for (const expectation of [expectationOf(plan), ...(blindly ? [undefined] : [])]) {
    const findings = verifyImage({ image, baseline: plan.image, expectation });
    expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  }
  return image;
}

const HEADER: Pick<Shape, 'gap' | 'align' | 'dataFirst' | 'pageAlign'> = {
  gap: 0x1000n,
  align: 4n,
  dataFirst: false,
  pageAlign: 0x1000n,
};
const SHAPES: readonly Omit<Shape, 'encoding' | 'notes' | 'spare'>[] = [
  { ...HEADER, slack: 300, stripped: false, trailing: 0, bss: true, headers: false, noteFirst: false },
  { ...HEADER, slack: 0, stripped: false, trailing: 7, bss: false, headers: true, noteFirst: true },
  { ...HEADER, slack: 60, stripped: true, trailing: 0, bss: false, headers: false, noteFirst: false },
  { ...HEADER, slack: 300, stripped: false, trailing: 64, bss: true, headers: true, noteFirst: true },
];
const NOTES = ['none', 'xen', 'mixed', 'foreign', 'two', 'section', 'in-load'] as const;
const SPARES = ['none', 'null', 'stack'] as const;

const EDITS = {
  set: [{ kind: 'set', setting: parseSetting('HYPERCALL_PAGE=0x1000') }],
  unset: [{ kind: 'unset', type: 2 }],
  put: [{ kind: 'put-note', note: { name: nameOf('Vendor'), type: 9, desc: Uint8Array.of(1, 2, 3, 4) } }],
  drop: [{ kind: 'drop-note', owner: 'Vendor', type: 9 }],
} as const;

/** Headers and loaded bytes, as lines; e_shoff and e_shnum are no matter of memory. */
function memoryOf(image: ElfImage): string[] {
  const { header, segments, encoding, source } = image;
  const neutral = Ehdr.encode({ ...header, e_shoff: 0n, e_shnum: 0 }, encoding);
  const bytes = loads(image).map(({ segment: { p_offset, p_filesz } }) => {
    const held = Buffer.from(source.read(p_offset, p_filesz, 'test'));
    if (p_offset === 0n) held.set(neutral, 16);
    return held.toString('hex');
  });
  return [`table at ${header.e_phoff}`, ...segments.map(wordsOf), ...bytes];
}

function wordsOf({ p_type, ...fields }: ElfImage['segments'][number]): string {
  return [segmentTypeName(p_type), ...Object.values(fields).map((value) => value.toString(16))].join(' ');
}

const STAYS = /stays? |keeps its length/;

describe.each(ENCODINGS)('ELF$bits $endian', (encoding) => {
  describe.each(SHAPES.map((shape, index) => ({ shape, index })))('shape $index', ({ shape }) => {
    it.each(NOTES)('notes: %s', (notes) => {
      const seen = new Set<string>();
      let restored = 0;
      for (const spare of SPARES) {
        for (const placement of PLACEMENTS) {
          for (const [there, back] of [
            [EDITS.set, EDITS.unset],
            [EDITS.put, EDITS.drop],
          ] as const) {
            const before = read(imageOf({ ...shape, encoding, notes, spare }));
            const plan = granted(() => planPatch(before, there, { ...DEFAULT_PLACEMENT, placement }));
            if (plan === undefined) continue;
            const undo = planPatch(proved(plan, false), back);
            const after = proved(undo, there === EDITS.set);
            seen.add(placement);
            if (JSON.stringify(memoryOf(after)) === JSON.stringify(memoryOf(before))) {
              restored += 1;
              continue;
            }
            const told = [plan, undo]
              .flatMap(({ layout, warnings }) => [...(layout?.stays ?? []), ...warnings])
              .join('\n');
            if (!STAYS.test(told))
              expect({ spare, placement, memory: memoryOf(after) }).toEqual({
                spare,
                placement,
                memory: memoryOf(before),
              });
          }
        }
      }
      // An image that refuses everything would be restored as well.
      expect(seen.size).toBeGreaterThan(0);
      // Those get a PT_NOTE, or another place for it, and it is said.
      if (notes !== 'section' && notes !== 'two') expect(restored).toBeGreaterThan(0);
    });
  });
});

/** Placements that leave the place of the first edit when the second one needs more room than that has. */
const LEFT = ['auto', 'extend', 'new-load', 'new-table'] as const;
const put = (size: number) =>
  [{ kind: 'put-note', note: { name: nameOf('Vendor'), type: 9, desc: new Uint8Array(size).fill(7) } }] as const;

describe.each(SHAPES.map((shape, index) => ({ shape, index })))(
  'two edits, then the undo: shape $index',
  ({ shape }) => {
    it.each(NOTES)('notes: %s', (notes) => {
      let restored = 0;
      for (const encoding of ENCODINGS.filter(({ endian }) => endian === 'little')) {
        for (const placement of LEFT) {
          const before = read(imageOf({ ...shape, encoding, notes, spare: 'none' }));
          const first = granted(() => planPatch(before, put(4), { ...DEFAULT_PLACEMENT, placement }));
          const second = first && granted(() => planPatch(proved(first, false), put(3000)));
          if (first === undefined || second === undefined) continue;
          const undo = planPatch(proved(second, false), EDITS.drop);
          const after = proved(undo, false);
          restored += 1;
          const plans = [first, second, undo];
          const told = plans.flatMap(({ layout, warnings }) => [...(layout?.stays ?? []), ...warnings]).join('\n');
          if (STAYS.test(told)) continue;
          expect({ placement, memory: memoryOf(after) }).toEqual({ placement, memory: memoryOf(before) });
        }
      }
      expect(restored).toBeGreaterThan(0);
    });
  },
);

function granted(plan: () => PatchPlan): PatchPlan | undefined {
  try {
    return plan();
  } catch (error) {
    if (error instanceof PatchError) return undefined;
    throw error;
  }
}
