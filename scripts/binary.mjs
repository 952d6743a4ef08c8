// dist/bin/xen-elfpatch-linux-{x64,arm64}: the command as one program that needs no Node, made by bun's compiler. Under the
// name xen-mkelf32, a link or a copy, it is that command. bun comes from npm at a fixed version, for this alone.
//
//   node scripts/binary.mjs [ARCH...]      x64, arm64 (default: this machine's)
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';
import { commitDefine } from './commit.mjs';
import { programOf } from './images/npm-package.mjs';
import { shims } from './shims/plugin.mjs';
import { mapPagePlugin } from './web/map-page.mjs';

const VERSION = '1.4.5';
/** The builds of bun: for x64 the one that runs on any such processor. */
const PACKAGES = {
  x64: {
    name: '@oven/bun-linux-x64-baseline',
    sha512: 's8yMwYcFnnrA178gji0gZbkE2WVDej/Ti1x770oPfihxyRxSMNhGhiAQNXV53aDeraZxksdvKV/RAdQBCd0qPA==',
  },
  arm64: {
    name: '@oven/bun-linux-aarch64',
    sha512: '4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==',
  },
};
// What lies in the folder where the program is started must not change what it does.
const NOTHING_LOADED = ['dotenv', 'bunfig', 'tsconfig', 'package-json'].map((what) => `--no-compile-autoload-${what}`);

const wanted = process.argv.length > 2 ? process.argv.slice(2) : [process.arch];
const unknown = wanted.find((arch) => !Object.hasOwn(PACKAGES, arch));
if (process.platform !== 'linux' || unknown !== undefined || PACKAGES[process.arch] === undefined) {
  console.error(
    `binary: found ${process.platform} ${unknown ?? process.arch}, wanted linux and one of ${Object.keys(PACKAGES)}`,
  );
  process.exit(2);
}

const bunFor = (arch) => programOf({ ...PACKAGES[arch], version: VERSION, member: 'bin/bun' });
const bundle = 'dist/bin/xen-elfpatch.cjs';
mkdirSync('dist/bin', { recursive: true });
await build({
  entryPoints: ['src/cli/program.ts'],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  legalComments: 'none',
  logLevel: 'warning',
  define: { ...commitDefine(), 'import.meta.url': '__filename', 'import.meta.resolve': 'require.resolve' },
  plugins: [shims, mapPagePlugin],
});
for (const arch of wanted) {
  const program = `dist/bin/xen-elfpatch-linux-${arch}`;
  const other =
    arch === process.arch ? [] : [`--compile-executable-path=${bunFor(arch)}`, `--target=bun-linux-${arch}`];
  const args = ['build', bundle, '--compile', '--bytecode', '--minify-whitespace', ...NOTHING_LOADED, ...other];
  const { status, error, stderr } = spawnSync(bunFor(process.arch), [...args, `--outfile=${program}`], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
    // Settings of whoever builds are not those of the program.
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  if (status !== 0) {
    console.error(`binary: bun ended with ${status ?? error?.message}\n${stderr}`);
    process.exit(1);
  }
  console.log(program);
}
rmSync(bundle);
