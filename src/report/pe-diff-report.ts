/** A PeDifference as text for people and as the members of a `xen-elfpatch/diff/1` document. */

import { printable } from '../base/printable.js';
import type { PeDifference } from '../inspect/diff/pe-diff.js';
import { block, bytesJson, entryJson, entryLines, fieldJson, fieldLine, groupLine } from './diff-report.js';
import type { Json } from './json.js';
import type { Style } from './text.js';

/** The names of the two files, in order. */
type Names = readonly [first: string, second: string];

/** The report of `diff` on two PE images, for people. */
export function peDiffText([first, second]: Names, difference: PeDifference, style: Style): string {
  const names = `${style.bold(printable(first))} and ${style.bold(printable(second))}`;
  if (difference.same) return `${names} are the same, byte for byte\n`;
  const { header, multiboot2, sections, bytes, onlyLayout } = difference;
  const conclusion = onlyLayout
    ? 'nothing in memory but Multiboot headers and file pointers, as after linearize'
    : 'more than Multiboot headers and the layout of the file';
  return [
    `${names} differ: ${conclusion}\n`,
    block('PE headers', header.map(fieldLine)),
    block('Multiboot2 header', multiboot2.map(fieldLine)),
    block(
      'sections',
      sections.flatMap((entry) => entryLines(entry, style)),
    ),
    block('bytes, in memory by RVA', bytes.groups.map(groupLine)),
  ].join('');
}

/** The members of the JSON document: those of two ELF images, and the Multiboot2 header. */
export function peDiffJson([first, second]: Names, difference: PeDifference): { readonly [key: string]: Json } {
  const { same, onlyLayout, header, multiboot2, sections, bytes } = difference;
  return {
    first,
    second,
    format: 'pe',
    same,
    onlyNotes: onlyLayout,
    notes: [],
    header: header.map(fieldJson),
    multiboot2: multiboot2.map(fieldJson),
    segments: [],
    sections: sections.map(entryJson),
    shift: null,
    bytes: bytesJson(bytes),
  };
}
