/**
 * The documentation that the command carries with it: every note, topic, problem id, and the messages of the loaders.
 * Pure text and data; printing is the caller's business.
 */

import { FEATURES } from '../formats/note/features.js';
import { XEN_NOTES, type XenNoteInfo } from '../formats/note/xen-notes.js';
import { loaderAliases } from '../loaders/names.js';
import { type Block, code, heading, render, terms, text } from './blocks.js';
import { messagesTopic, messageTopic } from './messages/message-pages.js';
import { noteRows, noteTopic } from './notes/note-pages.js';
import { type Page, type Topic, topicOf } from './page.js';
import { problemIds, problemIndex, problemTopic } from './problem-pages.js';
import { containers } from './topics/containers.js';
import { diff } from './topics/diff.js';
import { features } from './topics/features.js';
import { fix } from './topics/fix.js';
import { layout } from './topics/layout.js';
import { legacy } from './topics/legacy.js';
import { linearize } from './topics/linearize.js';
import { LOADERS, loaderBlocks, loaders } from './topics/loaders.js';
import { mkelf32 } from './topics/mkelf32.js';
import { PLACEMENTS, placementBlocks, placements } from './topics/placements.js';
import { presets } from './topics/presets.js';
import { pv } from './topics/pv.js';
import { pvh } from './topics/pvh.js';
import { stamp } from './topics/stamp.js';
import { survival } from './topics/survival.js';
import { values } from './topics/values.js';

export type { Topic } from './page.js';
export { type IdMeaning, problemIndex } from './problem-pages.js';

/** Topics in the order in which the index lists them, each with the words it is listed by. */
const PAGES: readonly (readonly [Page, string])[] = [
  [pvh, 'bring up a first PVH kernel: code, state at entry, QEMU, failures'],
  [pv, 'bring up a first 64-bit PV kernel under Xen'],
  [presets, 'what --preset writes, where each value comes from'],
  [values, 'what may stand in --set NAME=VALUE'],
  [placements, 'where the notes go in the file and what moves'],
  [fix, 'how a fix is found, what it fixes, what it never does'],
  [stamp, 'package metadata, build-ids, notes of your own'],
  [diff, 'how two images are compared, how to read the answer'],
  [layout, 'how to read the map and the picture'],
  [mkelf32, 'from xen-syms to the image that boot loaders take'],
  [survival, 'which of strip, objcopy and others keep the notes'],
  [containers, 'kernels inside vmlinuz and gzip files'],
  [loaders, 'who reads which notes, and how'],
  [linearize, 'one xen.efi for UEFI and Multiboot2: layout, tags, order of work'],
  [features, 'the names and bits of FEATURES and SUPPORTED_FEATURES'],
  [legacy, 'the __xen_guest string and its differences'],
];

/** Pages made from tables, with no text of their own. */
const TABLES: readonly (readonly [name: string, listed: string, make: () => Topic])[] = [
  ['messages', 'what Xen, xl, QEMU and others print, the cause, the fix', messagesTopic],
  ['problems', 'the ids behind the errors of this command', () => problemIndex([])],
];

/** Other words under which people look for a topic. */
const ALIASES: Readonly<Record<string, string>> = {
  preset: 'presets',
  pv32: 'presets',
  'pv+pvh': 'presets',
  'pv+dom0': 'presets',
  'pvh+dom0': 'presets',
  'pv32+dom0': 'presets',
  'pv+pvh+dom0': 'presets',
  placement: 'placements',
  value: 'values',
  loader: 'loaders',
  ...loaderAliases(),
  bzimage: 'containers',
  container: 'containers',
  vmlinuz: 'containers',
  feature: 'features',
  __xen_guest: 'legacy',
  'xen.efi': 'linearize',
  pe: 'linearize',
  message: 'messages',
  problem: 'problems',
  strip: 'survival',
  'build-id': 'stamp',
  'package-metadata': 'stamp',
  fdo: 'stamp',
  map: 'layout',
  svg: 'layout',
  compare: 'diff',
  'xen-mkelf32': 'mkelf32',
};

/**
 * What is known about a note (name with or without XEN_ELFNOTE_ in any case, or its number, 18 or 0x12), a topic, a
 * placement, a loader, a feature, a problem id, or a piece of a loader's message; undefined when it is none of them.
 */
export function explainTopic(name: string): Topic | undefined {
  const asked = name.trim();
  const lower = asked.toLowerCase();
  const word = Object.hasOwn(ALIASES, lower) ? (ALIASES[lower] ?? lower) : lower;
  const note = noteOf(asked);
  // `features` is the topic as the index spells it, FEATURES the note; as typed comes first.
  return (
    topicPage(asked) ??
    (note === undefined ? undefined : noteTopic(note)) ??
    topicPage(word) ??
    problemTopic(asked) ??
    messageTopic(asked)
  );
}

/** `explain` without a name: the notes, the topics, and how to ask. */
export function explainIndex(): string {
  return indexTopic().body;
}

/** The page of `explain` without a name, with its data for `--json`. */
export function indexTopic(): Topic {
  const topics = [
    ...PAGES.map(([page, listed]) => [page.name, listed] as const),
    ...TABLES.map(([name, listed]) => [name, listed] as const),
  ];
  const blocks: Block[] = [
    text`Xen ELF notes tell a loader how to start a kernel. explain NAME describes one; a name may be given with or without
      XEN_ELFNOTE_, in any case, or as a number.`,
    { kind: 'table', head: ['#', 'note', 'what it is'], rows: noteRows() },
    heading('Topics'),
    terms(...topics),
    text`Placements (explain extend) and loaders (explain qemu-pvh) can be asked for one by one. So can
      problem ids, and messages that a loader printed:`,
    code`
      $ xen-elfpatch explain PHYS32_ENTRY
      $ xen-elfpatch explain pvh
      $ xen-elfpatch explain read.truncated
      $ xen-elfpatch explain "without PVH ELF Note"`,
  ];
  const notes = XEN_NOTES.map(({ type, name, summary }) => ({ type, name, summary }));
  return {
    title: 'Xen ELF notes',
    body: `${render(blocks)}\n`,
    json: {
      kind: 'index',
      name: 'index',
      title: 'Xen ELF notes',
      notes,
      topics: topics.map(([name, summary]) => ({ name, summary })),
    },
  };
}

/** Every name that `explainTopic` answers, without aliases and messages; for "did you mean". */
export function topicNames(): readonly string[] {
  return [
    ...XEN_NOTES.map((info) => info.name),
    ...PAGES.map(([page]) => page.name),
    ...TABLES.map(([topic]) => topic),
    ...PLACEMENTS.map((doc) => doc.name),
    ...LOADERS.map((doc) => doc.name),
    ...problemIds(),
  ];
}

function topicPage(name: string): Topic | undefined {
  const page = PAGES.find(([{ name: own }]) => own === name)?.[0];
  if (page !== undefined) return topicOf(page, 'topic');
  const table = TABLES.find(([own]) => own === name);
  if (table !== undefined) return table[2]();
  const placement = PLACEMENTS.find((doc) => doc.name === name);
  if (placement !== undefined) {
    const blocks = [...placementBlocks(placement), text`All of them: explain placements.`];
    return topicOf({ name, title: `Placement ${name}`, blocks }, 'topic');
  }
  const loader = LOADERS.find((doc) => doc.name === name);
  if (loader !== undefined) {
    const blocks = [...loaderBlocks(loader), text`All of them: explain loaders.`];
    return topicOf({ name, title: `${name}: ${loader.title}`, blocks }, 'topic');
  }
  return FEATURES.some((feature) => feature.name.toLowerCase() === name) ? topicOf(features, 'topic') : undefined;
}

function noteOf(asked: string): XenNoteInfo | undefined {
  if (/^(0x[0-9a-f]+|[0-9]+)$/i.test(asked)) return XEN_NOTES[Number(asked)];
  const bare = asked.toUpperCase().replace(/^XEN_ELFNOTE_/, '');
  return XEN_NOTES.find((info) => info.name === bare);
}
