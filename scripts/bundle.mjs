// Bundles the command and the library: one main file that starts fast, the rest in chunks loaded when called.
// Start-up is part of every kernel build that uses the tool, so node_modules is never read at run time.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

rmSync('dist', { recursive: true, force: true });

// CommonJS packages inside an ES module bundle still call require() for Node's own modules.
const requireShim =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

await build({
  entryPoints: { 'cli/main': 'src/cli/main.ts', 'lib/index': 'src/index.ts' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  chunkNames: 'chunks/[name]-[hash]',
  platform: 'node',
  target: 'node20',
  format: 'esm',
  banner: { js: requireShim },
  legalComments: 'none',
  logLevel: 'warning',
});

const types = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
process.exit(types.status ?? 1);
