/** What a page shows of an image: the command's own documents, and the little that they do not have. Plain data, as JSON. */
import type { DiffDocument, ErrorProblem, LayoutDocument, NotesDocument, VerifyDocument } from '../../documents.js';

/** One image as pages show it. */
export interface ImageData {
  /** As the file was given. */
  readonly name: string;
  /** `ELF64 little-endian, x86-64, executable`. */
  readonly format: string;
  /** What was looked through to get at the ELF, in words. */
  readonly wrapped: string | undefined;
  readonly verify: VerifyDocument;
  /** Undefined: the file cannot be read here (`verify.malformed` says why); loaders may be laxer. */
  readonly notes: NotesDocument | undefined;
  /** With its sizes. */
  readonly layout: LayoutDocument | undefined;
  /** By row of a loader: the releases that say the same, where others say something else. */
  readonly spans: Readonly<Record<string, string>>;
  /** Names and addresses, as hexadecimal digits, for the search. */
  readonly symbols: readonly (readonly [name: string, address: string])[];
  /** Symbols of the image that are not among these. */
  readonly moreSymbols: number;
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
