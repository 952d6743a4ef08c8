import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENCODINGS } from '../../../src/formats/elf/struct.js';
import {
  encodedSize,
  encodeNotes,
  type NoteContent,
  ownerOf,
  sameNote,
  walkNotes,
  XEN_OWNER,
  xenNote,
} from '../../../src/formats/note/record.js';
import { hexToBytes, latin1, noteBytes } from '../../support/elf-builder.js';

const anyNote = fc.record({
  name: fc.uint8Array({ maxLength: 40 }),
  type: fc.nat({ max: 0xffff_ffff }),
  desc: fc.uint8Array({ maxLength: 90 }),
});

const contents = ({ name, type, desc }: NoteContent) => ({ name: [...name], type, desc: [...desc] });

describe('walkNotes()', () => {
  // PHYS32_ENTRY 0x100000 as GRUB's i386-xen_pvh images hold it, then its big-endian twin.
  const little = hexToBytes('04000000 04000000 12000000 58656e00 00001000');
  const big = hexToBytes('00000004 00000004 00000012 58656e00 00100000');

  it.each([
    ['little', little, [0, 0, 0x10, 0]],
    ['big', big, [0, 0x10, 0, 0]],
  ] as const)('reads one note, %s endian', (endian, bytes, desc) => {
    const walk = walkNotes(bytes, 0x1000n, endian, 4n);
    expect(walk).toMatchObject({ unit: 4, end: 0x1014n, problem: undefined });
    expect(walk.records).toHaveLength(1);
    expect(walk.records[0]).toMatchObject({ type: 18, offset: 0x1000n, descOffset: 0x1010n, size: 20n });
    expect([...(walk.records[0]?.desc ?? [])]).toEqual(desc);
    expect([...(walk.records[0]?.name ?? [])]).toEqual([0x58, 0x65, 0x6e, 0]);
  });

  it('keeps the length of a name and a descriptor that need padding', () => {
    const bytes = hexToBytes('03000000 05000000 01000000 58656e00 0102030405000000');
    const [record] = walkNotes(bytes, 0n, 'little', 4n).records;
    expect([record?.name.length, record?.desc.length, record?.size]).toEqual([3, 5, 24n]);
  });

  it('takes 8 only when the alignment is exactly 8', () => {
    // A GNU property note: descriptor of 8, all multiples of 8 anyway; then a Xen note padded to 24.
    const bytes = hexToBytes(
      '04000000 08000000 05000000 474e5500 0102030405060708 04000000 04000000 12000000 58656e00 aabbccdd 00000000',
    );
    expect(walkNotes(bytes, 0n, 'little', 8n)).toMatchObject({ unit: 8, problem: undefined, end: 48n });
    expect(walkNotes(bytes, 0n, 'little', 16n)).toMatchObject({ unit: 4, end: 44n });
    expect(walkNotes(bytes, 0n, 'little', 16n).problem).toBe('0x4 zero bytes at 0x2c hold no record');
    expect(walkNotes(bytes, 0n, 'little', 0n).unit).toBe(4);
  });

  it('falls back to 4 when the header says 8 and the records are padded by 4', () => {
    // GRUB's x86_64-xen: GUEST_OS "GRUB\0" takes 5 bytes, padded to 8 in total 24; then a 20-byte note.
    const bytes = noteBytes(
      [
        { type: 18, desc: new Uint8Array(4) },
        { type: 6, desc: latin1('GRUB\0') },
        { type: 18, desc: Uint8Array.of(1, 2, 3, 4) },
      ],
      { bits: 64, endian: 'little' },
    );
    const walk = walkNotes(bytes, 0n, 'little', 8n);
    expect(walk).toMatchObject({ unit: 4, problem: undefined });
    expect(walk.records.map((r) => r.type)).toEqual([18, 6, 18]);
  });

  it('falls back to 4 with zeros behind the last note, too', () => {
    const note = { type: 18, desc: Uint8Array.of(1, 2, 3, 4) };
    const bytes = new Uint8Array(3 * 20 + 4);
    bytes.set(noteBytes([note, note, note], { bits: 64, endian: 'little' }));
    expect(walkNotes(bytes, 0n, 'little', 8n)).toMatchObject({ unit: 4, end: 60n });
  });

  it('accepts a last record without its padding', () => {
    const bytes = hexToBytes('04000000 01000000 06000000 58656e00 61');
    expect(walkNotes(bytes, 0n, 'little', 4n)).toMatchObject({ problem: undefined, end: 17n });
  });

  it('says why it stops', () => {
    const short = hexToBytes('04000000 0c000000 09000000 58656e00 79657300');
    expect(walkNotes(short, 0x40n, 'little', 4n)).toMatchObject({
      records: [],
      end: 0x40n,
      problem: 'record at 0x40 needs 0x1c bytes, 0x14 remain',
    });
    const huge = hexToBytes('ffffffff ffffffff 09000000 58656e00');
    expect(walkNotes(huge, 0n, 'little', 4n).problem).toBe('record at 0x0 needs 0x20000000b bytes, 0x10 remain');
    expect(walkNotes(hexToBytes('0102'), 0n, 'little', 4n).problem).toBe('0x2 bytes at 0x0 hold no record');
  });

  it('keeps 65,536 records and no more', () => {
    const zeros = new Uint8Array(12 * 65_536);
    expect(walkNotes(zeros, 0n, 'little', 4n)).toMatchObject({ problem: undefined, end: 786_432n });
    const walk = walkNotes(new Uint8Array(12 * 65_537), 0n, 'little', 4n);
    expect(walk.records).toHaveLength(65_536);
    expect(walk.problem).toBe('more than 65536 records');
  });
});

describe.each(ENCODINGS)('encodeNotes(), ELF$bits $endian', (encoding) => {
  it('comes back from walkNotes() unchanged, at any file offset', () => {
    fc.assert(
      fc.property(fc.array(anyNote, { maxLength: 12 }), fc.bigInt({ min: 0n, max: 1n << 60n }), (notes, start) => {
        const bytes = encodeNotes(notes, encoding.endian);
        const walk = walkNotes(bytes, start, encoding.endian, 4n);
        expect(walk.problem).toBeUndefined();
        expect(walk.records.map(contents)).toEqual(notes.map(contents));
        expect(walk.records.every((r) => r.offset >= start && r.offset % 4n === start % 4n)).toBe(true);
        expect(walk.end).toBe(start + BigInt(notes.reduce((sum, note) => sum + encodedSize(note), 0)));
      }),
    );
  });

  it('agrees with the test builder, which was written apart', () => {
    fc.assert(
      fc.property(fc.array(anyNote, { maxLength: 6 }), (notes) => {
        expect(encodeNotes(notes, encoding.endian)).toEqual(noteBytes(notes, encoding));
      }),
    );
  });

  it('finds only whole, adjoining records in garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(0n, 1n, 4n, 8n, 4096n), (bytes, align) => {
        const { records, end, problem } = walkNotes(bytes, 7n, encoding.endian, align);
        let at = 7n;
        for (const record of records) {
          expect(record.offset).toBe(at);
          at += record.size;
        }
        expect(end).toBe(at);
        expect(problem === undefined).toBe(end === 7n + BigInt(bytes.length));
      }),
    );
  });
});

describe('record helpers', () => {
  it('ownerOf() ends at the first NUL', () => {
    expect(ownerOf(XEN_OWNER)).toBe('Xen');
    expect(ownerOf(latin1('Xen\0x'))).toBe('Xen');
    expect(ownerOf(latin1('Xen'))).toBe('Xen');
    expect(ownerOf(new Uint8Array(0))).toBe('');
    expect(ownerOf(Uint8Array.of(0xe9, 0))).toBe('é');
  });

  it('encodeNotes() writes what Xen documents for LOADER', () => {
    expect(encodeNotes([xenNote(8, latin1('generic\0'))], 'little')).toEqual(
      hexToBytes('04000000 08000000 08000000 58656e00 67656e65 72696300'),
    );
  });

  it('encodeNotes() refuses a type of more than 32 bits', () => {
    expect(() => encodeNotes([xenNote(2 ** 32, new Uint8Array(0))], 'little')).toThrow(RangeError);
  });

  it('sameNote() compares name, type and descriptor', () => {
    const note = xenNote(18, Uint8Array.of(1));
    expect(sameNote(note, xenNote(18, Uint8Array.of(1)))).toBe(true);
    expect(sameNote(note, xenNote(17, Uint8Array.of(1)))).toBe(false);
    expect(sameNote(note, xenNote(18, Uint8Array.of(2)))).toBe(false);
    expect(sameNote(note, { ...note, name: latin1('Xen') })).toBe(false);
  });
});
