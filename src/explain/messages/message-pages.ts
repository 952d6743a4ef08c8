/** `explain messages`, and the page for a message that was recognised. */
import { type Block, heading, text } from '../blocks.js';
import { commandLines } from '../notes/note-pages.js';
import { type Topic, topicOf } from '../page.js';
import { bootMessages } from './boot.js';
import { buildMessages } from './build.js';
import { eEntryMessages } from './e-entry-loaders.js';
import { findMessages, nearestMessage } from './match.js';
import type { Message } from './message.js';
import { toolstackMessages } from './toolstack.js';
import { vmmMessages } from './vmm.js';
import { xenMessages } from './xen.js';

/** Every message of a loader that can be looked up, in the order of the page. */
export const MESSAGES: readonly Message[] = [
  ...xenMessages,
  ...toolstackMessages,
  ...vmmMessages,
  ...eEntryMessages,
  ...bootMessages,
  ...buildMessages,
];

/** The page with all messages. */
export function messagesTopic(): Topic {
  const intro = text`What loaders print when they do not like an image, what is behind it and what to do. explain takes a
    piece of a message in quotes and shows the entry for it alone: explain "without PVH ELF Note". In these texts … stands
    for a part that varies.`;
  const groups: readonly (readonly [string, readonly Message[]])[] = [
    ['Xen', xenMessages],
    ['xl', toolstackMessages],
    ['QEMU and other VMMs', vmmMessages],
    ['GRUB, kexec and tools', bootMessages],
    ['Xen’s build', buildMessages],
  ];
  const blocks = [intro, ...groups.flatMap(([title, rows]) => [heading(title), ...rows.flatMap(blocksOf)])];
  return topicOf({ name: 'messages', title: 'Messages: from what was printed to what to do', blocks }, 'messages', {
    messages: MESSAGES,
  });
}

/** What a document says of a log that was asked about. */
const MOST_OF_A_NAME = 4096;

/** The page for a piece of a message; undefined when no known message has it. */
export function messageTopic(asked: string): Topic | undefined {
  const found = findMessages(asked, MESSAGES);
  if (found.length === 0) return undefined;
  const blocks = [...found.flatMap((message) => answerTo(asked, message)), text`All known messages: explain messages.`];
  const title = found.length === 1 ? 'A known message' : `${found.length} known messages have these words`;
  return topicOf({ name: asked.slice(0, MOST_OF_A_NAME), title, blocks }, 'messages', { messages: found });
}

/**
 * What is said of words that no entry has: the nearest message that is known, and what a report of it needs; undefined for
 * less than three words, which are no message.
 */
export function unknownMessage(asked: string): string | undefined {
  if (asked.trim().split(/\s+/).length < 3) return undefined;
  const near = nearestMessage(asked, MESSAGES);
  const nearest = near === undefined ? '' : `The nearest known message is ${near.message.by}: "${near.said}". `;
  return `${nearest}If a loader printed it, report it with the whole log, the loader's name and version, what verify --json says of the image, and its sha256`;
}

/** The wording that was asked about, what it means, and only then the others that mean the same. */
function answerTo(asked: string, message: Message): Block[] {
  const { says } = message;
  const own = says.find((said) => findMessages(asked, [{ ...message, says: [said] }]).length > 0) ?? says[0];
  const others = says.filter((said) => said !== own);
  const answer = blocksOf({ ...message, says: own === undefined ? says : [own] });
  if (others.length === 0 || own === undefined) return answer;
  const items = others.map((said) => `"${said}"`);
  return [...answer, text`The same in other words:`, { kind: 'list', items }];
}

function blocksOf({ by, says, cause, cure, commands }: Message): Block[] {
  const blocks: Block[] = [
    { kind: 'list', items: says.map((line) => `${by}: "${line}"`) },
    { kind: 'text', text: `${cause} ${cure}` },
  ];
  if (commands.length > 0) blocks.push({ kind: 'code', lines: commands.flatMap(commandLines) });
  return blocks;
}
