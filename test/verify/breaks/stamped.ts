/** A deliberate break for each check of stamped PE images: what is changed in a good result. */
import type { PeBytes } from '../../support/pe-edit.js';

export interface StampedBreak {
  readonly check: string;
  readonly what: string;
  edit(file: PeBytes): unknown;
}

export const STAMPED_BREAKS: readonly StampedBreak[] = [
  {
    check: 'pe.stamped',
    what: 'a byte of the new section',
    edit: (f) => {
      f.bytes[f.section('.sbat', 'PointerToRawData') + 5] = 0x58;
    },
  },
  { check: 'pe.stamped', what: 'the new section has another name', edit: (f) => f.rename('.sbat', '.sbut') },
  {
    check: 'pe.stamped',
    what: 'a byte less of it in memory',
    edit: (f) => f.section('.sbat', 'VirtualSize', f.section('.sbat', 'VirtualSize') - 1),
  },
  {
    check: 'pe.stamped-only',
    what: 'a section that nobody asked for',
    edit: (f) => f.rename('.x', '.y'),
  },
];
