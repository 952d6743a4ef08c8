/** What a page shows of an image: the command's own documents, and the little that they do not have. Plain data, as JSON. */
import type {
  DiffDocument,
  ErrorProblem,
  LayoutDocument,
  NotesDocument,
  VerifyDocument,
  VerifyVerdict,
} from '../../documents.js';

/** One image as pages show it. */
export interface ImageData {
  /** As the file was given. */
  readonly name: string;
  /** `ELF64 little-endian, x86-64, executable`. */
  readonly format: string;
  /** What was looked through to get at the ELF, in words. */
  readonly wrapped: string | undefined;
  /** What the file is: a bare ELF, a PE image, or what wraps an ELF. */
  readonly home: 'elf' | 'pe' | 'bzimage' | 'gzip' | 'stream';
  readonly verify: VerifyDocument;
  /** Undefined: the file cannot be read here (`verify.malformed` says why); loaders may be laxer. */
  readonly notes: NotesDocument | undefined;
  /** With its sizes. */
  readonly layout: LayoutDocument | undefined;
  /** Every release of every loader, oldest first; those that say the same are one entry. Undefined: not asked yet. */
  readonly releases: readonly ReleaseVerdict[] | undefined;
  /** By row of a loader: what its builder can say of an image that does not tell its entry. */
  readonly offers: Readonly<Record<string, Offer>>;
  /** Names and addresses, as hexadecimal digits, for the search. */
  readonly symbols: readonly (readonly [name: string, address: string])[];
  /** Symbols of the image that are not among these. */
  readonly moreSymbols: number;
}

/** What a stretch of releases says, as `verify --json` says it of the newest of them, without its rules. */
export interface ReleaseVerdict extends Omit<VerifyVerdict, 'rules' | 'programs' | 'values'> {
  readonly row: string;
  /** `Xen`, `QEMU` */
  readonly product: string;
  /** `4.11.0 to 4.20.3` */
  readonly releases: string;
}

/** The preset that makes a loader take the image, and whether the kernel is taken out of its wrapper for it. */
export interface Offer {
  readonly preset: string;
  readonly way: 'extract' | '';
}

/** Everything on a page. */
export interface PageData {
  readonly version: string;
  readonly image: ImageData;
  /** The image after, where two are compared. */
  readonly other: ImageData | undefined;
  readonly diff: DiffDocument | undefined;
}

/** What cannot be done, as the command tells it. */
export interface Trouble extends Omit<ErrorProblem, 'file' | 'offset' | 'part'> {}
