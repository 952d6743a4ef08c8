/** What every command has besides its own options, and what the command as a whole is for: --help and the man page say it. */
import type { OptionTable } from './option-table.js';

/** One sentence for the list of commands. */
export const ABOUT = 'Gives a linked ELF kernel the right Xen notes, and proves that nothing else changed.';

/** Options that the parser itself answers, in the last place of every list. */
export const COMMON = {
  config: {
    kind: 'value',
    metavar: 'FILE',
    help: 'settings that count where the line says nothing: loaders, notes, stamps (YAML or JSON; none is read unless named)',
  },
  'print-config': { kind: 'flag', help: 'print what that file says, as options, and do nothing', goesWith: 'config' },
  quiet: { kind: 'flag', alias: 'q', help: 'say nothing when all goes well, warnings included' },
  help: { kind: 'flag', alias: 'h', help: 'show this text' },
  version: { kind: 'flag', alias: 'V', help: 'show the version and the commit' },
} as const satisfies OptionTable;
