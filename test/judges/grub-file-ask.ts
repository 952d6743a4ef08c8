/** Asks grub-file, which has GRUB's own readers: is it a Multiboot kernel of either version, is it a Xen PV kernel? */
import { rmSync } from 'node:fs';
import { ImageFolder } from '../oracle/programs.js';
import type { Kernel } from './kernels.js';
import { type Command, commandOf, type Judge, run } from './roots.js';
import { askAll, imageFile } from './work.js';

/** What is asked of it, in the order of an answer: `y n n n`. */
export const QUESTIONS = [
  'is-x86-multiboot',
  'is-x86-multiboot2',
  'is-x86_64-xen-domu',
  'is-i386-xen-pae-domu',
] as const;

const LIMIT = 20_000;

/** One version of grub-file. */
export class GrubFile {
  readonly #folder = new ImageFolder();
  readonly #command: Command;

  constructor({ root }: Judge) {
    this.#command = commandOf(root, 'grub-file');
  }

  /** About all of them, two at a time. */
  all(images: readonly Kernel[]): Promise<Map<string, string>> {
    return askAll(images, (kernel) => this.#ask(kernel));
  }

  async #ask(kernel: Kernel): Promise<string> {
    const path = imageFile(this.#folder.path, kernel);
    const answers: string[] = [];
    for (const question of QUESTIONS) {
      const { status, signal, late } = await run(this.#command, [`--${question}`, path], LIMIT);
      // Its status is the number of an error of GRUB's, too: a no is anything but 0.
      answers.push(late ? 'HANG' : signal === null ? (status === 0 ? 'y' : 'n') : signal);
    }
    rmSync(path);
    return answers.join(' ');
  }

  remove(): void {
    this.#folder.remove();
  }
}
