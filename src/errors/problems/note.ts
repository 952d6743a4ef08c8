/** Refusals of the note stage. */
export const noteProblems = {} as const;
