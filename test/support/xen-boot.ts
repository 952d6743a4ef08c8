/**
 * Boots a kernel as dom0 under the real Xen (Debian's hypervisor) in QEMU, headless, in software emulation. QEMU's
 * multiboot loader takes the unpacked hypervisor, the kernel is its first module.
 */
import { type Boot, type BootOptions, bootInQemu } from './boot.js';
import { realImage } from './images.js';

export interface XenBootOptions extends Pick<BootOptions, 'marks' | 'stopAtMarks' | 'stopAt' | 'limit' | 'memory'> {
  /** dom0=pvh: needs nested SVM, nested paging and an emulated IOMMU. */
  readonly pvh?: boolean;
  /** Command line of dom0. */
  readonly args?: string;
  /** Further options of Xen. */
  readonly xen?: string;
  /** The unpacked hypervisor; default: that of this machine's release. */
  readonly hypervisor?: string;
  /** A clock that follows the instructions: small kernels repeat exactly and waiting costs nothing. */
  readonly steadyClock?: boolean;
}

/** PV dom0 needs nothing that QEMU does not emulate by itself; PVH dom0 wants an AMD CPU without RDTSCP (Linux uses it). */
const PVH_MACHINE = ['-machine', 'q35', '-cpu', 'EPYC,-rdtscp', '-device', 'amd-iommu'];

/** `path` must not contain blanks or commas: QEMU splits there. */
export function bootUnderXen(path: string, options: XenBootOptions = {}): Promise<Boot> {
  const { pvh = false, args = '', xen = '', steadyClock = true, memory = 256, hypervisor, ...rest } = options;
  const module = args === '' ? path : `${path} ${args}`;
  return bootInQemu(hypervisor ?? realImage('xen').path, {
    ...rest,
    memory,
    append: `console=com1 com1=115200,8n1 loglvl=all guest_loglvl=all dom0=${pvh ? 'pvh' : 'verbose'} ${xen}`.trim(),
    qemu: [
      ...(pvh ? PVH_MACHINE : []),
      ...(steadyClock ? ['-icount', 'shift=8,sleep=off'] : []),
      ...['-initrd', module],
    ],
  });
}

/** Xen's lines without their `(XEN) `, some of which carry a time. */
export function xenLines({ serial }: Boot): string {
  return serial.replaceAll(/^\(XEN\) (?:\[[^\]]*\] )?/gm, '').replaceAll('\r', '');
}

/** The line behind `Panic on CPU 0:`. */
export function panicOf(boot: Boot): string | undefined {
  return /Panic on CPU \d+:\n(.*)/.exec(xenLines(boot))?.[1];
}
