/** Refusals of the verify stage. */
export const verifyProblems = {} as const;
