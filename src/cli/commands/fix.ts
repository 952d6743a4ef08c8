/** `fix IMAGE`: the shape of its arguments. */
import { TARGET_NAMES } from '../../loaders/names.js';
import type { XenVersion } from '../../loaders/xen-version.js';
import { BATCH_OPTIONS, SEVERAL } from '../batch-options.js';
import type { Shape } from '../command.js';
import { MEMORY_OPTION, newestUnlessNamed, readTarget, XEN_VERSION_OPTION } from '../loader-option.js';
import type { ArgsOf, OptionTable } from '../option-table.js';
import { COLOR_OPTION, LIMIT_OPTION } from '../options.js';
import {
  checkPayload,
  checkTarget,
  KIND_OPTION,
  LOADED_OPTIONS,
  type LoadedArgs,
  loadedOf,
  PAYLOAD_OPTIONS,
  RESULT_OPTIONS,
  SURVIVORS_OPTION,
} from '../result-options.js';

const OPTIONS = {
  for: {
    kind: 'list',
    member: 'loaders',
    metavar: 'LOADER',
    help: `it has to take the result; ${TARGET_NAMES.join(', ')}`,
    read: readTarget,
    complete: TARGET_NAMES,
  },
  ...XEN_VERSION_OPTION,
  ...MEMORY_OPTION,
  ...LOADED_OPTIONS,
  ...SURVIVORS_OPTION,
  ...KIND_OPTION,
  ...PAYLOAD_OPTIONS,
  ...RESULT_OPTIONS,
  ...BATCH_OPTIONS,
  ...LIMIT_OPTION,
  ...COLOR_OPTION,
} as const satisfies OptionTable;

/** What the work is given. */
export interface FixArgs extends Omit<ArgsOf<typeof OPTIONS>, 'xenVersion' | 'loaded' | 'notLoaded'>, LoadedArgs {
  readonly xenVersion: XenVersion;
  readonly image: string;
}

/** The words and options of `fix`, as `--help` and the parser have them. */
export const fixShape: Shape<typeof OPTIONS, FixArgs> = {
  name: 'fix',
  synopsis: 'IMAGE... [--for LOADER]… [-o OUT | --in-place]',
  summary: 'why a loader does not take an image, and the smallest edit that fixes it',
  about:
    'Asks the loaders named what they make of the image, tries the smallest edits that the image itself tells, has the ' +
    'loaders judge the result before a byte is written, and prints the reason and the edit. -o or --in-place applies it. ' +
    'Without --for: the loaders that the notes are for. An address that nothing tells is never guessed: then it says what ' +
    'is missing and exits 1.',
  words: { name: 'IMAGE', ...SEVERAL },
  batch: { notFor: { output: 'any', depfile: 'any', record: 'any' }, looksThrough: false, images: 1 },
  options: OPTIONS,
  examples: [
    ['xen-elfpatch fix vmlinux', 'what is wrong, and what would fix it?'],
    ['xen-elfpatch fix vmlinux --for qemu-pvh --for linux-loader -o vmlinux.fixed', 'fix it'],
    ['xen-elfpatch fix vmlinuz --for xen-dom0-pv --in-place', 'a prebuilt kernel, as it is'],
    ['xen-elfpatch fix vmlinux --for xen-pv --check', 'in CI: exit 1 if there is something to fix'],
  ],
  args({ loaded, notLoaded, ...given }, [image = '']) {
    const target = given.output !== undefined || given.inPlace;
    checkTarget('fix', { ...given, dryRun: given.dryRun || !target }, image);
    checkPayload('fix', given);
    return {
      ...given,
      ...loadedOf({ loaded, notLoaded }),
      xenVersion: newestUnlessNamed(given.xenVersion, given.loaders),
      image,
    };
  },
};
