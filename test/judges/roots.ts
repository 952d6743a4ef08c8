/** Starts programs of other Debian releases where they were unpacked, by the dynamic loader of that release. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type JudgeRoot, judgeRoots } from '../support/images.js';

const FOLDERS = ['usr/bin', 'bin', 'usr/sbin', 'sbin'];
/** QEMU's own modules, its emulator of the CPU among them in some releases. */
const MODULES = 'usr/lib/x86_64-linux-gnu/qemu';
const LIBRARIES = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu'];

function firstThere(root: JudgeRoot, folders: readonly string[], name: string): string {
  const found = folders.map((folder) => join(root.path, folder, name)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`no ${name} in ${root.path}; run: node scripts/fetch-images.mjs judges`);
  return found;
}

/** A command line without a shell. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** How the program of that root is started. */
export function commandOf(root: JudgeRoot, program: string): Command {
  const libraries = LIBRARIES.map((folder) => join(root.path, folder)).join(':');
  return {
    file: firstThere(root, LIBRARIES, 'ld-linux-x86-64.so.2'),
    args: ['--library-path', libraries, firstThere(root, FOLDERS, program)],
    env: { ...process.env, LC_ALL: 'C', QEMU_MODULE_DIR: join(root.path, MODULES) },
  };
}

/** What a program ended with, and what it printed, at most 64 KiB of either. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** It had to be ended. */
  readonly late: boolean;
}

const OUTPUT_LIMIT = 1 << 16;

/** Runs a program to its end, or for so many milliseconds. `talk` may end it; `input` is what it is told at once. */
export function run(
  command: Command,
  args: readonly string[],
  limit: number,
  talk?: Talk,
  input?: string,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const stdio = [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'] as const;
    const child: ChildProcess = spawn(command.file, [...command.args, ...args], {
      stdio: [...stdio],
      env: command.env,
    });
    let [stdout, stderr, late] = ['', '', false];
    const end = (): void => {
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => {
      late = true;
      end();
    }, limit);
    child.stdout?.setEncoding('latin1').on('data', (text: string) => {
      stdout = (stdout + text).slice(0, OUTPUT_LIMIT);
      talk?.({ stdout, end });
    });
    child.stderr?.setEncoding('latin1').on('data', (text: string) => {
      stderr = (stderr + text).slice(0, OUTPUT_LIMIT);
    });
    // A program that has ended no longer listens.
    child.stdin?.on('error', () => undefined);
    if (input !== undefined) child.stdin?.write(input);
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ status, signal, stdout, stderr, late });
    });
  });
}

/** Called with everything that was printed so far, whenever there is more. */
export type Talk = (seen: { readonly stdout: string; end(): void }) => void;

/** A program of some release that can be asked. */
export interface Judge {
  readonly root: JudgeRoot;
  /** Of the program itself: `10.0.13`. */
  readonly version: string;
}

/** Who can be asked, and what could not be had, with what apt said. */
export interface Judges {
  readonly judges: readonly Judge[];
  readonly missing: readonly string[];
}

/**
 * Who can be asked: for each root the program's own word on its version (a package may be newer than its name says). `missing`:
 * releases of Debian that could not be had.
 */
export function judgesOf(program: string): Judges {
  const { roots, missing } = judgeRoots();
  const judges = roots.map((root) => {
    const { file, args } = commandOf(root, program);
    const said = spawnSync(file, [...args, '--version'], { encoding: 'utf8' }).stdout;
    const version = /(?:version|kexec-tools|GRUB\)) (\d+(?:\.\d+)+)/.exec(said)?.[1];
    if (version === undefined) throw new Error(`${root.name}, ${program} --version: ${said}`);
    return { root, version };
  });
  return { judges, missing };
}
