/** The names of what CI systems read. They stand apart because every command line is read by them, and few are reported in one. */

/** The formats, in the order of `--help`. */
export const CI_FORMATS = ['github', 'sarif', 'junit'] as const;
/** One of them. */
export type CiFormat = (typeof CI_FORMATS)[number];
