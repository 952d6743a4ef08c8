/**
 * Firecracker (src/vmm/src/arch/x86_64/mod.rs, load_kernel), Cloud Hypervisor (vmm/src/vm.rs, load_kernel) and libkrun
 * (src/vmm/src/builder.rs, load_external_kernel): one reader, rust-vmm/linux-loader, and three answers to what it finds.
 */
import type { ByteSource } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { bootProtocol, hasLinuxMagic, XLF_KERNEL_64, xloadflags } from '../formats/linux/boot-header.js';
import { editFix, type Fix, preset } from '../formats/note/fix.js';
import {
  ELF_HEADER,
  ENTRY_IN_HIGH_MEMORY,
  HEADER,
  LACKS_PVH,
  LinuxLoaderView,
  REMARKS,
  SEGMENTS,
  withoutEntry,
} from './linux-loader.js';
import { DEFAULT_MEMORY, type MemoryMap } from './memory.js';
import { hasElfMagic } from './read/lenient-elf.js';
import { NOTE_WALKS } from './read/note-steps.js';
import { type Loader, loader, type Options, otherPath, type Rule, refuse } from './rule.js';
import { isSinceRelease } from './versions.js';

type R = Rule<LinuxLoaderView>;

const FIRECRACKER = 'firecracker src/vmm/src/arch/x86_64/mod.rs, load_kernel';
const CLOUD_HYPERVISOR = 'cloud-hypervisor vmm/src/vm.rs, load_kernel';
const LIBKRUN = 'libkrun src/vmm/src/builder.rs, load_external_kernel';

const BECAUSE =
  'every PT_NOTE overwrites the answer, so the last one decides; without an entry each caller does its own';

/** Is the file one that Linux's own start-up code unpacks, and no ELF? */
function isBzImage(source: ByteSource): boolean {
  return !hasElfMagic(source) && hasLinuxMagic(source);
}

/** Entered at e_entry as a 64-bit Linux, without a message. */
function asLinux({ image: { header } }: LinuxLoaderView, how: string, reason: string, cure?: Fix) {
  return otherPath(`starts e_entry ${hex(header.e_entry)} in 64-bit mode ${how}: ${reason}`, cure);
}

/** A release that knows no PVH: all it does with an ELF. */
function noPvhYet(source: string, until: string, how: string): R {
  return {
    name: 'pvh-known',
    source,
    because: 'older releases do not ask for the PVH entry',
    until,
    run: (view) => asLinux(view, how, 'this release does not look for PHYS32_ENTRY'),
  };
}

/** What a caller does that starts e_entry where there is no PVH entry. */
function elseLinux(source: string, how: string): R {
  return {
    name: 'pvh-entry',
    source,
    because: BECAUSE,
    run(view) {
      const why = withoutEntry(view);
      return why === undefined ? undefined : asLinux(view, how, why, editFix(preset('pvh')));
    },
  };
}

const ZERO_PAGE = 'with a Linux zero page';

const values = ({ entry }: LinuxLoaderView) => ({ entry: entry.value, mode: '32-bit, paging off' });

/** Firecracker src/vmm/src/arch/x86_64/layout.rs, MMIO32_MEM_START; libkrun src/arch/src/x86_64/mod.rs, MMIO_MEM_START. */
const HOLE_AT_D: MemoryMap = { holeStart: 0xd000_0000n };
/** Cloud Hypervisor arch/src/x86_64/layout.rs, MEM_32BIT_RESERVED_START. */
const HOLE_AT_C: MemoryMap = { holeStart: 0xc000_0000n };

function open(source: ByteSource, { memory = DEFAULT_MEMORY }: Options): LinuxLoaderView {
  return new LinuxLoaderView(source, { memory, map: HOLE_AT_D });
}

const needsMemory = (view: LinuxLoaderView) => view.needsMemory();

/** Firecracker, loading what its configuration names as `kernel_image_path`. */
export const firecracker: Loader = loader<LinuxLoaderView>({
  name: 'firecracker',
  open,
  rules: [
    HEADER,
    {
      name: 'not-bzimage',
      source: FIRECRACKER,
      because: 'what is no ELF is tried as a bzImage with a 64-bit entry (XLF_KERNEL_64, version 2.12)',
      since: 'main',
      run({ source }) {
        const has64 = bootProtocol(source) >= 0x20c && (xloadflags(source) & XLF_KERNEL_64) !== 0;
        return isBzImage(source) && has64 ? otherPath('starts it as a bzImage, 0x200 behind its start') : undefined;
      },
    },
    ...ELF_HEADER,
    ENTRY_IN_HIGH_MEMORY,
    ...SEGMENTS,
    noPvhYet(FIRECRACKER, '1.12', ZERO_PAGE),
    elseLinux(FIRECRACKER, ZERO_PAGE),
    ...REMARKS,
  ],
  values,
  needsMemory,
});

/** Since 39 the complaint that is seen is that of the attempt to load a bzImage. */
function thenBzImage(rule: R): R {
  return {
    ...rule,
    run(view) {
      const remark = rule.run(view);
      if (remark === undefined || !('kind' in remark) || remark.kind !== 'refuse') return remark;
      const seen = 'it tries the file as a bzImage next, and complains about that (since 39)';
      return { ...remark, reason: remark.reason === undefined ? seen : `${remark.reason}; ${seen}` };
    },
  };
}

/** Cloud Hypervisor, loading what `--kernel` names. */
export const cloudHypervisor: Loader = loader<LinuxLoaderView>({
  name: 'cloud-hypervisor',
  open: (source, { memory = DEFAULT_MEMORY, version = '' }) =>
    new LinuxLoaderView(
      source,
      { memory, map: HOLE_AT_C },
      NOTE_WALKS[isSinceRelease('cloud-hypervisor', version, '38') ? 'linux-loader' : 'linux-loader-0.8'].step,
    ),
  rules: [
    HEADER,
    {
      name: 'not-bzimage',
      source: CLOUD_HYPERVISOR,
      because: 'what is no ELF is tried as a bzImage',
      since: '39',
      run: ({ source }) =>
        isBzImage(source) ? otherPath("starts it as a bzImage, by Linux's own start-up code") : undefined,
    },
    ...[...ELF_HEADER, ENTRY_IN_HIGH_MEMORY, ...SEGMENTS].map(thenBzImage),
    {
      name: 'pvh-entry',
      source: CLOUD_HYPERVISOR,
      because: BECAUSE,
      run(view) {
        const reason = withoutEntry(view);
        return reason === undefined ? undefined : refuse(LACKS_PVH, { reason, cure: editFix(preset('pvh')) });
      },
    },
    ...REMARKS,
  ],
  values,
  needsMemory,
});

/** libkrun, loading an external kernel that its caller calls ELF. */
export const libkrun: Loader = loader<LinuxLoaderView>({
  name: 'libkrun',
  open,
  rules: [
    HEADER,
    ...ELF_HEADER,
    // It passes no bound, so the library compares e_entry with nothing.
    ...SEGMENTS,
    noPvhYet(LIBKRUN, 'main', 'as Linux'),
    elseLinux(LIBKRUN, 'as Linux'),
    ...REMARKS,
  ],
  values,
  needsMemory,
});
