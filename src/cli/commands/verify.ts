/** `verify IMAGE`: the shape of its arguments. */
import { fail } from '../../base/errors/patch-error.js';
import { nearest } from '../../formats/note/nearest.js';
import { LOADER_NAMES } from '../../loaders/names.js';
import { NEWEST_XEN, parseXenVersion, XEN_VERSIONS, type XenVersion } from '../../loaders/xen-version.js';
import type { Shape } from '../command.js';
import type { ArgsOf, OptionTable } from '../option-table.js';
import { COLOR_OPTION, JSON_OPTION } from '../options.js';

/** `--xen-version`. */
export const XEN_VERSION_OPTION = {
  'xen-version': {
    kind: 'value',
    help: `rules of that Xen (${NEWEST_XEN})`,
    default: NEWEST_XEN,
    read: versionNamed,
    complete: XEN_VERSIONS,
  },
} as const satisfies OptionTable;

const OPTIONS = {
  baseline: { kind: 'value', help: 'the image before it was patched' },
  for: {
    kind: 'values',
    member: 'loaders',
    help: `a loader that must start it: ${LOADER_NAMES.join(', ')}`,
    read: loaderNamed,
    complete: LOADER_NAMES,
  },
  ...XEN_VERSION_OPTION,
  rules: { kind: 'flag', help: 'list the rules that each verdict went through' },
  ...JSON_OPTION,
  ...COLOR_OPTION,
} as const satisfies OptionTable;

/**
 * What the work is given. Without `baseline`: the structural checks alone. Without `loaders` all verdicts are shown,
 * and none decides the exit status.
 */
export interface VerifyArgs extends ArgsOf<typeof OPTIONS> {
  readonly image: string;
}

/** The words and options of `verify`, as `--help` and the parser have them. */
export const verifyShape: Shape<typeof OPTIONS, VerifyArgs> = {
  name: 'verify',
  synopsis: 'IMAGE [--baseline ORIGINAL] [--for LOADER]…',
  summary: 'is an image sound, and which loaders would start it?',
  about:
    'Checks an image against the laws of the ELF format that loaders and tools rely on, reads it with a second, ' +
    'independent reader, and with --baseline proves that nothing but notes and headers differs from ORIGINAL. ' +
    "Then says what each loader would do with it, in that loader's words. Exit 1 if a law is broken; with --for, if a " +
    'loader that was named would not start it. Of a PE image (xen.efi) the laws are those of its headers. IMAGE - is ' +
    'standard input.',
  words: { name: 'IMAGE', min: 1, max: 1 },
  options: OPTIONS,
  examples: [
    ['xen-elfpatch verify vmlinux', 'is it a sound image?'],
    ['xen-elfpatch verify out --baseline vmlinux', 'what did the patch change?'],
    ['xen-elfpatch verify vmlinux --for xen-pv', 'would xl start it as a PV guest?'],
    ['xen-elfpatch verify --json vmlinux', 'findings for a program'],
  ],
  args: (given, [image = '']) => ({ ...given, image }),
};

function loaderNamed(name: string): string {
  if (LOADER_NAMES.some((known) => known === name)) return name;
  const [close] = nearest(name, [...LOADER_NAMES]);
  const hint = close === undefined ? `There are: ${LOADER_NAMES.join(', ')}` : `Did you mean --for ${close}?`;
  return fail('usage.bad', {}, { what: `--for ${name}: no such loader`, hint });
}

/** The release that `--xen-version` names. Errors: `usage.bad`. */
function versionNamed(text: string): XenVersion {
  const version = parseXenVersion(text);
  if (version !== undefined) return version;
  const what = `--xen-version ${text}: wanted ${XEN_VERSIONS[0]} to ${NEWEST_XEN}`;
  return fail('usage.bad', {}, { what });
}
