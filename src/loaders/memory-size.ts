/** Memory of a machine or a guest, as people write it. */
import { fail } from '../base/errors/patch-error.js';

const UNITS = { K: 10n, M: 20n, G: 30n, T: 40n } as const;
/** The least and the most that can be meant: a number without its unit, or a slip of the finger, is neither. */
const LEAST_MEMORY = 1n << 20n;
const MOST_MEMORY = 1n << 52n;

/** Bytes of memory. Errors: `usage.bad` for what is no size, and below 1 MiB or above 4 PiB. */
export function readMemory(text: string): bigint {
  const [, number, unit] = /^(0x[0-9a-f]{1,16}|[0-9]{1,18})(?:([KMGT])(?:i?B)?)?$/i.exec(text) ?? [];
  const shift = unit === undefined ? 0n : UNITS[unit.toUpperCase() as keyof typeof UNITS];
  const bytes = number === undefined ? 0n : BigInt(number) << shift;
  if (bytes >= LEAST_MEMORY && bytes <= MOST_MEMORY) return bytes;
  const hint = /^[1-9][0-9]*$/.test(text) ? `A number alone is bytes: --memory ${text}M is MiB` : 'As in --memory 512M';
  return fail('usage.bad', {}, { what: `--memory ${text}: wanted a size from 1M to 4096T`, hint });
}
