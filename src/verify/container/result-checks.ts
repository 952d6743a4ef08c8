/** What is asked of a rewritten container before its table of checks can be: that it opens, and as what it was wanted. */

/** One of them: its name is stable, and `explain` has a page for it. */
export interface ResultCheck {
  readonly name: string;
  /** Who is hurt when it does not hold. */
  readonly because: string;
}

/** By what goes wrong. */
export const RESULT_CHECKS = {
  opens: {
    name: 'container-opens',
    because: 'a result that cannot be opened again holds no kernel for any loader',
  },
  kindKept: {
    name: 'container-kind-kept',
    because: 'an edited bzImage or gzip file has to be of the same kind as before',
  },
  extracted: {
    name: 'container-extracted',
    because: 'the kernel that is taken out has to be the one that was in it, with its edits and no others',
  },
} as const satisfies Readonly<Record<string, ResultCheck>>;
