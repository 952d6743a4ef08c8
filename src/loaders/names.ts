/**
 * The loaders as rows: what each is called, who starts the kernel through it, by which kind of entry, and whose releases
 * its rules go by. Every list or group of loaders is picked from here; the rules are in the files of loaders.ts.
 */
import { fail } from '../base/errors/patch-error.js';
import { knownVersion, newestVersion, type Product } from './versions.js';

/** The entry that a loader goes by: Xen's PV notes, PHYS32_ENTRY, a Multiboot header, e_entry, or that of a PE image. */
export type LoaderFamily = 'pv' | 'pvh' | 'multiboot' | 'elf' | 'pe';

/** Who starts the kernel: `toolstack` builds a guest, `hypervisor` builds dom0, `vmm` is a machine monitor without Xen. */
export type Starter = 'toolstack' | 'hypervisor' | 'vmm' | 'boot-loader' | 'firmware';

/** What is known about a loader besides its rules. */
export interface LoaderRow {
  /** As `--for` takes it. */
  readonly name: string;
  readonly title: string;
  readonly family: LoaderFamily;
  readonly starter: Starter;
  /** The only class that it takes; undefined: both. */
  readonly bits?: 64;
  /** Whose releases its rules go by. */
  readonly product: Product;
  /** Other names under which people ask `explain` for it. */
  readonly aliases?: readonly string[];
}

/** In the order in which lists show them. */
export const LOADER_ROWS = [
  {
    name: 'xen-pv',
    title: 'Xen PV guest, built by xl',
    family: 'pv',
    starter: 'toolstack',
    product: 'xen',
  },
  {
    name: 'xen-pvh',
    title: 'Xen PVH guest, built by xl',
    family: 'pvh',
    starter: 'toolstack',
    product: 'xen',
  },
  {
    name: 'xen-dom0-pv',
    title: 'Xen PV dom0, built by the hypervisor',
    family: 'pv',
    starter: 'hypervisor',
    product: 'xen',
  },
  {
    name: 'xen-dom0-pvh',
    title: 'Xen PVH dom0, built by the hypervisor',
    family: 'pvh',
    starter: 'hypervisor',
    product: 'xen',
  },
  {
    name: 'qemu-pvh',
    title: 'QEMU -kernel, by the PVH note',
    family: 'pvh',
    starter: 'vmm',
    product: 'qemu',
    aliases: ['qemu'],
  },
  {
    name: 'qemu-multiboot',
    title: 'QEMU -kernel, by a Multiboot 1 header',
    family: 'multiboot',
    starter: 'vmm',
    product: 'qemu',
  },
  {
    name: 'firecracker',
    title: 'Firecracker',
    family: 'pvh',
    starter: 'vmm',
    product: 'firecracker',
    bits: 64,
  },
  {
    name: 'cloud-hypervisor',
    title: 'Cloud Hypervisor',
    family: 'pvh',
    starter: 'vmm',
    product: 'cloud-hypervisor',
    bits: 64,
  },
  {
    name: 'libkrun',
    title: 'libkrun, an external kernel in ELF',
    family: 'pvh',
    starter: 'vmm',
    product: 'libkrun',
    bits: 64,
  },
  {
    name: 'crosvm',
    title: 'crosvm, entered at e_entry',
    family: 'elf',
    starter: 'vmm',
    product: 'crosvm',
  },
  {
    name: 'openvmm',
    title: 'OpenVMM, direct boot of Linux',
    family: 'elf',
    starter: 'vmm',
    product: 'openvmm',
    bits: 64,
  },
  {
    name: 'grub-xen',
    title: 'GRUB for Xen, starting a PV kernel',
    family: 'pv',
    starter: 'boot-loader',
    product: 'grub',
    aliases: ['grub'],
  },
  {
    name: 'grub-multiboot',
    title: 'GRUB, Multiboot 1',
    family: 'multiboot',
    starter: 'boot-loader',
    product: 'grub',
  },
  {
    name: 'grub-multiboot2',
    title: 'GRUB, Multiboot 2',
    family: 'multiboot',
    starter: 'boot-loader',
    product: 'grub',
  },
  {
    name: 'limine',
    title: 'Limine, by its own protocol or by Multiboot',
    family: 'elf',
    starter: 'boot-loader',
    product: 'limine',
  },
  {
    name: 'kexec',
    title: 'kexec-tools, ELF images',
    family: 'elf',
    starter: 'boot-loader',
    product: 'kexec-tools',
  },
] as const satisfies readonly LoaderRow[];

/** What starts PE images alone: shown of a PE image, and of any other where it is asked for. */
export const EFI_ROWS = [
  {
    name: 'uefi',
    title: 'UEFI firmware (EDK2)',
    family: 'pe',
    starter: 'firmware',
    bits: 64,
    product: 'edk2',
    aliases: ['edk2', 'ovmf'],
  },
  {
    name: 'shim',
    title: 'shim, as what it starts itself',
    family: 'pe',
    starter: 'boot-loader',
    bits: 64,
    product: 'shim',
  },
  {
    name: 'grub-secure-boot',
    title: 'GRUB behind shim with Secure Boot on',
    family: 'pe',
    starter: 'boot-loader',
    bits: 64,
    product: 'grub',
  },
] as const satisfies readonly LoaderRow[];

/** The name of a loader on a command line and in `--json`. */
export type LoaderName = (typeof LOADER_ROWS)[number]['name'] | (typeof EFI_ROWS)[number]['name'];

/** The names of those that start PE images alone. */
export const EFI_NAMES: readonly LoaderName[] = EFI_ROWS.map(({ name }) => name);

const EVERY_ROW: readonly (LoaderRow & { readonly name: LoaderName })[] = [...LOADER_ROWS, ...EFI_ROWS];

/** The names of those that are asked about any image, in the order of the rows. */
export const LOADER_NAMES: readonly LoaderName[] = LOADER_ROWS.map(({ name }) => name);

/** Names that stand for rows by other names; one for several has no version of its own. */
const NAMES_FOR: Readonly<Record<string, readonly LoaderName[]>> = {
  'linux-loader': ['firecracker', 'cloud-hypervisor', 'libkrun'],
  multiboot: ['grub-multiboot'],
  multiboot2: ['grub-multiboot2'],
};

/** Every name that `--for` takes: those of the rows, then those that stand for others. */
export const TARGET_NAMES: readonly string[] = [...LOADER_NAMES, ...EFI_NAMES, ...Object.keys(NAMES_FOR)];

/** The names of those that are asked about a PE image. */
export const PE_LOADER_NAMES: readonly LoaderName[] = [...EFI_NAMES, ...LOADER_NAMES];

/** What `--for` names: a loader, and the release by whose rules it is to judge; without: the newest known. */
export interface Target {
  readonly name: string;
  readonly version: string | undefined;
}

/** `NAME[@VERSION]` in its parts; whether they are known is not looked at. */
export function targetOf(text: string): Target {
  const at = text.indexOf('@');
  return at < 0 ? { name: text, version: undefined } : { name: text.slice(0, at), version: text.slice(at + 1) };
}

/** The rows by the names of which `name` is another one, `linux-loader` of three; itself where it is a row's. */
export function rowsNamed(name: string): readonly string[] {
  return Object.hasOwn(NAMES_FOR, name) ? (NAMES_FOR[name] ?? []) : [name];
}

/**
 * Targets by the names of rows, as judges take them: `multiboot@2.06` becomes `grub-multiboot@2.06`. Errors: `usage.bad`
 * for a version behind a name that stands for several programs.
 */
export function rowTargets(targets: readonly string[]): string[] {
  const all = targets.flatMap((text) => {
    const { name, version } = targetOf(text);
    const rows = rowsNamed(name);
    if (version === undefined) return rows;
    if (rows.length > 1) {
      const what = `--for ${text}: ${name} stands for several programs, which have versions of their own`;
      fail('usage.bad', {}, { what, hint: `Name one of them: ${rows.map((row) => `${row}@VERSION`).join(', ')}` });
    }
    return rows.map((row) => `${row}@${version}`);
  });
  return [...new Set(all)];
}

/** The release that a target stands for, in full. Errors: `usage.bad` for one that is not known, with those that are. */
export function releaseOf(text: string): string {
  const { version } = targetOf(text);
  const product = loaderRow(text)?.product ?? 'xen';
  return version === undefined ? newestVersion(product) : knownVersion(product, version, `--for ${text}`);
}

/** The row of that name, with or without a version behind it; undefined where there is none, or where it is for several. */
export function loaderRow(name: string): LoaderRow | undefined {
  const [own, ...others] = rowsNamed(targetOf(name).name);
  return others.length > 0 ? undefined : EVERY_ROW.find((row) => row.name === own);
}

/** Other words under which people look for a row, each with the row's name. */
export function loaderAliases(): Record<string, string> {
  return Object.fromEntries([
    ...Object.entries(NAMES_FOR).flatMap(([name, [first]]) => (first === undefined ? [] : [[name, first]])),
    ...EVERY_ROW.flatMap(({ name, aliases = [] }) => aliases.map((alias) => [alias, name])),
  ]);
}

/** Is that a loader of this family? */
export function isOfFamily(name: string, family: LoaderFamily): boolean {
  return loaderRow(name)?.family === family;
}

/** Does the kernel become dom0 by it? */
export function buildsDom0(name: string): boolean {
  return loaderRow(name)?.starter === 'hypervisor';
}

/** The loaders that a kernel with notes of this family is made for: those of its guests, for images of this class. */
export function guestLoaders(family: LoaderFamily, bits: 32 | 64): LoaderName[] {
  const rows: readonly (LoaderRow & { readonly name: LoaderName })[] = LOADER_ROWS;
  return rows
    .filter((row) => row.family === family && (row.starter === 'toolstack' || row.starter === 'vmm'))
    .filter((row) => row.bits === undefined || row.bits === bits)
    .map(({ name }) => name);
}
