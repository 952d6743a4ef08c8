// Everything that ships and is not in git: the bundle with its declarations, the man pages, the command as one file. npm runs
// it on the way of `npm i` and `npm link` in a clone, of `npm i git+URL`, `npm pack` and `npm publish`, some of these twice:
// what is newer than all it is made of stays.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const MADE = ['dist/types/index.d.ts', 'dist/man/xen-elfpatch.1', 'dist/xen-elfpatch.mjs'];
const SOURCES = ['bin', 'schema', 'scripts', 'src', 'package.json', 'tsconfig.build.json'];

/** Modification times of a file, or of all files below a folder. */
function* timesOf(path) {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) yield 0;
  else if (!stats.isDirectory()) yield stats.mtimeMs;
  else for (const name of readdirSync(path)) yield* timesOf(join(path, name));
}

const times = (paths) => paths.flatMap((path) => [...timesOf(path)]);

function run(command, args, env = process.env) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

if (Math.min(...times(MADE)) <= Math.max(...times(SOURCES))) {
  if (!existsSync('node_modules/esbuild')) {
    // `npm link` in a fresh clone: npm installs nothing in what it links, and here calls itself with a -g in the environment.
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { ...process.env, npm_config_global: '' });
  }
  for (const script of ['bundle', 'man', 'single']) run(process.execPath, [`scripts/${script}.mjs`]);
}
