/** Refusals of the plan stage. */
export const planProblems = {} as const;
