// Bundles the command and the library. The command runs in every kernel build, so it is made to start fast:
//
//   dist/cli/main.js        all of our own code and yargs, as one function that bin/xen-elfpatch.js calls. CommonJS starts
//                           faster than ES modules, and one file faster than many; modules behind a dynamic import() are
//                           run only when they are called.
//   dist/cli/main.js.cache  V8's compiled code of it; another version of V8 ignores it
//   dist/cli/xen-mkelf32.cjs  the same for that command, which is small: no yargs, no cache
//   dist/cli/vendor/*.cjs   packages that only some commands need
//   dist/lib/               the library as ES modules, its packages from node_modules
//   dist/types/             declarations (not with --no-types: they take most of the time)
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const LAZY = ['ajv', 'elfy', 'fs-extra', 'yaml'];

rmSync('dist', { recursive: true, force: true });

const common = { bundle: true, platform: 'node', target: 'node20', legalComments: 'none', logLevel: 'warning' };

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

const vendor = {
  name: 'vendor',
  setup({ onResolve }) {
    const filter = new RegExp(`^(${LAZY.join('|')})$`);
    onResolve({ filter }, ({ path }) => ({ path: `./vendor/${path}.cjs`, external: true }));
  },
};

await build({
  ...common,
  entryPoints: ['src/cli/main.ts'],
  outfile: 'dist/cli/main.js',
  format: 'cjs',
  banner: { js: '(function (exports, require, module, __filename) {' },
  footer: { js: '})' },
  // import() of a vendored package becomes require() too.
  supported: { 'dynamic-import': false },
  // yargs-parser makes a require() from it; a path does as well as a URL.
  define: { 'import.meta.url': '__filename' },
  plugins: [shims, vendor],
});
await build({
  ...common,
  entryPoints: ['src/cli/xen-mkelf32.ts'],
  outfile: 'dist/cli/xen-mkelf32.cjs',
  format: 'cjs',
});
for (const name of LAZY) {
  await build({
    ...common,
    stdin: { contents: `module.exports = require('${name}');`, resolveDir: '.' },
    outfile: `dist/cli/vendor/${name}.cjs`,
    format: 'cjs',
  });
}
await build({
  ...common,
  entryPoints: { index: 'src/index.ts' },
  outdir: 'dist/lib',
  format: 'esm',
  splitting: true,
  packages: 'external',
});

const run = (command, ...args) => {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};
run(process.execPath, 'scripts/code-cache.mjs');
if (!process.argv.includes('--no-types')) run('node_modules/.bin/tsc', '-p', 'tsconfig.build.json');
