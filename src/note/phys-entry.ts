/**
 * How PVH loaders other than Xen look for the 32-bit entry point. Sources: QEMU include/hw/elf_ops.h.inc and
 * hw/i386/x86-common.c; rust-vmm/linux-loader src/loader/elf/mod.rs.
 */
import { fits } from '../bytes/source.js';
import type { Phdr } from '../elf/headers.js';
import type { ElfImage } from '../elf/image.js';
import { PT_NOTE } from '../elf/names.js';
import { hex } from '../errors/hex.js';
import { LoaderReader } from './loader-reader.js';
import { NHDR_SIZE, RECORD_LIMIT } from './record.js';

/** What a PVH loader concludes about the 32-bit entry point. */
export interface PhysEntry {
  readonly found: boolean;
  /** The address that would be jumped to; 0 when nothing was found. */
  readonly value: bigint;
  /** Why the load fails, or why the answer depends on luck. */
  readonly problem?: string;
  /** Where it went wrong (a program header's index), and how it ends there. */
  readonly fault?: { readonly index: number; readonly kind: 'refused' | 'crash' | 'runs-away' };
}

const NOTHING: PhysEntry = { found: false, value: 0n };
const PHYS32_ENTRY = 18;

/** Records that a walk here follows in one image before it gives up; only damage or malice has so many. */
const STEP_LIMIT = 4 * RECORD_LIMIT;

function refusedBy(problem: string, fault?: PhysEntry['fault']): PhysEntry {
  return { ...NOTHING, problem, ...(fault === undefined ? {} : { fault }) };
}

function noteSegments({ segments, header }: ElfImage): { index: number; segment: Phdr }[] {
  return segments
    .slice(0, header.e_phnum)
    .flatMap((segment, index) => (segment.p_type === PT_NOTE ? [{ index, segment }] : []));
}

/**
 * QEMU's answer from these program headers alone. Its walk through another owner's PT_NOTE may run over the end of the
 * file, which no placement of Xen's notes can cure; so they can be judged by themselves.
 */
export function physEntryAsQemuFrom(image: ElfImage, indices: readonly number[]): PhysEntry {
  const segments = indices.flatMap((index) => image.segments[index] ?? []);
  return physEntryAsQemu({ ...image, segments, header: { ...image.header, e_phnum: segments.length } });
}

/**
 * QEMU's `-kernel` (PVH). Any owner will do; p_align is the padding unit, whatever it is; the descriptor is a word of the
 * class; the last segment with a hit wins, and a value of 0 counts as no note. One record's own step is compared with
 * p_filesz, never the sum, so the walk may leave the segment.
 */
export function physEntryAsQemu(image: ElfImage): PhysEntry {
  const { source, encoding } = image;
  if (encoding.endian === 'big') return refusedBy('QEMU loads little-endian images only');
  const reader = new LoaderReader(source, 'little');
  const wide = encoding.bits === 64;
  const space = 1n << BigInt(encoding.bits);
  // The file is mapped in pages: behind its end there are zeros up to the next page, then nothing.
  const mapped = (source.size + 0xfffn) & ~0xfffn;
  const read = (at: bigint, width: 4 | 8): bigint | undefined => {
    if (at + BigInt(width) > mapped) return undefined;
    const whole = reader.number(at, width);
    if (whole !== undefined) return whole;
    return reader.bytes(at, BigInt(width)).reduce((sum, byte, i) => sum + (BigInt(byte) << BigInt(8 * i)), 0n);
  };

  let steps = 0;
  let last = 0n;
  // A walk that leaves the file mostly finds nothing there; what another segment said stands.
  let astray: PhysEntry = NOTHING;
  for (const { index, segment } of noteSegments(image)) {
    const { p_offset, p_filesz, p_align } = segment;
    if (p_filesz === 0n) continue;
    const name = `PT_NOTE ${index}`;
    const fault = (kind: 'refused' | 'crash' | 'runs-away') => ({ index, kind });
    if (!fits(p_offset, p_filesz, source.size)) {
      return refusedBy(`${name} reaches behind the end of the file`, fault('refused'));
    }
    if (p_align === 0n) return refusedBy(`QEMU dies (division by zero): ${name} has p_align 0`, fault('crash'));
    const up = (size: bigint) => (((size + p_align - 1n) % space) / p_align) * p_align;

    for (let at = p_offset; ; ) {
      const type = read(at + 8n, 4);
      const namesz = read(at, 4);
      const descsz = read(at + 4n, 4);
      if (type === undefined || namesz === undefined || descsz === undefined) {
        const problem = `QEMU reads behind the end of the file in search of more records of ${name}, and may crash`;
        astray = refusedBy(problem, fault('runs-away'));
        break;
      }
      if (type === BigInt(PHYS32_ENTRY)) {
        const value = read(BigInt.asUintN(64, at + BigInt(NHDR_SIZE) + up(namesz)), wide ? 8 : 4);
        if (value === undefined) {
          astray = refusedBy(`QEMU reads a descriptor of ${name} behind the end of the file`, fault('runs-away'));
          break;
        }
        last = value;
        break;
      }
      const step = (BigInt(NHDR_SIZE) + up(namesz) + up(descsz)) % space;
      if (step > p_filesz) break;
      if (step === 0n) {
        astray = refusedBy(`QEMU never leaves the record at ${hex(at)} of ${name}`, fault('runs-away'));
        break;
      }
      if (++steps > STEP_LIMIT) {
        astray = refusedBy(`QEMU walks on through more than ${STEP_LIMIT} records of ${name}`, fault('runs-away'));
        break;
      }
      at += step;
    }
  }
  return last === 0n ? astray : { ...astray, found: true, value: last & 0xffff_ffffn };
}

/**
 * rust-vmm/linux-loader since 0.9 (Firecracker, Cloud Hypervisor). ELF64 only, padding by 4, owner checked. Each PT_NOTE
 * overwrites the answer of the one before, an empty one too: the last decides.
 */
export function physEntryAsLinuxLoader(image: ElfImage): PhysEntry {
  const { source, encoding } = image;
  if (encoding.bits === 32) return refusedBy('linux-loader loads ELF64 images only');
  if (encoding.endian === 'big') return refusedBy('linux-loader loads little-endian images only');
  const reader = new LoaderReader(source, 'little');
  let result = NOTHING;
  let steps = 0;

  for (const { index, segment } of noteSegments(image)) {
    const name = `PT_NOTE ${index}`;
    result = NOTHING;
    let done = 0n;
    while (done < segment.p_filesz) {
      const at = segment.p_offset + done;
      const namesz = reader.word(at);
      const descsz = reader.word(at + 4n);
      const type = reader.word(at + 8n);
      if (namesz === undefined || descsz === undefined || type === undefined) {
        return refusedBy(`linux-loader cannot read the note header at ${hex(at)} of ${name}`);
      }
      if (type === PHYS32_ENTRY && namesz === 4) {
        const owner = reader.number(at + BigInt(NHDR_SIZE), 4);
        if (owner === undefined) return refusedBy(`linux-loader cannot read the owner at ${hex(at)} of ${name}`);
        if (owner === 0x006e_6558n) {
          if (descsz < 4) return refusedBy(`the PHYS32_ENTRY of ${name} has ${descsz} bytes, linux-loader wants 4`);
          const value = reader.number(at + BigInt(NHDR_SIZE) + 4n, 4);
          if (value === undefined) return refusedBy(`linux-loader cannot read the descriptor of ${name}`);
          result = { found: true, value };
          break;
        }
      }
      if (++steps > STEP_LIMIT) return refusedBy(`more than ${STEP_LIMIT} records up to ${name}`);
      done += BigInt(NHDR_SIZE) + ((BigInt(namesz) + 3n) & ~3n) + ((BigInt(descsz) + 3n) & ~3n);
    }
  }
  return result;
}
