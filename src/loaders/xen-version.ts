/** Releases of Xen whose rules are known. Rules say since or until which release they hold. */

/** Oldest first. 4.7 is the first that knows PHYS32_ENTRY. */
export const XEN_VERSIONS = [
  '4.7',
  '4.8',
  '4.9',
  '4.10',
  '4.11',
  '4.12',
  '4.13',
  '4.14',
  '4.15',
  '4.16',
  '4.17',
  '4.18',
  '4.19',
  '4.20',
  '4.21',
  '4.22',
] as const;
/** A release of Xen whose rules are known. */
export type XenVersion = (typeof XEN_VERSIONS)[number];

/** What a verdict goes by when nothing is said. */
export const NEWEST_XEN: XenVersion = '4.22';

/** Is `version` this release or a later one? */
export function isSince(version: XenVersion, release: XenVersion): boolean {
  return XEN_VERSIONS.indexOf(version) >= XEN_VERSIONS.indexOf(release);
}

/** The release that a text names; a point release counts as its branch (`4.17.3`). */
export function parseXenVersion(text: string): XenVersion | undefined {
  const [, branch] = /^(\d+\.\d+)(?:\.\d+)?$/.exec(text) ?? [];
  return XEN_VERSIONS.find((version) => version === branch);
}
