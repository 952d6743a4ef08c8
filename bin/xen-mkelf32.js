#!/usr/bin/env node
// Starts the bundled command (scripts/bundle.mjs). CommonJS, as bin/package.json says, because Node starts that faster.
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const main = join(__dirname, '../dist/cli/xen-mkelf32.cjs');
if (existsSync(main)) {
  require(main);
} else {
  process.stderr.write(
    'xen-mkelf32: dist/cli/xen-mkelf32.cjs is missing\n  hint: npm run build (or make build) makes it\n',
  );
  process.exitCode = 1;
}
