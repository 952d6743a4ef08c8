/**
 * Asks kexec-tools: `kexec -c -l` as nobody, without capabilities, and in front of a library that takes every system call away
 * by which something could be loaded. It does all its work before that call, so its failure means: taken.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { requireTools } from '../support/tools.js';
import type { Kernel } from './kernels.js';
import { type Command, commandOf, type Judge, run } from './roots.js';
import { askAll, imageFile } from './work.js';

const SHIM = resolve('test/judges/kexec-memory.c');
const NOBODY = ['--reuid=65534', '--regid=65534', '--clear-groups', '--bounding-set=-all', '--no-new-privs'];
const LIMIT = 20_000;

/** One version of kexec-tools, in a folder that nobody may read. */
export class KexecTools {
  readonly #folder = mkdtempSync(join(tmpdir(), 'kexec-'));
  readonly #command: Command;

  constructor({ root }: Judge) {
    requireTools('gcc', 'setpriv');
    chmodSync(this.#folder, 0o755);
    const shim = join(this.#folder, 'memory.so');
    const built = spawnSync('gcc', ['-shared', '-fPIC', '-O1', '-Wall', '-o', shim, SHIM], { encoding: 'utf8' });
    if (built.status !== 0) throw new Error(`${built.stderr}\nrun as root: scripts/install-debian-packages.sh tools`);
    const { file, args, env } = commandOf(root, 'kexec');
    const listed = spawnSync(file, [...args.slice(0, 2), '--list', ...args.slice(2)], { encoding: 'utf8' }).stdout;
    const libraries = [...listed.matchAll(/=> (\/\S+)/g)].map(([, path = '']) => path);
    const copies = [file, args.at(-1) ?? '', ...libraries];
    for (const path of copies) copyFileSync(path, join(this.#folder, basename(path)));
    const own = (name: string) => join(this.#folder, name);
    const start = [own(basename(file)), '--library-path', this.#folder, '--preload', shim, own('kexec')];
    const isRoot = process.getuid?.() === 0;
    this.#command = { file: 'setpriv', args: [...(isRoot ? NOBODY : ['--no-new-privs']), ...start], env };
  }

  /** About all of them, two at a time. */
  all(images: readonly Kernel[]): Promise<Map<string, string>> {
    return askAll(images, (kernel) => this.#ask(kernel));
  }

  async #ask(kernel: Kernel): Promise<string> {
    const path = imageFile(this.#folder, kernel);
    const { signal, stderr, stdout, late } = await run(this.#command, ['-c', '-l', path], LIMIT);
    rmSync(path);
    // It sums up what it loads, zeros too: gigabytes of them are taken, some time.
    if (late) return 'SLOW';
    if (signal !== null) return signal;
    const said = `${stderr}\n${stdout}`;
    if (said.includes('kexec_load failed')) return 'TAKEN';
    const lines = said.split('\n').map((line) => line.trim());
    return `NO ${lines.find((line) => TOLD.test(line)) ?? lines.filter((line) => line !== '').join(' / ')}`
      .replaceAll(path, 'FILE')
      .replaceAll('\t', ' ');
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The line that tells most, where several are printed: probes that fail make another program try. */
const TOLD =
  /page aligned|Overlapping memory|Invalid memory|No ELF program header|ELF interpreter|Note corrupted|entsize|Cannot determine/;
