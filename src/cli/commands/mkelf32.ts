/** `mkelf32 [--notes] IN OUT LOAD-BASE [FINAL-EXEC]`: the shape of its arguments. */
import { fail } from '../../errors/patch-error.js';
import type { Shape } from '../command.js';

/** Names of input parts that can be kept in the result. */
export const KEEP_CHOICES = ['sections', 'symbols'] as const;
export type Keep = (typeof KEEP_CHOICES)[number];

export interface Mkelf32Work {
  /** `-`: standard input. */
  readonly input: string;
  /** `-`: standard output. */
  readonly output: string;
  readonly notes: boolean;
  /** Numbers as typed: C decides what they mean. */
  readonly loadBase: string;
  readonly finalExec: string | undefined;
  /** The release whose tool is followed; undefined: the newest. Means nothing with `tidy`. */
  readonly compat: string | undefined;
  readonly tidy: boolean;
  /** NAME=VALUE. */
  readonly note: readonly string[];
  readonly keep: readonly Keep[];
  readonly json: boolean;
}

export type Mkelf32Args = { readonly kind: 'list'; readonly json: boolean } | ({ readonly kind: 'wrap' } & Mkelf32Work);

interface Options {
  readonly notes: boolean | undefined;
  readonly compat: string | undefined;
  readonly 'list-compat': boolean | undefined;
  readonly tidy: boolean | undefined;
  readonly note: string[] | undefined;
  readonly keep: string[] | undefined;
  readonly json: boolean | undefined;
}

const flag = (describe: string) => ({ type: 'boolean', describe }) as const;
const values = (describe: string) => ({ type: 'string', array: true, requiresArg: true, describe }) as const;

export const mkelf32Shape: Shape<Options, Mkelf32Args> = {
  name: 'mkelf32',
  synopsis: '[--notes] IN OUT LOAD-BASE [FINAL-EXEC]',
  summary: "wrap xen-syms in the 32-bit ELF that boot loaders take, as Xen's build does",
  about:
    "Takes the place of Xen's build tool mkelf32, byte for byte as the release named by --compat writes it. The installed " +
    'command xen-mkelf32 takes exactly that tool’s arguments. --tidy, --note and --keep make a better image than the tool ' +
    'can; they go together with each other, not with --compat. Numbers are hexadecimal.',
  words: { name: 'IN, OUT, LOAD-BASE, FINAL-EXEC', min: 0, max: 4 },
  repeatable: ['note', 'keep'],
  examples: [
    ['xen-elfpatch mkelf32 --notes xen-syms xen 0x200000', 'as the newest Xen builds it'],
    ['xen-elfpatch mkelf32 --compat 4.17.7 --notes xen-syms xen 0x200000 0xffff82d0405a7000', 'as Xen 4.17 does'],
    ['xen-elfpatch mkelf32 --notes --note PHYS32_ENTRY=entry xen-syms xen 0x200000', 'add a note on the way'],
  ],
  options: (cli) =>
    cli
      .option('notes', flag('carry the PT_NOTE over'))
      .option('compat', {
        type: 'string',
        requiresArg: true,
        describe: 'RELEASE: write what the tool of that Xen release writes; the newest unless given',
      })
      .option('list-compat', flag('print the releases that differ'))
      .option(
        'tidy',
        flag('real note addresses, zero padding, exact names; takes several PT_LOADs, notes anywhere, either class'),
      )
      .option('note', values('NAME=VALUE: set a Xen note in the result, as patch --set does; implies --tidy'))
      .option(
        'keep',
        values(`${KEEP_CHOICES.join(' or ')}: keep them in the result, at their new addresses; implies --tidy`),
      )
      .option('json', flag('one JSON document instead of text')),
  args(options, words) {
    const json = options.json === true;
    if (options['list-compat'] === true) {
      if (words.length > 0) refuse('--list-compat takes no words');
      return { kind: 'list', json };
    }
    const [input, output, loadBase, finalExec] = words;
    if (input === undefined || output === undefined || loadBase === undefined) {
      return refuse(`mkelf32: ${words.length} of IN, OUT and LOAD-BASE given, wanted all three`);
    }
    if (output === '-' && json) refuse('- as OUT and --json both want standard output');
    const note = options.note ?? [];
    const keep = (options.keep ?? []).flatMap((list) => list.split(',')).map(keepOf);
    const tidy = options.tidy === true || note.length > 0 || keep.length > 0;
    if (tidy && !/^(0x)?[0-9a-f]+$/i.test(loadBase)) refuse(`LOAD-BASE is ${loadBase}, wanted a hexadecimal number`);
    if (tidy && options.compat !== undefined) refuse('--compat goes with none of --tidy, --note and --keep');
    return {
      kind: 'wrap',
      input,
      output,
      notes: options.notes === true,
      loadBase,
      finalExec,
      compat: options.compat,
      tidy,
      note,
      keep,
      json,
    };
  },
};

function keepOf(name: string): Keep {
  const known = KEEP_CHOICES.find((choice) => choice === name);
  return known ?? refuse(`--keep is ${name}, wanted ${KEEP_CHOICES.join(' or ')}`);
}

function refuse(what: string): never {
  fail('usage.bad', {}, { what, hint: 'xen-elfpatch mkelf32 --help shows how it is called' });
}
