/** The JSON document of `explain`: `xen-elfpatch/explain/1`. */
import { type Json, jsonDocument } from './json.js';

/** An explanation as src/explain gives it. */
export interface ExplainedTopic {
  readonly title: string;
  readonly json: object;
}

/** The document for one topic, or for the index when there is none; `topics` are all names that can be asked for. */
export function explainDocument(topic: ExplainedTopic | undefined, topics: readonly string[]): string {
  if (topic === undefined) return jsonDocument('explain', { topics });
  // Explanations are plain data by their own contract: strings, numbers, arrays and objects.
  return jsonDocument('explain', { title: topic.title, topic: topic.json as Json });
}
