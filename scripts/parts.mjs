// The command as a few files that are read when they are needed: what every run needs apart from what few runs need.
//
// esbuild splits a bundle into chunks, but only as ES modules, of which there are too many to be opened one by one. Here
// each chunk becomes a function, and the functions become the parts that bin/xen-elfpatch.js reads:
//
//   // HASH                      of everything below, for whoever keeps compiled code of it
//   (function (use, later, require, __filename) { return { 'chunk-A': function () { … return { its exports } }, … }; })
//
// use(CHUNK, PART) gives the exports of a chunk, later(CHUNK, PART) a promise of them; both read the part when they have to.
// The first chunk of the first part is the one to begin with.
import { createHash } from 'node:crypto';
import { basename } from 'node:path';

const IDENT = String.raw`[\w$]+`;
const NAMED = String.raw`\{([^}]*)\}`;
const IMPORT = new RegExp(
  String.raw`(?<![\w$.])import\s*(?:(?:(${IDENT})\s*,?\s*)?(?:${NAMED}|\*\s*as\s+(${IDENT}))?\s*from\s*)?"([^"]+)"\s*;`,
  'g',
);
const EXPORT = new RegExp(String.raw`export\s*(?:${NAMED}|default\s+([^;{}]+))\s*;\s*$`);
const LATER = /\bimport\("\.\/([^"]+)\.js"\)/g;

/**
 * The parts of a bundle that esbuild made with `splitting` and `metafile`. `plan` says the part of each chunk by a file of
 * ours that it begins with: a part has those entries and all they import at once, unless a part above has it already.
 * What no line has is in the part `rest`. Gives [part, text] pairs.
 */
export function partsOf({ outputFiles, metafile }, plan) {
  const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
  const entryOf = new Map([...outputs].map(([name, { entryPoint }]) => [entryPoint, name]));
  const home = new Map();
  const take = (name, part) => {
    if (home.has(name)) return;
    home.set(name, part);
    for (const { path, kind } of outputs.get(name).imports) {
      if (kind === 'import-statement' && outputs.has(basename(path))) take(basename(path), part);
    }
  };
  for (const [part, files] of Object.entries(plan)) {
    for (const file of files) {
      if (!entryOf.has(file)) throw new Error(`${file} is no beginning of a chunk`);
      take(entryOf.get(file), part);
    }
  }
  const parts = new Map([...Object.keys(plan), 'rest'].map((part) => [part, []]));
  // Where a chunk is, as arguments of use() and later().
  const known = new Map([...outputs.keys()].map((name) => [name, [chunkName(name), home.get(name) ?? 'rest']]));
  // The beginning of a plan is met first.
  const inOrder = [...home.keys(), ...[...outputs.keys()].filter((name) => !home.has(name))];
  for (const name of inOrder) {
    const [chunk, part] = known.get(name);
    parts.get(part).push(`"${chunk}":${asFunction(texts.get(name), known)}`);
  }
  return [...parts].map(([part, makers]) => [part, hashed(wrapped(makers))]);
}

function wrapped(makers) {
  return `(function(use,later,require,__filename){"use strict";return{\n${makers.join(',\n')}}})\n`;
}

function hashed(text) {
  // The loader takes one byte for one character. esbuild leaves others in regular expressions only, where \u says the same.
  const ascii = text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return `//${createHash('sha256').update(ascii).digest('hex').slice(0, 32)}\n${ascii}`;
}

const chunkName = (file) => file.replace(/\.js$/, '');

/** An ES module as esbuild prints it, as a function that returns its exports. What is left of import or export is an error. */
function asFunction(text, known) {
  const imports = [];
  let body = text
    .replace(IMPORT, (...match) => {
      // They come first, wherever they stand.
      imports.push(imported(match, known));
      return '';
    })
    .replace(LATER, (whole, name) =>
      known.has(`${name}.js`) ? `later(${argumentsFor(known.get(`${name}.js`))})` : whole,
    );
  const exported = EXPORT.exec(body);
  let result = '';
  if (exported !== null) {
    body = body.slice(0, exported.index);
    const [, names, expression] = exported;
    result =
      expression === undefined
        ? `return{${pairs(names, (own, other) => [other, own])}}`
        : `return{default:${expression}}`;
  }
  const whole = `function(){${imports.join('')}${body}${result}}`;
  // An import or export that the patterns above did not know is a syntax error inside a function.
  new Function(`return ${whole}`);
  return whole;
}

function imported([, whole, names, space, from], known) {
  const chunk = from.startsWith('./') ? known.get(basename(from)) : undefined;
  const isOurs = chunk !== undefined;
  const value = isOurs ? `use(${argumentsFor(chunk)})` : `require("${from}")`;
  if (whole !== undefined && isOurs) throw new Error(`${from}: a default import of a chunk`);
  return [
    whole === undefined ? '' : `const ${whole}=${value};`,
    space === undefined ? '' : `const ${space}=${value};`,
    names === undefined ? '' : `const{${pairs(names, (other, own) => [other, own])}}=${value};`,
    whole === undefined && space === undefined && names === undefined ? `${value};` : '',
  ].join('');
}

const argumentsFor = ([chunk, part]) => `"${chunk}","${part}"`;

/** `a as b,c` as `a:b,c:c`, in the order that `order` gives the two. */
function pairs(names, order) {
  return names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map((name) => {
      const [first, second = first] = name.split(/\s+as\s+/);
      return order(first, second).join(':');
    })
    .join(',');
}
