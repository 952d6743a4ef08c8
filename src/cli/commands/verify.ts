/** `verify IMAGE`: the shape of its arguments. */
import { TARGET_NAMES } from '../../loaders/names.js';
import type { XenVersion } from '../../loaders/xen-version.js';
import type { CiFormat } from '../../report/ci/ci-formats.js';
import { BATCH_OPTIONS, SEVERAL } from '../batch-options.js';
import { command, type Shape } from '../command.js';
import { checkFormat, ciFormatOf, formatOption } from '../format-option.js';
import { MEMORY_OPTION, newestUnlessNamed, readTarget, XEN_VERSION_OPTION } from '../loader-option.js';
import type { ArgsOf, OptionTable } from '../option-table.js';
import { COLOR_OPTION, JSON_OPTION, LIMIT_OPTION, STRICT_OPTION } from '../options.js';

const OPTIONS = {
  baseline: { kind: 'value', help: 'the image before it was patched' },
  for: {
    kind: 'values',
    member: 'loaders',
    help: `a loader that must start it: ${TARGET_NAMES.join(', ')}`,
    read: readTarget,
    complete: TARGET_NAMES,
  },
  ...XEN_VERSION_OPTION,
  ...MEMORY_OPTION,
  'check-record': {
    kind: 'value',
    metavar: 'FILE',
    help: 'is the image the one that this record (patch --record) tells of? Nothing else is looked at',
  },
  rules: { kind: 'flag', help: 'list the rules that each verdict went through' },
  ...STRICT_OPTION,
  ...JSON_OPTION,
  ...formatOption([], ''),
  ...BATCH_OPTIONS,
  ...LIMIT_OPTION,
  ...COLOR_OPTION,
} as const satisfies OptionTable;

/**
 * What the work is given. Without `baseline`: the structural checks alone. Without `loaders` all verdicts are shown,
 * and none decides the exit status.
 */
export interface VerifyArgs extends Omit<ArgsOf<typeof OPTIONS>, 'xenVersion' | 'format'> {
  /** Undefined: text, or JSON. */
  readonly format: CiFormat | undefined;
  readonly xenVersion: XenVersion;
  readonly image: string;
}

/** The words and options of `verify`, as `--help` and the parser have them. */
export const verifyShape: Shape<typeof OPTIONS, VerifyArgs> = {
  name: 'verify',
  synopsis: 'IMAGE... [--baseline ORIGINAL] [--for LOADER]…',
  summary: 'is an image sound, and which loaders would start it?',
  about:
    'Checks an image against the laws of the ELF format that loaders and tools rely on, reads it with a second, ' +
    'independent reader, and with --baseline proves that nothing but notes and headers differs from ORIGINAL. ' +
    "Then says what each loader would do with it, in that loader's words. Exit 1 if a law is broken; with --for, if a " +
    'loader that was named would not start it. Of a PE image (xen.efi) the laws are those of its headers. IMAGE - is ' +
    'standard input. A folder, or an archive (.deb, .rpm, .tar and packed .tar), is looked through for kernels and Xen images.',
  words: { name: 'IMAGE', ...SEVERAL },
  batch: { notFor: { 'check-record': 'any' }, looksThrough: true, images: 1 },
  options: OPTIONS,
  examples: [
    ['xen-elfpatch verify vmlinux', 'is it a sound image?'],
    ['xen-elfpatch verify out --baseline vmlinux', 'what did the patch change?'],
    ['xen-elfpatch verify vmlinux --for xen-pv', 'would xl start it as a PV guest?'],
    ['xen-elfpatch verify --json vmlinux', 'findings for a program'],
    ['xen-elfpatch verify vmlinux --for qemu-pvh --format junit', 'for a CI system'],
    [
      'xen-elfpatch verify linux-image.deb xen-hypervisor.rpm /boot',
      'a table of the kernels in there and who starts them',
    ],
  ],
  args({ format: word, ...given }, [image = '']) {
    const format = ciFormatOf(word);
    checkFormat('verify', format, given.json);
    return { ...given, format, xenVersion: newestUnlessNamed(given.xenVersion, given.loaders), image };
  },
};

/** `verify`, its work loaded when it runs. */
export const verifyCommand = command(verifyShape, async (args) => (await import('./verify.run.js')).runVerify(args));
