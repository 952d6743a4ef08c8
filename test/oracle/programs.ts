/** Builds and runs the programs that are asked for their opinion; whatever is missing throws with what brings it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { requireTools } from '../support/tools.js';

const SOURCE = resolve('test/oracle/xen-oracle.c');

/** Names to values, as xen-oracle prints them; texts are hexadecimal. */
export type Answer = ReadonlyMap<string, string>;

/** Another release than the installed one: `4.14`, and its libxenguest.a. */
export interface OtherRelease {
  readonly release: string;
  readonly path: string;
}

/** Xen's own code, compiled once per test file; of another release the note parser alone. */
export class XenOracle {
  readonly #folder = mkdtempSync(join(tmpdir(), 'xen-oracle-'));
  readonly #program = join(this.#folder, 'xen-oracle');

  constructor(other?: OtherRelease) {
    requireTools('gcc');
    const libraries =
      other === undefined
        ? ['-lxenguest', '-lxenctrl', '-lxentoollog']
        : [other.path, `-DPARSER_OF=${other.release.replace('.', '')}`];
    const args = ['-O1', '-Wall', '-o', this.#program, SOURCE, ...libraries];
    const { status, stderr } = spawnSync('gcc', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${stderr}\nrun as root: scripts/install-debian-packages.sh (libxen-dev)`);
  }

  /** One answer for each image. */
  ask(images: readonly Uint8Array[]): Answer[] {
    const batch = join(this.#folder, 'batch');
    const parts = images.flatMap((bytes) => {
      const size = Buffer.alloc(4);
      size.writeUInt32LE(bytes.length);
      return [size, bytes];
    });
    writeFileSync(batch, Buffer.concat(parts));
    const { status, stdout, stderr } = spawnSync(this.#program, [batch], { encoding: 'latin1', maxBuffer: 1 << 28 });
    if (status !== 0) throw new Error(`xen-oracle ended with ${status}: ${stderr}`);
    const answers = stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => new Map(line.split('\t').map((field): [string, string] => split(field))));
    if (answers.length !== images.length) throw new Error(`${answers.length} answers for ${images.length} images`);
    return answers;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function split(field: string): [string, string] {
  const at = field.indexOf('=');
  return [field.slice(0, at), field.slice(at + 1)];
}

/** Texts of an answer, decoded. */
export function textOf(answer: Answer, name: string): string {
  return Buffer.from(answer.get(name) ?? '', 'hex').toString('latin1');
}

/** Files in a folder of their own, for programs that read files. */
export class ImageFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'oracle-images-'));

  write(name: string, bytes: Uint8Array): string {
    const path = join(this.path, name);
    writeFileSync(path, bytes);
    return path;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Runs `work` for all, two at a time: there are two cores. */
export async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items.keys()].reverse();
  const worker = async () => {
    for (let index = rest.pop(); index !== undefined; index = rest.pop()) await work(items[index] as T);
  };
  await Promise.all([worker(), worker()]);
}
