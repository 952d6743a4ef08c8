// dist/xen-elfpatch.mjs: the command as one file, for machines without npm: copy it, make it executable, run it.
import { chmodSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { commitDefine } from './commit.mjs';

const shim = (file) => fileURLToPath(new URL(`shims/${file}`, import.meta.url));

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
  plugins: [
    {
      name: 'shims',
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /platform-shims\/esm\.mjs$/ }, () => ({ path: shim('yargs-platform.mjs') }));
        onResolve({ filter: /^(string-width|strip-ansi|wrap-ansi)$/ }, ({ path }) => ({
          path,
          namespace: 'plain-text',
        }));
        onLoad({ filter: /.*/, namespace: 'plain-text' }, ({ path }) => {
          const name = path.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
          return { contents: `export { ${name} as default } from './plain-text.mjs';`, resolveDir: shim('') };
        });
      },
    },
  ],
});
chmodSync('dist/xen-elfpatch.mjs', 0o755);
