/** `explain`: prints what src/explain has to say. */
import { fail } from '../../base/errors/patch-error.js';
import { explainTopic, indexTopic, type Topic, topicNames } from '../../explain/index.js';
import { unknownMessage } from '../../explain/messages/message-pages.js';
import { nearest } from '../../formats/note/nearest.js';
import { explainDocument } from '../../report/explain-report.js';
import type { ExitStatus } from '../command.js';
import { openInput, STDIN_NAME } from '../input.js';
import { isTerminal, writeOut } from '../output.js';
import type { ExplainArgs } from './explain.js';

/**
 * Prints the page of a name, or the index.
 * Errors: `usage.bad` for a name or a log that nothing is known about, with the nearest ones.
 */
export async function runExplain({ name, json }: ExplainArgs): Promise<ExitStatus> {
  const topic = name === undefined ? indexTopic() : await find(name === '-' ? readLog() : name);
  writeOut(json ? explainDocument(topic) : topic.body);
  return 0;
}

/** Of a log that is longer, the end is read. */
const MOST_BYTES = 1n << 20n;

/** What standard input holds, as text. Errors: `usage.bad` for a terminal and for nothing. */
function readLog(): string {
  if (isTerminal(0)) {
    const hint = 'Send a log into it: xl dmesg | xen-elfpatch explain -';
    fail('usage.bad', {}, { what: 'standard input is a terminal, wanted a log', hint });
  }
  const { source, close } = openInput('-');
  try {
    const size = source.size < MOST_BYTES ? source.size : MOST_BYTES;
    const text = new TextDecoder().decode(source.read(source.size - size, size, 'the log'));
    if (text.trim() === '') fail('usage.bad', {}, { what: `${STDIN_NAME} holds no line, wanted a log` });
    return text;
  } finally {
    close();
  }
}

/** Of a log, its first line, and how many follow. */
function shortly(name: string): string {
  const [first = '', ...rest] = name.split('\n').filter((line) => line.trim() !== '');
  const line = first.length > MOST_OF_A_NAME ? `${first.slice(0, MOST_OF_A_NAME)}…` : first;
  return rest.length === 0 ? line : `${line.trim()} and ${rest.length} more lines`;
}

const MOST_OF_A_NAME = 200;

/** The verifier's table is loaded only where it can matter: for the list of ids, and for a name that is none of ours. */
async function find(name: string): Promise<Topic> {
  const topic = explainTopic(name);
  if (topic !== undefined && topic.json['kind'] !== 'problems') return topic;
  const { checkNames, checkTopic, topicWithChecks } = await import('../../report/check-pages.js');
  const found = topic === undefined ? checkTopic(name) : topicWithChecks(name);
  if (found !== undefined) return found;
  const close = name.length > MOST_OF_A_NAME ? [] : nearest(name, [...topicNames(), ...checkNames()]);
  const names = close.length === 0 ? 'xen-elfpatch explain lists what there is' : `Did you mean ${close.join(' or ')}?`;
  const hint = unknownMessage(name) ?? names;
  fail('usage.bad', {}, { what: `nothing is known about ${shortly(name)}`, hint });
}
