/** `linearize XEN.EFI`: the shape of its arguments. */
import { fail } from '../../errors/patch-error.js';
import { type EntryWish, type LinearWish, MB2_MODES, type Mb2Mode } from '../../linearize/wish.js';
import type { Shape } from '../command.js';
import { COLOR_OPTION, type ColorMode } from '../options.js';

/** What the work is given. */
export interface LinearizeArgs {
  /** `-`: standard input. With `verify`: the file to judge. */
  readonly image: string;
  readonly wish: LinearWish;
  /** Judge the file, write nothing. */
  readonly verify: boolean;
  /** With `verify`: what the file was made from. */
  readonly baseline: string | undefined;
  /** `-`: standard output. Undefined with `inPlace`, and where nothing is written. */
  readonly output: string | undefined;
  readonly inPlace: boolean;
  readonly dryRun: boolean;
  readonly check: boolean;
  /** Undefined: no Make rule is written. */
  readonly depfile: string | undefined;
  readonly json: boolean;
  readonly color: ColorMode;
}

interface Options {
  readonly entry: string | undefined;
  readonly 'phys-base': string | undefined;
  readonly 'header-size': string | undefined;
  readonly 'bss-align': string | undefined;
  readonly mb2: Mb2Mode;
  readonly mb1: boolean | undefined;
  readonly 'keep-reloc': boolean | undefined;
  readonly merge: boolean | undefined;
  readonly 'file-align': string;
  readonly image: string[] | undefined;
  readonly tail: string[] | undefined;
  readonly 'drop-signature': boolean | undefined;
  readonly verify: boolean | undefined;
  readonly baseline: string | undefined;
  readonly output: string | undefined;
  readonly 'in-place': boolean | undefined;
  readonly 'dry-run': boolean | undefined;
  readonly check: boolean | undefined;
  readonly depfile: string | undefined;
  readonly json: boolean | undefined;
  readonly color: ColorMode;
}

const flag = (describe: string) => ({ type: 'boolean', describe }) as const;
const value = (describe: string) => ({ type: 'string', requiresArg: true, describe }) as const;
const values = (describe: string) => ({ type: 'string', array: true, requiresArg: true, describe }) as const;

const HEADERS = 'Multiboot headers:';
const LAYOUT = 'Layout:';
const RESULTS = 'What is written:';
const JUDGE = 'Judging a file:';

export const linearizeShape: Shape<Options, LinearizeArgs> = {
  name: 'linearize',
  synopsis: 'XEN.EFI (-o OUT | --in-place) [options]',
  summary: 'make one xen.efi that UEFI and Multiboot2 both load',
  about:
    'Lays a PE image out so that its file is one linear picture of its memory, and adds the Multiboot2 tags that say so. ' +
    'UEFI loads the result as before, GRUB loads it with multiboot2 on BIOS and on UEFI. No instruction is touched. The ' +
    'result is read back and both loaders are simulated before it takes the place of the target.',
  words: { name: 'XEN.EFI', min: 1, max: 1 },
  repeatable: ['image', 'tail'],
  examples: [
    ['xen-elfpatch linearize xen.efi -o xen.mb.efi', 'then sign xen.mb.efi, if it is to be signed'],
    ['xen-elfpatch linearize xen.efi --dry-run', 'the two maps side by side, the tags, what it costs'],
    ['xen-elfpatch linearize xen.efi --mb1 --keep-reloc -o out', 'also for qemu -kernel, and for shim'],
    ['xen-elfpatch linearize --verify xen.mb.efi --baseline xen.efi', 'prove a result again'],
  ],
  options: (cli) =>
    cli
      .option('mb2', {
        choices: MB2_MODES,
        default: 'auto' as const,
        requiresArg: true,
        describe: 'where the tags go: append behind the header, gap in front of the sections; none: the layout only',
      })
      .option('entry', value('32-bit entry: an RVA or sym:NAME; symbol start unless given'))
      .option('mb1', flag('a Multiboot 1 header too, for qemu -kernel and GRUB multiboot'))
      .option('phys-base', value('physical address of RVA 0, 0 unless given'))
      .option('bss-align', value('round bss_end_addr up to this; SectionAlignment unless given'))
      .group(['mb2', 'entry', 'mb1', 'phys-base', 'bss-align'], HEADERS)
      .option('header-size', value('bytes in front of the first section, 0x1000 unless given'))
      .option('keep-reloc', flag('clear DISCARDABLE on the base relocations, so that shim loads them'))
      .option('merge', flag('join sections that share a page, write FileAlignment 0x200'))
      .option('file-align', {
        ...value('FileAlignment: auto, keep, or a number that divides everything'),
        default: 'auto',
      })
      .option('image', values('NAME: this section belongs to the flat load'))
      .option('tail', values('NAME: this section does not; only UEFI loads it'))
      .option('drop-signature', flag('take a signed image; its signature goes'))
      .group(['header-size', 'keep-reloc', 'merge', 'file-align', 'image', 'tail', 'drop-signature'], LAYOUT)
      .option('output', { ...value('write the linear image here; - is standard output'), alias: 'o' })
      .option('in-place', flag('change XEN.EFI itself, all or nothing'))
      .option('dry-run', flag('print the plan and write nothing'))
      .option('check', flag('write nothing, exit 1 if linearizing would change a byte'))
      .option('depfile', value('write a Make dependency file'))
      .option('json', flag('one JSON document instead of text'))
      .group(['output', 'in-place', 'dry-run', 'check', 'depfile', 'json'], RESULTS)
      .option('verify', flag('judge XEN.EFI as a linear file, write nothing; exit 1 if a law is broken'))
      .option('baseline', value('what the judged file was made from'))
      .group(['verify', 'baseline'], JUDGE)
      .option('color', COLOR_OPTION),
  args(options, [image = '']) {
    const verify = options.verify === true;
    if (verify) checkVerify(options);
    else checkOutput(options, image);
    if (options.mb1 === true && options.mb2 === 'none')
      refuse('--mb1 takes its addresses from the Multiboot2 tags, wanted no --mb2 none');
    return {
      image,
      wish: {
        entry: options.entry === undefined ? undefined : entryOf(options.entry),
        physBase: number('phys-base', options['phys-base']) ?? 0n,
        headerSize: number('header-size', options['header-size']),
        bssAlign: number('bss-align', options['bss-align']),
        mb2: options.mb2,
        mb1: options.mb1 === true,
        keepReloc: options['keep-reloc'] === true,
        merge: options.merge === true,
        fileAlign: fileAlignOf(options['file-align']),
        image: options.image ?? [],
        tail: options.tail ?? [],
        dropSignature: options['drop-signature'] === true,
      },
      verify,
      baseline: options.baseline,
      output: options.output,
      inPlace: options['in-place'] === true,
      dryRun: options['dry-run'] === true,
      check: options.check === true,
      depfile: options.depfile,
      json: options.json === true,
      color: options.color,
    };
  },
};

/** Exactly one target, unless nothing is written. */
function checkOutput(options: Options, image: string): void {
  const inPlace = options['in-place'] === true;
  const writes = options['dry-run'] !== true && options.check !== true;
  if (options.baseline !== undefined) refuse('--baseline goes with --verify');
  if (options.output !== undefined && inPlace) refuse('--output and --in-place cannot be given together');
  if (writes && options.output === undefined && !inPlace) {
    fail('usage.bad', {}, { what: 'no target given, wanted -o OUT or --in-place', hint: '--dry-run shows the plan' });
  }
  if (inPlace && image === '-') refuse('standard input cannot be changed in place, wanted -o OUT');
  if (options.output === '-' && options.json === true) refuse('-o - and --json both want standard output');
}

function checkVerify(options: Options): void {
  for (const name of ['output', 'in-place', 'dry-run', 'check', 'depfile'] as const) {
    if (options[name] !== undefined) refuse(`--verify writes nothing, and --${name} was given with it`);
  }
}

function entryOf(text: string): EntryWish {
  const name = /^sym:(.+)$/.exec(text)?.[1];
  return name === undefined ? { kind: 'rva', rva: number('entry', text) ?? 0n } : { kind: 'symbol', name };
}

function fileAlignOf(text: string): LinearWish['fileAlign'] {
  return text === 'auto' || text === 'keep' ? text : (number('file-align', text) ?? 0n);
}

const MOST = 0xffff_ffffn;

function number(option: string, text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined;
  const known = /^(0x[0-9a-f]{1,16}|\d{1,20})$/i.test(text) ? BigInt(text) : undefined;
  if (known === undefined || known > MOST)
    refuse(`--${option} is ${text}, wanted a number of up to 32 bits, 4096 or 0x1000`);
  return known;
}

function refuse(what: string): never {
  fail('usage.bad', {}, { what, hint: 'xen-elfpatch linearize --help shows how it is called' });
}
