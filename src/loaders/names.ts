/**
 * The loaders as rows: what each is called, who starts the kernel through it, by which kind of entry, and whose releases
 * its rules go by. Every list or group of loaders is picked from here; the rules are in the files of loaders.ts.
 */
import { knownVersion, newestVersion, type Product } from './versions.js';

/** The entry that a loader goes by: Xen's PV notes, PHYS32_ENTRY, a Multiboot header, or e_entry. */
export type LoaderFamily = 'pv' | 'pvh' | 'multiboot' | 'elf';

/** Who starts the kernel: `toolstack` builds a guest, `hypervisor` builds dom0, `vmm` is a machine monitor without Xen. */
export type Starter = 'toolstack' | 'hypervisor' | 'vmm' | 'boot-loader';

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
    name: 'linux-loader',
    title: 'Firecracker, Cloud Hypervisor, libkrun (rust-vmm linux-loader)',
    family: 'pvh',
    starter: 'vmm',
    product: 'linux-loader',
    bits: 64,
    aliases: ['firecracker', 'cloud-hypervisor'],
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
    name: 'multiboot',
    title: 'Multiboot 1 (GRUB; QEMU)',
    family: 'multiboot',
    starter: 'boot-loader',
    product: 'grub',
  },
  {
    name: 'multiboot2',
    title: 'Multiboot 2 (GRUB)',
    family: 'multiboot',
    starter: 'boot-loader',
    product: 'grub',
  },
  {
    name: 'kexec',
    title: 'kexec-tools, ELF images',
    family: 'elf',
    starter: 'boot-loader',
    product: 'kexec-tools',
  },
] as const satisfies readonly LoaderRow[];

/** The name of a loader on a command line and in `--json`. */
export type LoaderName = (typeof LOADER_ROWS)[number]['name'];

/** The names, in the order of the rows. */
export const LOADER_NAMES: readonly LoaderName[] = LOADER_ROWS.map(({ name }) => name);

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

/** The release that a target stands for, in full. Errors: `usage.bad` for one that is not known, with those that are. */
export function releaseOf(text: string): string {
  const { name, version } = targetOf(text);
  const product = loaderRow(name)?.product ?? 'xen';
  return version === undefined ? newestVersion(product) : knownVersion(product, version, `--for ${text}`);
}

/** The row of that name, with or without a version behind it; undefined where there is none. */
export function loaderRow(name: string): LoaderRow | undefined {
  return LOADER_ROWS.find((row) => row.name === targetOf(name).name);
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
