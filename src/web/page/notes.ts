/** The notes of an image, each with what it says and what Xen makes of it. */

import { hex } from '../../base/errors/hex.js';
import type { NotesDocument } from '../../documents.js';
import { code, h, section, table } from './dom.js';
import { counted } from './units.js';

/** A table of the notes; for a PE image, what stands in their place. */
export function notesView({ images }: NotesDocument): HTMLElement {
  const [image] = images;
  if (image === undefined || 'error' in image) return section('notes', 'Notes');
  if ('format' in image) {
    const multiboot = image.multiboot2 === null ? 'It has no Multiboot2 header.' : 'It has a Multiboot2 header.';
    return section('notes', 'Notes', h('p', {}, `A PE image has no ELF notes. ${multiboot}`));
  }
  const { notes, areas, xen } = image;
  const told = [
    h(
      'p',
      { class: 'lead' },
      `${counted(notes.length, 'note')}; Xen finds ${xen.notes === 0 ? 'none of its own' : counted(xen.notes, 'note')}.`,
    ),
    ...[xen.broken, xen.refused].flatMap((text) => (text === undefined ? [] : [h('p', { class: 'warn box' }, text)])),
    ...areas.flatMap(({ problem }) => (problem === undefined ? [] : [h('p', { class: 'warn box' }, problem)])),
  ];
  if (notes.length === 0) return section('notes', 'Notes', ...told);
  const rows = notes.map((note) => [
    note.owner,
    code(note.name ?? hex(BigInt(note.type))),
    code(valueText(note.value)),
    code(note.offset),
    note.xen === undefined ? '' : note.xen.text,
  ]);
  return section(
    'notes',
    'Notes',
    ...told,
    table('Notes by file offset', ['owner', 'note', 'value', 'offset', 'read by Xen for'], rows),
  );
}

/** The value of a note in one line, whatever its kind. */
export function valueText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value ?? '');
  const parts = Object.entries(value).flatMap(([name, part]) => {
    if (name === 'kind' || name === 'width' || name === 'terminated' || part === null) return [];
    if (Array.isArray(part)) return part.length === 0 ? [] : [part.map((item) => valueText(item)).join(' ')];
    return [typeof part === 'object' ? valueText(part) : String(part)];
  });
  return parts.join(' ');
}
