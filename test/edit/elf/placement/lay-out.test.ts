/** The order in which placements are tried, what each refused one leaves behind, and what all of them have in common. */
import { describe, expect, it } from 'vitest';
import { PatchError } from '../../../../src/base/errors/patch-error.js';
import { layOut } from '../../../../src/edit/elf/placement/lay-out.js';
import type { PlacementInput } from '../../../../src/edit/elf/placement/placement-input.js';
import { PLACEMENTS } from '../../../../src/edit/elf/plan/placement-options.js';
import type { Encoding } from '../../../../src/formats/elf/struct.js';
import { elf } from '../../../support/elf-builder.js';
import { inputFor, kernel, osEdit, osNote, perClass } from '../../../support/placing.js';

const CLASSES = perClass({ 32: { entry: 32 }, 64: { entry: 56 } });

/** A record of 24 bytes that ends a PT_LOAD, and no room for a header. */
function loaded(encoding: Encoding) {
  const bytes = new Uint8Array(88).fill(0x90, 0, 64);
  return elf(encoding)
    .load(0x100000n, bytes, { align: 1n })
    .noteSegment([osNote(24)], { inside: { load: 0, at: 64 } });
}

function errorOf(input: PlacementInput): PatchError {
  try {
    const { layout } = layOut(input);
    throw new Error(`laid out: ${layout.summary}`);
  } catch (error) {
    if (error instanceof PatchError) return error;
    throw error;
  }
}

describe.each(CLASSES)('layOut(), ELF$encoding.bits $encoding.endian', ({ encoding, entry }) => {
  it('tries the least disturbing first, and says why each was refused', () => {
    const { layout, refused } = layOut(inputFor(kernel(encoding, entry)));
    expect(layout.placement).toBe('append');
    expect(refused).toEqual([
      { placement: 'in-place', reason: 'the image has no notes to rewrite' },
      { placement: 'grow', reason: 'the image has no notes to rewrite' },
    ]);
  });

  it('goes on to the next where one byte is missing', () => {
    const { layout, refused } = layOut(inputFor(kernel(encoding, entry - 1)));
    expect(layout.placement).toBe('move-table');
    expect(refused.map(({ placement }) => placement)).toEqual(['in-place', 'grow', 'append', 'extend']);
  });

  it('keeps notes in memory that are there, and asks extend before append', () => {
    const { layout, refused } = layOut(inputFor(loaded(encoding), osEdit(28)));
    expect(layout).toMatchObject({ placement: 'extend', loaded: true });
    expect(refused.map(({ placement }) => placement)).toEqual(['in-place', 'grow']);
    const outside = layOut(inputFor(loaded(encoding), osEdit(28), { loaded: false }));
    expect(outside.layout).toMatchObject({ placement: 'append', loaded: false });
  });

  it('rewrites in place what fits', () => {
    const { layout, refused } = layOut(inputFor(loaded(encoding), osEdit(20)));
    expect({ placement: layout.placement, refused }).toEqual({ placement: 'in-place', refused: [] });
  });

  it.each(PLACEMENTS)('tries %s alone where it is asked for', (placement) => {
    // No PT_LOAD, no notes, no room: nothing but a table elsewhere can work.
    const input = inputFor(elf(encoding).segment(0x60000000), osEdit(), { placement });
    if (placement === 'move-table' || placement === 'shift') {
      expect(layOut(input)).toMatchObject({ layout: { placement }, refused: [] });
    } else {
      const { id, detail } = errorOf(input);
      expect(id).toBe('plan.impossible');
      for (const other of PLACEMENTS) expect(detail.includes(`${other}: `)).toBe(other === placement);
    }
  });

  it('refuses a placement that a tool of --must-survive would undo', () => {
    const bare = inputFor(kernel(encoding, entry), osEdit(), { placement: 'append', mustSurvive: ['strip'] });
    expect(errorOf(bare).detail).toContain('append: does not survive strip (GNU tools rebuild segments from sections');
    const text = { inside: { load: 0, at: 0, size: 64 } };
    const covered = inputFor(kernel(encoding, entry).section('.text', text), osEdit(), {
      placement: 'append',
      mustSurvive: ['strip'],
    });
    expect(layOut(covered).layout).toMatchObject({ placement: 'append', cover: 'plain' });
  });

  it('with --notes-align 8 wants records that fill 8 bytes, but for the last', () => {
    const two = (size: number) => {
      const image = kernel(encoding, 256).noteSegment([osNote(size), { type: 5, desc: new Uint8Array(8) }]);
      return inputFor(image, [{ kind: 'rewrite' }], { notesAlign: 8, placement: 'append' });
    };
    expect(layOut(two(24)).layout.segments.at(-1)).toMatchObject({ p_align: 8n });
    expect(errorOf(two(20)).detail).toContain(
      'with --notes-align 8 the note of type 6 leaves a gap that Xen cannot step over',
    );
  });
});
