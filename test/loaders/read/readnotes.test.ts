import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { ENCODINGS } from '../../../src/formats/elf/struct.js';
import { formatReadnotes } from '../../../src/loaders/read/readnotes.js';
import {
  concat,
  cstr,
  type ElfBuilder,
  elf,
  hexToBytes,
  latin1,
  noteBytes,
  num,
  type TestNote,
} from '../../support/elf-builder.js';

const LE64 = { bits: 64, endian: 'little' } as const;
const print = (builder: ElfBuilder) => formatReadnotes(readElf(new BufferSource(builder.build(), 'kernel')));
const lines = (...notes: TestNote[]) => print(elf(LE64).noteSegment(notes)).stdout;
const word = (type: number, value: bigint, width: number) => ({ type, desc: num(value, width, LE64) });

describe('formatReadnotes()', () => {
  it('prints what a Linux 6.1 x86-64 kernel prints', () => {
    // Notes and output as seen on Debian's vmlinux 6.1.192.
    const notes = [
      { type: 6, desc: cstr('linux') },
      { type: 7, desc: cstr('2.6') },
      { type: 5, desc: cstr('xen-3.0') },
      word(3, 0xffffffff80000000n, 8),
      word(15, 0x8000000000n, 8),
      word(1, 0xffffffff8304e1c0n, 8),
      { type: 10, desc: latin1('!writable_page_tables|pae_pgdir_above_4gb') },
      word(17, 0x8801n, 4),
      { type: 9, desc: cstr('yes') },
      { type: 8, desc: cstr('generic') },
      { type: 13, desc: concat([num(1, 8, LE64), num(1, 8, LE64)]) },
      word(14, 1n, 4),
      word(16, 1n, 4),
      word(12, 0xffff800000000000n, 8),
      word(4, 0n, 8),
      { name: 'GNU', type: 3, desc: new Uint8Array(20) },
      { name: 'Linux', type: 0x101, desc: num(0, 4, LE64) },
      word(18, 0x1000850n, 8),
    ];
    expect(print(elf(LE64).noteSegment(notes))).toEqual({
      stdout: `GUEST_OS: linux
GUEST_VERSION: 2.6
XEN_VERSION: xen-3.0
VIRT_BASE: 0xffffffff80000000 (8 bytes)
unknown note type 0xf
ENTRY: 0xffffffff8304e1c0 (8 bytes)
FEATURES: !writable_page_tables|pae_pgdir_above_4gb
unknown note type 0x11
PAE_MODE: yes
LOADER: generic
L1_MFN_VALID: mask=0x1 value=0x1
SUSPEND_CANCEL:        0x1 (4 bytes)
unknown note type 0x10
HV_START_LOW: 0xffff800000000000 (8 bytes)
PADDR_OFFSET:                  0 (8 bytes)
PHYS32_ENTRY:          0x1000850 (8 bytes)
`,
      stderr: '',
      exit: 0,
    });
  });

  it.each([
    [1, 0x12n, 'ENTRY: 0x12 (1 bytes)\n'],
    [2, 0x12n, 'ENTRY:   0x12 (2 bytes)\n'],
    [4, 0x1234n, 'ENTRY:     0x1234 (4 bytes)\n'],
    [3, 0x1234n, 'ENTRY:        0 (3 bytes)\n'],
    [0, 0n, 'ENTRY:  0 (0 bytes)\n'],
    [16, 1n, `ENTRY: ${'0'.padStart(34)} (16 bytes)\n`],
  ])('a number of %i bytes', (width, value, text) => {
    expect(lines(word(1, value, width))).toBe(text);
  });

  // The format of each type: a string, a number, a pair, or unknown.
  it.each([
    [0, 'INFO', 's'],
    [1, 'ENTRY', 'n'],
    [2, 'HYPERCALL_PAGE', 'n'],
    [3, 'VIRT_BASE', 'n'],
    [4, 'PADDR_OFFSET', 'n'],
    [5, 'XEN_VERSION', 's'],
    [6, 'GUEST_OS', 's'],
    [7, 'GUEST_VERSION', 's'],
    [8, 'LOADER', 's'],
    [9, 'PAE_MODE', 's'],
    [10, 'FEATURES', 's'],
    [11, '0xb', '?'],
    [12, 'HV_START_LOW', 'n'],
    [13, 'L1_MFN_VALID', 'p'],
    [14, 'SUSPEND_CANCEL', 'n'],
    [15, '0xf', '?'],
    [16, '0x10', '?'],
    [17, '0x11', '?'],
    [18, 'PHYS32_ENTRY', 'n'],
    [19, '0x13', '?'],
    [20, '0x14', '?'],
    [0xffffffff, '0xffffffff', '?'],
  ])('type %i', (type, name, format) => {
    const wanted = {
      s: `${name}: abcdefg\n`,
      n: `${name}: 0x67666564636261 (8 bytes)\n`.replace(': 0x', ':   0x'),
      p: `${name}: mask=0x64636261 value=0x676665\n`,
      '?': `unknown note type ${name}\n`,
    }[format];
    expect(lines({ type, desc: cstr('abcdefg') })).toBe(wanted);
  });

  it('L1_MFN_VALID of another size prints nothing; 9 and 17 bytes count as pairs', () => {
    const sized = (size: number) => lines({ type: 13, desc: new Uint8Array(size).fill(1) });
    expect(sized(4)).toBe('');
    expect(sized(12)).toBe('');
    expect(sized(9)).toBe('L1_MFN_VALID: mask=0x1010101 value=0x1010101\n');
    expect(sized(17)).toBe('L1_MFN_VALID: mask=0x101010101010101 value=0x101010101010101\n');
    expect(sized(18)).toBe('');
    expect(lines({ type: 13, desc: new Uint8Array(8) })).toBe('L1_MFN_VALID: mask=0 value=0\n');
  });

  it('a string that does not end is (invalid), and the image broken', () => {
    expect(lines({ type: 6, desc: latin1('x'.repeat(4097)) })).toBe(
      'GUEST_OS: (invalid)\nwarning: broken ELF: excessively long string\n',
    );
  });

  it('prints notes twice when the last segment has none of Xen: it looks at the sections, too', () => {
    const builder = elf(LE64)
      .noteSegment([{ type: 8, desc: cstr('generic') }], { section: '.note.Xen' })
      .noteSegment([{ name: 'GNU', type: 3, desc: new Uint8Array(4) }]);
    expect(print(builder)).toEqual({
      stdout: 'LOADER: generic\nLOADER: generic\n',
      stderr: 'using notes from SHT_NOTE section\n',
      exit: 0,
    });
  });

  it('skips a segment at offset 0, walks sections from index 0, names each on stderr', () => {
    const note = (text: string) => [{ type: 8, desc: cstr(text) }];
    const builder = elf(LE64)
      .noteSegment(note('never'), { offset: 0n })
      .noteSection('.a', note('one'))
      .noteSection('.b', [{ name: 'GNU', type: 1, desc: new Uint8Array(0) }])
      .noteSection('.c', note('two'));
    expect(print(builder)).toEqual({
      stdout: 'LOADER: one\nLOADER: two\n',
      stderr: 'using notes from SHT_NOTE section\nusing notes from SHT_NOTE section\n',
      exit: 0,
    });
  });

  it('prints __xen_guest last, and the broken mark behind it', () => {
    const builder = elf(LE64)
      .noteSegment([{ type: 8, desc: cstr('generic') }])
      .section('__xen_guest', { bytes: cstr('GUEST_OS=x') });
    expect(print(builder).stdout).toBe('LOADER: generic\n__xen_guest: GUEST_OS=x\n');
    const broken = elf(LE64)
      .noteSegment(hexToBytes('00000070 04000000 12000000 58656e00'))
      .section('__xen_guest', { bytes: cstr('GUEST_OS=x') });
    expect(print(broken).stdout).toBe(
      'PHYS32_ENTRY:          0 (4 bytes)\n__xen_guest: GUEST_OS=x\nwarning: broken ELF: out of range access\n',
    );
  });

  it('an image without Xen notes is no failure', () => {
    expect(print(elf(LE64))).toEqual({ stdout: '', stderr: '', exit: 0 });
  });

  it('a stale e_shoff makes libelf refuse the file', () => {
    const builder = elf(LE64)
      .noteSegment([{ type: 8, desc: cstr('generic') }])
      .header({ e_shoff: 0x10_0000n });
    expect(print(builder)).toEqual({ stdout: '', stderr: 'File kernel is not an ELF image\n', exit: 1 });
  });

  it('a width that wraps pads as C does, one that would flood is refused', () => {
    const sized = (descsz: number) =>
      print(
        elf(LE64)
          .with({ stripped: true })
          .noteSegment(concat([num(4, 4, LE64), num(descsz, 4, LE64), num(1, 4, LE64), cstr('Xen')])),
      );
    expect(sized(0x7fffffff).stdout).toBe('ENTRY: 0 (2147483647 bytes)\n');
    expect(sized(0xffffffff).stdout).toBe('ENTRY: 0 (-1 bytes)\n');
    expect(sized(0xfffffff0).stdout).toBe(`ENTRY: ${'0'.padEnd(30)} (-16 bytes)\n`);
    expect(() => sized(0x10000000)).toThrow(/the output.*\[note\.too-large\]/);
  });

  it('records that would take for ever are refused', () => {
    const builder = elf(LE64);
    for (let i = 0; i < 2000; i++) builder.noteSegment([], { offset: 0x40000n, filesz: 0x3000n });
    const bytes = concat([builder.build(), new Uint8Array(0x50000)]);
    expect(() => formatReadnotes(readElf(new BufferSource(bytes)))).toThrow(
      /note records together.*\[note\.too-large\]/,
    );
  });

  it.each(ENCODINGS)('ELF$bits $endian', (encoding) => {
    const notes = noteBytes([{ type: 18, desc: num(0x100000, 4, encoding) }], encoding);
    expect(print(elf(encoding).noteSegment(notes)).stdout).toBe('PHYS32_ENTRY:   0x100000 (4 bytes)\n');
  });
});
