// dist/xen-elfpatch.mjs: the command as one file, for machines without npm: copy it, make it executable, run it.
import { chmodSync } from 'node:fs';
import { build } from 'esbuild';
import { commitDefine } from './commit.mjs';
import { shims } from './shims/plugin.mjs';
import { mapPagePlugin } from './web/map-page.mjs';

await build({
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/xen-elfpatch.mjs',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  legalComments: 'none',
  logLevel: 'warning',
  define: commitDefine(),
  // CommonJS packages inside call require() for Node's own modules.
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  plugins: [shims, mapPagePlugin],
});
chmodSync('dist/xen-elfpatch.mjs', 0o755);
