/** What a user may ask of `linearize`, as data. */

/** The 32-bit entry of a linear image, as the user names it. */
export type EntryOptions =
  | { readonly kind: 'rva'; readonly rva: bigint }
  | { readonly kind: 'symbol'; readonly name: string };

/** `auto`: the first of update, append, gap that is possible. `none`: the layout only. */
export const MB2_MODES = ['auto', 'append', 'gap', 'none'] as const;
/** What `--mb2` may be. */
export type Mb2Mode = (typeof MB2_MODES)[number];

/** What the user decides about a linear layout. */
export interface LinearOptions {
  /** The 32-bit entry; undefined: worked out. */
  readonly entry: EntryOptions | undefined;
  /** Physical address at which RVA 0 would stand. */
  readonly physBase: bigint;
  /** Bytes in front of the first section; undefined: a page, or what the headers need. */
  readonly headerSize: bigint | undefined;
  /** bss_end_addr is rounded up to this; undefined: the larger of SectionAlignment and the relocatable tag's. */
  readonly bssAlign: bigint | undefined;
  readonly mb2: Mb2Mode;
  readonly mb1: boolean;
  /** Clear DISCARDABLE on the section of base relocations, so that shim loads it. */
  readonly keepReloc: boolean;
  /** Set it: firmware may reuse that memory, and shim leaves the section out. Not together with keepReloc. */
  readonly discardableReloc: boolean;
  /** Join sections that start within a page of another one. */
  readonly merge: boolean;
  readonly fileAlign: 'auto' | 'keep' | bigint;
  /** Sections that are, or are not, in the flat load, whatever the rules say. */
  readonly image: readonly string[];
  readonly tail: readonly string[];
  readonly dropSignature: boolean;
}

/** What holds where the user says nothing. */
export const DEFAULT_LINEAR_OPTIONS: LinearOptions = {
  entry: undefined,
  physBase: 0n,
  headerSize: undefined,
  bssAlign: undefined,
  mb2: 'auto',
  mb1: false,
  keepReloc: false,
  discardableReloc: false,
  merge: false,
  fileAlign: 'auto',
  image: [],
  tail: [],
  dropSignature: false,
};
