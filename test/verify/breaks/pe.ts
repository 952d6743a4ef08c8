/** One deliberate break or more for each check of PE images. */
import type { LinearOptions } from '../../../src/edit/linear/options.js';
import type { PeBytes } from '../../support/pe-edit.js';

/** What is changed in a good linear file. */
export interface PeBreak {
  readonly check: string;
  readonly options?: Partial<LinearOptions>;
  readonly what: string;
  /** Not the checksum's own break: it is taken out of the way. */
  readonly keepsSum?: boolean;
  edit(file: PeBytes): void;
}

export const PE_BREAKS: readonly PeBreak[] = [
  {
    check: 'linear.raw-in-file',
    what: 'the last section leaves the file',
    edit: (f) => f.section('.debug_dummy', 'SizeOfRawData', 0x10000000),
  },
  {
    check: 'linear.section-order',
    what: 'a section grows over the next one',
    edit: (f) => f.section('.text', 'VirtualSize', 0x2000),
  },
  {
    check: 'linear.one-distance',
    what: '.rodata stands 4 bytes further',
    edit: (f) => f.section('.rodata', 'PointerToRawData', f.section('.rodata', 'PointerToRawData') + 4),
  },
  {
    check: 'linear.tiling',
    what: 'a hole between .text and .rodata',
    edit: (f) => f.section('.text', 'SizeOfRawData', f.section('.text', 'SizeOfRawData') - 0x200),
  },
  {
    check: 'linear.zero-padding',
    what: 'a byte behind VirtualSize',
    edit: (f) => {
      f.bytes[f.section('.text', 'PointerToRawData') + f.section('.text', 'VirtualSize') + 7] = 1;
    },
  },
  {
    check: 'linear.bss',
    what: 'a file offset for .bss',
    edit: (f) => f.section('.bss', 'PointerToRawData', 0x1000),
  },
  {
    check: 'linear.tail-kind',
    what: 'data behind .bss that is not discardable',
    edit: (f) => f.rename('.debug_dummy', '.mydata').section('.mydata', 'Characteristics', 0xc0000040),
  },
  {
    check: 'linear.symbols',
    what: 'symbols that begin inside the sections',
    edit: (f) => f.file('PointerToSymbolTable', 0x2000),
  },
  {
    check: 'linear.header-size',
    what: 'headers that reach into the first section',
    edit: (f) => f.optional('SizeOfHeaders', 0x200008),
  },
  {
    check: 'linear.size-of-image',
    what: 'a SizeOfImage in front of the last section',
    edit: (f) => f.optional('SizeOfImage', 0x206000),
  },
  {
    check: 'linear.checksum',
    what: 'a byte in the overlay',
    keepsSum: true,
    edit: (f) => {
      f.bytes[f.bytes.length - 2] = 0x55;
    },
  },
  {
    check: 'linear.mb2-header',
    what: 'no magic',
    edit: (f) => f.word(f.mb2(), 0),
  },
  {
    check: 'linear.tag-arithmetic',
    what: 'load_addr -1',
    edit: (f) => f.word(f.tag(2) + 4, 0xffffffff),
  },
  {
    check: 'linear.load-range',
    what: 'bss_end_addr inside .bss',
    edit: (f) => f.word(f.tag(2) + 12, 0x204000),
  },
  {
    check: 'linear.entries',
    what: 'an entry in .rodata',
    edit: (f) => f.word(f.tag(3), 0x201000),
  },
  {
    check: 'linear.relocatable',
    what: 'an alignment of 4 MiB, which the load address does not have',
    edit: (f) => f.word(f.tag(10) + 8, 0x400000),
  },
  {
    check: 'linear.mb1-header',
    options: { mb1: true },
    what: 'another entry for Multiboot 1',
    edit: (f) => f.word(f.bytes.indexOf(Uint8Array.of(0x02, 0xb0, 0xad, 0x1b)) + 28, 0x200004),
  },
  {
    check: 'linear.linux-magic',
    options: { headerSize: 0x1000n },
    what: 'HdrS at 0x202',
    edit: (f) => f.bytes.write('HdrS', 0x202, 'latin1'),
  },
  {
    check: 'linear.same-memory',
    what: 'load_end_addr 0, so that .bss gets what follows in the file',
    edit: (f) => f.word(f.tag(2) + 8, 0),
  },
  {
    check: 'linear.relocations',
    what: 'a block that is larger than the table',
    edit: (f) => f.word(f.section('.reloc', 'PointerToRawData') + 4, 0x1000),
  },
  {
    check: 'linear.debug-pointers',
    what: 'a debug entry with the old file offset',
    edit: (f) => {
      // A CodeView entry made out of filler in .text: type 2, 8 bytes at .rodata, pointing to the wrong place.
      const at = f.section('.text', 'PointerToRawData') + 0x100;
      f.bytes.fill(0, at, at + 28);
      f.word(at + 12, 2)
        .word(at + 16, 8)
        .word(at + 20, 0x201000)
        .word(at + 24, 0x6a0);
      f.directory(6, 0x200100, 28);
    },
  },
  {
    check: 'linear.kept-header',
    what: 'another entry point',
    edit: (f) => f.optional('AddressOfEntryPoint', 0x200204),
  },
  {
    check: 'linear.kept-header',
    what: 'a byte of the DOS stub',
    edit: (f) => {
      f.bytes[0x50] = (f.bytes[0x50] ?? 0) ^ 1;
    },
  },
  {
    check: 'linear.kept-header',
    what: 'a SizeOfImage that nothing asks for',
    edit: (f) => f.optional('SizeOfImage', 0x400000),
  },
  {
    check: 'linear.kept-header',
    what: 'another kind of file',
    edit: (f) =>
      f.word(f.bytes.readUInt32LE(60) + 20, f.bytes.readUInt32LE(f.bytes.readUInt32LE(60) + 20) ^ 0x20000000),
  },
  {
    check: 'linear.kept-symbols',
    options: { merge: true },
    what: 'one symbol with another name, where sections were joined',
    edit: (f) => {
      const at = f.file('PointerToSymbolTable');
      f.bytes[at] = (f.bytes[at] ?? 0) ^ 1;
    },
  },
  {
    check: 'linear.load-range',
    what: 'a load that ends inside the last section',
    edit: (f) => f.word(f.tag(2) + 8, 0x202330),
  },
  {
    check: 'linear.kept-sections',
    what: '.rodata becomes writable',
    edit: (f) => f.section('.rodata', 'Characteristics', (f.section('.rodata', 'Characteristics') | 0x20) >>> 0),
  },
  {
    check: 'linear.kept-bytes',
    what: 'one byte of code',
    edit: (f) => {
      const at = f.section('.text', 'PointerToRawData') + 0x210;
      f.bytes[at] = (f.bytes[at] ?? 0) ^ 1;
    },
  },
  {
    check: 'linear.kept-symbols',
    what: 'one symbol with another value',
    edit: (f) => {
      const at = f.file('PointerToSymbolTable') + 8;
      f.bytes[at] = (f.bytes[at] ?? 0) ^ 1;
    },
  },
  {
    check: 'advice.header-addr',
    options: { mb2: 'gap' },
    what: 'a header in the gap',
    edit: () => undefined,
  },
  {
    check: 'advice.fixed-address',
    what: 'no relocatable tag',
    edit: (f) => f.word(f.tag(10) - 8, 0x10006),
  },
  { check: 'advice.size-of-image', what: 'as ld wrote it', edit: (f) => f.optional('SizeOfImage', 0x20b001) },
  { check: 'advice.file-alignment', what: 'below 512', edit: (f) => f.optional('FileAlignment', 4) },
  {
    check: 'advice.writable-code',
    what: 'writable .text',
    edit: (f) => f.section('.text', 'Characteristics', 0xe0000020),
  },
  {
    check: 'advice.discardable-relocations',
    what: 'discardable .reloc',
    edit: (f) => f.section('.reloc', 'Characteristics', 0x42000040),
  },
  { check: 'advice.unsigned', what: 'no signature', edit: () => undefined },
];
