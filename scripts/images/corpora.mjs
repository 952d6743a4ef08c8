// Turns unpacked source packages into folders of binary files to read.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { sha256 } from './cache.mjs';
import { run } from './run.mjs';

function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

const isElf = (bytes) => bytes.length >= 4 && bytes.readUInt32BE(0) === 0x7f454c46;

/** One flat name that still says where the file was: `tests/no-rpath-prebuild/a` -> `no-rpath-prebuild__a`. */
function flatName(path, below) {
  return relative(below, path).split('/').join('__');
}

/**
 * Compressed files, whatever they hold: a reader must refuse what is no ELF, too. Plain files only when they are ELF:
 * the rest is scripts and sources.
 */
export function unpackAll(tree, into) {
  mkdirSync(into, { recursive: true });
  for (const path of filesBelow(tree)) {
    const bytes = readFileSync(path);
    const target = join(into, flatName(path, tree));
    if (path.endsWith('.bz2')) writeFileSync(target.slice(0, -4), run('bzip2', ['-dc'], { input: bytes }));
    else if (path.endsWith('.gz')) writeFileSync(target.slice(0, -3), gunzipSync(bytes));
    else if (isElf(bytes)) writeFileSync(target, bytes);
  }
}

/**
 * The ELF files LLVM's own tests work on: each `RUN: yaml2obj` line run as it stands, without the rest of the test, and
 * the binaries that lie beside the tests. Equal results are kept once.
 */
export function buildYamlCorpus(tree, into) {
  mkdirSync(into, { recursive: true });
  const scratch = join(into, '.scratch');
  mkdirSync(scratch);
  const seen = new Set();
  const keep = (path, name) => {
    if (!isElf(readFileSync(path))) return;
    const digest = sha256(path);
    if (seen.has(digest)) return;
    seen.add(digest);
    copyFileSync(path, join(into, name));
  };
  for (const path of filesBelow(tree)) {
    const bytes = readFileSync(path);
    const name = flatName(path, tree);
    if (isElf(bytes)) keep(path, name);
    else if (/\.(test|yaml|s|ll|c|cpp)$/.test(path)) {
      for (const [index, args] of yamlRuns(bytes.toString('utf8'), path, tree).entries()) {
        const object = join(scratch, 'object');
        rmSync(object, { force: true });
        try {
          run('yaml2obj-14', [...args, '-o', object]);
        } catch {
          continue; // meant to fail, or made from what another step of that test writes
        }
        if (statSync(object).size > 0) keep(object, `${name}.${index + 1}`);
      }
    }
  }
  rmSync(scratch, { recursive: true });
}

/** The arguments of each yaml2obj in a test's RUN lines; of a pipeline only what yaml2obj reads from a file. */
function yamlRuns(text, path, tree) {
  const joined = text
    .split('\n')
    .map((line) => /RUN:\s*(.*)$/.exec(line)?.[1])
    .filter((line) => line !== undefined)
    .join('\n')
    .replace(/\\\n\s*/g, ' ');
  const runs = [];
  for (const [, command] of joined.matchAll(/(?:^|&&\s*|;\s*)yaml2obj\s+([^|>&\n]*)/gm)) {
    const words = [];
    const given = command.trim().split(/\s+/);
    for (let at = 0; at < given.length; at++) {
      const word = given[at].replace(/^(["'])(.*)\1$/, '$2').replace(/=(["'])(.*)\1$/, '=$2');
      if (word === '-o') at++;
      else if (!word.startsWith('-o')) words.push(expand(word, path, tree));
    }
    // Unknown substitutions and temporary files of the test: nothing this can stand in for.
    if (words.every((word) => !/%[A-Za-z{]/.test(word)) && words.some((word) => !word.startsWith('-')))
      runs.push(words);
  }
  return runs;
}

function expand(word, path, tree) {
  return word
    .replace(/%s\b/g, path)
    .replace(/%[pS]\b/g, dirname(path))
    .replace(/%basename_t/g, basename(path))
    .replace(/^llvm\//, join(tree, 'llvm/'));
}
