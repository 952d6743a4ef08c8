/** `explain`: prints what src/explain has to say. */
import { fail } from '../../errors/patch-error.js';
import { explainIndex, explainTopic, topicNames } from '../../explain/index.js';
import { nearest } from '../../note/nearest.js';
import { explainDocument } from '../../report/explain-report.js';
import type { ExitStatus } from '../command.js';
import { writeOut } from '../output.js';
import type { ExplainArgs } from './explain.js';

/** Errors: `usage.bad` for a name that nothing is known about, with the nearest one. */
export async function runExplain({ name, json }: ExplainArgs): Promise<ExitStatus> {
  if (name === undefined) {
    writeOut(json ? explainDocument(undefined, topicNames()) : withNewline(explainIndex()));
    return 0;
  }
  const topic = explainTopic(name);
  if (topic === undefined) {
    const [close] = nearest(name, topicNames());
    const hint = close === undefined ? 'xen-elfpatch explain lists what there is' : `Did you mean ${close}?`;
    fail('usage.bad', {}, { what: `nothing is known about ${name}`, hint });
  }
  writeOut(json ? explainDocument(topic, topicNames()) : withNewline(topic.body));
  return 0;
}

function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
