/** Releases of Xen, as its loaders ask for them: those of versions.ts. */
import { isSinceRelease, releasesOf, resolveVersion } from './versions.js';

/** A branch (`4.20`: its newest release) or a point release (`4.20.3`). */
export type XenVersion = `4.${string}`;

/** The branches, oldest first. 4.7 is the first that knows PHYS32_ENTRY. */
export const XEN_VERSIONS: readonly [XenVersion, ...XenVersion[]] = [
  '4.7',
  ...releasesOf('xen')
    .map(({ version }) => xenBranch(version))
    .filter((branch) => branch !== '4.7'),
];

/** What a verdict goes by when nothing is said. */
export const NEWEST_XEN: XenVersion = XEN_VERSIONS.at(-1) ?? '4.22';

/** Is `version` this release or a later one? */
export function isSince(version: XenVersion, release: XenVersion): boolean {
  return isSinceRelease('xen', version, release);
}

/** The release that a text names, as it names it: `4.17`, `4.17.3`; undefined where none is known by that name. */
export function parseXenVersion(text: string): XenVersion | undefined {
  return resolveVersion('xen', text) !== undefined && isXenVersion(text) ? text : undefined;
}

/** The branch of a release: `4.17` of `4.17.3`. */
export function xenBranch(version: string): XenVersion {
  const [, minor = ''] = version.split('.');
  return `4.${minor}`;
}

function isXenVersion(text: string): text is XenVersion {
  return text.startsWith('4.');
}
