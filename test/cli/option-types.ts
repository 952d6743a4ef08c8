/**
 * What TypeScript infers from a table of options. Nothing here runs: `tsc` refuses the file when a type is another one,
 * and when a table that must not be written compiles.
 */
import type { FixArgs } from '../../src/cli/commands/fix.js';
import type { LinearizeArgs } from '../../src/cli/commands/linearize.js';
import type { Mkelf32Work } from '../../src/cli/commands/mkelf32.js';
import type { PatchArgs } from '../../src/cli/commands/patch.js';
import type { StampArgs } from '../../src/cli/commands/stamp.js';
import type { VerifyArgs } from '../../src/cli/commands/verify.js';
import { type ArgsOf, group, type OptionTable } from '../../src/cli/option-table.js';
import type { ImageKind, PlacementName, SurvivorWish } from '../../src/edit/elf/plan/placement-options.js';
import type { LinearOptions } from '../../src/edit/linear/options.js';
import type { XenVersion } from '../../src/loaders/xen-version.js';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Holds<Proof extends true> = Proof;

const KINDS = {
  quiet: { kind: 'flag', help: '' },
  'in-some-place': { kind: 'flag', help: '' },
  name: { kind: 'value', help: '' },
  'read-name': { kind: 'value', help: '', read: (text: string) => BigInt(text) },
  'sure-name': { kind: 'value', help: '', default: 'x' },
  'sure-number': { kind: 'value', help: '', default: '0', read: (text: string) => BigInt(text) },
  color: { kind: 'choice', help: '', choices: ['red', 'green'] },
  'sure-color': { kind: 'choice', help: '', choices: ['red', 'green'], default: 'red' },
  'read-color': {
    kind: 'choice',
    help: '',
    choices: ['4', '8'],
    read: (text: string): 4 | 8 => (text === '8' ? 8 : 4),
  },
  file: { kind: 'values', help: '', member: 'files' },
  tool: { kind: 'list', help: '', choices: ['strip', 'flat'] },
  number: { kind: 'list', help: '', read: Number },
  ...group('Under a heading:', { level: { kind: 'choice', help: '', choices: ['low', 'high'] } }),
} as const satisfies OptionTable;

export type EveryKind = Holds<
  Same<
    ArgsOf<typeof KINDS>,
    {
      readonly quiet: boolean;
      readonly inSomePlace: boolean;
      readonly name: string | undefined;
      readonly readName: bigint | undefined;
      readonly sureName: string;
      readonly sureNumber: bigint;
      readonly color: 'red' | 'green' | undefined;
      readonly sureColor: 'red' | 'green';
      readonly readColor: 4 | 8 | undefined;
      readonly files: readonly string[];
      readonly tool: readonly ('strip' | 'flat')[];
      readonly number: readonly number[];
      readonly level: 'low' | 'high' | undefined;
    }
  >
>;

/** Members that a reader, a default, a name of their own or the words of the command make. */
export type OfCommands = [
  Holds<Same<PatchArgs['loaded'], boolean | undefined>>,
  Holds<Same<PatchArgs['placement'], PlacementName | 'auto' | undefined>>,
  Holds<Same<PatchArgs['notesAlign'], 4 | 8>>,
  Holds<Same<PatchArgs['mustSurvive'], readonly SurvivorWish[]>>,
  Holds<Same<PatchArgs['payload'], 'attach' | 'replace' | 'extract' | 'detach' | undefined>>,
  Holds<Same<StampArgs['payload'], 'attach' | 'replace' | 'extract' | undefined>>,
  Holds<Same<StampArgs['placement'], PlacementName | 'auto'>>,
  Holds<Same<StampArgs['metadata'], readonly string[]>>,
  Holds<Same<(PatchArgs | StampArgs | FixArgs)['kind'], ImageKind | undefined>>,
  Holds<Same<FixArgs['loaders'], readonly string[]>>,
  Holds<Same<VerifyArgs['xenVersion'], XenVersion>>,
  Holds<Same<LinearizeArgs['options'], LinearOptions>>,
  Holds<Same<LinearizeArgs['image'], string>>,
  Holds<Same<Mkelf32Work['keep'], readonly ('sections' | 'symbols')[]>>,
  Holds<Same<'listCompat' extends keyof Mkelf32Work ? true : false, false>>,
];

export const REFUSED = [
  // @ts-expect-error: there is no such kind
  { x: { kind: 'switch', help: '' } } satisfies OptionTable,
  // @ts-expect-error: nothing to choose from
  { x: { kind: 'choice', help: '' } } satisfies OptionTable,
  // @ts-expect-error: a flag has no value
  { x: { kind: 'flag', help: '', default: 'yes' } } satisfies OptionTable,
  // @ts-expect-error: a list that was not given is empty
  { x: { kind: 'values', help: '', default: 'yes' } } satisfies OptionTable,
  // @ts-expect-error: --help has to say something
  { x: { kind: 'value' } } satisfies OptionTable,
];
