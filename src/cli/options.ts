/** Options that commands of every sort have. */
import type { OptionTable } from './option-table.js';
import { COLOR_MODES } from './output.js';

export type { ColorMode } from './output.js';

/** `--json`, for commands that can print a document. */
export const JSON_OPTION = {
  json: { kind: 'flag', help: 'one JSON document instead of text' },
} as const satisfies OptionTable;

/** `--strict`, for commands that can warn. */
export const STRICT_OPTION = {
  strict: { kind: 'flag', help: 'warnings count as no: exit 1, and nothing is written' },
} as const satisfies OptionTable;

/** `--color`: for commands whose results can be coloured. */
export const COLOR_OPTION = {
  color: {
    kind: 'choice',
    choices: COLOR_MODES,
    default: 'auto',
    help: 'auto (on a terminal, unless NO_COLOR is set), always or never',
  },
} as const satisfies OptionTable;
