/**
 * Boots through a boot loader: a machine with BIOS or UEFI, GRUB media or an EFI system partition, headless, in software
 * emulation. For kernels that QEMU loads itself see boot.ts.
 */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { requireTools } from './tools.js';

const OVMF = '/usr/share/OVMF';
const CONSOLE_LIMIT = 1 << 20;

/** `secure`: UEFI with Secure Boot on, and Debian's test key (PkKek-1-snakeoil) in PK, KEK and db. */
export type Firmware = 'bios' | 'uefi' | 'secure';

export interface MachineOptions {
  readonly firmware: Firmware;
  /** QEMU arguments for the boot medium or the kernel. */
  readonly medium: readonly string[];
  /** Ends the boot: the guest said what was waited for. */
  readonly until?: RegExp;
  readonly memory?: number;
  /** Milliseconds before a silent guest counts as hung. */
  readonly limit?: number;
  /** Where the machine's own files may be put. */
  readonly folder: string;
  /** Variables to begin with, in place of the firmware's own; they are copied. */
  readonly variables?: string | undefined;
}

export interface MachineRun {
  /** QEMU's exit status; null when it was stopped. */
  readonly status: number | null;
  readonly serial: string;
  readonly ended: 'by itself' | 'as awaited' | 'at the limit';
}

/** A CD image with GRUB for BIOS and UEFI that runs `commands`; `files` go into /boot. */
export function grubMedium(
  folder: string,
  files: Readonly<Record<string, string>>,
  commands: readonly string[],
): string[] {
  requireTools('grub-mkrescue', 'xorriso', 'mformat');
  for (const platform of ['i386-pc', 'x86_64-efi']) {
    if (!existsSync(`/usr/lib/grub/${platform}`)) {
      throw new Error(`no GRUB for ${platform}; run as root: scripts/install-debian-packages.sh boot`);
    }
  }
  const tree = mkdtempSync(join(folder, 'grub-'));
  mkdirSync(join(tree, 'boot/grub'), { recursive: true });
  for (const [name, path] of Object.entries(files)) copyFileSync(path, join(tree, 'boot', name));
  const setup = ['serial --unit=0 --speed=115200', 'terminal_output serial', 'set timeout=0'];
  writeFileSync(join(tree, 'boot/grub/grub.cfg'), `${[...setup, ...commands, 'boot'].join('\n')}\n`);
  const disc = `${tree}.iso`;
  const made = spawnSync('grub-mkrescue', ['-o', disc, tree], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`grub-mkrescue: ${made.stderr}`);
  rmSync(tree, { recursive: true });
  return ['-cdrom', disc];
}

/** An EFI system partition whose boot program is `program`; `files` stand beside it. */
export function efiMedium(
  folder: string,
  program: string | undefined,
  files: Readonly<Record<string, string>> = {},
): string[] {
  const tree = mkdtempSync(join(folder, 'esp-'));
  const boot = join(tree, 'EFI/BOOT');
  mkdirSync(boot, { recursive: true });
  if (program !== undefined) copyFileSync(program, join(boot, 'BOOTX64.EFI'));
  for (const [name, path] of Object.entries(files)) copyFileSync(path, join(boot, name));
  return ['-drive', `format=raw,file=fat:rw:${tree}`];
}

/** Runs a machine until it ends by itself, has said what was awaited, or the limit is reached. */
export function runMachine(options: MachineOptions): Promise<MachineRun> {
  requireTools('qemu-system-x86_64');
  const { firmware, medium, until, memory = 256, limit = 150_000, folder } = options;
  const args = [
    ...[
      '-M',
      firmware === 'secure' ? 'q35,smm=on' : 'q35',
      '-cpu',
      'max',
      '-accel',
      'tcg',
      '-m',
      `${memory}`,
      '-display',
      'none',
      '-monitor',
      'none',
    ],
    ...['-serial', 'stdio', '-no-reboot', '-net', 'none', '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x4'],
    ...(firmware === 'bios' ? [] : uefi(folder, FIRMWARE[firmware], options.variables)),
    ...(firmware === 'secure' ? SECURE : []),
    ...medium,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let serial = '';
    let ended: MachineRun['ended'] = 'by itself';
    const stop = (why: MachineRun['ended']) => {
      ended = why;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => stop('at the limit'), limit);
    child.stdout.setEncoding('latin1').on('data', (text: string) => {
      serial = (serial + text).slice(0, CONSOLE_LIMIT);
      if (ended === 'by itself' && until?.test(serial) === true) stop('as awaited');
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (status) => {
      clearTimeout(timer);
      resolve({ status, serial, ended });
    });
  });
}

const FIRMWARE = {
  uefi: ['OVMF_CODE.fd', 'OVMF_VARS.fd'],
  secure: ['OVMF_CODE_4M.secboot.fd', 'OVMF_VARS_4M.snakeoil.fd'],
} as const;
/** Variables that only the firmware may write. */
const SECURE = ['-global', 'driver=cfi.pflash01,property=secure,value=on'];

/** Fresh variables for every boot: the firmware writes a boot order into them and then tries nothing else. */
function uefi(
  folder: string,
  [codeName, varsName]: readonly [string, string],
  variables = join(OVMF, varsName),
): string[] {
  const code = join(OVMF, codeName);
  if (!existsSync(code)) throw new Error(`no ${code}; run as root: scripts/install-debian-packages.sh boot`);
  const vars = join(mkdtempSync(join(folder, 'vars-')), 'vars.fd');
  copyFileSync(variables, vars);
  return [
    ...['-drive', `if=pflash,format=raw,readonly=on,file=${code}`],
    ...['-drive', `if=pflash,format=raw,file=${vars}`],
  ];
}
