/** What is used of elfy, which ships no types. */
declare module 'elfy' {
  type Header = import('../bytes/second-parser.js').ElfyHeader;
  type Body = import('../bytes/second-parser.js').ElfyBody;

  export class ElfyParser {
    parseHeader(bytes: Buffer): Header;
    parseBody(bytes: Buffer, header: Header): Body;
    /** Replaces name offsets by names, in place. Throws without a section-name table. */
    resolveBody(body: Body, header: Header): Body;
  }

  /** The module: CommonJS, so all of it is the default export. */
  export interface Elfy {
    readonly Parser: typeof ElfyParser;
    readonly constants: import('../bytes/second-parser.js').ElfyNames;
  }
  const elfy: Elfy;

  // biome-ignore lint/style/noDefaultExport: a CommonJS module has no other export.
  export { elfy as default };
}
