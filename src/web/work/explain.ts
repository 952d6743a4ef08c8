/** What `explain` prints on a name, a topic, a problem, a check or a message of a loader. */
import { fail } from '../../base/errors/patch-error.js';
import { indexTopic, topicNames } from '../../explain/index.js';
import { unknownMessage } from '../../explain/messages/message-pages.js';
import { nearest } from '../../formats/note/nearest.js';
import { checkNames, topicWithChecks } from '../../report/check-pages.js';

/** Title and text of a page; of the index for an empty name. Errors: `usage.bad` where nothing is known. */
export function explained(name: string): { readonly title: string; readonly body: string } {
  const topic = name.trim() === '' ? indexTopic() : topicWithChecks(name.trim());
  if (topic !== undefined) return { title: topic.title, body: topic.body };
  const close = nearest(name, [...topicNames(), ...checkNames()]);
  const names = close.length === 0 ? 'An empty question lists what there is' : `Did you mean ${close.join(' or ')}?`;
  return fail('usage.bad', {}, { what: `nothing is known about ${name}`, hint: unknownMessage(name) ?? names });
}
