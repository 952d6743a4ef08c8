import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { ENCODINGS } from '../../../src/formats/elf/struct.js';
import { noteAreas } from '../../../src/formats/note/areas.js';
import { cstr, elf, num } from '../../support/elf-builder.js';

const read = (bytes: Uint8Array) => readElf(new BufferSource(bytes));

describe.each(ENCODINGS)('noteAreas(), ELF$bits $endian', (encoding) => {
  const phys = { type: 18, desc: num(0x100000n, 4, encoding) };

  it('lists segments in table order, then note sections, with the LOAD that holds them', () => {
    const image = read(
      elf(encoding)
        .load(0x100000n, new Uint8Array(0x100))
        .load(0x200000n, new Uint8Array(0x100))
        .noteSegment([{ name: 'GNU', type: 3, desc: new Uint8Array(20) }])
        .noteSegment([phys], { inside: { load: 1, at: 0x40 }, section: '.note.Xen' })
        .noteSection('.note.other', [{ type: 8, desc: cstr('generic') }])
        .build(),
    );
    const areas = noteAreas(image);
    expect(areas.map((a) => [a.kind, a.index, a.name])).toEqual([
      ['segment', 2, 'PT_NOTE 2'],
      ['segment', 3, 'PT_NOTE 3'],
      ['section', 1, '.note.Xen'],
      ['section', 2, '.note.other'],
    ]);
    expect(areas.map((a) => a.loaded?.p_vaddr)).toEqual([undefined, 0x200000n, 0x200000n, undefined]);
    expect(areas.map((a) => a.walk.records.length)).toEqual([1, 1, 1, 1]);
    expect(areas[1]?.range).toEqual(areas[2]?.range);
    const start = image.segments[3]?.p_offset ?? 0n;
    expect(areas[1]?.range).toEqual({ start, end: start + 20n });
  });

  it('cuts an area to the file', () => {
    const bytes = elf(encoding).with({ stripped: true }).noteSegment([phys], { filesz: 0x1000n }).build();
    const [area] = noteAreas(read(bytes));
    expect(area?.range.end).toBe(BigInt(bytes.length));
    expect(area?.declared.end).toBe((area?.range.start ?? 0n) + 0x1000n);
    expect(area?.walk.problem).toBeUndefined();

    const outside = elf(encoding).noteSegment([phys], { offset: 0x7000_0000n }).build();
    const [far] = noteAreas(read(outside));
    expect(far?.range.start).toBe(BigInt(outside.length));
    expect(far?.walk.records).toEqual([]);
  });

  it('an area that crosses the end of a LOAD is not loaded', () => {
    const image = read(
      elf(encoding)
        .load(0x100000n, new Uint8Array(0x40))
        .noteSegment([phys], { inside: { load: 0, at: 0x30 } })
        .with({ trailing: new Uint8Array(16) })
        .build(),
    );
    expect(noteAreas(image)[0]?.loaded).toBeUndefined();
  });
});
