#!/usr/bin/env node
// Starts the bundled command; a source tree that was not built yet gets told so.
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write('xen-elfpatch: dist/cli/main.js is missing\n  hint: npm run build (or make build) makes it\n');
  process.exitCode = 2;
}
