import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { planPatch } from '../../../src/edit/elf/pipeline.js';
import { preview } from '../../../src/edit/elf/render.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { ENCODINGS } from '../../../src/formats/elf/struct.js';
import { parseSetting } from '../../../src/formats/note/value.js';
import { diffImages } from '../../../src/inspect/diff/diff.js';
import { cstr, elf, num } from '../../support/elf-builder.js';

describe.each(ENCODINGS)('diffImages(), ELF$bits $endian', (encoding) => {
  const code = new Uint8Array(256).fill(0x90);
  const build = (bytes = code, value = 0x100000n) =>
    elf(encoding)
      .load(0x100000n, bytes)
      .noteSegment([{ type: 18, desc: num(value, 4, encoding) }], { section: '.note.Xen' })
      .section('.text', { inside: { load: 0, at: 0, size: 256 } })
      .with({ slack: 256 })
      .build();
  const read = (bytes: Uint8Array) => readElf(new BufferSource(bytes));
  const diff = (a: Uint8Array, b: Uint8Array) => diffImages(read(a), read(b));

  it('the same bytes are the same', () => {
    expect(diff(build(), build())).toMatchObject({
      same: true,
      notes: [],
      header: [],
      segments: [],
      sections: [],
      bytes: { count: 0 },
    });
  });

  it('a note that says something else is that and nothing more', () => {
    const found = diff(build(), build(code, 0x100040n));
    expect(found).toMatchObject({ same: false, onlyNotes: true, header: [], segments: [], sections: [] });
    expect(found.notes).toMatchObject([{ kind: 'changed', owner: 'Xen', type: 18 }]);
    expect(found.bytes.groups).toMatchObject([{ bytes: 1n, place: { kind: 'notes', loaded: false } }]);
  });

  it('a byte of code is found, named and counted as loaded', () => {
    const other = Uint8Array.from(code);
    other[200] = 1;
    const found = diff(build(), build(other));
    expect(found.onlyNotes).toBe(false);
    expect(found.bytes.groups).toMatchObject([
      { ranges: 1, bytes: 1n, place: { name: 'section .text', loaded: true } },
    ]);
  });

  it('a patch is notes and headers only, told entry by entry', () => {
    const image = read(
      elf(encoding)
        .load(0x100000n, code)
        .section('.text', { inside: { load: 0, at: 0, size: 256 } })
        .with({ slack: 256 })
        .build(),
    );
    const plan = planPatch(image, [{ kind: 'set', setting: parseSetting('GUEST_OS=linux') }]);
    const found = diffImages(image, readElf(preview(image, plan.rendered)));
    expect(found).toMatchObject({
      onlyNotes: true,
      notes: [{ kind: 'new', owner: 'Xen', type: 6, after: { desc: cstr('linux') } }],
    });
    expect(found.segments.filter(({ before }) => before === undefined)).toMatchObject([{ name: 'PT_NOTE' }]);
    expect(found.sections.filter(({ before }) => before === undefined)).toMatchObject([{ name: '.note.Xen' }]);
    expect(found.header.map(({ field }) => field)).toContain('e_phnum');
  });

  it('what only the longer file has is told from either side', () => {
    const longer = elf(encoding)
      .load(0x100000n, code)
      .with({ trailing: new Uint8Array(5).fill(7) })
      .build();
    const shorter = elf(encoding).load(0x100000n, code).build();
    expect(diff(shorter, longer).bytes.ranges).toMatchObject([
      { kind: 'only in the second', end: BigInt(longer.length) },
    ]);
    expect(diff(longer, shorter).bytes.ranges).toMatchObject([
      { kind: 'only in the first', end: BigInt(longer.length) },
    ]);
  });
});
