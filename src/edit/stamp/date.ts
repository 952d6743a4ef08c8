/**
 * A date, only where one is asked for and only the one given to the build
 * (https://reproducible-builds.org/specs/source-date-epoch/): the clock is never read, so the same input and options
 * give the same bytes.
 */
import { fail } from '../../base/errors/patch-error.js';

/** The date of SOURCE_DATE_EPOCH in UTC, `2026-11-21T01:43:08Z`. Errors: `stamp.no-date`. */
export function sourceDate(epoch: string | undefined): string {
  if (epoch === undefined || !/^(0|[1-9][0-9]{0,11})$/.test(epoch)) {
    const found = epoch === undefined ? 'is not set' : `is ${JSON.stringify(epoch)}`;
    fail('stamp.no-date', {}, { found });
  }
  return new Date(Number(epoch) * 1000).toISOString().replace('.000Z', 'Z');
}
