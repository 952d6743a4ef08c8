#!/usr/bin/env node
// Starts the bundled command (scripts/bundle.mjs), with the compiled code that is stored beside it where this version of
// V8 takes it. CommonJS, as bin/package.json says, because Node starts that faster than an ES module.
const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const filename = join(__dirname, '../dist/cli/main.js');

function read(path, encoding) {
  try {
    return readFileSync(path, encoding);
  } catch {
    // Told below, where it matters.
    return undefined;
  }
}

const source = read(filename, 'utf8');
if (source === undefined) {
  process.stderr.write('xen-elfpatch: dist/cli/main.js is missing\n  hint: npm run build (or make build) makes it\n');
  process.exitCode = 2;
} else {
  const start = new Script(source, { filename, cachedData: read(`${filename}.cache`) }).runInThisContext();
  const module = { exports: {} };
  start(module.exports, createRequire(filename), module, filename);
}
