/** Damaged and malicious images: a located error or a proved result, never anything else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { proveLinear } from '../../../src/edit/linear/pipeline.js';
import { diffPe } from '../../../src/inspect/diff/pe-diff.js';
import { verifyLinear, verifyPe } from '../../../src/verify/pe/verify.js';
import { linearBytes, linearLayout } from '../../support/linear.js';
import { PeBytes } from '../../support/pe-edit.js';

const GOOD = PeBytes.fixture();
const LINEAR = linearBytes(GOOD.image(), { mb1: true });

/** Words that are likely to break arithmetic. */
const word = fc.oneof(
  fc.constantFrom(0, 1, 7, 0x1000, 0x1fffff, 0x200000, 0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff),
  fc.nat(0xffffffff),
  fc.nat(0x6000),
);

/** What decides: headers, section table, Multiboot header, relocations, and the symbol table's start. */
function places(file: PeBytes): number[] {
  const ranges = [
    [60, 64],
    [file.bytes.readUInt32LE(60), 0x2a0],
    [file.mb2(), file.mb2() + 136],
    [file.section('.reloc', 'PointerToRawData'), file.section('.reloc', 'PointerToRawData') + 28],
    [file.file('PointerToSymbolTable'), file.file('PointerToSymbolTable') + 180],
  ] as const;
  return ranges.flatMap(([from, to]) => Array.from({ length: (to - from) >> 1 }, (_, i) => from + i * 2));
}

const edits = (file: PeBytes) =>
  fc.array(fc.record({ at: fc.constantFrom(...places(file)), value: word, wide: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  });

function damaged(file: PeBytes, list: readonly { at: number; value: number; wide: boolean }[]): PeBytes {
  const bytes = Buffer.from(file.bytes);
  for (const { at, value, wide } of list) {
    if (wide) bytes.writeUInt32LE(value, at);
    else bytes.writeUInt16LE(value & 0xffff, at);
  }
  return Object.assign(Object.create(PeBytes.prototype) as PeBytes, { bytes });
}

function onlyPatchErrors(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    expect(error.id).not.toBe('internal.bug');
  }
}

describe('layOutLinear() of damaged images', () => {
  it('refuses with a place, or makes a result that proves right', () => {
    fc.assert(
      fc.property(edits(GOOD), fc.boolean(), (list, merge) => {
        onlyPatchErrors(() => {
          const image = damaged(GOOD, list).image();
          const layout = linearLayout(image, { merge });
          // Sparse results may be large: only those that can be held are proved.
          if (layout.output.size < 0x800000n) proveLinear(layout, layout.output);
        });
      }),
      { numRuns: 400 },
    );
  });

  it('never lets a result through that the verifier finds wrong', () => {
    let made = 0;
    fc.assert(
      fc.property(edits(GOOD), (list) => {
        let layout: ReturnType<typeof linearLayout>;
        try {
          layout = linearLayout(damaged(GOOD, list).image());
        } catch {
          return;
        }
        if (layout.output.size >= 0x800000n) return;
        made += 1;
        try {
          proveLinear(layout, layout.output);
        } catch (error) {
          // Faults of the input that a layout keeps, and the verifier then tells of.
          expect(error).toMatchObject({ id: 'verify.failed' });
        }
      }),
      { numRuns: 250 },
    );
    expect(made).toBeGreaterThan(20);
  });
});

describe('verifyLinear() of damaged files', () => {
  it('answers with findings whatever stands in the headers', () => {
    const baseline = GOOD.image();
    fc.assert(
      fc.property(edits(LINEAR), (list) => {
        onlyPatchErrors(() => {
          verifyLinear(damaged(LINEAR, list).image(), { baseline });
        });
      }),
      { numRuns: 400 },
    );
  });

  it('answers for a header_length that no header can have, against a baseline too', () => {
    for (const length of [0, 4, 8, 12, 15, 16, 17, 20, 24, 0x78, 0x7fff, 0xffffffff]) {
      const file = new PeBytes(LINEAR.bytes);
      const at = file.mb2();
      file.word(at + 8, length).word(at + 12, Number((0x2_0000_0000n - 0xe85250d6n - BigInt(length)) & 0xffff_ffffn));
      const broken = file.image();
      expect(verifyLinear(broken).findings.some(({ check }) => check === 'linear.mb2-header')).toBe(true);
      for (const [image, baseline] of [
        [broken, GOOD.image()],
        [GOOD.image(), broken],
      ] as const) {
        verifyPe(image, baseline);
        verifyLinear(image, { baseline });
        diffPe(baseline, image);
      }
    }
  });

  it('survives files cut at any length', () => {
    fc.assert(
      fc.property(fc.nat(LINEAR.bytes.length), (length) => {
        onlyPatchErrors(() => {
          const cut = Object.assign(Object.create(PeBytes.prototype) as PeBytes, {
            bytes: LINEAR.bytes.subarray(0, length),
          });
          verifyLinear(cut.image());
        });
      }),
      { numRuns: 200 },
    );
  });
});
