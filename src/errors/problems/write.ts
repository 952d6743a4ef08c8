/** Refusals of the write stage. */
export const writeProblems = {} as const;
