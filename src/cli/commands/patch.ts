/** `patch IMAGE (-o OUT | --in-place)`: the shape of its arguments. */
import { fail } from '../../errors/patch-error.js';
import { PLACEMENTS, type PlacementWish, SURVIVORS, type Survivor } from '../../plan/edits.js';
import type { Shape } from '../command.js';
import { COLOR_OPTION, type ColorMode } from '../options.js';
import {
  PAYLOAD_GROUP,
  PAYLOAD_OPTIONS,
  PAYLOAD_WAYS,
  type PayloadArgs,
  type PayloadFlags,
  payloadArgs,
} from '../result-options.js';

/** Where the notes may go; `auto` is the least disturbing that works. */
const PLACEMENT_CHOICES = ['auto', ...PLACEMENTS] as const;

/** What the work is given. Values are as typed; edits of one kind are in the order of the command line. */
export interface PatchArgs extends PayloadArgs {
  /** `-`: standard input. */
  readonly image: string;
  /** `-`: standard output. Undefined with `inPlace`, and where nothing is written. */
  readonly output: string | undefined;
  readonly inPlace: boolean;
  /** An output that holds these bytes already is left alone, its times too. */
  readonly ifChanged: boolean;

  readonly clear: boolean;
  readonly fromLegacy: boolean;
  readonly copyFrom: readonly string[];
  readonly preset: readonly string[];
  readonly spec: readonly string[];
  /** NAME=VALUE; the `=` is there, NAME and VALUE are not looked at yet. */
  readonly set: readonly string[];
  readonly unset: readonly string[];

  /** Undefined when not given, so that a spec file may say it. */
  readonly placement: PlacementWish['placement'] | undefined;
  /** true: into memory, false: out of it, undefined: as they were where that is possible. */
  readonly loaded: boolean | undefined;
  readonly section: string | undefined;
  readonly mustSurvive: readonly Survivor[];
  readonly notesAlign: 4 | 8;

  readonly dryRun: boolean;
  readonly check: boolean;
  readonly depfile: string | undefined;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly color: ColorMode;
}

interface Options extends PayloadFlags {
  readonly output: string | undefined;
  readonly 'in-place': boolean | undefined;
  readonly 'if-changed': boolean | undefined;
  readonly clear: boolean | undefined;
  readonly 'from-legacy': boolean | undefined;
  readonly 'copy-from': string[] | undefined;
  readonly preset: string[] | undefined;
  readonly spec: string[] | undefined;
  readonly set: string[] | undefined;
  readonly unset: string[] | undefined;
  readonly placement: PlacementWish['placement'] | undefined;
  readonly loaded: boolean | undefined;
  readonly 'not-loaded': boolean | undefined;
  readonly section: string | undefined;
  readonly 'must-survive': string[] | undefined;
  readonly 'notes-align': '4' | '8';
  readonly 'dry-run': boolean | undefined;
  readonly check: boolean | undefined;
  readonly depfile: string | undefined;
  readonly json: boolean | undefined;
  readonly verbose: boolean | undefined;
  readonly color: ColorMode;
}

const flag = (describe: string) => ({ type: 'boolean', describe }) as const;
const value = (describe: string) => ({ type: 'string', requiresArg: true, describe }) as const;
const values = (describe: string) => ({ type: 'string', array: true, requiresArg: true, describe }) as const;

const EDITS = 'Edits, applied in this order:';
const PLACES = 'Where the notes go:';
const RESULTS = 'What is written:';

export const patchShape: Shape<Options, PatchArgs> = {
  name: 'patch',
  synopsis: 'IMAGE (-o OUT | --in-place) [edits]',
  summary: 'write Xen notes into a linked ELF',
  about:
    'Gives a linked ELF image the Xen notes that are asked for, moves as little as possible to make room, reads the ' +
    'result back and proves it before it takes the place of the target. Patching with notes that are there already ' +
    'changes no byte.',
  words: { name: 'IMAGE', min: 1, max: 1 },
  repeatable: ['copy-from', 'preset', 'spec', 'set', 'unset', 'must-survive'],
  examples: [
    ['xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh', 'make it start in a PVH guest'],
    ['xen-elfpatch patch vmlinux --in-place --set PHYS32_ENTRY=phys:pvh_start', 'a note from a symbol'],
    ["xen-elfpatch patch k -o k2 --set FEATURES='dom0' --unset PAE_MODE", 'set one, remove one'],
    ['xen-elfpatch patch vmlinux --spec notes.yaml --check', 'in CI: exit 1 if there is work to do'],
    ['xen-elfpatch patch vmlinuz --in-place --set SUPPORTED_FEATURES=0x8801', 'a prebuilt kernel, as it is'],
  ],
  options: (cli) =>
    cli
      .option('clear', flag('drop every Xen note; those of other owners stay'))
      .option('from-legacy', flag('turn a __xen_guest string into notes'))
      .option('copy-from', values('IMAGE2: take all Xen notes of another image'))
      .option('preset', values('pv, pv32, pvh, pv+pvh, each with +dom0: a named set, filled from the image'))
      .option('spec', values('FILE: edits from a JSON or YAML file'))
      .option('set', values('NAME=VALUE: set one note; VALUE may be sym:NAME, phys:NAME, entry, hex:BYTES, file:PATH'))
      .option('unset', values('NAME: remove one note'))
      .group(['clear', 'from-legacy', 'copy-from', 'preset', 'spec', 'set', 'unset'], EDITS)
      .option('placement', {
        choices: PLACEMENT_CHOICES,
        requiresArg: true,
        describe: `take only this way of making room: ${PLACEMENTS.join(', ')}; auto takes the least disturbing`,
      })
      .option('loaded', flag('the notes must be in memory'))
      .option('not-loaded', flag('the notes must not be in memory'))
      .option('section', value('name of the note section, .note.Xen unless given'))
      .option('must-survive', values(`TOOLS: a comma-separated list of ${SURVIVORS.join(', ')}`))
      .option('notes-align', {
        choices: ['4', '8'] as const,
        default: '4' as const,
        requiresArg: true,
        describe: 'padding of the records: 4, or 8 only for a reader that needs it',
      })
      .group(['placement', 'loaded', 'not-loaded', 'section', 'must-survive', 'notes-align'], PLACES)
      .option('payload', {
        choices: PAYLOAD_WAYS,
        requiresArg: true,
        describe:
          'attach (default) a second payload for Xen, replace the payload in place, extract the ELF, detach what was attached',
      })
      .options(PAYLOAD_OPTIONS)
      .group(['payload', ...Object.keys(PAYLOAD_OPTIONS)], PAYLOAD_GROUP)
      .option('output', { ...value('write the patched image here; - is standard output'), alias: 'o' })
      .option('in-place', flag('change IMAGE itself, all or nothing'))
      .option('if-changed', flag('leave an output alone that holds these bytes already, its times too'))
      .option('dry-run', flag('print the plan and write nothing'))
      .option('check', flag('write nothing, exit 1 if patching would change a byte'))
      .option('depfile', value('write a Make dependency file'))
      .option('json', flag('one JSON document instead of text'))
      .option('verbose', { ...flag('tell every byte range, and the notes that stay as they are'), alias: 'v' })
      .group(['output', 'in-place', 'if-changed', 'dry-run', 'check', 'depfile', 'json', 'verbose'], RESULTS)
      .option('color', COLOR_OPTION),
  args(options, [image = '']) {
    checkOutput(options, image);
    const payload = payloadArgs('patch', options);
    checkDetach(options);
    for (const edit of options.set ?? []) {
      if (!edit.includes('=')) {
        fail('usage.bad', {}, { what: `--set is ${edit}, wanted NAME=VALUE`, hint: '--unset NAME removes a note' });
      }
    }
    if (options.loaded === true && options['not-loaded'] === true)
      refuse('--loaded and --not-loaded cannot be given together');
    return {
      image,
      output: options.output,
      inPlace: options['in-place'] === true,
      ifChanged: options['if-changed'] === true,
      clear: options.clear === true,
      fromLegacy: options['from-legacy'] === true,
      copyFrom: options['copy-from'] ?? [],
      preset: options.preset ?? [],
      spec: options.spec ?? [],
      set: options.set ?? [],
      unset: options.unset ?? [],
      placement: options.placement,
      loaded: options.loaded === true ? true : options['not-loaded'] === true ? false : undefined,
      section: options.section,
      mustSurvive: survivors(options['must-survive'] ?? []),
      notesAlign: options['notes-align'] === '8' ? 8 : 4,
      ...payload,
      dryRun: options['dry-run'] === true,
      check: options.check === true,
      depfile: options.depfile,
      json: options.json === true,
      verbose: options.verbose === true,
      color: options.color,
    };
  },
};

/** Exactly one target, unless nothing is written. */
function checkOutput(options: Options, image: string): void {
  const inPlace = options['in-place'] === true;
  const writes = options['dry-run'] !== true && options.check !== true;
  if (options.output !== undefined && inPlace) refuse('--output and --in-place cannot be given together');
  if (writes && options.output === undefined && !inPlace) {
    fail('usage.bad', {}, { what: 'no target given, wanted -o OUT or --in-place', hint: '--dry-run shows the plan' });
  }
  if (inPlace && image === '-') refuse('standard input cannot be patched in place, wanted -o OUT');
  if (options.output === '-' && options.json === true) refuse('-o - and --json both want standard output');
}

/** What is taken off leaves the kernel as it was, and nothing to edit. */
function checkDetach(options: Options): void {
  const edits = ['clear', 'from-legacy', 'copy-from', 'preset', 'spec', 'set', 'unset'] as const;
  const edit = edits.find((name) => options[name] !== undefined && options[name] !== false);
  if (options.payload === 'detach' && edit !== undefined)
    refuse(`--payload detach takes no edits, --${edit} was given`);
}

function survivors(lists: readonly string[]): Survivor[] {
  const asked = lists.flatMap((list) => list.split(','));
  return asked.map((name) => {
    const known = SURVIVORS.find((tool) => tool === name);
    if (known === undefined) refuse(`--must-survive is ${name}, wanted some of ${SURVIVORS.join(', ')}`);
    return known;
  });
}

function refuse(what: string): never {
  fail('usage.bad', {}, { what, hint: 'xen-elfpatch patch --help shows how it is called' });
}
