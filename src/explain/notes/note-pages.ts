/** One page per note of the catalogue: the facts of src/formats/note/xen-notes.ts and the words of this folder. */
import { XEN_NOTES, type XenNoteInfo, type XenNoteName } from '../../formats/note/xen-notes.js';
import { type Block, fold, heading, terms } from '../blocks.js';
import { type Topic, topicOf } from '../page.js';
import { abilityDocs } from './abilities.js';
import { addressDocs } from './addresses.js';
import { identityDocs } from './identity.js';
import type { NoteDoc } from './note-doc.js';
import { pvhDocs } from './pvh.js';

/** The compiler refuses a note that has no words. */
const DOCS: Readonly<Record<XenNoteName, NoteDoc>> = { ...identityDocs, ...addressDocs, ...abilityDocs, ...pvhDocs };

/** The page of a note. */
export function noteTopic(info: XenNoteInfo): Topic {
  const doc = DOCS[info.name];
  const facts = {
    note: info.name,
    type: info.type,
    legacyKey: info.legacyKey ?? null,
    valueKind: info.kind,
    defaultWidth: info.kind === 'string' ? null : info.width,
    absent: info.absent,
    since: info.since ?? null,
    releases: doc.releases === undefined ? null : fold(doc.releases),
    readers: doc.readers.map(([reader, use]) => ({ reader, use: fold(use) })),
    mistakes: doc.mistakes.map(([value, outcome]) => ({ value, outcome: fold(outcome) })),
    examples: doc.examples,
    see: doc.see,
  };
  return topicOf({ name: info.name, title: `XEN_ELFNOTE_${info.name}`, blocks: blocksOf(info, doc) }, 'note', facts);
}

/** The index table: number, name, what it is. */
export function noteRows(): string[][] {
  return XEN_NOTES.map((info) => [String(info.type), info.name, info.summary]);
}

function blocksOf(info: XenNoteInfo, doc: NoteDoc): Block[] {
  const rows: [string, string][] = [
    ['number', `${info.type} (0x${info.type.toString(16)})`],
    ['value', valueForm(info)],
    ['when absent', info.absent],
    ['legacy key', info.legacyKey ?? 'none'],
  ];
  if (info.since !== undefined) rows.push(['read since', `Xen ${info.since}`]);
  const blocks: Block[] = [{ kind: 'text', text: `In short: ${info.summary}.` }, terms(...rows)];
  blocks.push(...doc.does.map((words): Block => ({ kind: 'text', text: fold(words) })));
  if (doc.releases !== undefined) blocks.push({ kind: 'text', text: fold(doc.releases) });
  blocks.push(heading('Who reads it'), terms(...doc.readers));
  blocks.push(heading('What goes wrong'), terms(...doc.mistakes));
  blocks.push(heading(doc.examples.length === 1 ? 'Example' : 'Examples'));
  blocks.push({ kind: 'code', lines: doc.examples.flatMap(commandLines) });
  blocks.push({ kind: 'text', text: `See also: ${doc.see.map((name) => `explain ${name}`).join(', ')}.` });
  return blocks;
}

function valueForm({ kind, width }: XenNoteInfo): string {
  const bytes = width === 'native' ? '8 bytes in ELF64, 4 in ELF32' : `${width} bytes`;
  switch (kind) {
    case 'string':
      return 'string, its final NUL counted';
    case 'number':
      return `number, ${bytes}`;
    case 'list':
      return `list of numbers, each ${bytes}`;
  }
}

/** A command line, broken with a backslash between its options where it does not fit. */
export function commandLines(command: string): string[] {
  const limit = 74;
  const lines: string[] = [];
  let line = '$';
  for (const part of command.split(/ (?=-)/)) {
    if (line !== '$' && line.length + 1 + part.length > limit) {
      lines.push(`${line} \\`);
      line = '   ';
    }
    line += ` ${part}`;
  }
  lines.push(line);
  return lines;
}
