/** The version that `--version` and reports print; package.json has the same. */
export const VERSION = '0.2.0';
