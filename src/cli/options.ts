/** Options that commands of every sort have. */
import { fail } from '../base/errors/patch-error.js';
import type { OptionTable } from './option-table.js';
import { COLOR_MODES } from './output.js';

export type { ColorMode } from './output.js';

/** `--json`, for commands that can print a document. */
export const JSON_OPTION = {
  json: { kind: 'flag', help: 'one JSON document instead of text' },
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

const UNITS: Readonly<Record<string, bigint>> = { '': 1n, K: 1n << 10n, M: 1n << 20n, G: 1n << 30n };

/** A size in bytes, or in KiB, MiB or GiB with a letter behind it. Errors: `usage.bad`. */
function readSize(text: string, option: string): bigint {
  const [, number = '', unit = ''] = /^(0x[0-9a-f]+|[0-9]+)([KMG]?)$/i.exec(text) ?? [];
  const size = number === '' ? 0n : BigInt(number) * (UNITS[unit.toUpperCase()] ?? 0n);
  if (size === 0n)
    fail('usage.bad', {}, { what: `${option} is ${text}, wanted a size in bytes as 67108864, 0x4000000 or 64M` });
  return size;
}

/** `--limit`, for commands that look into packed files. */
export const LIMIT_OPTION = {
  limit: {
    kind: 'value',
    metavar: 'SIZE',
    help: 'unpack at most that many bytes (1G, which is the most there is), as 64M or 0x4000000',
    read: readSize,
    complete: ['64M', '256M', '1G'],
  },
} as const satisfies OptionTable;
