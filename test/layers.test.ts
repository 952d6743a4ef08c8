/** The suffix of a test file says what it needs, no less and no more. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { claimedLayer, type Layer, neededLayer } from './support/layers.js';

const FILES = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .map((name) => join('test', name))
  .filter((name) => name.endsWith('.test.ts'))
  .sort();
const onDisk = (path: string) => readFileSync(path, 'utf8');

describe('test files', () => {
  it.each(FILES)('%s is named for what it needs', (path) => {
    const [claimed, needed] = [claimedLayer(path), neededLayer(path, onDisk)];
    if (claimed === 'slow') expect(needed).toBe('quick');
    else expect(claimed).toBe(needed);
  });
});

// Spelled so that this file shows none of it itself.
const [FROM, START, PACK] = ['from', 'spawnSync', 'packForTest'];

describe('neededLayer()', () => {
  const helper = 'test/support/helper.ts';
  it.each<[string, string, string, Layer]>([
    ['nothing', 'it();', '', 'quick'],
    ['the command', `${START}(process.execPath, []); ${START}('sh', []);`, '', 'quick'],
    ['a program', `${START}('gcc', []);`, '', 'tools'],
    ['a program by a variable', `${START}(\n  tool,\n  []);`, '', 'tools'],
    ['a regular expression', 'const found = /a/.exec(text);', '', 'quick'],
    ['a compressor', `${PACK}('xz', data);`, '', 'tools'],
    ['real images', `import { realImage } ${FROM} './support/images.js';`, '', 'images'],
    ['a type of theirs', `import type { RealImage } ${FROM} './support/images.js';`, '', 'quick'],
    ['names over several lines', `import {\n  fixture,\n  realImage,\n} ${FROM} './support/images.js';`, '', 'images'],
    ['QEMU', `import { bootInQemu } ${FROM} './support/boot.js';`, '', 'boot'],
    ['a harmless helper', `import { a } ${FROM} './support/helper.js';`, 'export const a = 1;', 'quick'],
    ['strace by a helper', `import { a } ${FROM} './support/helper.js';`, `export * ${FROM} './inject.js';`, 'tools'],
    ['a helper that starts a program', `import './support/helper.js';`, `${START}('ld');`, 'tools'],
    ['the most of two', `import './support/images.js';\nimport './support/machine.js';`, '', 'boot'],
  ])('%s', (_, text, helping, layer) => {
    expect(neededLayer('test/tried.test.ts', (path) => (path === helper ? helping : text))).toBe(layer);
  });
});

describe('claimedLayer()', () => {
  it.each<[string, Layer]>([
    ['test/a/b.test.ts', 'quick'],
    ['test/a/b.slow.test.ts', 'slow'],
    ['test/a/b.tools.test.ts', 'tools'],
    ['test/a/b.images.test.ts', 'images'],
    ['test/a/b.boot.test.ts', 'boot'],
    ['test/boot.test.ts', 'quick'],
  ])('%s', (path, layer) => {
    expect(claimedLayer(path)).toBe(layer);
  });
});
