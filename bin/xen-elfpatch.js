#!/usr/bin/env node
// Starts the bundled command: it is made of chunks that scripts/parts.mjs stores in a few files, which are read when a chunk
// in them is needed, with the compiled code that is kept of them (code-cache.js).
// CommonJS, as bin/package.json says, because Node starts that faster than an ES module.
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { compile } = require('./code-cache.js');

const home = join(__dirname, '../dist/cli');
const makers = {};
const made = {};

/** Reads a part of the command: its chunks are known then, and none of them has run. Gives the first one's name. */
function read(part) {
  const filename = join(home, `${part}.js`);
  // Parts are ASCII, which is read fastest as one byte for one character.
  const source = readFileSync(filename, 'latin1');
  const chunks = compile(home, part, source, process.argv[2])(use, later, requireFromHome, filename);
  Object.assign(makers, chunks);
  return Object.keys(chunks)[0];
}

/** require() as the parts have it: modules of Node, and files beside the parts. */
const requireFromHome = (name) => require(name.startsWith('./') ? join(home, name) : name);

/** The exports of a chunk. It runs when it is used first. */
function use(chunk, part) {
  if (made[chunk] === undefined) {
    if (makers[chunk] === undefined) read(part);
    made[chunk] = makers[chunk]();
  }
  return made[chunk];
}

async function later(chunk, part) {
  return use(chunk, part);
}

function first() {
  try {
    return read('main');
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
    process.stderr.write('xen-elfpatch: dist/cli/main.js is missing\n  hint: npm run build (or make build) makes it\n');
    process.exitCode = 2;
    return undefined;
  }
}

const entry = first();
if (entry !== undefined) use(entry, 'main');
