/** Options that several commands have. */
import { COLOR_MODES, type ColorMode } from './output.js';

export type { ColorMode };

/** `--color`: for commands whose results can be coloured. */
export const COLOR_OPTION = {
  choices: COLOR_MODES,
  default: 'auto',
  requiresArg: true,
  describe: 'auto (on a terminal, unless NO_COLOR is set), always or never',
} as const;
