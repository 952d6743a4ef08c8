/** `--for NAME[@VERSION]`, `--xen-version` and `--memory`, which verify and fix share: what is known, and what contradicts. */
import { fail } from '../base/errors/patch-error.js';
import { nearest } from '../formats/note/nearest.js';
import { readMemory } from '../loaders/memory-size.js';
import { loaderRow, releaseOf, rowTargets, TARGET_NAMES, targetOf } from '../loaders/names.js';
import { knownVersion, resolveVersion } from '../loaders/versions.js';
import { NEWEST_XEN, parseXenVersion, XEN_VERSIONS, type XenVersion } from '../loaders/xen-version.js';
import type { OptionTable } from './option-table.js';

/** `--xen-version`; what it is when not given is newestUnlessNamed()'s. */
export const XEN_VERSION_OPTION = {
  'xen-version': {
    kind: 'value',
    help: `rules of that Xen (${NEWEST_XEN})`,
    read: versionNamed,
    complete: XEN_VERSIONS,
  },
} as const satisfies OptionTable;

/** `--memory SIZE`: what a machine or a guest has. */
export const MEMORY_OPTION = {
  memory: {
    kind: 'value',
    metavar: 'SIZE',
    help: 'memory of the machine or guest for Xen, QEMU, monitors and kexec: 256M, 1G (4G)',
    read: readMemory,
    complete: ['256M', '512M', '1G', '4G'],
  },
} as const satisfies OptionTable;

/** The target as typed. Errors: `usage.bad` for a loader or a release that is not known. */
export function readTarget(text: string): string {
  const { name, version } = targetOf(text);
  if (!TARGET_NAMES.includes(name)) {
    const [close] = nearest(name, [...TARGET_NAMES]);
    const at = version === undefined ? '' : `@${version}`;
    const hint = close === undefined ? `There are: ${TARGET_NAMES.join(', ')}` : `Did you mean --for ${close}${at}?`;
    return fail('usage.bad', {}, { what: `--for ${text}: no such loader`, hint });
  }
  for (const row of rowTargets([text])) releaseOf(row);
  return text;
}

/** The release that `--xen-version` names. Errors: `usage.bad`. */
function versionNamed(text: string): XenVersion {
  const version = parseXenVersion(text);
  if (version !== undefined) return version;
  const what = `--xen-version ${text}: wanted ${XEN_VERSIONS[0]} to ${NEWEST_XEN}`;
  if (!/^4\.\d+\./.test(text)) return fail('usage.bad', {}, { what });
  knownVersion('xen', text, `--xen-version ${text}`);
  return fail('usage.bad', {}, { what });
}

/**
 * The Xen release for the loaders that name none of their own. Errors: `usage.bad` where `--xen-version` says another than
 * a target does.
 */
export function newestUnlessNamed(given: XenVersion | undefined, targets: readonly string[]): XenVersion {
  if (given === undefined) return NEWEST_XEN;
  const release = resolveVersion('xen', given);
  const other = targets.find(
    (target) =>
      loaderRow(target)?.product === 'xen' && targetOf(target).version !== undefined && releaseOf(target) !== release,
  );
  if (other === undefined) return given;
  const what = `--xen-version ${given} (${release}) contradicts --for ${other} (${releaseOf(other)})`;
  return fail('usage.bad', {}, { what, hint: 'Name the release once.' });
}
