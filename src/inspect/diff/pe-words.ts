/** What a field of a PE header is for, in a few words, for the report of a difference. */

/** What each field of the COFF file header is for. */
export const FILE_HEADER_WORDS: Readonly<Record<string, string>> = {
  Machine: 'processor',
  NumberOfSections: 'entries of the section table',
  TimeDateStamp: 'when it was linked',
  PointerToSymbolTable: 'where the COFF symbols stand',
  NumberOfSymbols: 'how many of them there are',
  SizeOfOptionalHeader: 'size of the optional header',
  Characteristics: 'kind of file',
};

/** What each field of the optional header is for. */
export const OPTIONAL_HEADER_WORDS: Readonly<Record<string, string>> = {
  SizeOfCode: 'bytes of code, read by no loader',
  SizeOfInitializedData: 'bytes of data, read by no loader',
  SizeOfUninitializedData: 'bytes of bss, read by no loader',
  AddressOfEntryPoint: 'where UEFI enters the image',
  BaseOfCode: 'where code begins, read by no loader',
  ImageBase: 'the address it is linked for',
  SectionAlignment: 'alignment in memory, of the image base too',
  FileAlignment: 'alignment in the file, which UEFI does not read',
  SizeOfImage: 'bytes that UEFI reserves',
  SizeOfHeaders: 'bytes in front of the first section',
  CheckSum: 'checksum of the file',
  Subsystem: 'what runs it: 10 is an EFI application',
  DllCharacteristics: 'what a loader may do with it',
  NumberOfRvaAndSizes: 'entries of the data directories',
};

/** What each field of a section header is for. */
export const SECTION_WORDS: Readonly<Record<string, string>> = {
  VirtualSize: 'bytes in memory',
  VirtualAddress: 'address, from the image base on',
  SizeOfRawData: 'bytes in the file',
  PointerToRawData: 'where they stand in the file',
  PointerToRelocations: 'COFF relocations, none in an image',
  PointerToLinenumbers: 'COFF line numbers, none in an image',
  NumberOfRelocations: 'COFF relocations, none in an image',
  NumberOfLinenumbers: 'COFF line numbers, none in an image',
  Characteristics: 'readable, writable, executable, discardable',
};

/** What each value of a Multiboot2 header is for. */
export const TAG_WORDS: Readonly<Record<string, string>> = {
  offset: 'where the header stands in the file',
  tags: 'types of its tags',
  header_addr: 'address of the header',
  load_addr: 'where the flat load begins',
  load_end_addr: 'where it ends',
  bss_end_addr: 'up to where memory is zeroed',
  entry: '32-bit entry',
  entryEfi64: 'entry with UEFI boot services',
};
