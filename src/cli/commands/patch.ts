/** `patch IMAGE (-o OUT | --in-place)`: the shape of its arguments. */
import { PLACEMENTS } from '../../edit/elf/plan/placement-options.js';
import { PAYLOAD_ACTIONS } from '../../formats/container/payload-action.js';
import { BATCH_OPTIONS, SEVERAL } from '../batch-options.js';
import { command, type Shape } from '../command.js';
import { noteNames, noteSettings, noteValues } from '../completion-words.js';
import { type ArgsOf, firstGiven, group, type OptionTable } from '../option-table.js';
import { COLOR_OPTION, JSON_OPTION, LIMIT_OPTION, STRICT_OPTION } from '../options.js';
import {
  checkPayload,
  checkTarget,
  IF_CHANGED_OPTION,
  KIND_OPTION,
  LOADED_OPTIONS,
  type LoadedArgs,
  loadedOf,
  outputOptions,
  PAYLOAD_OPTIONS,
  planOptions,
  RESULT_GROUP,
  SURVIVORS_OPTION,
  VERBOSE_OPTION,
} from '../result-options.js';
import { usageError } from '../usage-error.js';

/** Every edit, in the order in which edits apply. */
const EDITS = group('Edits, applied in this order:', {
  clear: { kind: 'flag', help: 'drop every Xen note; those of other owners stay' },
  'from-legacy': { kind: 'flag', help: 'turn a __xen_guest string into notes' },
  'copy-from': { kind: 'values', metavar: 'IMAGE2', help: 'take all Xen notes of another image' },
  preset: {
    kind: 'values',
    help: 'pv, pv32, pvh, pv+pvh, each with +dom0: a named set, filled from the image',
    complete: ['pv', 'pv32', 'pvh', 'pv+pvh'].flatMap((name) => [name, `${name}+dom0`]),
  },
  spec: { kind: 'values', metavar: 'FILE', help: 'edits from a JSON or YAML file' },
  set: {
    kind: 'values',
    metavar: 'NAME=VALUE',
    help: 'set one note; VALUE may be sym:NAME, phys:NAME, entry, hex:BYTES, file:PATH',
    read: settingOf,
    complete: noteSettings,
    completeSetting: noteValues,
  },
  unset: { kind: 'values', metavar: 'NAME', help: 'remove one note', complete: noteNames },
});

const OPTIONS = {
  ...EDITS,
  ...group('Where the notes go:', {
    placement: {
      kind: 'choice',
      choices: ['auto', ...PLACEMENTS],
      help: `take only this way of making room: ${PLACEMENTS.join(', ')}; auto takes the least disturbing`,
    },
    ...LOADED_OPTIONS,
    section: { kind: 'value', help: 'name of the note section, .note.Xen unless given' },
    ...SURVIVORS_OPTION,
    'notes-align': {
      kind: 'choice',
      choices: ['4', '8'],
      default: '4',
      read: (text): 4 | 8 => (text === '8' ? 8 : 4),
      help: 'padding of the records: 4, or 8 only for a reader that needs it',
    },
    ...KIND_OPTION,
  }),
  ...PAYLOAD_OPTIONS,
  payload: {
    ...PAYLOAD_OPTIONS.payload,
    choices: PAYLOAD_ACTIONS,
    help: 'attach (default) a second payload for Xen, replace the payload in place, extract the ELF, detach what was attached',
  },
  ...group(RESULT_GROUP, {
    ...outputOptions({ result: 'patched image' }),
    ...IF_CHANGED_OPTION,
    ...planOptions('patching would change a byte'),
    ...STRICT_OPTION,
    ...JSON_OPTION,
    ...VERBOSE_OPTION,
  }),
  ...BATCH_OPTIONS,
  ...LIMIT_OPTION,
  ...COLOR_OPTION,
} as const satisfies OptionTable;

/**
 * What the work is given. Values are as typed; edits of one kind are in the order of the command line. `placement` and
 * `section` are undefined when not given, so that a spec file may say them.
 */
export interface PatchArgs extends Omit<ArgsOf<typeof OPTIONS>, 'loaded' | 'notLoaded'>, LoadedArgs {
  /** `-`: standard input. */
  readonly image: string;
}

/** The words and options of `patch`, as `--help` and the parser have them. */
export const patchShape: Shape<typeof OPTIONS, PatchArgs> = {
  name: 'patch',
  synopsis: '(IMAGE -o OUT | IMAGE... --in-place) [edits]',
  summary: 'write Xen notes into a linked ELF',
  about:
    'Gives a linked ELF image the Xen notes that are asked for, moves as little as possible to make room, reads the ' +
    'result back and proves it before it takes the place of the target. Patching with notes that are there already ' +
    'changes no byte.',
  words: { name: 'IMAGE', ...SEVERAL },
  batch: { notFor: { output: 'any', depfile: 'any', record: 'any' }, looksThrough: false, images: 1 },
  options: OPTIONS,
  examples: [
    ['xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh', 'make it start in a PVH guest'],
    ['xen-elfpatch patch vmlinux --in-place --set PHYS32_ENTRY=phys:pvh_start', 'a note from a symbol'],
    ["xen-elfpatch patch k -o k2 --set FEATURES='dom0' --unset PAE_MODE", 'set one, remove one'],
    ['xen-elfpatch patch vmlinux --spec notes.yaml --check', 'in CI: exit 1 if there is work to do'],
    ['xen-elfpatch patch vmlinuz --in-place --set SUPPORTED_FEATURES=0x8801', 'a prebuilt kernel, as it is'],
  ],
  args({ loaded, notLoaded, ...given }, [image = '']) {
    checkTarget('patch', given, image);
    checkPayload('patch', given);
    // What is taken off leaves the kernel as it was, and nothing to edit.
    const edit = given.payload === 'detach' ? firstGiven(EDITS, given) : undefined;
    if (edit !== undefined) usageError('patch', `--payload detach takes no edits, --${edit} was given`);
    return { ...given, ...loadedOf({ loaded, notLoaded }), image };
  },
};

/** `patch`, its work loaded when it runs. */
export const patchCommand = command(patchShape, async (args) => (await import('./patch.run.js')).runPatch(args));

function settingOf(text: string): string {
  if (text.includes('=')) return text;
  return usageError('patch', `--set is ${text}, wanted NAME=VALUE`, '--unset NAME removes a note');
}
