/** `linearize XEN.EFI`: the shape of its arguments. */
import { type EntryOptions, type LinearOptions, MB2_MODES } from '../../edit/linear/options.js';
import { didYouMean } from '../../formats/note/nearest.js';
import type { Shape } from '../command.js';
import { type ArgsOf, firstGiven, group, type OptionTable } from '../option-table.js';
import { COLOR_OPTION, JSON_OPTION, STRICT_OPTION } from '../options.js';
import { checkTarget, outputOptions, planOptions, RESULT_GROUP } from '../result-options.js';
import { usageError } from '../usage-error.js';

/** The options of the library: each of the command line is a member. */
const WISH = {
  ...group('Multiboot headers:', {
    mb2: {
      kind: 'choice',
      choices: MB2_MODES,
      default: 'auto',
      help: 'where the tags go: append behind the header, gap in front of the sections; none: the layout only',
    },
    entry: { kind: 'value', help: '32-bit entry: an RVA or sym:NAME; symbol start unless given', read: entryOf },
    mb1: { kind: 'flag', help: 'a Multiboot 1 header too, for qemu -kernel and GRUB multiboot' },
    'phys-base': { kind: 'value', help: 'physical address of RVA 0, 0 unless given', default: '0', read: numberOf },
    'bss-align': {
      kind: 'value',
      help: 'round bss_end_addr up to this; SectionAlignment unless given',
      read: numberOf,
    },
  }),
  ...group('Layout:', {
    'header-size': {
      kind: 'value',
      help: 'bytes in front of the first section, 0x1000 unless given',
      read: numberOf,
    },
    'keep-reloc': { kind: 'flag', help: 'clear DISCARDABLE on the base relocations, so that shim loads them' },
    'discardable-reloc': {
      kind: 'flag',
      help: 'set it, as linkers do for UEFI; without either option it stays as it is',
    },
    merge: { kind: 'flag', help: 'join sections that share a page, write FileAlignment 0x200' },
    'file-align': {
      kind: 'value',
      help: 'FileAlignment: auto, keep, or a number that divides everything',
      default: 'auto',
      read: fileAlignOf,
    },
    image: { kind: 'values', metavar: 'NAME', help: 'this section belongs to the flat load' },
    tail: { kind: 'values', metavar: 'NAME', help: 'this section does not; only UEFI loads it' },
    'drop-signature': { kind: 'flag', help: 'take a signed image; its signature goes' },
  }),
} as const satisfies OptionTable;

/** What `--verify` has no use for. */
const TARGET = {
  ...outputOptions({ image: 'XEN.EFI', result: 'linear image' }),
  ...planOptions('linearizing would change a byte'),
} as const;

const OPTIONS = {
  ...WISH,
  ...group(RESULT_GROUP, { ...TARGET, ...STRICT_OPTION, ...JSON_OPTION }),
  ...group('Judging a file:', {
    verify: { kind: 'flag', help: 'judge XEN.EFI as a linear file, write nothing; exit 1 if a law is broken' },
    baseline: { kind: 'value', help: 'what the judged file was made from', goesWith: 'verify' },
  }),
  ...COLOR_OPTION,
} as const satisfies OptionTable;

/** What the work is given. */
export interface LinearizeArgs extends Omit<ArgsOf<typeof OPTIONS>, keyof LinearOptions> {
  /** `-`: standard input. With `verify`: the file to judge. */
  readonly image: string;
  readonly options: LinearOptions;
}

/** The words and options of `linearize`, as `--help` and the parser have them. */
export const linearizeShape: Shape<typeof OPTIONS, LinearizeArgs> = {
  name: 'linearize',
  synopsis: 'XEN.EFI (-o OUT | --in-place) [options]',
  summary: 'make one xen.efi that UEFI and Multiboot2 both load',
  about:
    'Lays a PE image out so that its file is one linear picture of its memory, and adds the Multiboot2 tags that say so. ' +
    'UEFI loads the result as before, GRUB loads it with multiboot2 on BIOS and on UEFI. No instruction is touched. The ' +
    'result is read back and both loaders are simulated before it takes the place of the target.',
  words: { name: 'XEN.EFI', min: 1, max: 1 },
  options: OPTIONS,
  examples: [
    ['xen-elfpatch linearize xen.efi -o xen.mb.efi', 'then sign xen.mb.efi, if it is to be signed'],
    ['xen-elfpatch linearize xen.efi --dry-run', 'the two maps side by side, the tags, what it costs'],
    ['xen-elfpatch linearize xen.efi --mb1 --keep-reloc -o out', 'also for qemu -kernel, and for shim'],
    ['xen-elfpatch linearize --verify xen.mb.efi --baseline xen.efi', 'prove a result again'],
  ],
  args(
    {
      verify,
      baseline,
      output,
      inPlace,
      dryRun,
      check,
      depfile,
      depfileTarget,
      record,
      recordFormat,
      strict,
      json,
      color,
      ...options
    },
    [image = ''],
  ) {
    const target = { output, inPlace, dryRun, check, depfile, depfileTarget, record, recordFormat };
    const written = verify ? firstGiven(TARGET, target) : undefined;
    if (written !== undefined) refuse(`--verify writes nothing, and --${written} was given with it`);
    if (!verify) checkTarget('linearize', { ...target, json }, image, { done: 'changed' });
    if (options.keepReloc && options.discardableReloc)
      refuse('--keep-reloc clears a flag and --discardable-reloc sets it, wanted one of them');
    if (options.mb1 && options.mb2 === 'none')
      refuse('--mb1 takes its addresses from the Multiboot2 tags, wanted no --mb2 none');
    return { image, options, verify, baseline, ...target, strict, json, color };
  },
};

function entryOf(text: string, option: string): EntryOptions {
  const name = /^sym:(.+)$/.exec(text)?.[1];
  return name === undefined ? { kind: 'rva', rva: numberOf(text, option) } : { kind: 'symbol', name };
}

function fileAlignOf(text: string, option: string): LinearOptions['fileAlign'] {
  if (text === 'auto' || text === 'keep') return text;
  return numberOf(text, option, didYouMean(text, ['auto', 'keep']));
}

const MOST = 0xffff_ffffn;

function numberOf(text: string, option: string, hint?: string): bigint {
  const known = /^(0x[0-9a-f]{1,16}|\d{1,20})$/i.test(text) ? BigInt(text) : undefined;
  if (known !== undefined && known <= MOST) return known;
  return refuse(`${option} is ${text}, wanted a number of up to 32 bits, 4096 or 0x1000`, hint);
}

function refuse(what: string, hint?: string): never {
  return usageError('linearize', what, hint);
}
