/** Generated images and edit lists for property tests: valid ones, of every shape the planner has to cope with. */
import fc from 'fast-check';
import { type Edit, PLACEMENTS, type PlacementOptions } from '../../src/edit/elf/plan/placement-options.js';
import { ENCODINGS, type Encoding } from '../../src/formats/elf/struct.js';
import { parseSetting } from '../../src/formats/note/value.js';
import { cstr, elf, num, type TestNote } from './elf-builder.js';

/** What a generated image is made of; printed when a property fails. */
export interface Shape {
  readonly encoding: Encoding;
  readonly slack: number;
  readonly stripped: boolean;
  readonly trailing: number;
  readonly gap: bigint;
  readonly bss: boolean;
  /** A PT_LOAD shows the ELF header and the program headers, as in programs and BSD's kernels. */
  readonly headers: boolean;
  readonly notes: 'none' | 'xen' | 'mixed' | 'foreign' | 'two' | 'section' | 'in-load';
  readonly align: 0n | 1n | 4n | 8n;
  readonly spare: 'none' | 'null' | 'stack';
  readonly noteFirst: boolean;
  readonly dataFirst: boolean;
  readonly pageAlign: bigint;
}

export const shapes: fc.Arbitrary<Shape> = fc.record({
  encoding: fc.constantFrom(...ENCODINGS),
  slack: fc.constantFrom(0, 4, 12, 28, 31, 32, 44, 52, 55, 56, 60, 112, 300, 4000),
  stripped: fc.boolean(),
  trailing: fc.constantFrom(0, 0, 1, 7, 64, 4097),
  gap: fc.constantFrom(0n, 0x1000n, 0x10000n),
  bss: fc.boolean(),
  headers: fc.boolean(),
  notes: fc.constantFrom('none', 'xen', 'mixed', 'foreign', 'two', 'section', 'in-load'),
  align: fc.constantFrom(0n, 1n, 4n, 4n, 4n, 8n),
  spare: fc.constantFrom('none', 'none', 'null', 'stack'),
  noteFirst: fc.boolean(),
  dataFirst: fc.boolean(),
  pageAlign: fc.constantFrom(0x10n, 0x1000n, 0x200000n),
});

const buildId: TestNote = { name: 'GNU', type: 3, desc: Uint8Array.from({ length: 20 }, (_, i) => i + 1) };

/** The image of a shape: a text and a data PT_LOAD, perhaps with .bss, notes as asked for. */
export function imageOf(shape: Shape): Uint8Array {
  const { encoding } = shape;
  const wide = encoding.bits === 64;
  const width = wide ? 8 : 4;
  const base = wide ? 0xffff_ffff_8000_0000n : 0xc000_0000n;
  const text = Uint8Array.from({ length: 0x300 }, (_, i) => (i * 7 + 1) & 0xff);
  // Zero padding behind the notes inside the load, as linkers leave it.
  const xenBytes: TestNote[] = [
    { name: 'Xen', type: 6, desc: cstr('linux') },
    { name: 'Xen', type: 18, desc: num(0x100000n, width, encoding) },
  ];
  const room = new Uint8Array(0x200);
  const textBytes = shape.notes === 'in-load' ? new Uint8Array([...text, ...room]) : text;
  const builder = elf(encoding)
    .header({ e_type: 2, e_machine: wide ? 62 : 3, e_entry: base + 0x100010n })
    .load(base + 0x100000n, textBytes, { paddr: 0x100000n, flags: 5, align: shape.pageAlign });
  const data = Uint8Array.from({ length: 0x80 }, (_, i) => 0xa0 ^ i);
  const dataAt = base + 0x200000n + shape.gap;
  builder.load(dataAt, data, {
    paddr: 0x200000n + shape.gap,
    flags: 6,
    memsz: shape.bss ? 0x400n : 0x80n,
    align: shape.pageAlign,
  });
  const options = { align: shape.align };
  switch (shape.notes) {
    case 'none':
      break;
    case 'xen':
      builder.noteSegment(xenBytes, { ...options, section: '.note.Xen' });
      break;
    case 'mixed':
      builder.noteSegment([buildId, ...xenBytes], { ...options, section: '.notes' });
      break;
    case 'foreign':
      builder.noteSegment([buildId], { ...options, section: '.note.gnu.build-id' });
      break;
    case 'two':
      builder.noteSegment(xenBytes, { ...options, section: '.note.Xen' }).noteSegment([buildId], { align: 4n });
      break;
    case 'section':
      builder.noteSection('.note.Xen', xenBytes);
      break;
    case 'in-load':
      builder.noteSegment(xenBytes, { ...options, inside: { load: 0, at: 0x300 }, section: '.note.Xen' });
      break;
  }
  if (shape.spare === 'null') builder.segment(0, undefined, { flags: 0, align: 0n });
  if (shape.spare === 'stack') builder.segment(0x6474e551, undefined, { flags: 6, align: 0x10n });
  builder.section('.text', { inside: { load: 0, at: 0, size: 0x300 }, addr: base + 0x100000n, flags: 6n });
  builder.section('.comment', { bytes: Uint8Array.from([1, 2, 3, 4, 5]) });
  builder.symbol('_start', base + 0x100010n).symbol('other', base + 0x100020n);
  if (shape.headers) {
    const size = { filesz: 0x200n, memsz: 0x200n };
    builder.load(base + 0x800000n, new Uint8Array(0), { offset: 0n, ...size, flags: 4, align: 0x1000n });
  }
  const segments = 2 + segmentsOfNotes(shape.notes) + (shape.spare === 'none' ? 0 : 1) + (shape.headers ? 1 : 0);
  builder.with({
    slack: shape.slack,
    stripped: shape.stripped,
    trailing: Uint8Array.from({ length: shape.trailing }, (_, i) => (i % 251) + 1),
    order: orderOf(shape, segments),
  });
  return builder.build();
}

function segmentsOfNotes(notes: Shape['notes']): number {
  return { none: 0, xen: 1, mixed: 1, foreign: 1, two: 2, section: 0, 'in-load': 1 }[notes];
}

function orderOf({ noteFirst, dataFirst }: Shape, segments: number): number[] {
  const loads = dataFirst ? [1, 0] : [0, 1];
  const rest = Array.from({ length: segments - 2 }, (_, i) => i + 2);
  return noteFirst ? [...rest, ...loads] : [...loads, ...rest];
}

const set = (text: string): Edit => ({ kind: 'set', setting: parseSetting(text) });

const names = fc.constantFrom('GUEST_OS', 'GUEST_VERSION', 'LOADER', 'XEN_VERSION', 'PAE_MODE', 'BSD_SYMTAB');
const texts = fc.stringMatching(/^[a-z.0-9 -]{0,40}$/);
const addresses = fc.constantFrom('0x100000', '0x100010', 'entry', 'entry+4', '0');

/** Edit lists that can be granted as far as their values go. */
export const editLists: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.tuple(names, texts).map(([name, text]) => set(`${name}=${text}`)) },
    { weight: 4, arbitrary: addresses.map((value) => set(`ENTRY=${value}`)) },
    {
      weight: 4,
      arbitrary: fc.constantFrom('0x100000', '0x100010', 'phys:entry').map((v) => set(`PHYS32_ENTRY=${v}`)),
    },
    { weight: 1, arbitrary: fc.constant(set('PHYS32_RELOC=0x200000,0,0x3fffffff')) },
    { weight: 1, arbitrary: fc.constant(set('0x42=hex:0102030405')) },
    { weight: 2, arbitrary: fc.constantFrom(6, 18, 1, 8).map((type): Edit => ({ kind: 'unset', type })) },
    { weight: 1, arbitrary: fc.constant<Edit>({ kind: 'clear' }) },
  ),
  { minLength: 1, maxLength: 6 },
);

/** Where the notes shall go. */
export const wishes: fc.Arbitrary<PlacementOptions> = fc.record({
  placement: fc.oneof(
    { weight: 2, arbitrary: fc.constant<PlacementOptions['placement']>('auto') },
    { weight: 5, arbitrary: fc.constantFrom(...PLACEMENTS) },
  ),
  loaded: fc.constantFrom(undefined, undefined, undefined, true, false),
  section: fc.constantFrom('.note.Xen', '.notes.mine'),
  notesAlign: fc.constant<4>(4),
  mustSurvive: fc.constantFrom([], [], [], ['strip'] as const, ['eu-strip'] as const, ['eu-strip', 'flat'] as const),
});
