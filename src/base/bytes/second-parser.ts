/**
 * What is asked of elfy, the second reader, and what it answers. 64-bit fields are doubles there: exact up to 2^53 only.
 */

/** The ELF header as elfy reads it. */
export interface ElfyHeader {
  readonly class: '32' | '64';
  readonly endian: 'lsb' | 'msb';
  readonly type: string | undefined;
  readonly machine: string | undefined;
  readonly version: number;
  readonly entry: number;
  readonly phoff: number;
  readonly shoff: number;
  readonly flags: number;
  readonly ehsize: number;
  readonly phentsize: number;
  readonly phnum: number;
  readonly shentsize: number;
  readonly shnum: number;
  readonly shstrndx: number;
}

/** A program header, and the bytes that it names. */
export interface ElfyProgram {
  /** A word of elfy's own for the types it knows. */
  readonly type: string | undefined;
  readonly offset: number;
  readonly vaddr: number;
  readonly paddr: number;
  readonly filesz: number;
  readonly memsz: number;
  readonly align: number;
  readonly data: Uint8Array;
}

/** A section header, and the bytes that it names. */
export interface ElfySection {
  /** An offset into the name table until the body is resolved, a string then. */
  readonly name: number | string;
  readonly type: string | number;
  readonly addr: number;
  readonly off: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly data: Uint8Array;
}

/** The program and section headers as elfy reads them. */
export interface ElfyBody {
  readonly programs: readonly ElfyProgram[];
  readonly sections: readonly ElfySection[];
}

/** elfy's names by number. */
export interface ElfyNames {
  readonly type: Readonly<Record<number, string>>;
  readonly machine: Readonly<Record<number, string>>;
  readonly entryType: Readonly<Record<number, string>>;
  readonly sectType: Readonly<Record<number, string>>;
}

/** elfy, fed with a whole file. */
export interface SecondParser {
  readonly constants: ElfyNames;
  /** Throws where elfy gives up. `named`: the image has a table of section names. */
  parse(bytes: Uint8Array, named: boolean): { readonly header: ElfyHeader; readonly body: ElfyBody };
}
