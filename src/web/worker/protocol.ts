/** What a page asks of its worker, and what comes back. Plain data and Blobs. */
import type { EditWish } from '../work/edits.js';
import type { ImageData, Trouble } from '../work/page-data.js';

/** The question of a page; `id` comes back with the answer. */
export type Request = { readonly id: number } & (
  | { readonly kind: 'open'; readonly file: Blob; readonly name: string }
  | { readonly kind: 'judge'; readonly xenVersion: string }
  | { readonly kind: 'plan'; readonly wish: EditWish }
  | { readonly kind: 'fix'; readonly loaders: readonly string[]; readonly xenVersion: string }
  | { readonly kind: 'explain'; readonly name: string }
  | { readonly kind: 'document'; readonly name: 'notes' | 'layout' | 'verify'; readonly xenVersion: string }
);

/** A plan, and where one was asked for its result. */
export interface EditAnswer {
  readonly document: string;
  readonly text: string;
  readonly changed: boolean;
  /** Of a fix: do all loaders take the result? */
  readonly cured: boolean;
  /** The patched file, read back and proved; undefined: there is none. */
  readonly blob: Blob | undefined;
  /** What the second reader says of it. */
  readonly secondReader: string | undefined;
}

/** What explain has on a name. */
export interface ExplainAnswer {
  readonly title: string;
  readonly body: string;
}

/** What comes back. */
export type Answer = ImageData | EditAnswer | ExplainAnswer | string;

/** A message of the worker. */
export type Reply =
  | { readonly id: number; readonly kind: 'answer'; readonly value: Answer }
  | { readonly id: number; readonly kind: 'trouble'; readonly trouble: Trouble }
  | { readonly id: number; readonly kind: 'progress'; readonly step: string; readonly done: number };
