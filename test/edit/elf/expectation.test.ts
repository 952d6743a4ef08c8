/** Each placement is judged by the verifier's checks before it is taken, and that costs no walk through the file. */
import { describe, expect, it } from 'vitest';
import { BufferSource, type ByteSource } from '../../../src/base/bytes/source.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { planPatch } from '../../../src/edit/elf/pipeline.js';
import { DEFAULT_PLACEMENT, type PlacementName } from '../../../src/edit/elf/plan/placement-options.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { elf } from '../../support/elf-builder.js';
import { osEdit } from '../../support/placing.js';

/** A source that counts what is read of it. */
function counted(bytes: Uint8Array): { readonly source: ByteSource; read(): number } {
  const inner = new BufferSource(bytes, 'image');
  let read = 0;
  const source: ByteSource = {
    name: inner.name,
    size: inner.size,
    read(offset, length, part) {
      read += Number(length);
      return inner.read(offset, length, part);
    },
    readInto(offset, target, part) {
      read += target.length;
      inner.readInto(offset, target, part);
    },
  };
  return { source, read: () => read };
}

describe('a plan', () => {
  // What is read is headers, notes, and the bytes that are taken: as much of a file 16 times as long.
  it.each<PlacementName>(['append', 'move-table', 'shift', 'new-load'])(
    'by %s reads as much of a long file as of a short one',
    (placement) => {
      const readOf = (size: number) => {
        const bytes = elf()
          .load(0x100000n, new Uint8Array(size).fill(0x90), { align: 0x1000n })
          .with({ slack: 0x300 })
          .build();
        const { source, read } = counted(bytes);
        const plan = planPatch(readElf(source), osEdit(), { ...DEFAULT_PLACEMENT, placement });
        expect(plan.layout?.placement).toBe(placement);
        return read();
      };
      expect(readOf(0x400000)).toBe(readOf(0x40000));
    },
  );

  it('leaves the words of the check that a placement would break, and tries the next', () => {
    // A note section whose address is no multiple of its alignment once it is written anew.
    const image = () => {
      const text = new Uint8Array(0x100).fill(0x90, 0, 0xfb);
      const bytes = elf()
        .load(0x100001n, text, { align: 1n })
        .load(0x200000n, new Uint8Array(16).fill(0x90), { align: 0x1000n })
        .noteSection('.note.Xen', [], { inside: { load: 0, at: 0xfc, size: 0 }, flags: 2n })
        .with({ slack: 0x100 })
        .build();
      return readElf(new BufferSource(bytes, 'image'));
    };
    const asked = (placement: PlacementName | 'auto') => {
      try {
        return planPatch(image(), osEdit(), {
          ...DEFAULT_PLACEMENT,
          placement,
          loaded: placement !== 'auto' || undefined,
        });
      } catch (error) {
        if (error instanceof PatchError) return error.detail;
        throw error;
      }
    };
    expect(asked('extend')).toContain('extend: the result would break section-address: section 1 (.note.Xen): sh_addr');
    expect(asked('auto')).toMatchObject({ layout: { placement: 'append' } });
  });
});
