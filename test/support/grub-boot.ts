/** Boots a kernel by GRUB, from a CD image that holds nothing else. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { type Boot, type BootOptions, bootInQemu } from './boot.js';
import { requireTools } from './tools.js';

/** What is made of it: a folder of the test's own, the name of the image in it, and GRUB's command. */
export interface GrubBoot extends Pick<BootOptions, 'marks' | 'limit'> {
  readonly folder: string;
  readonly name: string;
  /** Default: multiboot. */
  readonly command?: 'multiboot' | 'multiboot2';
}

/** GRUB's commands and the kernel on a CD, started by the BIOS; what GRUB says goes to the serial port as well. */
export function bootByGrub(
  kernel: string,
  { folder, name, command = 'multiboot', ...options }: GrubBoot,
): Promise<Boot> {
  requireTools('grub-mkrescue', 'xorriso', 'mformat');
  const tree = `${folder}/${name}-tree`;
  mkdirSync(`${tree}/boot/grub`, { recursive: true });
  copyFileSync(kernel, `${tree}/kernel`);
  const commands = ['serial --unit=0', 'terminal_output serial', `${command} /kernel`, 'boot', 'halt'];
  writeFileSync(`${tree}/boot/grub/grub.cfg`, `${commands.join('\n')}\n`);
  const iso = `${folder}/${name}.iso`;
  const made = spawnSync('grub-mkrescue', ['-o', iso, tree], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(made.stderr);
  return bootInQemu('', { qemu: ['-cdrom', iso], limit: 90_000, ...options });
}
