/** Holds a notes file against its JSON Schema and says what is wrong in words. */
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import schema from '../../../schema/spec.schema.json' with { type: 'json' };
import { nearest } from './nearest.js';
import { type Path, type Plain, plainAt, pointerPath } from './spec-nodes.js';

/** One breach of the schema. `key` is given where a key, and not its value, is wrong. */
export interface SchemaMistake {
  readonly path: Path;
  readonly key: string | undefined;
  readonly what: string;
}

const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema);

/** All breaches; none when the value has the shape that the schema asks for. */
export function schemaMistakes(plain: Plain): SchemaMistake[] {
  return validate(plain) ? [] : (validate.errors ?? []).map((error) => inWords(error, plain));
}

const KINDS: Readonly<Record<string, string>> = {
  object: 'a mapping',
  array: 'a list',
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
};

function inWords({ instancePath, keyword, params, message }: ErrorObject, plain: Plain): SchemaMistake {
  const path = pointerPath(instancePath, plain);
  const value = plainAt(plain, path);
  const mistake = (what: string, key?: string) => ({ path, key, what });
  switch (keyword) {
    case 'additionalProperties': {
      const key = String(params['additionalProperty']);
      const { properties, $defs } = schema;
      const known = Object.keys(path.length === 0 ? properties : $defs.note.properties);
      return mistake(`found the key "${key}", ${wantedOneOf(key, known)}`, key);
    }
    case 'enum':
      return mistake(`found ${describe(value)}, ${wantedOneOf(String(value), list(params['allowedValues']))}`);
    case 'type': {
      const wanted = list(params['type']).map((type) => KINDS[type] ?? type);
      return mistake(`found ${describe(value)}, wanted ${wanted.join(' or ')}`);
    }
    case 'required':
      return mistake(`found no key "${params['missingProperty']}", wanted name and value`);
    case 'minLength':
      return mistake('found an empty text, wanted a name');
    default:
      return mistake(`found ${describe(value)}, which ${message ?? 'is not allowed'}`);
  }
}

function list(value: unknown): string[] {
  return (Array.isArray(value) ? value : [value]).map(String);
}

function describe(value: Plain | undefined): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : JSON.stringify(value);
}

function wantedOneOf(found: string, known: readonly string[]): string {
  const near = nearest(found, known);
  return `wanted one of ${known.join(', ')}${near.length > 0 ? ` (did you mean ${near.join(' or ')}?)` : ''}`;
}
