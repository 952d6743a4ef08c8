/** `--clear` works wherever Xen's notes stand, and leaves no PT_NOTE that is empty. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../../src/base/bytes/source.js';
import { expectationOf, planPatch } from '../../../../src/edit/elf/pipeline.js';
import { DEFAULT_PLACEMENT } from '../../../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../../../src/edit/elf/render.js';
import { readElf } from '../../../../src/formats/elf/read.js';
import { walkAsXen } from '../../../../src/loaders/read/loader-walks.js';
import { verifyImage } from '../../../../src/verify/elf/verify.js';
import { cstr, elf, num } from '../../../support/elf-builder.js';

const encoding = { bits: 64, endian: 'little' } as const;
const PT_NULL = 0;
const entry = { name: 'Xen', type: 18, desc: num(0x100000n, 4, encoding) };
const os = { name: 'Xen', type: 6, desc: cstr('mini-os') };
const otherOwners = { name: 'Foo', type: 18, desc: num(1n, 4, encoding) };
const id = { name: 'GNU', type: 3, desc: new Uint8Array(20).fill(7) };

const kernel = () => elf(encoding).load(0x100000n, new Uint8Array(64)).with({ slack: 256 });

describe.each([
  ['two PT_NOTEs of Xen alone', kernel().noteSegment([entry]).noteSegment([os]).build()],
  ['two sections and no PT_NOTE', kernel().noteSection('.a', [entry]).noteSection('.b', [os, id]).build()],
  ['a note of another owner with the type of PHYS32_ENTRY', kernel().noteSegment([otherOwners, entry]).build()],
])('%s', (_, bytes) => {
  it('--clear', () => {
    const image = readElf(new BufferSource(bytes, 'image'));
    expect(walkAsXen(image).notes.length).toBeGreaterThan(0);
    const plan = planPatch(image, [{ kind: 'clear' }]);
    expect(plan.layout?.placement).toBe('in-place');
    const result = readElf(preview(image, plan.rendered));
    expect(walkAsXen(result)).toMatchObject({ from: 'none', notes: [] });
    for (const { p_type, p_filesz } of result.segments) expect(p_filesz > 0n || p_type === PT_NULL).toBe(true);
    for (const expectation of [expectationOf(plan), undefined]) {
      const findings = verifyImage({ image: result, baseline: image, expectation });
      expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
    }
  });
});

describe('an allocated section outside memory, for eu-strip', () => {
  it('is not made where a PT_LOAD has its address', () => {
    const bytes = elf(encoding)
      .load(0n, new Uint8Array(64), { paddr: 0x100000n })
      .section('.text')
      .with({ slack: 256 })
      .build();
    const image = readElf(new BufferSource(bytes, 'image'));
    const options = { ...DEFAULT_PLACEMENT, placement: 'append', mustSurvive: ['eu-strip'] } as const;
    const edit = { kind: 'copy-from', file: 'x', notes: [{ ...os, name: Buffer.from('Xen\0') }] } as const;
    expect(() => planPatch(image, [edit], options)).toThrow(/does not survive eu-strip/);
  });
});

describe('more program headers than Xen counts', () => {
  it('are no place for its notes, and that is said before anything is written', () => {
    const many = Array.from({ length: 0xffff }).reduce<ReturnType<typeof kernel>>(
      (builder) => builder.segment(0x6000_0000),
      kernel().section('.text'),
    );
    const image = readElf(new BufferSource(many.build(), 'image'));
    expect(image.segments.length).toBeGreaterThan(0xffff);
    const edit = { kind: 'copy-from', file: 'x', notes: [{ ...os, name: Buffer.from('Xen\0') }] } as const;
    expect(() => planPatch(image, [edit])).toThrow(/Xen reads 65535 program headers/);
  });
});
