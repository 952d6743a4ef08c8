/**
 * Asks QEMU for a kernel by its `-kernel`: without a CPU (`-S -qtest`), where it would enter (fw_cfg), and then with one, whether the
 * kernel's stub is reached. A message and an end is a refusal.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { BufferSource } from '../../src/base/bytes/source.js';
import { hex } from '../../src/base/errors/hex.js';
import { findMb1 } from '../../src/formats/multiboot/mb1.js';
import { QEMU_MB1 } from '../../src/formats/multiboot/windows.js';
import { ImageFolder } from '../oracle/programs.js';
import type { Kernel } from './kernels.js';
import { type Reached, reachedStub } from './plan.js';
import { type Command, commandOf, type Judge, run, type Talk } from './roots.js';
import { askAll, imageFile } from './work.js';

/** Guest memory that the answers are for. */
export const QEMU_MEMORY_MIB = 256;

const LOAD_LIMIT = 20_000;
/** Milliseconds for a kernel to come to its stub: once more with more where it did not, since the machine may be busy. */
const RUN_LIMITS = [3000, 12_000] as const;

/** What QEMU prints and goes on. */
const REMARK = /^warning|multiboot knows VBE/;

/** EAX as the protocol hands it over; every byte in front of the stub has added 1. */
const MULTIBOOT_MAGIC = 0x2badb002;

/** The selector and data ports of fw_cfg, and the key of the entry (FW_CFG_KERNEL_ENTRY). */
const ASK_ENTRY = 'outw 0x510 0x10\ninb 0x511\ninb 0x511\ninb 0x511\ninb 0x511\n';

/** One version of QEMU. */
export class Qemu {
  readonly #folder = new ImageFolder();
  readonly #command: Command;

  constructor({ root }: Judge) {
    const { file, args, env } = commandOf(root, 'qemu-system-x86_64');
    const firmware = ['qemu', 'seabios'].flatMap((folder) => ['-L', join(root.path, 'usr/share', folder)]);
    const machine = [
      '-machine',
      'pc',
      '-m',
      `${QEMU_MEMORY_MIB}`,
      '-nodefaults',
      '-no-user-config',
      '-display',
      'none',
    ];
    this.#command = { file, args: [...args, ...firmware, ...machine], env };
  }

  /** About all of them, two at a time. */
  all(images: readonly Kernel[]): Promise<Map<string, string>> {
    return askAll(images, (kernel) => this.#ask(kernel));
  }

  async #ask(kernel: Kernel): Promise<string> {
    const path = imageFile(this.#folder.path, kernel);
    try {
      const loaded = await this.#load(path);
      if (typeof loaded === 'string') return loaded.replaceAll(path, 'FILE');
      const isMultiboot = findMb1(new BufferSource(kernel.bytes), QEMU_MB1) !== undefined;
      const isEntered = ({ eax, stub }: Reached): boolean =>
        !isMultiboot || (eax - MULTIBOOT_MAGIC) >>> 0 === stub - Number(loaded);
      return `${hex(loaded)} ${await this.#start(path, isEntered)}`;
    } finally {
      rmSync(path);
    }
  }

  /** The entry, or why there is none. */
  async #load(path: string): Promise<bigint | string> {
    const talk: Talk = ({ stdout, end }) => {
      if (stdout.match(/^OK/gm)?.length === 5) end();
    };
    const args = ['-accel', 'tcg', '-S', '-qtest', 'stdio', '-qtest-log', 'none', '-kernel', path];
    const { status, signal, stdout, stderr, late } = await run(this.#command, args, LOAD_LIMIT, talk, ASK_ENTRY);
    const bytes = [...stdout.matchAll(/^OK (0x[0-9a-f]+)/gm)].map(([, value = '0']) => BigInt(value));
    if (bytes.length === 4) return bytes.reduceRight((value, byte) => (value << 8n) | byte, 0n);
    if (late) return 'HANG';
    if (status === null) return `${signal}`;
    const lines = stderr.split('\n').map((line) => line.replace(/^\S*qemu-system-x86_64: /, '').trim());
    return `NO ${lines.find((line) => line !== '' && !REMARK.test(line)) ?? `status ${status}`}`.replaceAll('\t', ' ');
  }

  /**
   * `reached`, or how it was lost. A stub that is not entered as the protocol says was come to by accident: a processor that runs
   * through zeros comes to it, too.
   */
  async #start(path: string, isEntered: (reached: Reached) => boolean): Promise<string> {
    const args = ['-accel', 'tcg', '-no-reboot', '-serial', 'stdio', '-monitor', 'none', '-kernel', path];
    for (const limit of RUN_LIMITS) {
      const { stdout, late, signal } = await run(this.#command, args, limit, ({ stdout: seen, end }) => {
        if (reachedStub(seen) !== undefined) end();
      });
      const reached = reachedStub(stdout);
      if (reached !== undefined) return isEntered(reached) ? 'reached' : 'lost';
      if (!late) return signal === null ? 'lost' : `lost ${signal}`;
    }
    return 'lost';
  }

  remove(): void {
    this.#folder.remove();
  }
}
