/** What a word in a file of settings may be, where no reader of its own has the option's value by itself. */
import { fail } from '../base/errors/patch-error.js';
import { PLACEMENTS } from '../edit/elf/plan/placement-options.js';
import { metadataProblem } from '../edit/stamp/package-metadata.js';
import { didYouMean } from '../formats/note/nearest.js';
import { SURVIVORS_OPTION } from './result-options.js';

const PLACEMENT_WORDS = ['auto', ...PLACEMENTS];

/** A placement, or auto. Errors: `usage.bad`. */
export function checkPlacement(text: string): void {
  if (PLACEMENT_WORDS.includes(text)) return;
  const what = `--placement is ${text}, wanted one of ${PLACEMENT_WORDS.join(', ')}`;
  const hint = didYouMean(text, PLACEMENT_WORDS) ?? 'xen-elfpatch explain placements says what each does';
  fail('usage.bad', {}, { what, hint });
}

/** Tools with commas between them, as the option takes them. Errors: `usage.bad`. */
export function checkTools(text: string): void {
  for (const tool of text.split(',')) SURVIVORS_OPTION['must-survive'].read(tool, '--must-survive');
}

/** `KEY=VALUE` of package metadata. A file of settings names no other file and no whole object. Errors: `stamp.bad-metadata`. */
export function checkMember(text: string): void {
  const equals = text.indexOf('=');
  const key = text.slice(0, equals);
  if (key === '' || key.startsWith('{') || key.startsWith('file:')) {
    fail('stamp.bad-metadata', {}, { why: `found the key "${key}", wanted one as name or version` });
  }
  const why = metadataProblem(JSON.stringify({ [key]: text.slice(equals + 1) }));
  if (why !== undefined) fail('stamp.bad-metadata', {}, { why });
}
