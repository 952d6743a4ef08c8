#!/bin/sh
# A gate for CI: check-kernel.sh KERNEL [LOADER...]. Exit 0 when every loader named takes the kernel and its package
# metadata are in order; what is wrong, and the edit that would fix it, go to the log.
set -eu
kernel=$1
shift
[ $# -gt 0 ] || set -- xen-pvh qemu-pvh
command=${XEN_ELFPATCH:-xen-elfpatch}

for loader in "$@"; do
  $command verify "$kernel" --for "$loader" || {
    $command fix "$kernel" --for "$loader" || true
    exit 1
  }
done
$command stamp "$kernel" --check
