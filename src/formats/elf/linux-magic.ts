/** The mark of a Linux boot image (Linux Documentation/arch/x86/boot.rst), which loaders look for before any other. */
import type { ByteSource } from '../../base/bytes/source.js';

const LINUX_MAGIC_AT = 0x202n;

/** Does `HdrS` stand at 0x202? Loaders take such a file for a Linux boot image before they look at anything else. */
export function hasLinuxMagic(source: ByteSource): boolean {
  if (source.size < LINUX_MAGIC_AT + 4n) return false;
  const [h, d, r, s] = source.read(LINUX_MAGIC_AT, 4n, 'boot image magic');
  return h === 0x48 && d === 0x64 && r === 0x72 && s === 0x53;
}
