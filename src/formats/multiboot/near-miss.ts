/**
 * Why a loader that looks for a Multiboot header does not see the one that is there: another version, too late, at an offset
 * that it skips, for another architecture, or with a sum that is not zero (Multiboot 0.6.96 and Multiboot2 2.0, "Header layout").
 */
import type { ByteSource } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { MB1_MAGIC } from './mb1.js';
import { MB2_ARCHITECTURE_I386, MB2_MAGIC } from './mb2.js';
import { grubWindow, type HeaderWindow, type MultibootVersion } from './windows.js';

/** How far a header is looked for that no loader finds. */
const SEARCHED = 0x10000n;
const WORD = 4;

const NAMES = { 1: 'Multiboot 1', 2: 'Multiboot2' } as const;
const GRUB_CFG = { 1: 'multiboot and module', 2: 'multiboot2 and module2' } as const;

/** A magic and what is wrong with its place and its sum. */
interface Candidate {
  readonly offset: bigint;
  readonly aligned: boolean;
  /** What is in the checksum field, and what belongs there; undefined: the sum is zero. */
  readonly checksum: { readonly found: bigint; readonly wanted: bigint } | undefined;
  /** Of a Multiboot2 header. */
  readonly architecture: number | undefined;
}

/**
 * In words, for a search (default: GRUB's) that found nothing. Undefined where there is nothing like a header: a magic
 * that neither is aligned nor has a good sum is a constant of some code.
 */
export function multibootNearMiss(
  source: ByteSource,
  version: MultibootVersion,
  window: HeaderWindow = grubWindow(version),
): string | undefined {
  const bytes = headOf(source);
  const own = candidates(bytes, version);
  const good = own.find(({ checksum }) => checksum === undefined);
  if (good !== undefined) return placeOf(good, version, window);
  const other = version === 1 ? 2 : 1;
  const theirs = candidates(bytes, other).find(({ checksum, aligned }) => checksum === undefined && aligned);
  if (theirs !== undefined && theirs.offset <= grubWindow(other).last) {
    const there = `there is a ${NAMES[other]} header at ${hex(theirs.offset)} and no ${NAMES[version]} header`;
    // QEMU has no other command for it.
    return window.loader === 'QEMU'
      ? `${there}, and QEMU knows no other: boot it by GRUB, or give it a ${NAMES[version]} header or a PVH entry`
      : `${there}: in grub.cfg say ${GRUB_CFG[other]}`;
  }
  return sumOf(own, version, window);
}

/** As `multibootNearMiss`, for a loader that looks for either version and goes on without: nothing of the other one. */
export function unseenMultiboot(source: ByteSource, window: HeaderWindow): string | undefined {
  const own = candidates(headOf(source), window.version);
  const good = own.find(({ checksum }) => checksum === undefined);
  return good === undefined ? sumOf(own, window.version, window) : placeOf(good, window.version, window);
}

function headOf(source: ByteSource): Uint8Array {
  return source.read(0n, source.size < SEARCHED ? source.size : SEARCHED, 'Multiboot headers');
}

function sumOf(own: readonly Candidate[], version: MultibootVersion, window: HeaderWindow): string | undefined {
  const bad = own.find(({ aligned, offset }) => aligned && offset <= window.last);
  if (bad?.checksum === undefined) return undefined;
  const { found, wanted } = bad.checksum;
  return `the ${NAMES[version]} header at ${hex(bad.offset)} has checksum ${hex(found)}, wanted ${hex(wanted)}: with magic and the other fields in front of it the sum has to be 0`;
}

function placeOf(
  { offset, aligned, architecture }: Candidate,
  version: MultibootVersion,
  { last, align, loader }: HeaderWindow,
) {
  const name = `the ${NAMES[version]} header at ${hex(offset)}`;
  if (!aligned) return `${name} is not at a multiple of ${align}: align its section`;
  if (offset <= last) {
    if (architecture === undefined || architecture === MB2_ARCHITECTURE_I386) return undefined;
    return `${name} is for architecture ${architecture}, wanted ${MB2_ARCHITECTURE_I386}: i386, whatever the class of the file`;
  }
  return `${name} is too far behind: ${loader} looks no further than ${hex(last)}, so link its section first`;
}

function candidates(bytes: Uint8Array, version: MultibootVersion): Candidate[] {
  const [magic, words] = version === 1 ? [MB1_MAGIC, 3] : [MB2_MAGIC, 4];
  const align = Number(grubWindow(version).align);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Candidate[] = [];
  for (let at = bytes.indexOf(magic & 0xff); at >= 0; at = bytes.indexOf(magic & 0xff, at + 1)) {
    if (at + words * WORD > bytes.length) break;
    if (view.getUint32(at, true) !== magic) continue;
    const fields = Array.from({ length: words }, (_, index) => view.getUint32(at + index * WORD, true));
    const sum = fields.slice(0, -1).reduce((total, field) => total + field, 0);
    const [is, wanted] = [BigInt(fields.at(-1) ?? 0), BigInt.asUintN(32, -BigInt(sum))];
    const checksum = is === wanted ? undefined : { found: is, wanted };
    const architecture = version === 2 ? fields[1] : undefined;
    found.push({ offset: BigInt(at), aligned: at % align === 0, checksum, architecture });
  }
  return found;
}
