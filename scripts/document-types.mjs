// src/documents.ts, the types of every JSON document, from the schemas: node scripts/document-types.mjs [--write]. Without
// --write it only tells, by its exit status, whether the file is what the schemas make.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const FILE = 'src/documents.ts';
// What the tool reads, not what it prints.
const INPUTS = ['spec', 'config'];

const names = readdirSync('schema')
  .map((file) => file.replace('.schema.json', ''))
  .filter((name) => !INPUTS.includes(name))
  .sort();
const schemas = new Map(names.map((name) => [name, JSON.parse(readFileSync(`schema/${name}.schema.json`, 'utf8'))]));

const pascal = (name) => name.replace(/(?:^|-)(\w)/g, (_, letter) => letter.toUpperCase());
// A schema with no document of its own is a part of others.
const typeName = (name, part = '') =>
  part === ''
    ? `${pascal(name)}${schemas.get(name).properties?.schema === undefined ? 'Part' : 'Document'}`
    : `${pascal(name)}${pascal(part)}`;

/** A file, a definition in it, or a member: `patch.schema.json#/properties/file` is `PatchDocument['file']`. */
function referred(reference, home) {
  const [file, pointer = ''] = reference.split('#');
  const name = file === '' ? home : file.replace('.schema.json', '');
  const [, first, second, ...steps] = pointer.split('/');
  if (first === undefined) return typeName(name);
  let type = first === '$defs' ? typeName(name, second) : undefined;
  const rest = type === undefined ? [first, second, ...steps] : steps;
  type ??= typeName(name);
  for (let i = 0; i < rest.length; i++) {
    if (rest[i] === 'properties') type = `NonNullable<${type}[${JSON.stringify(rest[++i])}]>`;
    else if (rest[i] === 'items') type = `${type}[number]`;
    else throw new Error(`${home}: ${reference}: ${rest[i]} is neither a member nor an item`);
  }
  return type;
}

function typeOf(schema, home) {
  if (schema === true || Object.keys(schema).length === 0) return 'unknown';
  if (schema.$ref !== undefined) return referred(schema.$ref, home);
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices !== undefined && schema.properties === undefined)
    return choices.map((each) => typeOf(each, home)).join(' | ');
  const implied = schema.properties !== undefined ? 'object' : schema.items !== undefined ? 'array' : undefined;
  const kinds = Array.isArray(schema.type) ? schema.type : [schema.type ?? implied];
  return kinds.map((kind) => kindOf(kind, schema, home)).join(' | ');
}

function kindOf(kind, schema, home) {
  switch (kind) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return kind;
    case 'integer':
      return 'number';
    case 'array':
      // `items: false` closes a tuple, which is no more than a list here.
      return `readonly (${typeof schema.items === 'object' ? typeOf(schema.items, home) : 'unknown'})[]`;
    case 'object':
      return objectOf(schema, home);
    default:
      return 'unknown';
  }
}

function objectOf({ properties = {}, required = [], additionalProperties }, home) {
  const members = Object.entries(properties).map(([name, schema]) => {
    const about = schema.description === undefined ? '' : `/** ${schema.description.replaceAll('*/', '* /')} */\n`;
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
    return `${about}readonly ${key}${required.includes(name) ? '' : '?'}: ${typeOf(schema, home)};`;
  });
  if (additionalProperties !== false) {
    const rest =
      typeof additionalProperties === 'object' && members.length === 0 ? typeOf(additionalProperties, home) : 'unknown';
    members.push(`readonly [name: string]: ${rest};`);
  }
  return members.length === 0 ? 'Record<string, never>' : `{\n${members.join('\n')}\n}`;
}

const HEAD = `/**
 * The types of every JSON document that the command prints or writes, as schema/ describes them: made of it by
 * scripts/document-types.mjs, not by hand. An address, an offset or a size is a string in hexadecimal.
 */
`;

const parts = names.flatMap((name) => {
  const { $defs = {}, ...schema } = schemas.get(name);
  const about = `/** ${schema.title === undefined ? '' : `${schema.title}: `}${schema.description ?? 'A part of other documents.'} */`;
  const own = `${about}\nexport type ${typeName(name)} = ${typeOf(schema, name)};`;
  const defs = Object.entries($defs).map(
    ([part, def]) =>
      `/** ${def.description ?? `A part of ${typeName(name)}.`} */\nexport type ${typeName(name, part)} = ${typeOf(def, name)};`,
  );
  return [own, ...defs];
});

function formatted(text) {
  const { status, stdout, stderr } = spawnSync('node_modules/.bin/biome', ['format', '--stdin-file-path', FILE], {
    input: text,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

const text = formatted(`${HEAD}\n${parts.join('\n\n')}\n`);
if (process.argv.includes('--write')) writeFileSync(FILE, text);
else if (readFileSync(FILE, 'utf8') !== text) {
  process.stderr.write(`${FILE} is not what the schemas say; node scripts/document-types.mjs --write\n`);
  process.exitCode = 1;
}
