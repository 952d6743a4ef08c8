/** Images nobody has linked: whatever their sections, both loaders must leave the same memory, and it must be the old one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { layOutLinear } from '../../../src/edit/linear/lay-out.js';
import { DEFAULT_LINEAR_OPTIONS, type LinearOptions } from '../../../src/edit/linear/options.js';
import { changesLinear, proveLinear } from '../../../src/edit/linear/pipeline.js';
import { readPe } from '../../../src/formats/pe/read.js';
import { BSS, buildPe, CODE, DATA, DISCARDABLE, mb2Header, type SectionSpec } from '../../support/pe-builder.js';
import { loadAsPe, loadFlat, rawSections } from '../../support/pe-memory.js';

interface Shape {
  readonly base: number;
  readonly headerAt: number;
  readonly filler: number;
  readonly align: number | undefined;
  readonly fileAlignment: number;
  readonly image: readonly {
    readonly gap: number;
    readonly size: number;
    readonly short: number;
    readonly more: number;
  }[];
  readonly bss: readonly number[];
  readonly tail: readonly { readonly gap: number; readonly size: number; readonly hasData: boolean }[];
  readonly debug: boolean;
  readonly stripped: boolean;
  readonly overlay: number;
  readonly efi: boolean;
}

const shape: fc.Arbitrary<Shape> = fc.record({
  base: fc.constantFrom(0x1000, 0x3000, 0x200000, 0x200000),
  headerAt: fc.constantFrom(0, 8, 0x18, 0x1f8, 0x1000),
  filler: fc.constantFrom(0, 40, 200, 200),
  align: fc.constantFrom(undefined, 0x1000, 0x1000, 0x200000),
  fileAlignment: fc.constantFrom(1, 8, 0x20, 0x200, 0x1000),
  image: fc.array(
    fc.record({
      gap: fc.constantFrom(0, 1, 4, 0x800, 0x1000, 0x5000),
      size: fc.constantFrom(1, 5, 0x1ff, 0x1000, 0x1801),
      // In memory more than in the file, or in the file more than in memory.
      short: fc.constantFrom(0, 0, 3, 0x100),
      more: fc.constantFrom(0, 0, 7, 0x300),
    }),
    { maxLength: 4 },
  ),
  bss: fc.array(fc.constantFrom(1, 0x3000), { maxLength: 2 }),
  tail: fc.array(
    fc.record({ gap: fc.constantFrom(0, 4, 0x2000), size: fc.constantFrom(1, 0x333, 0x2000), hasData: fc.boolean() }),
    { maxLength: 3 },
  ),
  debug: fc.boolean(),
  stripped: fc.boolean(),
  overlay: fc.constantFrom(0, 0, 5),
  // The entry for UEFI is an address under physical base 0.
  efi: fc.boolean(),
});

/** The image, and how many of its sections a flat loader is to know of. */
function imageOf(s: Shape): { readonly file: Buffer; readonly flat: number; readonly debugAt: number | undefined } {
  const sections: SectionSpec[] = [];
  let rva = s.base;
  const header = mb2Header({ align: s.align, min: 0, entryEfi64: s.efi ? s.base : undefined });
  const text = Buffer.alloc(Math.max(s.headerAt + header.length + s.filler + 16, 0x300), 0xe9);
  header.copy(text, s.headerAt);
  text.fill(0x90, s.headerAt + header.length, s.headerAt + header.length + s.filler);
  const add = (name: string, virtualSize: number, flags: number, data?: Uint8Array) => {
    sections.push({ name, rva, virtualSize, flags, data });
    rva += virtualSize;
  };
  add('.text', text.length, CODE, text);
  for (const [index, { gap, size, short, more }] of s.image.entries()) {
    rva += gap;
    const bytes = Math.max(1, size - short) + (short === 0 ? more : 0);
    add(`.data_of_${index}`, size, DATA, Buffer.alloc(bytes, 0xa0 + index));
  }
  const debugAt = s.debug ? rva : undefined;
  if (s.debug) {
    // One CodeView entry, which the file offset of its record is put into below, and the record.
    const bytes = Buffer.alloc(28 + 24);
    bytes.writeUInt32LE(2, 12);
    bytes.writeUInt32LE(24, 16);
    bytes.writeUInt32LE(rva + 28, 20);
    bytes.write('RSDS', 28, 'latin1');
    add('.buildid', bytes.length, DATA, bytes);
  }
  for (const [index, size] of s.bss.entries()) add(`.bss${index}`, size, BSS);
  const flat = sections.length;
  for (const [index, { gap, size, hasData }] of s.tail.entries()) {
    rva += gap;
    add(`.debug_${index}`, size, DISCARDABLE, hasData ? Buffer.alloc(size, 0xd0 + index) : undefined);
  }
  const file = buildPe({
    sections,
    fileAlignment: s.fileAlignment,
    symbols: s.stripped
      ? []
      : [
          { name: 'start', section: 1, value: 0, auxiliary: 1 },
          { name: 'a_name_of_more_than_eight', section: sections.length, value: 0 },
          { name: 'absolute', section: 0xffff, value: 0x1234 },
        ],
    ...(debugAt === undefined ? {} : { directories: { 6: [debugAt, 28] as const } }),
    overlay: Buffer.alloc(s.overlay, 0x77),
  });
  const home = debugAt === undefined ? undefined : rawSections(file).find((section) => section.rva === debugAt);
  if (home !== undefined) file.writeUInt32LE(home.raw + 28, home.raw + 24);
  return { file, flat, debugAt };
}

const options: fc.Arbitrary<LinearOptions> = fc
  .record({
    mb2: fc.constantFrom('auto', 'auto', 'append', 'gap', 'none'),
    mb1: fc.constantFrom(false, false, true),
    merge: fc.boolean(),
    keepReloc: fc.boolean(),
    headerSize: fc.constantFrom(undefined, undefined, undefined, 0x400n, 0x1000n, 0x8000n),
    bssAlign: fc.constantFrom(undefined, 0x1000n, 0x10n),
    fileAlign: fc.constantFrom('auto', 'auto', 'auto', 'keep', 0x200n),
    physBase: fc.constantFrom(0n, 0n, 0n, 0x200000n),
  })
  .map((part) => ({ ...DEFAULT_LINEAR_OPTIONS, ...part, mb1: part.mb1 && part.mb2 !== 'none' }) as LinearOptions);

const REFUSALS = [
  'mb2.no-room',
  'mb2.too-far',
  'mb2.bad-address',
  'mb2.entry-unknown',
  'mb1.no-room',
  'linear.header-size',
  'linear.file-align',
];

function bytesOf(layout: ReturnType<typeof layOutLinear>): Buffer {
  const bytes = Buffer.alloc(Number(layout.output.size));
  layout.output.readInto(0n, bytes, 'result');
  return bytes;
}

const open = (file: Buffer) => readPe(new BufferSource(file));

describe('layOutLinear() of generated images', () => {
  it('leaves the memory of the input to both loaders, and nothing to do the second time', () => {
    let made = 0;
    let flats = 0;
    fc.assert(
      fc.property(shape, options, (s, w) => {
        const { file, flat: known, debugAt } = imageOf(s);
        let layout: ReturnType<typeof layOutLinear>;
        try {
          layout = layOutLinear(open(file), w);
        } catch (error) {
          if (!(error instanceof PatchError)) throw error;
          expect(REFUSALS).toContain(error.id);
          return;
        }
        made += 1;
        const result = bytesOf(layout);
        proveLinear(layout, layout.output);

        // By hand: tiled, and every section that is loaded equally far from its address.
        const sections = rawSections(result);
        let end = result.readUInt32LE(result.readUInt32LE(60) + 24 + 60);
        const distance = (sections[0]?.rva ?? 0) - end;
        for (const { raw, rawSize, rva, virtualSize } of sections) {
          if (rawSize === 0) continue;
          expect(raw).toBe(end);
          end += rawSize;
          if (rva < s.base + loadedSpan(file, known)) expect(rva - raw).toBe(distance);
          // The padding is zeros.
          if (rawSize > virtualSize)
            expect(result.subarray(raw + virtualSize, raw + rawSize).every((b) => b === 0)).toBe(true);
        }

        const [before, after] = [loadAsPe(file), loadAsPe(result)];
        expect(after.length).toBe(before.length);
        const flat = loadFlat(result);
        expect(flat === undefined).toBe(w.mb2 === 'none');
        // What may differ: the header, what followed it, and the file pointer of the debug entry.
        const header = s.base + s.headerAt;
        for (let at = 0; at < before.length; at++) {
          if (before[at] === after[at]) continue;
          const isPointer = debugAt !== undefined && at >= debugAt + 24 && at < debugAt + 28;
          const isHeader = at >= header && at < header + 56 + 40 + 40 + 40;
          expect(isPointer || (isHeader && w.mb2 !== 'none'), `RVA 0x${at.toString(16)}`).toBe(true);
        }
        if (flat !== undefined) {
          flats += 1;
          const [from, to] = [flat.start - Number(w.physBase), flat.end - Number(w.physBase)];
          expect(from).toBe(s.base);
          const wanted = Buffer.alloc(to - from);
          const tail = rawSections(file).slice(known);
          after.copy(wanted, 0, from, to);
          for (const { rva, virtualSize } of tail) {
            if (rva < to) wanted.fill(0, rva - from, Math.min(to, rva + virtualSize) - from);
          }
          expect(flat.memory.equals(wanted)).toBe(true);
          expect(to).toBeGreaterThanOrEqual(s.base + loadedSpan(file, known));
          expect(flat.headerEnd).toBeLessThanOrEqual(32768);
          expect(flat.entry).toBe(s.base + Number(w.physBase));
        }

        const again = layOutLinear(open(result), w);
        expect(changesLinear(again)).toBe(false);
        expect(bytesOf(layOutLinear(open(file), w)).equals(result)).toBe(true);
      }),
      { numRuns: 700 },
    );
    expect(made).toBeGreaterThan(150);
    expect(flats).toBeGreaterThan(60);
  });
});

/** From the first section to the end of the last one that a flat loader is to know of. */
function loadedSpan(file: Buffer, known: number): number {
  const sections = rawSections(file).slice(0, known);
  const last = sections.at(-1);
  return last === undefined ? 0 : last.rva + last.virtualSize - (sections[0]?.rva ?? 0);
}
