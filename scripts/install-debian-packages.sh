#!/bin/sh
# Installs the Debian packages that building fixtures, testing and booting need.
#
#   scripts/install-debian-packages.sh [SET...]      sets: tools boot browser build (default: all)
#
# Nothing is done, and no network touched, when all of a set is there already.
# Needs Debian (or a derivative with the same package names) and, only to install, root.
set -eu

# binutils, elfutils, llvm and lld: judges and processors of what the patcher writes, yaml2obj for the corpus.
# systemd: its reader of package metadata.
# gcc, libc6-dev: cpp for the linker scripts, and C programs built against Xen's libraries.
# strace kills the command, or fails a call of its, at a chosen system call.
# patchelf is one of the later tools whose work on a result is foretold.
# The compressors unpack what a kernel package holds; dpkg-dev resolves and unpacks source packages.
# rpm makes packages whose kernels are looked at.
# sbsigntool and openssl sign a xen.efi, as its packager would. attr and acl give files what a result has to keep.
TOOLS_PACKAGES='binutils elfutils systemd llvm-14 lld-14 gcc libc6-dev dpkg-dev strace patchelf xz-utils zstd lz4 bzip2 gzip lzop sbsigntool openssl rpm rpm2cpio attr acl'
# Programs that ran still run: mold and musl-tools make some of other shapes than gcc does, clang and s390x's linker (which lld 14
# is not) make those of other machines, qemu-user runs them, gdb looks into them; git and python3 are such programs themselves.
TOOLS_PACKAGES="$TOOLS_PACKAGES mold musl-tools clang-14 binutils-s390x-linux-gnu qemu-user gdb git python3-minimal"
# file names the build-id of what it is given. pesign's hash of a PE image is held against sbsign's. What looks into PE images, and writes a firmware's variables, is Python.
TOOLS_PACKAGES="$TOOLS_PACKAGES pesign python3-pefile python3-cryptography python3-importlib-resources file"
TOOLS_PROGRAMS='as ld readelf strip objcopy systemd-analyze eu-elflint eu-readelf eu-strip
  llvm-objcopy-14 llvm-strip-14 llvm-readelf-14 yaml2obj-14 ld.lld-14 cpp gcc dpkg-deb dpkg-source strace patchelf xz zstd lz4 bzip2 gzip lzop
  sbsign sbverify pesign file openssl rpmbuild rpm2cpio getfattr setfattr setfacl mold musl-gcc clang-14 s390x-linux-gnu-ld qemu-aarch64 gdb git python3'

# qemu with its firmware (seabios, and ovmf for UEFI) boots kernels; libxen-dev holds Xen's own ELF parser; grub for both
# firmwares, xorriso and mtools make boot media.
BOOT_PACKAGES='qemu-system-x86 seabios ovmf libxen-dev grub-common grub-pc-bin grub-efi-amd64-bin xorriso mtools'
BOOT_PROGRAMS='qemu-system-x86_64 grub-mkimage grub-mkrescue grub-file xorriso mformat'

# One test looks at the picture of a map in a real browser.
BROWSER_PACKAGES='chromium fonts-dejavu-core'
BROWSER_PROGRAMS='chromium'

# The examples are built as they stand. git: what npm clones. mandoc and man-db judge the man pages, three shells the completions.
# lintian judges the Debian package, debootstrap makes the clean root in which it is tried.
BUILD_PACKAGES='make cmake meson ninja-build git zsh bash fish man-db mandoc lintian debootstrap'
BUILD_PROGRAMS='make cmake meson ninja git zsh bash fish man mandoc lintian debootstrap'

QUICK='  without them: make test-quick runs every test that needs no package, no image and no QEMU'

die() {
  echo "install-debian-packages: $*" >&2
  exit 1
}

[ $# -gt 0 ] || set -- tools boot browser build
packages='' programs=''
for set in "$@"; do
  case $set in
    tools) packages="$packages $TOOLS_PACKAGES" programs="$programs $TOOLS_PROGRAMS" ;;
    browser) packages="$packages $BROWSER_PACKAGES" programs="$programs $BROWSER_PROGRAMS" ;;
    build) packages="$packages $BUILD_PACKAGES" programs="$programs $BUILD_PROGRAMS" ;;
    boot) packages="$packages $BOOT_PACKAGES" programs="$programs $BOOT_PROGRAMS" ;;
    *) die "unknown set '$set'; there are: tools boot browser build" ;;
  esac
done

absent_programs() {
  for program in $programs; do
    command -v "$program" >/dev/null 2>&1 || printf ' %s' "$program"
  done
}

command -v dpkg-query >/dev/null 2>&1 || die "dpkg-query not found: this is no Debian, and nothing can be installed here
  not on PATH:$(absent_programs)
  Debian has them in:$packages
$QUICK"

missing_packages() {
  for package in $packages; do
    # ${db:Status-Status} distinguishes a package that is there from one of which only the configuration is left.
    # A package of several architectures has a line for each.
    status=$(dpkg-query -W -f '${db:Status-Status} ' "$package" 2>/dev/null) || status=''
    [ "${status%% *}" = installed ] || printf ' %s' "$package"
  done
}

missing=$(missing_packages)
if [ -n "$missing" ]; then
  [ "$(id -u)" = 0 ] || die "not root, and these packages are missing:$missing
  to install them: sudo $0 $*
$QUICK"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o DPkg::Lock::Timeout=300 update ||
    echo 'install-debian-packages: apt-get update failed; trying with the package lists at hand' >&2
  # shellcheck disable=SC2086  # a list of names
  apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing ||
    die "apt-get could not install:$missing"
fi

absent=$(absent_programs)
[ -z "$absent" ] || die "the packages are installed, yet these programs are not on PATH:$absent"
echo "install-debian-packages: $*: all there"
