/** Checks documents against the JSON Schemas that ship with the package. */
import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';

const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, strictTypes: false });
for (const name of readdirSync('schema')) {
  const schema = JSON.parse(readFileSync(`schema/${name}`, 'utf8'));
  // The schema of notes files describes input, by the draft that editors know.
  if (schema.$schema === 'https://json-schema.org/draft/2020-12/schema') ajv.addSchema(schema);
}

/** The one document in `text`, which must be valid by the schema it names in its first key. */
export function validDocument(text: string): Record<string, unknown> {
  const document: unknown = JSON.parse(text);
  if (typeof document !== 'object' || document === null) throw new Error('not an object');
  expect(Object.keys(document)[0]).toBe('schema');
  const name = /^xen-elfpatch\/([a-z0-9-]+)\/1$/.exec(String(Reflect.get(document, 'schema')))?.[1];
  const validate = ajv.getSchema(`${name}.schema.json`);
  if (validate === undefined) throw new Error(`no schema for ${name}`);
  validate(document);
  expect(validate.errors ?? []).toEqual([]);
  return document as Record<string, unknown>;
}
