// The page of layout --html as texts: its script, its style, and for its content policy the hashes of both. Bundles of the
// command get them as the module xen-elfpatch:map-page.
import { createHash } from 'node:crypto';
import { build } from 'esbuild';
import { withoutNode } from './packages.mjs';

const hashOf = (text) => `sha256-${createHash('sha256').update(text).digest('base64')}`;

/** Script and style, bundled. */
export async function mapPage() {
  const common = { bundle: true, write: false, minify: true, legalComments: 'none', logLevel: 'warning' };
  const [script, style] = await Promise.all([
    build({
      ...common,
      entryPoints: ['src/web/page/single.ts'],
      format: 'iife',
      target: 'es2022',
      plugins: [withoutNode],
    }),
    build({ ...common, entryPoints: ['src/web/page/style.css'], charset: 'utf8' }),
  ]);
  const text = ({ outputFiles }) => outputFiles[0].text.trim();
  return { script: text(script), style: text(style), scriptHash: hashOf(text(script)), styleHash: hashOf(text(style)) };
}

/** Resolves xen-elfpatch:map-page. */
export const mapPagePlugin = {
  name: 'map-page',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^xen-elfpatch:map-page$/ }, ({ path }) => ({ path, namespace: 'map-page' }));
    onLoad({ filter: /.*/, namespace: 'map-page' }, async () => {
      const lines = Object.entries(await mapPage()).map(
        ([name, text]) => `export const ${name} = ${JSON.stringify(text)};`,
      );
      return { contents: lines.join('\n'), loader: 'js' };
    });
  },
};
