// The cache outside git: where it is, what is in it, and how a file gets there whole or not at all.
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, readSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const CACHE =
  process.env.XEN_ELFPATCH_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'xen-elfpatch');

const MANIFEST = join(CACHE, 'manifest.json');
const EMPTY = { images: [], corpora: [], roots: [], missing: [] };

export function readManifest() {
  try {
    return { ...EMPTY, ...JSON.parse(readFileSync(MANIFEST, 'utf8')) };
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return structuredClone(EMPTY);
    throw error;
  }
}

/** Replaces the entry of that name under `kind`; what is there is no longer missing, and the other way round. */
export function record(kind, entry) {
  const manifest = readManifest();
  for (const key of Object.keys(EMPTY)) manifest[key] = manifest[key].filter((other) => other.name !== entry.name);
  manifest[kind].push(entry);
  manifest[kind].sort((a, b) => (a.name < b.name ? -1 : 1));
  const temporary = `${MANIFEST}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(manifest, null, 2)}\n`);
  renameSync(temporary, MANIFEST);
}

/** Whether the manifest has it and the file or folder it names is there, of the size it names. */
export function isThere(manifest, { name }) {
  const entry = [...manifest.images, ...manifest.corpora, ...manifest.roots].find(
    (candidate) => candidate.name === name,
  );
  if (entry === undefined) return false;
  const path = join(CACHE, entry.path);
  return existsSync(path) && (entry.size === undefined || statSync(path).size === entry.size);
}

export function sha256(path) {
  const hash = createHash('sha256');
  const chunk = Buffer.alloc(1 << 20);
  const fd = openSync(path, 'r');
  try {
    for (let got = readSync(fd, chunk); got > 0; got = readSync(fd, chunk)) hash.update(chunk.subarray(0, got));
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}

/** What a file is by its first bytes (gABI, "ELF Identification"). */
export function identTraits(path) {
  const ident = Buffer.alloc(16);
  const fd = openSync(path, 'r');
  try {
    readSync(fd, ident);
  } finally {
    closeSync(fd);
  }
  if (ident.toString('latin1', 0, 4) !== '\x7fELF') return ['not-elf'];
  return [ident[4] === 2 ? 'elf64' : 'elf32', ...(ident[5] === 2 ? ['big-endian'] : [])];
}
