/** The JSON document of `explain`: `xen-elfpatch/explain/1`. */
import type { Topic } from '../explain/index.js';
import { type Json, jsonDocument } from './json.js';

/** The document for one topic, the index among them. */
export function explainDocument({ title, json }: Topic): string {
  // Topics are plain data by their own contract: strings, numbers, null, arrays and objects.
  return jsonDocument('explain', { title, topic: json as Json });
}
