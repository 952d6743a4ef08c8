// dist/web: the tool as a page, for any static host. Everything is one folder; nothing is fetched from anywhere else.
//
//   index.html  page.css  app.js     what is shown
//   worker.js                        the core, which reads the file
//   parts/                           what unpacks, and the second reader: loaded when they are needed
//   service-worker.js                keeps all of it for when the network is off
//
//   node scripts/web.mjs [--sizes]   --sizes: what it weighs, compressed
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { commitDefine } from './commit.mjs';
import { packages, withoutNode } from './web/packages.mjs';

const OUT = 'dist/web';
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const common = {
  bundle: true,
  minify: true,
  platform: 'browser',
  format: 'esm',
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'warning',
  metafile: true,
};

/** The releases that the page offers, as the sources have them. */
async function xenVersions() {
  const { outputFiles } = await build({
    ...common,
    stdin: { contents: "export { XEN_VERSIONS } from './src/loaders/xen-version.ts';", resolveDir: '.', loader: 'ts' },
    write: false,
  });
  const module = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`);
  return module.XEN_VERSIONS;
}

const app = await build({
  ...common,
  entryPoints: { app: 'src/web/page/app.ts' },
  outdir: OUT,
  define: {
    XEN_ELFPATCH_VERSION: JSON.stringify(version),
    XEN_VERSIONS: JSON.stringify(await xenVersions()),
  },
  plugins: [withoutNode],
});
await build({ ...common, entryPoints: { page: 'src/web/page/style.css' }, outdir: OUT, charset: 'utf8' });
const worker = await build({
  ...common,
  entryPoints: { worker: 'src/web/worker/main.ts' },
  outdir: OUT,
  splitting: true,
  chunkNames: 'parts/[name]-[hash]',
  assetNames: 'parts/[name]-[hash]',
  loader: { '.wasm': 'file' },
  define: { ...commitDefine(), global: 'globalThis' },
  inject: ['scripts/web/buffer.mjs'],
  plugins: [withoutNode, packages],
});
copyFileSync('src/web/page/index.html', join(OUT, 'index.html'));

for (const { metafile } of [app, worker]) {
  for (const [file, { imports }] of Object.entries(metafile.outputs)) {
    const foreign = imports.filter(({ external }) => external).map(({ path }) => path);
    if (foreign.length > 0) throw new Error(`${file} needs what no browser has: ${foreign.join(', ')}`);
  }
}

const files = readdirSync(OUT, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(OUT.length + 1))
  .sort();
const hash = createHash('sha256');
for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(OUT, file)));
await build({
  ...common,
  entryPoints: { 'service-worker': 'src/web/worker/service-worker.ts' },
  outdir: OUT,
  format: 'iife',
  define: {
    FILES: JSON.stringify(['./', ...files]),
    BUILD: JSON.stringify(`xen-elfpatch-${hash.digest('hex').slice(0, 16)}`),
  },
});

// What is loaded at once: the page, the worker, and what the worker imports without being asked.
const eager = new Set(['index.html', 'page.css', 'app.js', 'worker.js', 'service-worker.js']);
const follow = (file) => {
  for (const { path, kind } of worker.metafile.outputs[file]?.imports ?? []) {
    const name = path.slice(OUT.length + 1);
    if (kind !== 'import-statement' || eager.has(name)) continue;
    eager.add(name);
    follow(path);
  }
};
follow(`${OUT}/worker.js`);
const weigh = (names) => names.reduce((sum, name) => sum + gzipSync(readFileSync(join(OUT, name))).length, 0);
const later = files.filter((name) => !eager.has(name));
console.log(`${OUT}: ${weigh([...eager])} bytes compressed at once, ${weigh(later)} when needed`);
if (process.argv.includes('--sizes')) for (const name of files) console.log(`  ${name} ${weigh([name])}`);
