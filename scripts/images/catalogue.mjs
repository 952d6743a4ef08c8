// Which real images the tests stand on, and which Debian package each comes from.
//
// package: a name; { of, like, suffix }: the package matching `like` that package `of` depends on, plus suffix; or
//   { name, version, release }: that very version where one is named, from another Debian release than this machine's
//   where one is named.
// root: packages of one Debian release that are unpacked together, with all that they depend on; programs: what is started there.
// file: tar pattern of the one file wanted. unpack: what wraps it. optional: its absence is recorded, not fatal.
// Traits a program can read off the file (elf32, elf64, big-endian, not-elf) are added when it is fetched.

const LINUX = { of: 'linux-image-amd64', like: /^linux-image-\d/ };
const CLOUD = { of: 'linux-image-cloud-amd64', like: /^linux-image-\d/ };
const XEN = { of: 'xen-system-amd64', like: /^xen-hypervisor-\d/ };
const XEN_UTILS = { of: 'xen-system-amd64', like: /^xen-utils-\d/ };
const GNUMACH = { of: 'gnumach-image-1-486', like: /^gnumach-image-\d/ };
const GNUMACH_XEN = { of: 'gnumach-image-1-xen-486', like: /^gnumach-image-\d/ };
const dbg = (origin) => ({ ...origin, suffix: '-dbg' });
const i386 = { arch: 'i386', optional: true };

export const IMAGES = [
  {
    name: 'vmlinux',
    package: LINUX,
    file: './boot/vmlinuz-*',
    unpack: 'bzimage',
    traits: ['kernel', 'linux', 'xen-notes', 'trailing-data', 'pvh'],
  },
  {
    name: 'vmlinux-cloud',
    package: CLOUD,
    file: './boot/vmlinuz-*',
    unpack: 'bzimage',
    traits: ['kernel', 'linux', 'xen-notes', 'trailing-data', 'pvh'],
  },
  {
    name: 'vmlinux-686-pae',
    package: { of: 'linux-image-686-pae', like: /^linux-image-\d/ },
    ...i386,
    file: './boot/vmlinuz-*',
    unpack: 'bzimage',
    traits: ['kernel', 'linux', 'xen-notes', 'trailing-data', 'pvh'],
  },
  { name: 'vmlinuz', package: LINUX, file: './boot/vmlinuz-*', traits: ['bzimage', 'linux'] },
  { name: 'vmlinuz-cloud', package: CLOUD, file: './boot/vmlinuz-*', traits: ['bzimage', 'linux'] },
  {
    name: 'vmlinuz-686-pae',
    package: { of: 'linux-image-686-pae', like: /^linux-image-\d/ },
    ...i386,
    file: './boot/vmlinuz-*',
    traits: ['bzimage', 'linux'],
  },
  // zstd payload, and no dom0 bit in SUPPORTED_FEATURES: Xen refuses it as dom0 until that is mended.
  {
    name: 'vmlinuz-6.12-cloud',
    package: { of: 'linux-image-6.12-cloud-amd64', like: /^linux-image-\d/ },
    file: './boot/vmlinuz-*',
    traits: ['bzimage', 'linux', 'no-dom0-bit'],
    optional: true,
  },
  // The same kernel before it was signed: what taking the signature off has to give back.
  {
    name: 'vmlinuz-cloud-unsigned',
    package: { ...CLOUD, suffix: '-unsigned' },
    file: './boot/vmlinuz-*',
    traits: ['bzimage', 'linux', 'unsigned'],
    optional: true,
  },
  // Other generations: 5.10 has the old layout of the PE header, kernels since 6.15 have no CRC-32.
  {
    name: 'vmlinuz-cloud-bullseye',
    package: { ...CLOUD, release: 'bullseye' },
    file: './boot/vmlinuz-*',
    traits: ['bzimage', 'linux'],
    optional: true,
  },
  {
    name: 'vmlinuz-cloud-sid',
    package: { of: CLOUD, like: /^linux-binary-\d/, release: 'sid' },
    file: '*/vmlinuz*',
    traits: ['bzimage', 'linux'],
    optional: true,
  },
  {
    name: 'xen',
    package: XEN,
    file: './boot/xen-*.gz',
    unpack: 'gzip',
    traits: ['hypervisor', 'multiboot'],
  },
  { name: 'xen-gz', package: XEN, file: './boot/xen-*.gz', traits: ['gzip'] },
  { name: 'xen-efi', package: XEN, file: './boot/xen-*.efi', traits: ['pe'] },
  // Linked with its DWARF inside, ten times the size of the one before: another release, which a mirror need not carry.
  {
    name: 'xen-efi-4.20',
    package: { ...XEN, release: 'trixie' },
    file: './boot/xen-*.efi',
    traits: ['pe', 'dwarf'],
    optional: true,
  },
  {
    name: 'xen-syms',
    package: dbg(XEN),
    file: './usr/lib/debug/boot/xen-syms-*-amd64',
    traits: ['hypervisor', 'symbols'],
  },
  {
    name: 'xen-shim',
    package: XEN_UTILS,
    file: './usr/lib/xen-*/boot/xen-shim',
    traits: ['kernel', 'xen-notes', 'pvh'],
  },
  { name: 'hvmloader', package: XEN_UTILS, file: './usr/lib/xen-*/boot/hvmloader', traits: ['firmware'] },
  ...['x86_64-xen', 'i386-xen', 'i386-xen_pvh'].map((platform) => ({
    name: `grub-${platform}`,
    package: 'grub-xen-host',
    file: `./usr/lib/grub-xen/grub-${platform}.bin`,
    traits: ['grub', 'xen-notes', 'note-outside-load', ...(platform.endsWith('pvh') ? ['pvh'] : [])],
  })),
  ...[{ suffix: '-x86_64' }, { suffix: '', ...i386 }].flatMap(({ suffix, ...where }) => [
    {
      name: `gnumach${suffix}`,
      package: GNUMACH,
      ...where,
      file: './boot/gnumach-*.gz',
      unpack: 'gzip',
      traits: ['kernel', 'gnumach', 'multiboot'],
    },
    {
      name: `gnumach-xen${suffix}`,
      package: GNUMACH_XEN,
      ...where,
      file: './boot/gnumach-*.gz',
      unpack: 'gzip',
      traits: ['kernel', 'gnumach', 'wrong-note-owner', 'note-section-only', 'xen-guest-section'],
    },
    {
      name: `gnumach-xen-dbg${suffix}`,
      package: dbg(GNUMACH_XEN),
      ...where,
      file: './boot/gnumach-*.gz',
      unpack: 'gzip',
      traits: ['kernel', 'gnumach', 'wrong-note-owner', 'note-section-only', 'xen-guest-section', 'symbols'],
    },
  ]),
  { name: 'memtest86+', package: 'memtest86+', file: './boot/memtest86+x64.bin', traits: ['bzimage-header'] },
].map((image) => ({ arch: 'amd64', set: 'images', ...image }));

export const LARGE = [
  {
    name: 'vmlinux-dbg',
    arch: 'amd64',
    set: 'large',
    package: dbg(LINUX),
    file: './usr/lib/debug/boot/vmlinux-*',
    traits: ['kernel', 'linux', 'xen-notes', 'symbols', 'large'],
  },
];

// Hypervisors as shipped and the xen-syms that each was made from, for mkelf32. Very versions, because each shows another
// release of that tool; a mirror drops them when newer ones come, so none is fatal.
const pair = (series, version, release) =>
  [
    { name: `xen-${version}`, suffix: '', file: './boot/xen-*.gz', unpack: 'gzip', traits: ['hypervisor'] },
    { name: `xen-syms-${version}`, suffix: '-dbg', file: './usr/lib/debug/boot/xen-syms-*-amd64', traits: ['symbols'] },
  ].map(({ suffix, ...image }) => ({
    ...image,
    arch: 'amd64',
    set: 'hypervisors',
    optional: true,
    package: { name: `xen-hypervisor-${series}-amd64${suffix}`, version, release },
  }));

export const HYPERVISORS = [
  ...pair('4.17', '4.17.5+72-g01140da4e8-1', 'bookworm'),
  ...pair('4.17', '4.17.7+13-g2445b30a44-0+deb12u1', 'bookworm'),
  ...pair('4.20', '4.20.3+127-gc42374a105-0+deb13u1', 'trixie'),
  ...pair('4.20', '4.20.4+39-gf1e1321c87-1', 'sid'),
  ...pair('4.20', '4.20.4+63-g7abfd2bce2-0+deb13u1', 'trixie'),
];

const LIBRARIES = './usr/lib/x86_64-linux-gnu/';

// Programs of other projects that the tests ask for their opinion; their libraries come with libxen-dev.
export const TOOLS = [
  {
    name: 'readnotes',
    arch: 'amd64',
    set: 'tools',
    package: XEN_UTILS,
    file: './usr/lib/xen-*/bin/readnotes',
    executable: true,
    traits: ['program'],
  },
  // The note parser of other releases than this machine's, to be linked into the oracle of test/oracle.
  ...[
    { series: '4.14', release: 'bullseye' },
    { series: '4.20', release: 'trixie' },
  ].map(({ series, release }) => ({
    name: `libxenguest-${series}.a`,
    arch: 'amd64',
    set: 'tools',
    optional: true,
    package: { name: 'libxen-dev', release },
    file: './usr/lib/x86_64-linux-gnu/libxenguest.a',
    traits: ['library'],
  })),
  // What stands between firmware and GRUB with Secure Boot on; the tests sign it with a key of their own.
  {
    name: 'shim',
    arch: 'amd64',
    set: 'tools',
    package: 'shim-unsigned',
    file: './usr/lib/shim/shimx64.efi',
    traits: ['shim'],
  },
  // EFI programs of other makers, to be stamped: systemd-boot and its stub by two linkers, GRUB as Debian signs it.
  ...[
    ['systemd-boot', './usr/lib/systemd/boot/efi/systemd-bootx64.efi'],
    ['systemd-stub', './usr/lib/systemd/boot/efi/linuxx64.efi.stub'],
  ].flatMap(([name, file]) => [
    { name, arch: 'amd64', set: 'tools', package: 'systemd-boot-efi', file, traits: ['efi-program'] },
    {
      name: `${name}-of-trixie`,
      arch: 'amd64',
      set: 'tools',
      optional: true,
      package: { name: 'systemd-boot-efi', release: 'trixie' },
      file,
      traits: ['efi-program'],
    },
  ]),
  {
    name: 'grub-signed',
    arch: 'amd64',
    set: 'tools',
    package: 'grub-efi-amd64-signed',
    file: './usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed',
    traits: ['efi-program'],
  },
  // Makes unified kernel images and looks into them: a Python program, which runs where python3-pefile is installed.
  {
    name: 'ukify',
    arch: 'amd64',
    set: 'tools',
    optional: true,
    package: { name: 'systemd-ukify', release: 'trixie' },
    file: './usr/bin/ukify',
    traits: ['program'],
  },
  // A program by Go's linker, which has shapes of its own, and nothing of a libc.
  {
    name: 'gosu',
    arch: 'amd64',
    set: 'tools',
    package: 'gosu',
    file: './usr/sbin/gosu',
    executable: true,
    traits: ['program', 'go'],
  },
  // GNU ld of the next release with all that it is linked with, each under the name by which it is looked for.
  ...[
    ['ld', 'binutils-x86-64-linux-gnu', './usr/bin/x86_64-linux-gnu-ld.bfd'],
    ['ld-linux-x86-64.so.2', 'libc6', `${LIBRARIES}ld-linux-x86-64.so.2`],
    ['libc.so.6', 'libc6', `${LIBRARIES}libc.so.6`],
    ['libbfd-2.44-system.so', 'libbinutils', `${LIBRARIES}libbfd-2.44-system.so`],
    ['libctf.so.0', 'libctf0', `${LIBRARIES}libctf.so.0.*`],
    ['libsframe.so.1', 'libsframe1', `${LIBRARIES}libsframe.so.1.*`],
    ['libjansson.so.4', 'libjansson4', `${LIBRARIES}libjansson.so.4.*`],
    ['libzstd.so.1', 'libzstd1', `${LIBRARIES}libzstd.so.1.*`],
    ['libz.so.1', 'zlib1g', `${LIBRARIES}libz.so.1.*`],
  ].map(([name, from, file]) => ({
    name: `trixie-${name}`,
    arch: 'amd64',
    set: 'tools',
    optional: true,
    package: { name: from, release: 'trixie' },
    file,
    executable: true,
    traits: ['linker-of-trixie'],
  })),
];

// Foreign test inputs, from Debian source packages.
// paths: tar patterns below the tarball's first folder. make: how what is unpacked becomes files to read.
export const CORPORA = [
  {
    name: 'llvm',
    source: 'llvm-toolchain-14',
    make: 'yaml2obj',
    paths: [
      'llvm/test/tools/llvm-objcopy/ELF',
      'llvm/test/tools/llvm-readobj/ELF',
      'llvm/test/tools/yaml2obj/ELF',
      'llvm/test/tools/obj2yaml/ELF',
      'llvm/test/Object',
      'lld/test/ELF/invalid',
    ],
    atLeast: 900,
  },
  { name: 'elfutils', source: 'elfutils', make: 'unpack', paths: ['tests/*.bz2'], atLeast: 300 },
  {
    name: 'golang',
    source: 'golang-1.19',
    make: 'unpack',
    paths: ['src/debug/elf/testdata', 'src/debug/dwarf/testdata'],
    atLeast: 20,
  },
  { name: 'patchelf', source: 'patchelf', make: 'unpack', paths: ['tests'], atLeast: 20 },
].map((corpus) => ({ set: 'corpus', ...corpus }));

// The loaders themselves, of every Debian release that has others: test/judges starts them where they were unpacked. A release
// that a mirror no longer has is a named gap.
const RELEASES = [
  { debian: '12', release: 'bookworm' },
  { debian: '13', release: 'trixie' },
  { debian: 'sid', release: 'sid' },
];

export const JUDGES = RELEASES.map(({ debian, release }) => ({
  name: `debian-${debian}`,
  set: 'judges',
  arch: 'amd64',
  optional: true,
  root: { release, packages: ['kexec-tools', 'qemu-system-x86', 'grub-common', 'grub-pc-bin'] },
  programs: ['kexec', 'qemu-system-x86_64', 'grub-file', 'grub-mkimage'],
}));

// GRUB for UEFI, of those releases: what it makes of a kernel behind shim.
export const GRUB_EFI = RELEASES.map(({ debian, release }) => ({
  name: `grub-efi-debian-${debian}`,
  set: 'grub-efi',
  arch: 'amd64',
  optional: true,
  root: { release, packages: ['grub-common', 'grub-efi-amd64-bin'] },
  programs: ['grub-mkimage'],
}));

// virt-fw-vars, which writes the variables of a firmware: Python alone, so that this machine's own runs it.
export const EFI_VARIABLES = [
  {
    name: 'virt-firmware',
    set: 'efi-variables',
    arch: 'amd64',
    optional: true,
    root: { release: 'trixie', packages: ['python3-virt-firmware'], alone: true },
    programs: ['virt-fw-vars'],
  },
];
