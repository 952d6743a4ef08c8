import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkFiles, checkTree, PLATFORM_GLOBALS, parseRooms, type Room, roomOf } from '../scripts/check-rooms.mjs';

const ROOMS = parseRooms(readFileSync('scripts/rooms.txt', 'utf8'));
/** Where files of ours can stand; the schema is no room of src. */
const INNER = ROOMS.filter(({ name }) => name !== 'schema');
const CORE = INNER.filter(({ platform }) => !platform);

/** A file that would belong to a room. */
function fileIn({ prefixes: [prefix = ''] }: Room): string {
  return prefix.endsWith('/') ? `${prefix}tried.ts` : prefix;
}

function breaches(room: Room, text: string) {
  return checkFiles(ROOMS, [{ path: fileIn(room), text }]);
}

/** Every way to name a module. */
const IMPORTS: readonly (readonly [string, (path: string) => string])[] = [
  ['import', (path) => `import { a } from '${path}';`],
  ['import type', (path) => `import type { A } from '${path}';`],
  ['import for its effects', (path) => `import '${path}';`],
  ['import()', (path) => `const a = async () => import('${path}');`],
  ['a type in import()', (path) => `type A = import('${path}').A;`],
  ['export from', (path) => `export { a } from '${path}';`],
  ['export all', (path) => `export * from '${path}';`],
];

function pathBetween(from: Room, to: Room): string {
  const path = posix.relative(posix.dirname(fileIn(from)), fileIn(to)).replace(/\.ts$/, '.js');
  return path.startsWith('.') ? path : `./${path}`;
}

describe('the rooms of src', () => {
  it('are kept by every file', () => {
    expect(checkTree('.')).toEqual([]);
  });

  it('have one place for each of their files', () => {
    for (const room of INNER) expect(roomOf(ROOMS, fileIn(room))?.name).toBe(room.name);
    expect(checkFiles(ROOMS, [{ path: 'new-room/file.ts', text: '' }])).toEqual([
      { path: 'new-room/file.ts', line: 1, text: 'no line of scripts/rooms.txt has this file' },
    ]);
  });
});

describe.each(INNER.map((room) => [room.name, room] as const))('%s', (_, from) => {
  it.each(IMPORTS)('imports the rooms of its line and no other by %s', (_how, statement) => {
    const rule = `scripts/rooms.txt:${from.line} (${from.name})`;
    for (const to of INNER) {
      const found = breaches(from, `// A comment.\n${statement(pathBetween(from, to))}\n`);
      const wanted = { path: fileIn(from), line: 2, text: expect.stringContaining(`of ${to.name}: ${rule}`) };
      expect(found, to.name).toEqual(from.may.has(to.name) ? [] : [wanted]);
    }
  });

  it.each(IMPORTS)('imports the packages of its line and no other by %s', (_how, statement) => {
    expect(breaches(from, statement('left-pad'))).toHaveLength(1);
    for (const name of from.packages) expect(breaches(from, statement(name)), name).toEqual([]);
  });
});

describe.each(CORE.map((room) => [room.name, room] as const))('%s runs in any JavaScript', (_, room) => {
  it.each(IMPORTS)('no module of Node by %s', (_how, statement) => {
    expect(breaches(room, statement('node:fs'))).toHaveLength(1);
    expect(breaches(room, statement('fs'))).toHaveLength(1);
  });

  it('no global of Node', () => {
    for (const name of PLATFORM_GLOBALS) {
      expect(breaches(room, `export const a = ${name};`), name).toHaveLength(1);
      expect(breaches(room, `\nexport function a(): void {\n  ${name}.b();\n}`), name).toMatchObject([{ line: 3 }]);
      expect(breaches(room, `export type A = typeof ${name};`), name).toHaveLength(1);
      expect(breaches(room, `// ${name}\nexport const a = '${name}';\na.${name}.b;`), name).toEqual([]);
    }
    expect(breaches(room, 'export const a = import.meta.url;')).toHaveLength(1);
  });
});

describe('no file hides what it uses', () => {
  it.each(INNER.map((room) => [room.name, room] as const))('%s', (_, room) => {
    expect(breaches(room, '\nconst a = import(name);')).toMatchObject([{ line: 2 }]);
    expect(breaches(room, 'const a = import(`./a.js`);').length).toBeGreaterThan(0);
    expect(breaches(room, '/// <reference types="node" />')).toHaveLength(1);
    expect(breaches(room, '/// <reference path="../a.ts" />')).toHaveLength(1);
  });
});

describe('every room of the platform', () => {
  it('may use Node', () => {
    for (const room of INNER.filter(({ platform }) => platform)) {
      expect(breaches(room, "import 'node:fs';\nprocess.exitCode = Buffer.length;"), room.name).toEqual([]);
    }
  });
});

describe('laws that no change of a line may break', () => {
  const may = (from: string, to: string) => INNER.find(({ name }) => name === from)?.may.has(to);

  it('there is no cycle', () => {
    const above = new Set<string>(['schema']);
    for (const { name, may: allowed } of INNER) {
      above.add(name);
      expect([...allowed].filter((room) => !above.has(room))).toEqual([]);
    }
  });

  const EDITS = ['plan', 'placement', 'edit-elf', 'edit-container', 'linear', 'edit-linear', 'write'];
  it.each([
    ['engine', EDITS],
    ['verify-elf', EDITS],
    ['verify-pe', EDITS],
    ['verify-container', EDITS],
    ['plan', ['verify-elf', 'verify-pe', 'verify-container', 'write']],
    ['placement', ['verify-elf', 'verify-pe', 'verify-container', 'write']],
    ['loaders', ['verify-elf', 'fix', ...EDITS]],
    ['write', ['verify-elf', 'report', 'edit-elf']],
  ])('%s imports none of %j', (from, others) => {
    for (const to of others) expect(may(from, to), `${from} <- ${to}`).toBe(false);
  });

  it('of the rooms that run in any JavaScript only the four that end an edit import the platform, and the page the words of its worker', () => {
    const platform = INNER.filter((room) => room.platform).map(({ name }) => name);
    const importers = CORE.filter((room) => platform.some((name) => room.may.has(name)));
    expect(importers.map(({ name }) => name)).toEqual([
      'edit-elf',
      'edit-container',
      'edit-linear',
      'edit-pe',
      'web-page',
    ]);
  });

  it('nothing imports cli', () => {
    expect(INNER.filter((room) => room.may.has('cli')).map(({ name }) => name)).toEqual(['cli']);
  });
});

describe('parseRooms() refuses', () => {
  it.each([
    ['a room that stands below', 'a: a/ <- b\nb: b/ <-', 'scripts/rooms.txt:1: "b" is no room of a line above'],
    ['a name with two lines', 'a: a/ <-\na: b/ <-', 'scripts/rooms.txt:2: "a" has a line already'],
    ['a prefix with two rooms', 'a: a/ <-\nb: a/ <-', 'scripts/rooms.txt:2: "a/" belongs to a already'],
    [
      'an exception upward',
      'a: a/ <-\nb: b/ <-\nfor now: a <- b # why',
      'scripts/rooms.txt:3: b does not stand above a',
    ],
    [
      'an exception without a reason',
      'a: a/ <-\nb: b/ <-\nfor now: b <- a',
      'scripts/rooms.txt:3: an arrow that has to',
    ],
    ['anything else', 'a/ may b', 'scripts/rooms.txt:1: neither a room'],
  ])('%s', (_, text, message) => {
    expect(() => parseRooms(text)).toThrow(message);
  });
});
