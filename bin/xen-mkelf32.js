#!/usr/bin/env node
// Starts the bundled command; a source tree that was not built yet gets told so.
import { existsSync } from 'node:fs';

const main = new URL('../dist/cli/xen-mkelf32.js', import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write(
    'xen-mkelf32: dist/cli/xen-mkelf32.js is missing\n  hint: npm run build (or make build) makes it\n',
  );
  process.exitCode = 1;
}
