/**
 * Laws that hold for every generated image, edit list and placement: what is granted verifies clean, is found by every
 * loader's walk, is the same when done twice, and can be undone.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { changes, expectationOf, type PatchPlan, planPatch } from '../../../src/edit/elf/pipeline.js';
import { DEFAULT_PLACEMENT, type Edit, type PlacementOptions } from '../../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../../src/edit/elf/render.js';
import type { ElfImage } from '../../../src/formats/elf/image.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { sameNote } from '../../../src/formats/note/record.js';
import { physEntryAsLinuxLoader, physEntryAsQemu, walkAsXen } from '../../../src/loaders/read/loader-walks.js';
import { verifyImage } from '../../../src/verify/elf/verify.js';
import { secondReader } from '../../../src/verify/second-reader.js';
import { editLists, imageOf, type Shape, shapes, wishes } from '../../support/generated.js';

// More runs for a night: PROPERTY_RUNS=20000 npx vitest run test/pipeline
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 400);

function read(bytes: Uint8Array): ElfImage {
  return readElf(new BufferSource(bytes, 'generated'));
}

/** The result of a plan as bytes. */
function resultOf(plan: PatchPlan): Uint8Array {
  const source = preview(plan.image, plan.rendered);
  return source.read(0n, source.size, 'result');
}

/** A plan, or undefined where the edit was refused with a reason. Anything but a PatchError is a fault. */
function tryPlan(image: ElfImage, edits: readonly Edit[], options: PlacementOptions): PatchPlan | undefined {
  try {
    return planPatch(image, edits, options);
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    expect(error.detail).not.toBe('');
    return undefined;
  }
}

describe('a granted edit', () => {
  it('verifies clean against the input, under both readers', async () => {
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(shapes, editLists, wishes, async (shape, edits, options) => {
        const image = read(imageOf(shape));
        const plan = tryPlan(image, edits, options);
        const key = plan?.layout?.placement ?? (plan === undefined ? 'refused' : 'unchanged');
        seen.set(key, (seen.get(key) ?? 0) + 1);
        if (plan === undefined) return;
        const result = read(resultOf(plan));
        const findings = verifyImage({ image: result, baseline: image, expectation: expectationOf(plan) });
        expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
        expect((await secondReader(result)).verdict).not.toBe('differs');
      }),
      { numRuns: RUNS },
    );
    // A property that refuses everything would hold as well.
    for (const placement of ['in-place', 'grow', 'append', 'extend', 'move-table', 'shift', 'new-load', 'new-table']) {
      expect(seen.get(placement) ?? 0, `${placement} was never taken: ${JSON.stringify([...seen])}`).toBeGreaterThan(0);
    }
  });

  it('is found by Xen, QEMU and linux-loader alike', () => {
    fc.assert(
      fc.property(shapes, editLists, wishes, (shape, edits, options) => {
        const plan = tryPlan(read(imageOf(shape)), edits, options);
        if (plan === undefined || !changes(plan)) return;
        const result = read(resultOf(plan));
        const view = walkAsXen(result);
        expect(view.notes.length).toBe(plan.xenNotes.length);
        for (const [i, note] of plan.xenNotes.entries()) {
          const found = view.notes[i];
          expect(found !== undefined && sameNote(found.record, note)).toBe(true);
        }
        const entry = plan.xenNotes.find(({ type }) => type === 18);
        if (entry === undefined || shape.encoding.endian === 'big') return;
        const wanted = Buffer.from(entry.desc).readUInt32LE();
        const qemu = physEntryAsQemu(result);
        // Another owner's PT_NOTE at the very end of the file lets QEMU's walk run out of it, as before the edit.
        if (shape.notes !== 'two' || qemu.problem === undefined) expect(Number(qemu.value)).toBe(wanted);
        if (shape.encoding.bits === 64) expect(Number(physEntryAsLinuxLoader(result).value)).toBe(wanted);
      }),
      { numRuns: RUNS },
    );
  });

  it('done twice changes nothing the second time, however it is placed', () => {
    fc.assert(
      fc.property(shapes, editLists, wishes, (shape, edits, options) => {
        const plan = tryPlan(read(imageOf(shape)), edits, options);
        if (plan === undefined) return;
        const again = planPatch(read(resultOf(plan)), edits, options);
        expect(changes(again)).toBe(false);
      }),
      { numRuns: RUNS },
    );
  });

  it('with the notes that are there changes no byte', () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const image = read(imageOf(shape));
        const { notes, from } = walkAsXen(image);
        // Notes in sections only are hidden from most loaders, and an odd p_align hides PHYS32_ENTRY from QEMU.
        const hidden = shape.encoding.endian === 'little' && physEntryAsQemu(image).value !== 0x100000n;
        if (from !== 'segments' || hidden || shape.notes === 'two') return;
        const copy: Edit = { kind: 'copy-from', file: 'itself', notes: notes.map(({ record }) => record) };
        expect(changes(planPatch(image, [copy]))).toBe(false);
      }),
      { numRuns: RUNS },
    );
  });

  it('can be undone: what was added and removed again leaves every loaded byte as it was', () => {
    fc.assert(
      fc.property(shapes, fc.constantFrom('auto', 'append', 'move-table', 'shift'), (shape, placement) => {
        // Where the ELF header is loaded, e_shoff and the table are loaded bytes that any edit changes.
        const plain: Shape = { ...shape, headers: false, notes: shape.notes === 'foreign' ? 'foreign' : 'none' };
        const image = read(imageOf(plain));
        const options = { ...DEFAULT_PLACEMENT, placement } as PlacementOptions;
        const add: Edit = {
          kind: 'copy-from',
          file: 'x',
          notes: [{ name: Buffer.from('Xen\0'), type: 6, desc: Buffer.from('linux\0') }],
        };
        const plan = tryPlan(image, [add], options);
        if (plan === undefined) return;
        const removed = planPatch(read(resultOf(plan)), [{ kind: 'clear' }]);
        const result = read(resultOf(removed));
        expect(walkAsXen(result).notes).toEqual([]);
        const loadedBytes = (i: ElfImage) =>
          i.segments
            .filter(({ p_type }) => p_type === 1)
            .map((s) => [
              s.p_vaddr,
              s.p_paddr,
              s.p_memsz,
              Buffer.from(i.source.read(s.p_offset, s.p_filesz, 'load')).toString('hex'),
            ]);
        expect(loadedBytes(result)).toEqual(loadedBytes(image));
        const emptyNotes = result.segments.filter(({ p_type, p_filesz }) => p_type === 4 && p_filesz === 0n);
        expect(emptyNotes).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});
