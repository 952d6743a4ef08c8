/** Every way in which a command writes a file, for tests of what all of them promise. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bzImage } from './bzimage.js';
import { BIN, type CliResult } from './cli.js';
import { fixture } from './fixtures.js';

/** What a result is held to. `image`: proved before it takes its place. `wrap`: as Xen's own tool writes it. */
export type Kind = 'image' | 'tidy' | 'wrap' | 'drop-in' | 'text';

export interface Writer {
  readonly name: string;
  readonly kind: Kind;
  /** The bytes of the input `k`. */
  readonly image: () => Uint8Array;
  /** The command line that writes a target. */
  args(target: string): readonly string[];
  /** Files that are written besides the target. */
  readonly besides?: readonly string[];
}

/** A way to change the input itself. */
export interface InPlaceWriter {
  readonly name: string;
  readonly kind?: undefined;
  readonly image: () => Uint8Array;
  args(image: string): readonly string[];
  /** Are its bytes changed where they are, or does a new file take its place? */
  readonly how: 'direct' | 'clone';
}

const kernel = (name: string) => () => readFileSync(fixture(name));
const packed = () => gzipSync(readFileSync(fixture('pvh64-notes')));
const wrapped = () => bzImage({ data: readFileSync(fixture('pvh64-notes')) });

const SET = ['--set', 'PHYS32_ENTRY=0x100000', '--set', 'GUEST_OS=written'];
const OTHER = ['--set', 'PHYS32_ENTRY=0x100010'];
const STAMP = ['--note', 'Owner:7=hex:01020304'];
const FIX = ['--for', 'xen-pv'];
/** A PV kernel whose XEN_VERSION is misspelt: what loaders want there is no secret, so it can be mended. */
function misspelt(): Buffer {
  const bytes = readFileSync(fixture('pv64-notes'));
  bytes.write('9', bytes.indexOf('xen-3.0\0') + 4, 'latin1');
  return bytes;
}

export const WRITERS: readonly Writer[] = [
  { name: 'patch -o', kind: 'image', image: kernel('pvh64-bare'), args: (to) => ['patch', 'k', '-o', to, ...SET] },
  {
    name: 'patch -o --if-changed',
    kind: 'image',
    image: kernel('pvh64-bare'),
    args: (to) => ['patch', 'k', '-o', to, '--if-changed', ...SET],
  },
  { name: 'patch -o, bzImage', kind: 'image', image: wrapped, args: (to) => ['patch', 'k', '-o', to, ...OTHER] },
  {
    name: 'patch -o --if-changed, gzip',
    kind: 'image',
    image: packed,
    args: (to) => ['patch', 'k', '-o', to, '--if-changed', ...OTHER],
  },
  { name: 'stamp -o', kind: 'image', image: kernel('pvh64-notes'), args: (to) => ['stamp', 'k', '-o', to, ...STAMP] },
  { name: 'fix -o', kind: 'image', image: misspelt, args: (to) => ['fix', 'k', '-o', to, ...FIX] },
  { name: 'linearize -o', kind: 'image', image: kernel('dual.efi'), args: (to) => ['linearize', 'k', '-o', to] },
  {
    name: 'mkelf32 --tidy',
    kind: 'tidy',
    image: kernel('pvh64-notes'),
    args: (to) => ['mkelf32', '--tidy', 'k', to, '0x100000'],
  },
  { name: 'mkelf32', kind: 'wrap', image: kernel('pvh64-bare'), args: (to) => ['mkelf32', 'k', to, '0x100000'] },
  { name: 'xen-mkelf32', kind: 'drop-in', image: kernel('pvh64-bare'), args: (to) => ['k', to, '0x100000'] },
  { name: 'layout --svg', kind: 'text', image: kernel('pvh64-bare'), args: (to) => ['layout', 'k', '--svg', to] },
  { name: 'layout --html', kind: 'text', image: kernel('pvh64-bare'), args: (to) => ['layout', 'k', '--html', to] },
  {
    name: 'patch --depfile',
    kind: 'text',
    image: kernel('pvh64-bare'),
    args: (to) => ['patch', 'k', '-o', 'result', '--depfile', to, ...SET],
    besides: ['result'],
  },
];

export const IN_PLACE: readonly InPlaceWriter[] = [
  { name: 'patch', how: 'direct', image: kernel('pvh64-bare'), args: (k) => ['patch', k, '--in-place', ...SET] },
  {
    name: 'patch --placement shift',
    how: 'clone',
    image: kernel('pvh64-bare'),
    args: (k) => ['patch', k, '--in-place', '--placement', 'shift', ...SET],
  },
  { name: 'patch, bzImage', how: 'clone', image: wrapped, args: (k) => ['patch', k, '--in-place', ...OTHER] },
  { name: 'patch, gzip', how: 'clone', image: packed, args: (k) => ['patch', k, '--in-place', ...OTHER] },
  { name: 'stamp', how: 'clone', image: kernel('pvh64-notes'), args: (k) => ['stamp', k, '--in-place', ...STAMP] },
  { name: 'fix', how: 'direct', image: misspelt, args: (k) => ['fix', k, '--in-place', ...FIX] },
  { name: 'linearize', how: 'clone', image: kernel('dual.efi'), args: (k) => ['linearize', k, '--in-place'] },
];

const DROP_IN = resolve('bin/xen-mkelf32.js');

/** The program of a way to write, for a shell or strace. */
export function programOf({ kind }: { readonly kind?: Kind | undefined }): string {
  return kind === 'drop-in' ? DROP_IN : BIN;
}

/**
 * Runs a command in a folder. `around` is a line of shell in which `"$@"` is the command. A command that waits for
 * something is ended, and has no status.
 */
export function runWriter(
  way: { readonly kind?: Kind | undefined },
  args: readonly string[],
  cwd: string,
  around = 'exec "$@"',
): CliResult {
  const words = ['-c', around, 'sh', process.execPath, programOf(way), ...args];
  const { status, signal, stdout, stderr } = spawnSync('sh', words, {
    cwd,
    encoding: 'utf8',
    input: '',
    timeout: 60_000,
  });
  return { status, signal, stdout, stderr };
}

/** Empties a folder and puts the input into it. */
export function prepare(folder: string, image: Uint8Array, name = 'k'): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), image);
}
