/**
 * What tests read that is neither made by them nor committed: real kernels and foreign test files. Whatever is missing
 * throws with the command that brings it: no test passes because its input was not there.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Tests of real images ask for one of ours, or for a program, as well.
export { fixture } from './fixtures.js';
export { requireTools } from './tools.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface RealImage {
  readonly name: string;
  /** Read-only and shared by all tests: copy before patching in place. */
  readonly path: string;
  /** `elf32` or `elf64` (or `not-elf`), `big-endian`, and what scripts/images/catalogue.mjs says of it. */
  readonly traits: readonly string[];
  /** Of the Debian package. */
  readonly version: string;
}

interface Listing {
  readonly cache: string;
  readonly absent: readonly string[];
  readonly images: readonly (RealImage & { readonly set: string })[];
  readonly missing: readonly { readonly name: string; readonly set: string; readonly reason: string }[];
  readonly corpora: readonly { readonly name: string; readonly path: string }[];
  readonly roots: readonly (JudgeRoot & { readonly set: string })[];
}

/** Programs of one Debian release, unpacked and not installed. */
export interface JudgeRoot {
  /** `debian-13` */
  readonly name: string;
  readonly path: string;
  /** Of the packages. */
  readonly versions: Readonly<Record<string, string>>;
}

const listings = new Map<string, Listing>();

/** The manifest as the fetching script knows it: it alone decides where the cache is and what belongs in it. */
function listing(
  set: 'images' | 'corpus' | 'large' | 'hypervisors' | 'tools' | 'judges' | 'grub-efi' | 'efi-variables',
): Listing {
  const known = listings.get(set);
  if (known !== undefined) return known;
  const script = join(ROOT, 'scripts/fetch-images.mjs');
  const listed = spawnSync(process.execPath, [script, '--list', set], { encoding: 'utf8' });
  const fetch = `run: node scripts/fetch-images.mjs ${set}`;
  if (listed.stdout === '') throw new Error(`${listed.stderr}${fetch}`);
  const answer = JSON.parse(listed.stdout) as Listing;
  if (answer.absent.length > 0) {
    throw new Error(`not in ${answer.cache}: ${answer.absent.join(', ')}; ${fetch}`);
  }
  listings.set(set, answer);
  return answer;
}

function inCache<T extends { readonly path: string }>(cache: string, entry: T): T {
  return { ...entry, path: join(cache, entry.path) };
}

/** The real ELF images; with a trait, those that have it. Containers (bzImage, gzip, PE) are had by `realImage(name)`. */
export function realImages(trait?: string): readonly RealImage[] {
  const { cache, images } = listing('images');
  const found = images
    .filter((image) => image.set === 'images' && !image.traits.includes('not-elf'))
    .filter((image) => trait === undefined || image.traits.includes(trait))
    .map((image) => inCache(cache, image));
  if (found.length === 0) throw new Error(`no real image has the trait ${trait}`);
  return found;
}

/** One image by name, whatever its kind; `vmlinux-dbg` is the one that has to be fetched with the set `large`. */
export function realImage(name: string): RealImage {
  const { cache, images } = listing(name === 'vmlinux-dbg' ? 'large' : 'images');
  const image = images.find((candidate) => candidate.name === name);
  if (image === undefined) throw new Error(`no image ${name}: optional and not to be had here, or misspelt`);
  return inCache(cache, image);
}

/**
 * Xen as shipped for UEFI: this machine's own release, which is always there, and 4.20 with its DWARF, which a mirror need
 * not have. `missing` says why one is not there.
 */
export function xenEfiImages(): { readonly images: readonly RealImage[]; readonly missing: readonly string[] } {
  const { cache, images, missing } = listing('images');
  const isXenEfi = ({ name }: { readonly name: string }) => name.startsWith('xen-efi');
  return {
    images: images.filter(isXenEfi).map((image) => inCache(cache, image)),
    missing: missing.filter(isXenEfi).map(({ name, reason }) => `${name}: ${reason}`),
  };
}

/** The images of these names that the archives had; those that they had not are named, with what apt said. */
export function realImagesHad(...names: readonly string[]): readonly RealImage[] {
  const { cache, images, missing } = listing('images');
  for (const { name, reason } of missing) if (names.includes(name)) console.log(`${name}: ${reason.split('\n')[0]}`);
  return images.filter(({ name }) => names.includes(name)).map((image) => inCache(cache, image));
}

/** A hypervisor as shipped, and the linked image that it was made from. */
export interface HypervisorPair {
  readonly version: string;
  readonly xen: string;
  readonly syms: string;
}

/**
 * The pairs that could be fetched, oldest version first, and in `missing` those that the archives no longer have, with what
 * apt said. At least one is there, or it throws: this machine's own release always has one.
 */
export function hypervisorPairs(): { readonly pairs: readonly HypervisorPair[]; readonly missing: readonly string[] } {
  const { cache, images, missing } = listing('hypervisors');
  const path = new Map(images.map((image) => [image.name, join(cache, image.path)]));
  const pairs = [...path].flatMap(([name, syms]) => {
    const version = name.startsWith('xen-syms-') ? name.slice('xen-syms-'.length) : undefined;
    const xen = path.get(`xen-${version}`);
    return version === undefined || xen === undefined ? [] : [{ version, xen, syms }];
  });
  if (pairs.length === 0) throw new Error('no hypervisor pair; run: node scripts/fetch-images.mjs hypervisors');
  const sorted = pairs.sort((a, b) => (a.version < b.version ? -1 : 1));
  return {
    pairs: sorted,
    missing: missing.filter(({ set }) => set === 'hypervisors').map(({ name, reason }) => `${name}: ${reason}`),
  };
}

/** A program of another project that tests ask for its opinion: `readnotes`. */
export function foreignTool(name: string): string {
  const { cache, images } = listing('tools');
  const tool = images.find((candidate) => candidate.name === name);
  if (tool === undefined) throw new Error(`no tool ${name}: scripts/images/catalogue.mjs lists them`);
  return join(cache, tool.path);
}

/**
 * GNU ld of the next release of Debian, by the names under which it and its libraries look for each other; in `missing` what the
 * archives had not, with what apt said.
 */
export function linkerOfTrixie(): {
  readonly files: ReadonlyMap<string, string>;
  readonly missing: readonly string[];
} {
  const { cache, images, missing } = listing('tools');
  const prefix = 'trixie-';
  const files = images.filter(({ name }) => name.startsWith(prefix));
  const gone = missing.filter(({ name, set }) => set === 'tools' && name.startsWith(prefix));
  return {
    files: new Map(files.map(({ name, path }) => [name.slice(prefix.length), join(cache, path)])),
    missing: gone.map(({ name, reason }) => `${name}: ${reason}`),
  };
}

/**
 * Xen's note parser by release, as static libraries (`libxenguest-4.14.a`); in `missing` those that the archives no longer
 * have, with what apt said.
 */
export function xenLibraries(): {
  readonly libraries: readonly { readonly release: string; readonly path: string }[];
  readonly missing: readonly string[];
} {
  const { cache, images, missing } = listing('tools');
  const libraries = images.flatMap(({ name, path }) => {
    const release = /^libxenguest-(.+)\.a$/.exec(name)?.[1];
    return release === undefined ? [] : [{ release, path: join(cache, path) }];
  });
  const gone = missing.filter(({ name, set }) => set === 'tools' && name.startsWith('libxenguest-'));
  return { libraries, missing: gone.map(({ name, reason }) => `${name}: ${reason}`) };
}

/** The loaders of other Debian releases; in `missing` the releases that the archives no longer have, with what apt said. */
export function judgeRoots(): Roots {
  return rootsOf('judges');
}

/** GRUB for UEFI, of other Debian releases. */
export function grubEfiRoots(): Roots {
  return rootsOf('grub-efi');
}

/** virt-fw-vars, which writes a firmware's variables; in `missing` why it could not be had. */
export function firmwareVariables(): Roots {
  return rootsOf('efi-variables');
}

/** A program or EFI program that an archive need not have; undefined, and the reason said, where it had not. */
export function foreignToolHad(name: string): string | undefined {
  const { cache, images, missing } = listing('tools');
  const tool = images.find((candidate) => candidate.name === name);
  if (tool !== undefined) return join(cache, tool.path);
  const gone = missing.find((candidate) => candidate.name === name);
  if (gone === undefined) throw new Error(`no tool ${name}; run: node scripts/fetch-images.mjs tools`);
  console.log(`${name}: ${gone.reason.split('\n')[0]}`);
  return undefined;
}

interface Roots {
  readonly roots: readonly JudgeRoot[];
  readonly missing: readonly string[];
}

function rootsOf(set: 'judges' | 'grub-efi' | 'efi-variables'): Roots {
  const { cache, roots, missing } = listing(set);
  const own = roots.filter((root) => root.set === set);
  const gone = missing.filter((each) => each.set === set);
  if (own.length + gone.length === 0) throw new Error(`no loaders to ask; run: node scripts/fetch-images.mjs ${set}`);
  return {
    roots: own.map((root) => inCache(cache, root)),
    missing: gone.map(({ name, reason }) => `${name}: ${reason.split('\n')[0]}`),
  };
}

/** Foreign test files, absolute, sorted: ELF of every kind, broken ELF, and some that are no ELF. */
export function corpusFiles(corpus?: 'llvm' | 'elfutils' | 'golang' | 'patchelf'): readonly string[] {
  const { cache, corpora } = listing('corpus');
  return corpora
    .filter(({ name }) => corpus === undefined || name === corpus)
    .flatMap(({ path }) => {
      const folder = join(cache, path);
      return readdirSync(folder).map((name) => join(folder, name));
    })
    .sort();
}
