/** What a page asks of its worker, and what comes back. Plain data and Blobs. */

import type { ImageData, PageData, ReleaseVerdict, Trouble } from '../work/page-data.js';
import type { EditWish } from '../work/wish.js';

/** Under what conditions loaders are asked, as typed; empty: the newest Xen, 4 GiB. */
export interface Rules {
  readonly xenVersion: string;
  readonly memory: string;
}

/** The documents that a page gives as files. */
export type DocumentName = 'notes' | 'layout' | 'verify';

/** The question of a page; `id` comes back with the answer. */
export type Request = { readonly id: number } & (
  | { readonly kind: 'open'; readonly file: Blob; readonly name: string; readonly rules: Rules }
  | { readonly kind: 'judge'; readonly rules: Rules }
  | { readonly kind: 'releases'; readonly loader: string; readonly rules: Rules }
  | { readonly kind: 'plan'; readonly wish: EditWish }
  | { readonly kind: 'fix'; readonly loaders: readonly string[]; readonly rules: Rules }
  | { readonly kind: 'compare'; readonly file: Blob; readonly name: string; readonly rules: Rules }
  | { readonly kind: 'explain'; readonly name: string }
  | { readonly kind: 'document'; readonly name: DocumentName; readonly rules: Rules }
);

/** A plan, and where one was asked for its result. */
export interface EditAnswer {
  readonly document: string;
  readonly text: string;
  readonly changed: boolean;
  /** Of a fix: do all loaders take the result? */
  readonly cured: boolean;
  /** What was proved of the result, in words. */
  readonly law: string;
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
export type Answer = ImageData | readonly ReleaseVerdict[] | PageData | EditAnswer | ExplainAnswer | string;

/** A message of the worker. */
export type Reply =
  | { readonly id: number; readonly kind: 'answer'; readonly value: Answer }
  | { readonly id: number; readonly kind: 'trouble'; readonly trouble: Trouble }
  | { readonly id: number; readonly kind: 'progress'; readonly step: string; readonly done: number };
