/** `verify IMAGE`: the shape of its arguments. */
import { fail } from '../../errors/patch-error.js';
import { LOADER_NAMES } from '../../loaders/names.js';
import { NEWEST_XEN, parseXenVersion, XEN_VERSIONS, type XenVersion } from '../../loaders/xen-version.js';
import { nearest } from '../../note/nearest.js';
import type { Shape } from '../command.js';
import { COLOR_OPTION, type ColorMode } from '../options.js';

/** What the work is given. */
export interface VerifyArgs {
  readonly image: string;
  /** The image before it was patched; undefined for the structural checks alone. */
  readonly baseline: string | undefined;
  /** Loaders that decide the exit status; none: all are told, none decides. */
  readonly loaders: readonly string[];
  readonly xenVersion: XenVersion;
  readonly rules: boolean;
  readonly json: boolean;
  readonly color: ColorMode;
}

interface Options {
  readonly baseline: string | undefined;
  readonly for: string[] | undefined;
  readonly 'xen-version': string | undefined;
  readonly rules: boolean | undefined;
  readonly json: boolean | undefined;
  readonly color: ColorMode;
}

export const verifyShape: Shape<Options, VerifyArgs> = {
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
  repeatable: ['for'],
  examples: [
    ['xen-elfpatch verify vmlinux', 'is it a sound image?'],
    ['xen-elfpatch verify out --baseline vmlinux', 'what did the patch change?'],
    ['xen-elfpatch verify vmlinux --for xen-pv', 'would xl start it as a PV guest?'],
    ['xen-elfpatch verify --json vmlinux', 'findings for a program'],
  ],
  options: (cli) =>
    cli
      .option('baseline', { type: 'string', requiresArg: true, describe: 'the image before it was patched' })
      .option('for', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: `a loader that must start it: ${LOADER_NAMES.join(', ')}`,
      })
      .option('xen-version', { type: 'string', requiresArg: true, describe: `rules of that Xen (${NEWEST_XEN})` })
      .option('rules', { type: 'boolean', describe: 'list the rules that each verdict went through' })
      .option('json', { type: 'boolean', describe: 'one JSON document instead of text' })
      .option('color', COLOR_OPTION),
  args: ({ baseline, for: named, 'xen-version': version, rules, json, color }, [image = '']) => ({
    image,
    baseline,
    loaders: (named ?? []).map(loaderNamed),
    xenVersion: version === undefined ? NEWEST_XEN : versionNamed(version),
    rules: rules === true,
    json: json === true,
    color,
  }),
};

function loaderNamed(name: string): string {
  if (LOADER_NAMES.some((known) => known === name)) return name;
  const [close] = nearest(name, [...LOADER_NAMES]);
  const hint = close === undefined ? `There are: ${LOADER_NAMES.join(', ')}` : `Did you mean --for ${close}?`;
  return fail('usage.bad', {}, { what: `--for ${name}: no such loader`, hint });
}

/** The release that `--xen-version` names. Errors: `usage.bad`. */
export function versionNamed(text: string): XenVersion {
  const version = parseXenVersion(text);
  if (version !== undefined) return version;
  const what = `--xen-version ${text}: wanted ${XEN_VERSIONS[0]} to ${NEWEST_XEN}`;
  return fail('usage.bad', {}, { what });
}
