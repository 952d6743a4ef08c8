/**
 * Asks GRUB itself, on a PC that QEMU emulates: one run tries image after image by `multiboot` or `multiboot2` and boots what it could
 * load. The kernel's stub says where it was entered and resets the machine; the number of the next image is kept on the disk, so
 * that GRUB goes on with it, whatever became of the one before.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hex } from '../../src/base/errors/hex.js';
import { requireTools } from '../support/tools.js';
import type { Kernel } from './kernels.js';
import { reachedStub } from './plan.js';
import { commandOf, type Judge } from './roots.js';

/** EAX as either version of the protocol hands it over; every byte in front of the stub has added 1. */
const MAGIC = { mb1: 0x2badb002, mb2: 0x36d76289 } as const;

const MODULES = 'biosdisk fat serial terminal multiboot multiboot2 boot echo loadenv test normal'.split(' ');
/** Sectors of the disk: 32 MiB. */
const DISK = ['-C', '-T', '65536', '-h', '16', '-s', '63'];
/** Milliseconds without a word after which the machine is started anew: once GRUB has said that it loaded, and before. */
const SILENCE = { loaded: 10_000, loading: 20_000 } as const;
/** Characters that one machine may print: all images together print less. */
const CONSOLE_LIMIT = 1 << 18;
/** `grub-editenv create`, with one variable. */
const ENVIRONMENT = '# GRUB Environment Block\nn=0\n'.padEnd(1024, '#');

function must(program: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program}: ${stderr}${error?.message ?? ''}`);
}

/** What GRUB is told: each image has its turn once, and `n` says whose it is. */
function script(images: readonly Kernel[]): string {
  const turns = images.map(({ name }, index) => {
    const command = name.startsWith('mb2') ? 'multiboot2' : 'multiboot';
    const next = `set n=${index + 1}\nsave_env -f (hd0)/env n\necho "TRY ${index}"`;
    return `if [ "$n" = "${index}" ]; then\n${next}\nif ${command} (hd0)/k${index}; then\necho LOADED\nboot\nfi\nfi\n`;
  });
  const start = 'serial --unit=0 --speed=115200\nterminal_output serial\nload_env -f (hd0)/env n\necho "START $n"\n';
  return `${start}${turns.join('')}echo ALLDONE\n`;
}

/** One version of GRUB with the QEMU of its release. */
export class Grub {
  readonly #folder = mkdtempSync(join(tmpdir(), 'grub-'));
  readonly #judge: Judge;
  readonly #kernel: string;

  constructor(judge: Judge) {
    requireTools('mformat', 'mcopy');
    this.#judge = judge;
    const modules = join(judge.root.path, 'usr/lib/grub/i386-pc');
    const core = join(this.#folder, 'core.img');
    const { file, args } = commandOf(judge.root, 'grub-mkimage');
    must(file, [...args, '-O', 'i386-pc', '-d', modules, '-o', core, '-p', '(hd0)/grub', ...MODULES]);
    this.#kernel = join(this.#folder, 'grub');
    writeFileSync(this.#kernel, Buffer.concat([readFileSync(join(modules, 'lnxboot.img')), readFileSync(core)]));
  }

  /** Two machines at a time, each with half of the images. */
  async all(images: readonly Kernel[]): Promise<Map<string, string>> {
    const half = Math.ceil(images.length / 2);
    const answers = await Promise.all([this.#half('a', images.slice(0, half)), this.#half('b', images.slice(half))]);
    return new Map(answers.flatMap((each) => [...each]));
  }

  async #half(name: string, images: readonly Kernel[]): Promise<Map<string, string>> {
    if (images.length === 0) return new Map();
    const disk = this.#disk(name, images);
    let serial = '';
    for (let starts = 0; !serial.includes('ALLDONE'); starts++) {
      if (starts > images.length + 2) throw new Error(`GRUB does not get on:\n${serial.slice(-2000)}`);
      serial += `\n${await this.#run(disk)}\n`;
    }
    return answersIn(serial, images);
  }

  #disk(name: string, images: readonly Kernel[]): string {
    const disk = join(this.#folder, `disk-${name}`);
    must('mformat', ['-i', disk, ...DISK, '::']);
    must('mmd', ['-i', disk, '::/grub']);
    const put = (bytes: string | Uint8Array, to: string): void => {
      const from = join(this.#folder, `file-${name}`);
      writeFileSync(from, bytes);
      must('mcopy', ['-i', disk, '-o', from, `::${to}`]);
    };
    put(script(images), '/grub/grub.cfg');
    put(ENVIRONMENT, '/env');
    for (const [index, { bytes }] of images.entries()) put(bytes, `/k${index}`);
    return disk;
  }

  /** What the machine wrote until all was done or it fell silent. */
  #run(disk: string): Promise<string> {
    const { root } = this.#judge;
    const { file, args, env } = commandOf(root, 'qemu-system-x86_64');
    const firmware = ['qemu', 'seabios'].flatMap((folder) => ['-L', join(root.path, 'usr/share', folder)]);
    const machine = [
      '-machine',
      'pc',
      '-accel',
      'tcg',
      '-m',
      '256',
      '-nodefaults',
      '-no-user-config',
      '-display',
      'none',
    ];
    const devices = ['-serial', 'stdio', '-drive', `file=${disk},format=raw,if=ide`, '-kernel', this.#kernel];
    return new Promise((resolve, reject) => {
      const child: ChildProcess = spawn(file, [...args, ...firmware, ...machine, ...devices], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env,
      });
      let serial = '';
      const end = (): void => {
        child.kill('SIGKILL');
      };
      let timer = setTimeout(end, SILENCE.loading);
      child.stdout?.setEncoding('latin1').on('data', (text: string) => {
        serial += text;
        clearTimeout(timer);
        // A kernel that is lost may print without end.
        if (serial.includes('ALLDONE') || serial.length > CONSOLE_LIMIT) end();
        const running = serial.lastIndexOf('LOADED') > serial.lastIndexOf('START');
        timer = setTimeout(end, running ? SILENCE.loaded : SILENCE.loading);
      });
      child.on('error', reject);
      child.on('close', () => {
        clearTimeout(timer);
        resolve(serial);
      });
    });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The part of the console behind each TRY, read. */
function answersIn(serial: string, images: readonly Kernel[]): Map<string, string> {
  const parts = serial.split(/TRY (\d+)/);
  const said = new Map<number, string>();
  for (let at = 1; at < parts.length; at += 2) said.set(Number(parts[at]), parts[at + 1] ?? '');
  return new Map(images.map(({ name }, index) => [name, answerOf(name, said.get(index) ?? '')]));
}

function answerOf(name: string, text: string): string {
  const reached = reachedStub(text);
  const magic = name.startsWith('mb2') ? MAGIC.mb2 : MAGIC.mb1;
  if (reached !== undefined) return hex(BigInt(reached.stub) - BigInt((reached.eax - magic) >>> 0));
  if (text.includes('LOADED')) return 'lost';
  const error = /error: (.*?)\.?\r?\n/.exec(text)?.[1];
  return error === undefined ? 'HANG' : `NO ${error.trim()}`;
}
