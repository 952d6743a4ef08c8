/**
 * The header of a Linux boot image (Linux Documentation/arch/x86/boot.rst), which loaders look for before any other: where
 * its mark stands, and the two fields that tell which entries it has.
 */
import { type ByteSource, fits } from '../../base/bytes/source.js';

/** `HdrS`, and the place of its first byte. */
export const LINUX_MAGIC = [0x48, 0x64, 0x72, 0x53] as const;
export const LINUX_MAGIC_AT = 0x202n;
/** The mark at the end of a boot sector. */
export const BOOT_FLAG = [0x55, 0xaa] as const;
export const BOOT_FLAG_AT = 0x1fen;

const VERSION_AT = 0x206n;
const XLOADFLAGS_AT = 0x236n;
const PAYLOAD_PROTOCOL = 0x208;
const PAYLOAD_OFFSET_AT = 0x248n;
const PAYLOAD_LENGTH_AT = 0x24cn;
/** Bit 0 of xloadflags: there is a 64-bit entry, 0x200 behind the start of the protected-mode code. */
export const XLF_KERNEL_64 = 1;

/** Does `HdrS` stand at 0x202? Loaders take such a file for a Linux boot image before they look at anything else. */
export function hasLinuxMagic(source: ByteSource): boolean {
  return stands(source, LINUX_MAGIC_AT, LINUX_MAGIC);
}

/** Is it a boot sector by its last two bytes? */
export function hasBootFlag(source: ByteSource): boolean {
  return stands(source, BOOT_FLAG_AT, BOOT_FLAG);
}

/** The version of the boot protocol, 0x20c for 2.12; 0 where the file has none. What stands there without `HdrS` is no version. */
export function bootProtocol(source: ByteSource): number {
  return half(source, VERSION_AT);
}

/** Does the header lead to a payload? Its fields came with protocol 2.08; programs that borrow the header leave them zero. */
export function namesPayload(source: ByteSource): boolean {
  if (bootProtocol(source) < PAYLOAD_PROTOCOL) return false;
  return [PAYLOAD_OFFSET_AT, PAYLOAD_LENGTH_AT].every((at) => half(source, at) !== 0 || half(source, at + 2n) !== 0);
}

/** Entries that the image has, since protocol 2.12; 0 where the file ends before. */
export function xloadflags(source: ByteSource): number {
  return half(source, XLOADFLAGS_AT);
}

function stands(source: ByteSource, at: bigint, bytes: readonly number[]): boolean {
  const size = BigInt(bytes.length);
  if (!fits(at, size, source.size)) return false;
  const found = source.read(at, size, 'boot image header');
  return bytes.every((byte, index) => found[index] === byte);
}

function half(source: ByteSource, at: bigint): number {
  if (!fits(at, 2n, source.size)) return 0;
  const [low = 0, high = 0] = source.read(at, 2n, 'boot image header');
  return low | (high << 8);
}
