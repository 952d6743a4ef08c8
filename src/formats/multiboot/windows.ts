/**
 * Where each loader looks for a Multiboot header: the one table of it (Multiboot 0.6.96, "The layout of Multiboot header";
 * Multiboot2 2.0, "The layout of Multiboot2 header"; and what the loaders made of them). Headers are found by their place in
 * the file, so an edit that moves bytes can lose them.
 */

/** 1: Multiboot 0.6.96. 2: Multiboot2. */
export type MultibootVersion = 1 | 2;

/** The search of one loader for the header of one version. */
export interface HeaderWindow {
  readonly loader: 'QEMU' | 'GRUB' | 'kexec' | 'crosvm' | 'Limine';
  readonly version: MultibootVersion;
  /** Bytes at the start of the file that it reads. It follows the fields and tags of a header without a look at their end. */
  readonly bytes: bigint;
  /** It looks at 0 and at every multiple of this up to `last`, itself included. */
  readonly align: bigint;
  readonly last: bigint;
  /** Bytes from the header's start that have to be in the file, and among `bytes`. */
  readonly head: bigint;
  /** File and function of the loader. */
  readonly source: string;
}

/** Magic, flags, checksum; magic, architecture, length, checksum. */
const HEAD = { 1: 12n, 2: 16n } as const;

/** The specifications say 8192 and 32768 bytes and the whole header inside; how a loader ends its loop is its own choice. */
const WINDOWS = [
  {
    loader: 'QEMU',
    version: 1,
    bytes: 8192n,
    align: 4n,
    // The loop runs while the offset is below 8192 - 48.
    last: 8140n,
    head: HEAD[1],
    source: 'hw/i386/multiboot.c, load_multiboot',
  },
  {
    loader: 'GRUB',
    version: 1,
    bytes: 8192n,
    align: 4n,
    last: 8180n,
    head: HEAD[1],
    source: 'grub-core/loader/i386/multiboot_mbi.c, find_header',
  },
  {
    loader: 'GRUB',
    version: 2,
    bytes: 32768n,
    align: 8n,
    // It leaves room for 12 bytes only, which at multiples of 8 comes to the same as for 16.
    last: 32752n,
    head: HEAD[2],
    source: 'grub-core/loader/multiboot_mbi2.c, find_header',
  },
  {
    loader: 'kexec',
    version: 1,
    bytes: 8192n,
    align: 4n,
    last: 8180n,
    head: HEAD[1],
    source: 'kexec/arch/i386/kexec-multiboot-x86.c, multiboot_x86_probe',
  },
  {
    loader: 'kexec',
    version: 2,
    bytes: 32768n,
    align: 8n,
    last: 32752n,
    head: HEAD[2],
    source: 'kexec/arch/i386/kexec-mb2-x86.c, multiboot2_x86_probe',
  },
] as const satisfies readonly HeaderWindow[];

/** Every search that is known. */
export const HEADER_WINDOWS: readonly HeaderWindow[] = WINDOWS;

/** QEMU's search; it knows version 1 only. */
export const QEMU_MB1: HeaderWindow = WINDOWS[0];
/** GRUB's searches, which are as wide as any. */
export const GRUB_MB1: HeaderWindow = WINDOWS[1];
export const GRUB_MB2: HeaderWindow = WINDOWS[2];

/** GRUB's search for a version. */
export function grubWindow(version: MultibootVersion): HeaderWindow {
  return version === 1 ? GRUB_MB1 : GRUB_MB2;
}

/** A search over more (or fewer) bytes than any loader's, to tell of headers that none of them finds. */
export function windowOf(version: MultibootVersion, bytes: bigint): HeaderWindow {
  const window = grubWindow(version);
  return { ...window, bytes, last: bytes - window.head };
}

/**
 * Bytes at the start of the file that loaders of a version hold in memory. GRUB reads the program headers from there as
 * well (grub-core/loader/multiboot_elfxx.c), so their table has to end in it.
 */
export function multibootWindow({ version }: { readonly version: MultibootVersion }): bigint {
  return grubWindow(version).bytes;
}

/** The last offset at which every loader of its version finds a header and holds the whole of it (`size` bytes). */
export function lastMultibootOffset({
  version,
  size,
}: {
  readonly version: MultibootVersion;
  readonly size: bigint;
}): bigint {
  return HEADER_WINDOWS.filter((window) => window.version === version)
    .map(({ bytes, last }) => (last < bytes - size ? last : bytes - size))
    .reduce((least, last) => (last < least ? last : least));
}
