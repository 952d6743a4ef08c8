/** A linear image with something done to its headers, and what shim and EDK2 say of it. */
import type { PeBytes } from './pe-edit.js';

/** A fault of headers. */
export interface PeFault {
  readonly name: string;
  edit(file: PeBytes): void;
  /** What shim prints; undefined: it has nothing against it. */
  readonly shim: string | undefined;
  /** The status with which EDK2 fails; undefined: it starts the image. */
  readonly uefi: 'Unsupported' | 'Load Error' | undefined;
}

const RELOCS_STRIPPED = 1;
const DISCARDABLE = 0x02000000;

/** Typed by hand from the sources; both programs are asked in the boots. */
export const PE_FAULTS: readonly PeFault[] = [
  { name: 'nothing', edit: () => undefined, shim: undefined, uefi: undefined },
  {
    name: 'FileAlignment 3',
    edit: (f) => f.optional('FileAlignment', 3),
    shim: 'File Alignment is invalid (3)',
    uefi: undefined,
  },
  {
    name: 'Machine arm64',
    edit: (f) => f.file('Machine', 0xaa64),
    shim: 'Platform does not support this image',
    uefi: 'Unsupported',
  },
  {
    name: 'PE32 magic',
    edit: (f) => f.optional('Magic', 0x10b),
    shim: 'Platform does not support this image',
    uefi: 'Unsupported',
  },
  {
    name: '15 directories in room for 16',
    edit: (f) => f.optional('NumberOfRvaAndSizes', 15),
    shim: 'Image header overflows data directory',
    uefi: 'Unsupported',
  },
  {
    name: '17 directories',
    edit: (f) => f.optional('NumberOfRvaAndSizes', 17),
    shim: 'Image header too large',
    uefi: 'Unsupported',
  },
  {
    name: 'SizeOfImage in the headers',
    edit: (f) => f.optional('SizeOfImage', 0x200),
    shim: 'Image sections overflow image size',
    uefi: 'Load Error',
  },
  {
    name: 'SizeOfHeaders in the section table',
    edit: (f) => f.optional('SizeOfHeaders', 0x140),
    shim: 'Image sections overflow section headers',
    uefi: undefined,
  },
  {
    name: 'relocations stripped',
    edit: (f) => f.file('Characteristics', f.file('Characteristics') | RELOCS_STRIPPED),
    shim: 'Unsupported image - Relocations have been stripped',
    uefi: undefined,
  },
  {
    name: 'entry behind all sections',
    edit: (f) => f.optional('AddressOfEntryPoint', f.optional('SizeOfImage') - 1),
    shim: 'Entry point is not within sections',
    uefi: undefined,
  },
  {
    name: 'entry behind the image',
    edit: (f) => f.optional('AddressOfEntryPoint', f.optional('SizeOfImage') + 0x1000),
    shim: 'Entry point is invalid',
    uefi: undefined,
  },
  {
    name: 'a section longer than the image',
    edit: (f) => f.section('.bss', 'VirtualSize', 0x7000_0000),
    shim: 'has negative size',
    uefi: 'Load Error',
  },
  {
    name: 'the relocation directory is shorter than it says',
    edit: (f) => f.directory(5, f.section('.reloc', 'VirtualAddress'), 0x4000),
    shim: 'Relocation section is invalid',
    uefi: undefined,
  },
  {
    name: 'two .reloc',
    edit: (f) => f.rename('.debug_dummy', '.reloc'),
    shim: 'Relocation section is invalid',
    uefi: undefined,
  },
  {
    name: 'discardable .reloc',
    edit: (f) => f.section('.reloc', 'Characteristics', f.section('.reloc', 'Characteristics') | DISCARDABLE),
    shim: undefined,
    uefi: undefined,
  },
];
