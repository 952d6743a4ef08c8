#!/bin/sh
# Builds the small kernels under fixtures/src and compares them with the committed fixtures/bin.
#
#   scripts/build-fixtures.sh            build in a temporary folder, compare, exit 1 when anything differs
#   scripts/build-fixtures.sh --update   build and make the result the committed form, SHA256SUMS included
#
# The bytes depend on the assembler and linkers: the committed ones come from Debian 12
# (scripts/install-debian-packages.sh tools). Other versions build kernels that work and need not be equal.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
src=$root/fixtures/src bin=$root/fixtures/bin sums=$root/fixtures/SHA256SUMS

case ${1-} in
  '' | --update) ;;
  *) echo "usage: $0 [--update]" >&2; exit 2 ;;
esac
lld=
for candidate in ld.lld-14 ld.lld; do
  [ -n "$lld" ] || lld=$(command -v "$candidate") || lld=
done
for program in as ld cpp "${lld:-ld.lld-14}"; do
  command -v "$program" >/dev/null 2>&1 || {
    echo "build-fixtures: no $program; run: scripts/install-debian-packages.sh tools" >&2
    exit 2
  }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/obj"
cd "$src" # .include looks here

# assemble BITS SOURCE OBJECT [as options]
assemble() {
  bits=$1 source=$2 object=$3
  shift 3
  as "--$bits" -mx86-used-note=no "$@" -o "$work/obj/$object.o" "$source"
}
# script NAME [cpp options]
script() {
  name=$1
  shift
  cpp -P "$@" kernel.lds.in "$work/obj/$name.lds"
}
# link BITS SCRIPT KERNEL OBJECT...   the page size keeps segments a page apart in the file, and the file small
link() {
  case $1 in 32) emulation=elf_i386 ;; *) emulation=elf_x86_64 ;; esac
  layout=$2 kernel=$3
  shift 3
  for object in "$@"; do
    shift
    set -- "$@" "$work/obj/$object.o"
  done
  ld -m "$emulation" -nostdlib -z max-page-size=4096 --build-id=none -T "$work/obj/$layout.lds" \
    -o "$work/bin/$kernel" "$@"
}

LOW=0 HIGH32=0xc0000000 HIGH64=0xffffffff80000000
script low -DVBASE=$LOW
script low-notes -DVBASE=$LOW -DNOTES
script high32 -DVBASE=$HIGH32
script high32-notes -DVBASE=$HIGH32 -DNOTES
script high64 -DVBASE=$HIGH64
script high64-notes -DVBASE=$HIGH64 -DNOTES

assemble 64 pv64.S pv64
assemble 64 pv64-notes.S pv64-notes
link 64 high64 pv64-bare pv64
link 64 high64-notes pv64-notes pv64 pv64-notes

assemble 32 pv32.S pv32
assemble 32 pv32-notes.S pv32-notes
link 32 high32 pv32-bare pv32
link 32 high32-notes pv32-notes pv32 pv32-notes

for bits in 32 64; do
  assemble $bits pvh.S pvh$bits
  assemble $bits pvh-notes.S pvh$bits-notes
  link $bits low pvh$bits-bare pvh$bits
  link $bits low-notes pvh$bits-notes pvh$bits pvh$bits-notes
done

# The linkers' own layouts, headers inside the first PT_LOAD.
ld -m elf_x86_64 -nostdlib -z max-page-size=4096 --build-id=none -Ttext-segment=0x100000 \
  -o "$work/bin/pvh64-ld-bare" "$work/obj/pvh64.o"
"$lld" -m elf_x86_64 -nostdlib -z max-page-size=4096 --build-id=none --image-base=0x100000 \
  -o "$work/bin/pvh64-lld-bare" "$work/obj/pvh64.o"

assemble 64 serial.S pvh64-high --defsym VBASE=$HIGH64
assemble 64 serial-notes.S pvh64-high-notes --defsym VBASE=$HIGH64
link 64 high64 pvh64-high-bare pvh64-high
link 64 high64-notes pvh64-high-notes pvh64-high pvh64-high-notes

assemble 32 serial.S mb1 --defsym VBASE=$LOW --defsym MB1=1
assemble 32 serial.S mb1-late --defsym VBASE=$LOW --defsym MB1=1 --defsym MB1_AT=0xfc0
assemble 32 serial.S mb1-fields --defsym VBASE=$LOW --defsym MB1=2
for kernel in mb1 mb1-late mb1-fields; do
  link 32 low $kernel $kernel
done

# PE images for linearize: low FileAlignment, high image base, no time stamp. dual-2m has the large pages of Xen, dual-tight
# no room behind its Multiboot2 header.
pe() {
  kernel=$1 object=$2 align=$3
  sed "s/ALIGN(0x1000)/ALIGN($align)/" dual.lds >"$work/obj/$kernel.lds"
  ld -m i386pep --subsystem=10 --enable-long-section-names --image-base=0xffff82d040000000 --stack=0,0 --heap=0,0 \
    --section-alignment="$align" --file-alignment=0x20 --no-insert-timestamp -T "$work/obj/$kernel.lds" \
    -o "$work/bin/$kernel.efi" "$work/obj/$object.o"
}
assemble 64 dual.S dual
assemble 64 dual.S dual-tight --defsym TIGHT=1
pe dual dual 0x1000
pe dual-2m dual 0x200000
pe dual-tight dual-tight 0x1000

cd "$work/bin"
chmod 644 ./*
if [ "${1-}" = --update ]; then
  rm -rf "$bin"
  mkdir -p "$bin"
  cp -- * "$bin/"
  sha256sum -- * >"$sums"
  echo "build-fixtures: wrote $(find . -type f | wc -l) kernels to fixtures/bin"
  exit 0
fi

wrong=0
for kernel in * $(cd "$bin" && echo *); do
  if ! cmp -s "$kernel" "$bin/$kernel"; then
    [ -e "$bin/$kernel" ] && [ -e "$kernel" ] && why='built differently' || why='on one side only'
    echo "build-fixtures: $kernel: $why" >&2
    wrong=1
  fi
done
(cd "$bin" && sha256sum --check --quiet --strict "$sums") || wrong=1
if [ $wrong = 1 ]; then
  echo "build-fixtures: fixtures/bin is not what fixtures/src builds with $(as --version | head -n 1)" >&2
  echo "build-fixtures: and $("$lld" --version); to accept the difference: $0 --update" >&2
  exit 1
fi
echo "build-fixtures: all $(find . -type f | wc -l) kernels are what their sources build"
