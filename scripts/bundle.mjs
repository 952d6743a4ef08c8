// Bundles the command and the library: one main file that starts fast, the rest in chunks loaded when called.
// Start-up is part of every kernel build that uses the tool, so node_modules is never read at run time.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

rmSync('dist', { recursive: true, force: true });

// CommonJS packages inside an ES module bundle still call require() for Node's own modules.
const requireShim =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

// Packages that cost start-up time and buy nothing here (scripts/shims says why).
const shims = {
  name: 'shims',
  setup({ onResolve, onLoad }) {
    const here = (file) => fileURLToPath(new URL(`shims/${file}`, import.meta.url));
    onResolve({ filter: /platform-shims\/esm\.mjs$/ }, () => ({ path: here('yargs-platform.mjs') }));
    onResolve({ filter: /^(string-width|strip-ansi|wrap-ansi)$/ }, ({ path }) => ({ path, namespace: 'plain-text' }));
    onLoad({ filter: /.*/, namespace: 'plain-text' }, ({ path }) => {
      const name = path.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
      return { contents: `export { ${name} as default } from './plain-text.mjs';`, resolveDir: here('') };
    });
  },
};

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
  plugins: [shims],
  legalComments: 'none',
  logLevel: 'warning',
});

// Tests that only run the bundle do without the declarations, which take most of the time.
if (!process.argv.includes('--no-types')) {
  const types = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
  process.exit(types.status ?? 1);
}
