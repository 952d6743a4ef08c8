// esbuild plugins for pages: what of the sources is for Node alone is left out, and packages are taken by the part that is used.
import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseRooms, roomOf } from '../check-rooms.mjs';

const ROOMS = parseRooms(readFileSync('scripts/rooms.txt', 'utf8'));
const ROOMS_OF_NODE = new Set(['host', 'write', 'cli']);

const roomNameOf = (file) => roomOf(ROOMS, relative(resolve('src'), file))?.name;

/** Node's modules are named only in functions that no page calls, and those are left out. */
export const withoutNode = {
  name: 'without-node',
  setup({ onResolve }) {
    onResolve({ filter: /^(node:.*|fs-extra)$/ }, ({ path }) => ({ path, external: true, sideEffects: false }));
    onResolve({ filter: /^\..*\.js$/ }, ({ path, resolveDir, importer, kind }) => {
      const home = roomNameOf(importer);
      if (home === undefined) return undefined;
      // A part for later is made even of what nobody asks for.
      if (ROOMS_OF_NODE.has(home) && kind === 'dynamic-import') return { path, external: true, sideEffects: false };
      const file = join(resolveDir, path).replace(/\.js$/, '.ts');
      return ROOMS_OF_NODE.has(roomNameOf(file)) ? { path: file, sideEffects: false } : undefined;
    });
  },
};

/** Packages made for Node, by what of them a browser can run. */
export const packages = {
  name: 'packages',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node-liblzma$/ }, () => ({ path: fileURLToPath(new URL('liblzma.mjs', import.meta.url)) }));
    onResolve({ filter: /^(assert|util)$/ }, ({ path }) => ({ path, namespace: 'node-part' }));
    onLoad({ filter: /.*/, namespace: 'node-part' }, ({ path }) => ({ contents: NODE_PARTS[path], loader: 'js' }));
  },
};

/** All that elfy asks of Node's modules. */
const NODE_PARTS = {
  assert: 'module.exports = { equal(found, wanted) { if (found !== wanted) throw new Error(String(found)); } };',
  util: 'module.exports = { inherits(made, parent) { Object.setPrototypeOf(made.prototype, parent.prototype); } };',
};
