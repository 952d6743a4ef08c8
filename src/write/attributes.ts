/**
 * What a file has besides its bytes, its permission bits and its owner: ACLs, attributes of users, an SELinux label. A new
 * file that takes its place gets them, by the programs of the attr package or else by cp; Node has no call for that. What
 * speaks for the old bytes alone (capabilities, IMA's hash) is not taken along, and is told.
 */
import { statSync } from 'node:fs';

/** Attributes that hold for the bytes that were there, or that the kernel makes itself. */
const FOR_THE_OLD_BYTES: ReadonlySet<string> = new Set(['security.capability', 'security.ima', 'security.evm']);

/** Where the programs are, besides PATH: they are part of every system. */
const SYSTEM = ['/usr/bin', '/bin'];
const WORDS = 200;
/** Attributes of a file are far less: 64 KiB for each. */
const MOST = 0x1000000;

/**
 * Gives a new file the attributes of the one whose place it takes. What it cannot keep, what must not be kept and was there,
 * or why nothing can be told, a sentence each.
 */
export function keepAttributes(from: string, to: string): readonly string[] {
  // Elsewhere there are other attributes, and none of these programs.
  if (process.platform !== 'linux') return [];
  // Of both at once: starting a program costs more than all else here.
  const [there, made = NONE] = dumpsOf([from, to]) ?? dumpsOf([from]) ?? [];
  if (there === undefined) return copyAttributes(from, to);
  const kept = [...there].filter(([name]) => !FOR_THE_OLD_BYTES.has(name));
  const told = [...there.keys()].filter((name) => FOR_THE_OLD_BYTES.has(name)).map(dropped);
  // A folder's default ACL, for one.
  for (const name of made.keys()) if (!there.has(name)) run('setfattr', ['-x', name, '--', to]);
  const other = kept.filter(([name, value]) => made.get(name) !== value);
  if (other.length === 0) return told;
  const set = other.map(([name, value]) => `${name}=${value}\n`).join('');
  run('setfattr', ['--restore=-'], `# file: ${quoted(to)}\n${set}\n`);
  const [now] = dumpsOf([to]) ?? [];
  const lost = kept.filter(([name, value]) => now?.get(name) !== value).map(([name]) => name);
  return lost.length === 0 ? told : [...told, `a new file took its place, which could not keep ${lost.join(', ')}`];
}

function dropped(name: string): string {
  return `${name} was for the file as it was, and is dropped`;
}

type Dump = ReadonlyMap<string, string>;

const NONE: Dump = new Map();

/** Names and values (in hexadecimal) of all attributes of each; undefined without the program, or where it fails. */
function dumpsOf(paths: readonly string[]): readonly Dump[] | undefined {
  const done = run('getfattr', ['-d', '-m', '-', '-e', 'hex', '--absolute-names', '--', ...paths]);
  if (done?.status !== 0) return undefined;
  const dumps = new Map(paths.map((path) => [path, new Map<string, string>()]));
  let dump: Map<string, string> | undefined;
  // A file without attributes has no lines.
  for (const line of done.stdout.split('\n')) {
    const at = line.indexOf('=0x');
    if (line.startsWith(HEAD)) dump = dumps.get(unquoted(line.slice(HEAD.length)));
    else if (at >= 0) dump?.set(line.slice(0, at), line.slice(at + 1));
  }
  return paths.map((path) => dumps.get(path) ?? NONE);
}

const HEAD = '# file: ';

/** cp tells nothing of what it copies; the kernel drops capabilities when the owner is set next. */
function copyAttributes(from: string, to: string): readonly string[] {
  const done = run('cp', ['--attributes-only', '--preserve=mode,xattr', '--', from, to]);
  if (done?.status === 0) return [];
  const why = done === undefined ? 'neither getfattr nor cp is there' : (done.stderr.trim().split('\n')[0] ?? '');
  const words = why.slice(0, WORDS).replace(/[^\x20-\x7e]/g, '?');
  return [`a new file took its place, and whether an ACL or other attributes are lost cannot be told: ${words}`];
}

/** As a file's name stands in what getfattr prints. */
function quoted(path: string): string {
  return Array.from(new TextEncoder().encode(path), (byte) => {
    const char = String.fromCharCode(byte);
    return /[\w/.-]/.test(char) ? char : `\\${byte.toString(8).padStart(3, '0')}`;
  }).join('');
}

/** The file's name of such a line, each character of which is a byte. */
function unquoted(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  return new TextDecoder().decode(Uint8Array.from(bytes, (char) => char.charCodeAt(0)));
}

/** Runs a program of the system with a clean environment, never one of the current folder. Undefined: there is none. */
function run(program: string, args: readonly string[], input = '') {
  const folders = [...(process.env['PATH'] ?? '').split(':').filter((folder) => folder.startsWith('/')), ...SYSTEM];
  const path = folders.map((folder) => `${folder}/${program}`).find(isFile);
  if (path === undefined) return undefined;
  // Loaded here: an edit in place needs none of it.
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const done = spawnSync(path, args, { env: { LC_ALL: 'C' }, input, encoding: 'latin1', maxBuffer: MOST });
  return done.error === undefined ? done : undefined;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
