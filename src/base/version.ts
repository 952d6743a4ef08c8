/** The version that `--version` and reports print; package.json has the same. */
export const VERSION = '0.2.0';

declare const XEN_ELFPATCH_COMMIT: string | undefined;

/** The commit that the bundle was built from, `+` behind it where files differed; undefined where git did not tell. */
export const COMMIT: string | undefined = typeof XEN_ELFPATCH_COMMIT === 'undefined' ? undefined : XEN_ELFPATCH_COMMIT;
