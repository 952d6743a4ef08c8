/** `fix IMAGE`: the shape of its arguments. */
import { fail } from '../../errors/patch-error.js';
import { LOADER_NAMES } from '../../loaders/names.js';
import { NEWEST_XEN, type XenVersion } from '../../loaders/xen-version.js';
import { nearest } from '../../note/nearest.js';
import type { ResultArgs } from '../apply.js';
import type { Shape } from '../command.js';
import { COLOR_OPTION, type ColorMode } from '../options.js';
import {
  checkTarget,
  EDIT_WAYS,
  PAYLOAD_GROUP,
  PAYLOAD_OPTIONS,
  type PayloadArgs,
  type PayloadFlags,
  payloadArgs,
  RESULT_OPTIONS,
  type Survivor,
  survivorNames,
  survivors,
} from '../result-options.js';
import { versionNamed } from './verify.js';

export interface FixArgs extends ResultArgs, PayloadArgs {
  readonly loaders: readonly string[];
  readonly xenVersion: XenVersion;
  readonly mustSurvive: readonly Survivor[];
}

interface Options extends PayloadFlags {
  readonly for: string[] | undefined;
  readonly 'xen-version': string | undefined;
  readonly 'must-survive': string[] | undefined;
  readonly output: string | undefined;
  readonly 'in-place': boolean | undefined;
  readonly 'if-changed': boolean | undefined;
  readonly 'dry-run': boolean | undefined;
  readonly check: boolean | undefined;
  readonly depfile: string | undefined;
  readonly json: boolean | undefined;
  readonly color: ColorMode;
}

export const fixShape: Shape<Options, FixArgs> = {
  name: 'fix',
  synopsis: 'IMAGE [--for LOADER]… [-o OUT | --in-place]',
  summary: 'why a loader does not take an image, and the smallest edit that mends it',
  about:
    'Asks the loaders named what they make of the image, tries the smallest edits that the image itself tells, has the ' +
    'loaders judge the result before a byte is written, and prints the reason and the edit. -o or --in-place applies it. ' +
    'Without --for: the loaders that the notes are for. An address that nothing tells is never guessed: then it says what ' +
    'is missing and exits 1.',
  words: { name: 'IMAGE', min: 1, max: 1 },
  repeatable: ['for', 'must-survive'],
  examples: [
    ['xen-elfpatch fix vmlinux', 'what is wrong, and what would mend it?'],
    ['xen-elfpatch fix vmlinux --for qemu-pvh --for linux-loader -o vmlinux.fixed', 'mend it'],
    ['xen-elfpatch fix vmlinuz --for xen-dom0-pv --in-place', 'a prebuilt kernel, as it is'],
    ['xen-elfpatch fix vmlinux --for xen-pv --check', 'in CI: exit 1 if there is something to mend'],
  ],
  options: (cli) =>
    cli
      .option('for', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: `LOADER: it has to take the result; ${LOADER_NAMES.join(', ')}`,
      })
      .option('xen-version', { type: 'string', requiresArg: true, describe: `rules of that Xen (${NEWEST_XEN})` })
      .option('must-survive', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: `TOOLS: a comma-separated list of ${survivorNames}`,
      })
      .option('payload', {
        choices: EDIT_WAYS,
        requiresArg: true,
        describe: 'attach (default) a second payload for Xen, replace the payload in place, extract the ELF',
      })
      .options(PAYLOAD_OPTIONS)
      .group(['payload', ...Object.keys(PAYLOAD_OPTIONS)], PAYLOAD_GROUP)
      .options(RESULT_OPTIONS)
      .group(Object.keys(RESULT_OPTIONS), 'What is written:')
      .option('color', COLOR_OPTION),
  args(options, [image = '']) {
    const loaders = (options.for ?? []).flatMap((list) => list.split(','));
    for (const name of loaders) {
      if (LOADER_NAMES.some((known) => known === name)) continue;
      const [close] = nearest(name, LOADER_NAMES);
      const what = `--for is ${name}, wanted one of ${LOADER_NAMES.join(', ')}`;
      fail('usage.bad', {}, close === undefined ? { what } : { what, hint: `Did you mean ${close}?` });
    }
    const target = options.output !== undefined || options['in-place'] === true;
    checkTarget('fix', { ...options, 'dry-run': options['dry-run'] === true || !target }, image, true);
    const payload = payloadArgs('fix', options);
    return {
      image,
      loaders,
      xenVersion: options['xen-version'] === undefined ? NEWEST_XEN : versionNamed(options['xen-version']),
      mustSurvive: survivors('fix', options['must-survive'] ?? []),
      output: options.output,
      inPlace: options['in-place'] === true,
      ifChanged: options['if-changed'] === true,
      dryRun: options['dry-run'] === true,
      check: options.check === true,
      depfile: options.depfile,
      json: options.json === true,
      color: options.color,
      ...payload,
    };
  },
};
