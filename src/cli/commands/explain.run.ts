/** `explain`: prints what src/explain has to say. */
import { fail } from '../../base/errors/patch-error.js';
import { explainTopic, indexTopic, type Topic, topicNames } from '../../explain/index.js';
import { unknownMessage } from '../../explain/messages/message-pages.js';
import { nearest } from '../../formats/note/nearest.js';
import { explainDocument } from '../../report/explain-report.js';
import type { ExitStatus } from '../command.js';
import { writeOut } from '../output.js';
import type { ExplainArgs } from './explain.js';

/**
 * Prints the page of a name, or the index.
 * Errors: `usage.bad` for a name that nothing is known about, with the nearest ones.
 */
export async function runExplain({ name, json }: ExplainArgs): Promise<ExitStatus> {
  const topic = name === undefined ? indexTopic() : await find(name);
  writeOut(json ? explainDocument(topic) : topic.body);
  return 0;
}

/** The verifier's table is loaded only where it can matter: for the list of ids, and for a name that is none of ours. */
async function find(name: string): Promise<Topic> {
  const topic = explainTopic(name);
  if (topic !== undefined && topic.json['kind'] !== 'problems') return topic;
  const { checkNames, topicWithChecks } = await import('../../report/check-pages.js');
  const found = topicWithChecks(name);
  if (found !== undefined) return found;
  const close = nearest(name, [...topicNames(), ...checkNames()]);
  const names = close.length === 0 ? 'xen-elfpatch explain lists what there is' : `Did you mean ${close.join(' or ')}?`;
  const hint = unknownMessage(name) ?? names;
  fail('usage.bad', {}, { what: `nothing is known about ${name}`, hint });
}
