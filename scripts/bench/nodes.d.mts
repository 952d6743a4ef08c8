/** Paths of the Nodes that users have, the running one first; those that cannot be had are told and left out. */
export function nodes(): string[];
/** The lines of Node that are pinned, oldest first. */
export const LINES: readonly string[];
