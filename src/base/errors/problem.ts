/**
 * How one refusal is declared. A problem is a stable id, the words said when it happens, and the longer text that
 * `xen-elfpatch explain ID` prints. Ids are append-only: people search for them.
 */
export interface Problem<Context> {
  /** 1: the answer is no. 2: it could not be done. 3: the result is written, and the report could not be delivered. */
  readonly exit: 1 | 2 | 3;
  /** What was found and what was wanted, one line, no full stop. */
  text(context: Context): string;
  /** What to do, one line. */
  readonly hint?: string | ((context: Context) => string);
  /** Why this is a problem and how people get there; one short paragraph. */
  readonly meaning: string;
}

/** Declares a problem and lets its context type be inferred by the table it stands in. */
export function problem<Context>(declaration: Problem<Context>): Problem<Context> {
  return declaration;
}
