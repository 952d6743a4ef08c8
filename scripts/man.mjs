// The manual, from the declarations of the commands and the texts of explain: node scripts/man.mjs [FOLDER], dist/man unless
// given. One page a command, one for all, xen-mkelf32(1), and the notes in section 7. package.json lists them for npm.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { commitDate } from './commit.mjs';
import { commandPage, mkelf32Page, notesPage, overviewPage } from './man/pages.mjs';
import { mapPagePlugin } from './web/map-page.mjs';

const [folder = 'dist/man'] = process.argv.slice(2);

/** What the sources declare, as a module of its own: they are TypeScript. */
async function declared() {
  // Beside node_modules, where packages that are not bundled are found.
  const temporary = mkdtempSync(resolve('man-'));
  try {
    const outfile = join(temporary, 'declared.mjs');
    await build({
      stdin: {
        contents: `export { COMMANDS } from './src/cli/commands.js';
export { ABOUT, COMMON } from './src/cli/common-options.js';
export { explainTopic } from './src/explain/index.js';
export { XEN_NOTES } from './src/formats/note/xen-notes.js';`,
        resolveDir: '.',
        loader: 'ts',
      },
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      packages: 'external',
      logLevel: 'warning',
      plugins: [mapPagePlugin],
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

const { ABOUT, COMMANDS, COMMON, XEN_NOTES, explainTopic } = await declared();
const info = { version: JSON.parse(readFileSync('package.json', 'utf8')).version, date: commitDate() };
const common = Object.entries(COMMON).map(([name, option]) => ({ name, ...option }));
const notes = XEN_NOTES.map(({ name }) => explainTopic(name));
const pages = [
  ['xen-elfpatch.1', overviewPage({ commands: COMMANDS, common, about: ABOUT, info })],
  ...COMMANDS.map(({ shape }) => [`xen-elfpatch-${shape.name}.1`, commandPage({ shape, common, info })]),
  ['xen-mkelf32.1', mkelf32Page(info)],
  ['xen-elfpatch-notes.7', notesPage({ notes, values: explainTopic('values'), info })],
];
mkdirSync(folder, { recursive: true });
// A paragraph begins with its heading.
const tidy = (text) => text.replace(/^(\.S[HS] .*\n)\.PP\n/gm, '$1');
for (const [name, text] of pages) writeFileSync(join(folder, name), tidy(text));
