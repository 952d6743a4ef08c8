/**
 * Everything but the rooms of the platform runs in any JavaScript: it is bundled for a browser and run in a context that has
 * what the language and every browser have, and nothing of Node.
 */
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { build, type Plugin } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRooms, roomOf } from '../../scripts/check-rooms.mjs';
import { runCli, workFolder } from '../support/cli.js';
import type * as entry from './entry.js';

const FIXTURES = readdirSync('fixtures/bin');
const ELF_FIXTURES = FIXTURES.filter((name) => !name.endsWith('.efi'));
const ROOMS = parseRooms(readFileSync('scripts/rooms.txt', 'utf8'));

const folder = workFolder();
afterAll(() => folder.remove());

const ROOMS_OF_NODE = new Set<string | undefined>(['host', 'write', 'cli']);

/** The room of a file, by any path to it. */
function roomName(file: string): string | undefined {
  return roomOf(ROOMS, relative(resolve('src'), resolve(file)))?.name;
}

/** What is bundled may name Node's modules only in functions that nothing here calls, and those are left out. */
const withoutNode: Plugin = {
  name: 'without-node',
  setup({ onResolve }) {
    onResolve({ filter: /^(node:.*|fs-extra)$/ }, ({ path }) => ({ path, external: true, sideEffects: false }));
    onResolve({ filter: /^\..*\.js$/ }, ({ path, resolveDir }) => {
      const file = join(resolveDir, path).replace(/\.js$/, '.ts');
      return ROOMS_OF_NODE.has(roomName(file)) ? { path: file, sideEffects: false } : undefined;
    });
  },
};

/** One script for a browser; `page` becomes its global. */
async function bundle(contents: string) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: resolve('.'), loader: 'ts' },
    bundle: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'page',
    target: 'es2022',
    write: false,
    metafile: true,
    logLevel: 'silent',
    plugins: [withoutNode],
  });
  const [output] = Object.values(metafile.outputs);
  return { script: outputFiles[0]?.text ?? '', imports: output?.imports ?? [], inputs: output?.inputs ?? {} };
}

/** A world with the language itself and the two web globals that text needs. */
function browser(): object {
  const world = createContext({ TextEncoder, TextDecoder });
  const found = runInContext(
    "['Buffer', 'process', 'require', 'setImmediate', 'global'].filter((name) => name in globalThis)",
    world,
  );
  expect([...found]).toEqual([]);
  return world;
}

/** Rooms without the platform, themselves or in what they import: what decides, and writes nothing. */
const PLATFORM = new Set(ROOMS.filter(({ platform }) => platform).map(({ name }) => name));
const CORE_ROOMS = new Set(ROOMS.filter(({ may }) => [...may].every((name) => !PLATFORM.has(name))));
const CORE = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((path) => {
  const room = roomOf(ROOMS, path);
  return path.endsWith('.ts') && room !== undefined && CORE_ROOMS.has(room);
});

it('every file of a core room loads without Node', async () => {
  expect(CORE.length).toBeGreaterThan(200);
  const contents = CORE.map((path, i) => `export * as m${i} from './src/${path}';`).join('\n');
  const { script, imports } = await bundle(contents);
  expect(imports).toEqual([]);
  const world = browser();
  runInContext(script, world);
  expect(Object.keys(runInContext('page', world))).toHaveLength(CORE.length);
});

describe('a web page with the core', () => {
  let page: typeof entry;
  let world: object;
  beforeAll(async () => {
    for (const name of FIXTURES) copyFileSync(join('fixtures/bin', name), join(folder.path, name));
    const { script, imports, inputs } = await bundle(`export * from './test/browser/entry.js';`);
    expect(imports).toEqual([]);
    expect(Object.keys(inputs).filter((path) => ROOMS_OF_NODE.has(roomName(path)))).toEqual([]);
    world = browser();
    runInContext(script, world);
    page = runInContext('page', world);
  });

  /** The file as a Uint8Array of the page's own. */
  function bytesOf(name: string): Uint8Array {
    const bytes = readFileSync(join('fixtures/bin', name));
    const own: Uint8Array = runInContext(`new Uint8Array(${bytes.length})`, world);
    own.set(bytes);
    return own;
  }

  /** The document that the command prints. */
  function command(...args: string[]) {
    const { stdout } = runCli([...args, '--json'], { cwd: folder.path });
    return JSON.parse(stdout);
  }

  it.each(FIXTURES)('reads the notes of %s as the command does', (name) => {
    expect(JSON.parse(page.notes(bytesOf(name), name))).toEqual(command('notes', name));
  });

  it.each(FIXTURES)('verifies %s as the command does, without a second reader', async (name) => {
    const told = command('verify', name);
    const absent = { verdict: 'absent', details: ['this platform has no second reader'] };
    const wanted = told.secondReader === undefined ? told : { ...told, secondReader: absent };
    expect(JSON.parse(await page.verify(bytesOf(name), name))).toEqual(wanted);
  });

  it.each(ELF_FIXTURES)('patches %s to the bytes that the command writes', (name) => {
    const { document, bytes, errors } = page.patch(bytesOf(name), name, 'GUEST_OS=browser');
    const edit = ['patch', name, '--set', 'GUEST_OS=browser'];
    expect(JSON.parse(document)).toEqual(command(...edit, '--dry-run'));
    expect(errors).toHaveLength(0);
    expect(command(...edit, '-o', 'written').changed).toBe(true);
    expect(readFileSync(join(folder.path, 'written')).equals(bytes)).toBe(true);
  });

  it('says which port is missing where there is no way around it', () => {
    expect(() => page.patch(bytesOf('pvh64-notes'), 'image', 'GUEST_OS=file:/name')).toThrow(
      'this platform has no openFile: installPorts() takes one',
    );
  });
});
