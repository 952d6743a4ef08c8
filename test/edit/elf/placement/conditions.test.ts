/** What placements ask of an image: each row of the table by an image that breaks it, and by one beside it that does not. */
import { describe, expect, it } from 'vitest';
import { CONDITIONS, refusedBy } from '../../../../src/edit/elf/placement/conditions.js';
import type { PlacementInput } from '../../../../src/edit/elf/placement/placement-input.js';
import { PLACEMENTS } from '../../../../src/edit/elf/plan/placement-options.js';
import { ENCODINGS, type Encoding } from '../../../../src/formats/elf/struct.js';
import { inputFor, kernel, osEdit, osNote } from '../../../support/placing.js';

type Rows = (e: Encoding) => { readonly broken: PlacementInput; readonly kept: PlacementInput; readonly why: string };

/** The image with its program headers in a PT_LOAD of their own. */
const withTable = (e: Encoding) =>
  kernel(e, 64).load(0x800000n, new Uint8Array(0), { offset: 0n, filesz: 0x100n, memsz: 0x100n });
const noted = (e: Encoding) => kernel(e, 64).noteSegment([osNote(20)]);
const plain = (e: Encoding) => inputFor(kernel(e, 64));
/** An input whose image says something that no builder makes. */
const altered = (input: PlacementInput, analysis: Partial<PlacementInput['analysis']>): PlacementInput => ({
  ...input,
  analysis: { ...input.analysis, ...analysis },
});
/** 65,534 program headers and no section header to hold a larger number. */
function crowded(e: Encoding): PlacementInput {
  const input = plain(e);
  const { image } = input.analysis;
  const [segment] = image.segments;
  if (segment === undefined) throw new Error('the image has a PT_LOAD');
  return altered(input, { image: { ...image, sections: [], segments: Array.from({ length: 0xfffe }, () => segment) } });
}
/** The area of the notes, with another range. */
function areaAt(e: Encoding, change: { readonly start?: bigint; readonly end?: bigint }): PlacementInput {
  const input = inputFor(noted(e), osEdit(20));
  const { only } = input.target;
  if (only === undefined) throw new Error('the image has notes');
  return {
    ...input,
    target: { ...input.target, only: { ...only, range: { ...only.range, ...change } as typeof only.range } },
  };
}

const ROWS: Readonly<Record<string, Rows>> = {
  'outside-memory': (e) => ({
    broken: inputFor(kernel(e, 64), osEdit(), { loaded: true }),
    kept: plain(e),
    why: 'the notes would be outside every PT_LOAD',
  }),
  'inside-memory': (e) => ({
    broken: inputFor(withTable(e), osEdit(), { loaded: false }),
    kept: inputFor(withTable(e)),
    why: 'the notes would be inside a PT_LOAD',
  }),
  'notes-to-rewrite': (e) => ({
    broken: plain(e),
    kept: inputFor(noted(e), osEdit(20)),
    why: 'the image has no notes to rewrite',
  }),
  'stays-in-memory': (e) => ({
    broken: inputFor(noted(e), osEdit(20), { loaded: true }),
    kept: inputFor(noted(e), osEdit(20)),
    why: 'the notes are outside every PT_LOAD now',
  }),
  'stays-outside-memory': (e) => {
    const inside = kernel(e, 64).load(0x300000n, new Uint8Array(64), { align: 4n });
    const notes = inside.noteSegment([osNote(20)], { inside: { load: 1, at: 0 } });
    return {
      broken: inputFor(notes, osEdit(20), { loaded: false }),
      kept: inputFor(notes, osEdit(20)),
      why: 'the notes are inside a PT_LOAD now',
    };
  },
  'area-in-file': (e) => ({
    broken: areaAt(e, { end: 0x10n }),
    kept: areaAt(e, {}),
    why: 'reaches behind the end of the file',
  }),
  'area-aligned': (e) => ({
    broken: areaAt(e, { start: 2n }),
    kept: areaAt(e, {}),
    why: 'starts at 0x2, which loaders skip or read misaligned',
  }),
  'table-of-kernel': (e) => {
    const input = inputFor(withTable(e));
    const kind = { ...input.kind, kind: 'program' } as const;
    return {
      broken: { ...input, kind },
      kept: inputFor(withTable(e)),
      why: 'which finds its headers in PT_LOAD',
    };
  },
  'no-table-segment': (e) => ({
    broken: altered(plain(e), { hasPhdrSegment: true }),
    kept: plain(e),
    why: 'PT_PHDR says that the program needs the table where it is',
  }),
  'no-interpreter': (e) => ({
    broken: altered(plain(e), { hasInterpreter: true }),
    kept: plain(e),
    why: 'the image is started by execve, which looks for the table in the first PT_LOAD',
  }),
  'table-in-memory': (e) => ({
    broken: plain(e),
    kept: inputFor(withTable(e)),
    why: 'the program headers are in no PT_LOAD, and no program looks for them there',
  }),
  'table-anywhere': (e) => {
    const kept = inputFor(withTable(e));
    const { image } = kept.analysis;
    const ident = Uint8Array.from(image.ident, (byte, index) => (index === 7 ? 9 : byte));
    return { broken: altered(kept, { image: { ...image, ident } }), kept, why: 'FreeBSD wants the program headers' };
  },
  'table-read-whole': (e) => {
    const kept = inputFor(withTable(e));
    return {
      broken: altered(kept, { multiboot: [{ version: 1, offset: 0x88n, size: 12n }] }),
      kept,
      why: 'it has a Multiboot 1 header, and GRUB wants the program headers within the first 8192 bytes',
    };
  },
  'entries-counted': (e) => ({
    broken: crowded(e),
    kept: plain(e),
    why: '65535 program headers need a section header table to hold the count, and there is none',
  }),
  'load-entry-counted': (e) => {
    const kept = inputFor(withTable(e));
    return {
      broken: altered(crowded(e), { tableLoad: kept.analysis.tableLoad }),
      kept,
      why: '65536 program headers need a section header table to hold the count, and there is none',
    };
  },
  'table-outside-memory': (e) => ({
    broken: inputFor(withTable(e)),
    kept: plain(e),
    why: 'holds the program headers and would have to grow with them',
  }),
};

it('every row of the table is tried here, and every placement asks something', () => {
  expect(Object.keys(ROWS)).toEqual(CONDITIONS.map(({ name }) => name));
  expect(new Set(CONDITIONS.flatMap(({ of }) => of))).toEqual(new Set(PLACEMENTS));
});

describe.each(CONDITIONS)('$name', ({ name, of, sparesProgram }) => {
  describe.each(ENCODINGS)('ELF$bits $endian', (encoding) => {
    it.each(of)('refuses %s in one line, and lets the image beside it through', (placement) => {
      const row = ROWS[name]?.(encoding);
      if (row === undefined) throw new Error(`no row for ${name}`);
      const refusal = refusedBy(placement, row.broken);
      expect(refusal?.reason).toContain(row.why);
      expect(refusal?.placement).toBe(placement);
      expect(refusal?.sparesProgram).toBe(sparesProgram);
      expect(refusedBy(placement, row.kept)?.reason ?? '').not.toContain(row.why);
    });
  });
});
