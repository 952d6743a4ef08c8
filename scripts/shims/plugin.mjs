// The esbuild plugin that puts our small stand-ins in the place of packages that cost start-up time and buy nothing here.
import { fileURLToPath } from 'node:url';

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

export const shims = {
  name: 'shims',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /platform-shims\/esm\.mjs$/ }, () => ({ path: here('yargs-platform.mjs') }));
    onResolve({ filter: /^assert$/ }, ({ importer }) =>
      /elfy/.test(importer) ? { path: here('assert.cjs') } : undefined,
    );
    onResolve({ filter: /^node:module$/ }, ({ importer }) =>
      /yargs-parser/.test(importer) ? { path: here('no-require.mjs') } : undefined,
    );
    onResolve({ filter: /^(string-width|strip-ansi|wrap-ansi)$/ }, ({ path }) => ({ path, namespace: 'plain-text' }));
    onLoad({ filter: /.*/, namespace: 'plain-text' }, ({ path }) => {
      const name = path.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
      return { contents: `export { ${name} as default } from './plain-text.mjs';`, resolveDir: here('.') };
    });
  },
};
