// Bundles the command and the library. The command runs in every kernel build, so it is made to start fast:
//
//   dist/cli/main.js        what every run reads and `notes` runs, as chunks in one file (parts.mjs).
//                           bin/xen-elfpatch.js calls them: CommonJS starts faster than ES modules, one file faster than many
//   dist/cli/work.js        what the other commands of kernel builds run, `patch` and `verify`
//   dist/cli/copy.js        what makes a copy of the image, read when one is made
//   dist/cli/rest.js        everything else: the other commands, yargs, explain, wrappers, prose
//   dist/cli/code/          V8's compiled code of them, for the Node that builds; bin/code-cache.js makes it for others
//   dist/cli/xen-mkelf32.cjs  that command, which is small: no yargs, no compiled code
//   dist/cli/vendor/*.cjs   packages that only some commands need
//   dist/lib/               the library as ES modules, its packages from node_modules
//   dist/types/             declarations (not with --no-types: they take most of the time)
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { commitDefine } from './commit.mjs';
import { partsOf } from './parts.mjs';
import { shims } from './shims/plugin.mjs';
import { mapPagePlugin } from './web/map-page.mjs';

// Read by few runs: files of their own, as they come. elfy and fs-extra are in the parts.
const LAZY = { 'ajv/dist/2020.js': 'ajv', yaml: 'yaml', 'xen-elfpatch:map-page': 'map-page' };

// What the commands in kernel builds read: `notes` the first part, the others the second too; the rest is one part more.
const PARTS = {
  main: ['src/cli/main.ts', 'src/cli/commands/notes.ts', 'src/cli/commands/notes.run.ts'],
  work: [
    'src/cli/commands/patch.ts',
    'src/cli/commands/patch.run.ts',
    'src/cli/commands/verify.ts',
    'src/cli/commands/verify.run.ts',
    'src/loaders/loaders.ts',
    'src/write/lock.ts',
    'node_modules/elfy/lib/elfy.js',
  ],
  copy: ['src/write/clone.ts'],
};

// What others put into dist, as scripts/binary.mjs does, is not for the bundle to take away.
for (const own of ['cli', 'lib', 'types']) rmSync(`dist/${own}`, { recursive: true, force: true });

const common = { bundle: true, platform: 'node', target: 'node20', legalComments: 'none', logLevel: 'warning' };
// Names are kept and lines stay short: a stack trace says where something happened.
const small = { minifySyntax: true, minifyWhitespace: true, lineLimit: 160 };

const vendor = {
  name: 'vendor',
  setup({ onResolve }) {
    const filter = new RegExp(`^(${Object.keys(LAZY).join('|')})$`);
    onResolve({ filter }, ({ path }) => ({ path: `./vendor/${LAZY[path]}.cjs`, external: true }));
  },
};

const main = await build({
  ...common,
  ...small,
  entryPoints: ['src/cli/main.ts'],
  outdir: 'dist/cli',
  format: 'esm',
  splitting: true,
  write: false,
  metafile: true,
  // yargs makes a require() from it; a path does as well as a URL.
  define: { ...commitDefine(), 'import.meta.url': '__filename', 'import.meta.resolve': 'require.resolve' },
  plugins: [shims, vendor],
});
mkdirSync('dist/cli', { recursive: true });
for (const [part, text] of partsOf(main, PARTS)) writeFileSync(`dist/cli/${part}.js`, text);
await build({
  ...common,
  ...small,
  entryPoints: ['src/cli/xen-mkelf32.ts'],
  outfile: 'dist/cli/xen-mkelf32.cjs',
  format: 'cjs',
});
for (const [path, name] of Object.entries(LAZY)) {
  await build({
    ...common,
    ...small,
    stdin: { contents: `module.exports = require('${path}');`, resolveDir: '.' },
    outfile: `dist/cli/vendor/${name}.cjs`,
    format: 'cjs',
    plugins: [mapPagePlugin],
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
