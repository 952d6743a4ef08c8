/** What differs between two images: entries that came, went or moved, and the ranges of bytes that are not the same. */
import type { DiffDocument } from '../../documents.js';
import { type Child, code, h, section, table } from './dom.js';

/** The differences as tables. */
export function compareView(diff: DiffDocument): HTMLElement {
  const lead = diff.same
    ? 'They are the same, byte for byte.'
    : diff.onlyNotes
      ? 'Nothing but notes and headers differs.'
      : 'More than notes and headers differs.';
  const notes = diff.notes.map(({ kind, owner, name, type, before, after }) => [
    kind,
    owner,
    code(name ?? String(type)),
    code(before?.offset ?? '-'),
    code(after?.offset ?? '-'),
  ]);
  const fields = [
    ...diff.header.map((each) => ({ part: 'ELF header', ...each })),
    ...[...diff.segments, ...diff.sections].flatMap(({ name, before, after, fields: all }) => {
      if (before === null) return [{ part: name, field: 'new', before: '', after: '', meaning: '' }];
      if (after === null) return [{ part: name, field: 'gone', before: '', after: '', meaning: '' }];
      return all.map((each) => ({ part: name, ...each }));
    }),
  ].map(({ part, field, before, after, meaning }) => [part, code(field), code(before), code(after), meaning]);
  const bytes = byteRows(diff);
  return section(
    'compare',
    'What differs',
    h('p', { class: 'lead' }, lead),
    diff.shift === null ? undefined : h('p', {}, `Bytes from ${diff.shift.at} on stand ${diff.shift.by} later.`),
    notes.length === 0 ? undefined : table('Notes', ['what', 'owner', 'note', 'before', 'after'], notes),
    fields.length === 0 ? undefined : table('Headers', ['part', 'field', 'before', 'after', 'meaning'], fields),
    bytes.length === 0 ? undefined : table('Bytes', ['part', 'what', 'loaded', 'size', 'first'], bytes),
  );
}

function byteRows({ bytes }: DiffDocument): Child[][] {
  return bytes.groups.map(({ part, kind, loaded, size, first }) => [
    part,
    kind,
    loaded ? 'in memory' : 'not in memory',
    code(size),
    code(first),
  ]);
}
