/** What is used of elfy, which ships no types. 64-bit fields are doubles there: exact up to 2^53 only. */
declare module 'elfy' {
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

  export interface ElfyBody {
    readonly programs: readonly ElfyProgram[];
    readonly sections: readonly ElfySection[];
  }

  export class ElfyParser {
    parseHeader(bytes: Buffer): ElfyHeader;
    parseBody(bytes: Buffer, header: ElfyHeader): ElfyBody;
    /** Replaces name offsets by names, in place. Throws without a section-name table. */
    resolveBody(body: ElfyBody, header: ElfyHeader): ElfyBody;
  }

  /** The module: CommonJS, so all of it is the default export. */
  export interface Elfy {
    readonly Parser: typeof ElfyParser;
    /** Names by number. */
    readonly constants: {
      readonly type: Readonly<Record<number, string>>;
      readonly machine: Readonly<Record<number, string>>;
      readonly entryType: Readonly<Record<number, string>>;
      readonly sectType: Readonly<Record<number, string>>;
    };
  }
  const elfy: Elfy;

  // biome-ignore lint/style/noDefaultExport: a CommonJS module has no other export.
  export { elfy as default };
}
