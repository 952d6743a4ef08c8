/**
 * Boots a kernel straight in QEMU, headless, in software emulation, and says how it ended. `-kernel` takes a PVH or
 * Multiboot 1 ELF or a bzImage (QEMU hw/i386/x86-common.c, hw/i386/multiboot.c); no firmware setting, no KVM.
 */
import { spawn } from 'node:child_process';
import { requireTools } from './tools.js';

/** What every kernel under fixtures/src prints once it found its data loaded as linked. */
export const GOOD_MARKS = ['MARK data ok', 'MARK bss ok', 'MARK done'] as const;

/** QEMU's status when the guest wrote 0x10 to isa-debug-exit: twice the value, plus one. */
const STATUS_DONE = 33;
const CONSOLE_LIMIT = 1 << 20;

export interface BootOptions {
  /** Kernel command line. */
  readonly append?: string;
  /** Guest memory in MiB. */
  readonly memory?: number;
  /** Lines that must have been printed for the boot to count; default: those of our own kernels. */
  readonly marks?: readonly string[];
  /** For kernels that never end QEMU: stop once all marks were printed, instead of waiting for the exit port. */
  readonly stopAtMarks?: boolean;
  /** Stop as soon as this was printed, whatever else was: for ends that are waited out. */
  readonly stopAt?: RegExp;
  /** Milliseconds before a silent guest counts as hung. */
  readonly limit?: number;
  /** Further QEMU arguments. */
  readonly qemu?: readonly string[];
}

export interface Boot {
  /** QEMU's exit status; null when it was ended by a signal. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What the guest wrote to its first serial port, at most 1 MiB. */
  readonly serial: string;
  /** What QEMU itself had to say. */
  readonly stderr: string;
  /**
   * booted: the expected end and every mark, both. wrong: it ran, but a mark or the right status is missing.
   * refused: QEMU would not load it (the reason is on stderr). reset: the guest reset itself, as by a triple fault.
   * hung: the time limit. crashed: QEMU itself died, as it does on a PT_NOTE with p_align 0.
   */
  readonly verdict: 'booted' | 'wrong' | 'refused' | 'reset' | 'hung' | 'crashed';
}

/** Boots `kernel` (empty: what `qemu` names) and resolves when QEMU has ended; it rejects only when QEMU cannot be run at all. */
export function bootInQemu(kernel: string, options: BootOptions = {}): Promise<Boot> {
  requireTools('qemu-system-x86_64');
  const { append, memory = 64, marks = GOOD_MARKS, stopAtMarks = false, stopAt, limit = 30_000, qemu = [] } = options;
  const args = [
    ...['-nodefaults', '-no-user-config', '-machine', 'pc', '-accel', 'tcg', '-m', `${memory}`],
    ...['-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-no-reboot'],
    ...['-device', 'isa-debug-exit,iobase=0xf4,iosize=4'],
    ...(kernel === '' ? [] : ['-kernel', kernel]),
    ...(append === undefined ? [] : ['-append', append]),
    ...qemu,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let serial = '';
    let stderr = '';
    let stopped: 'marks' | 'limit' | undefined;
    const stop = (why: 'marks' | 'limit'): void => {
      stopped ??= why;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => stop('limit'), limit);
    const hasMarks = (): boolean => marks.every((mark) => serial.includes(mark));

    child.stdout.setEncoding('latin1').on('data', (text: string) => {
      serial = (serial + text).slice(0, CONSOLE_LIMIT);
      if ((stopAtMarks && hasMarks()) || stopAt?.test(serial) === true) stop('marks');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(0, CONSOLE_LIMIT);
    });
    child.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      const ended = { status, signal, serial, stderr };
      resolve({ ...ended, verdict: judge() });

      function judge(): Boot['verdict'] {
        if (stopped === 'limit') return 'hung';
        if (stopped === 'marks') return 'booted';
        if (signal !== null) return 'crashed';
        if (status === 1 && serial === '') return 'refused';
        if (status === STATUS_DONE && hasMarks()) return 'booted';
        return status === 0 ? 'reset' : 'wrong';
      }
    });
  });
}
