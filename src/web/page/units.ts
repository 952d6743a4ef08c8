/** Counts as pages show them. */

/** A count and what is counted: `1 loader`, `2 loaders`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
