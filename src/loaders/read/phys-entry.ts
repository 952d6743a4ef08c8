/**
 * How PVH loaders other than Xen look for the 32-bit entry point. Sources: QEMU include/hw/elf_ops.h.inc and
 * hw/i386/x86-common.c; rust-vmm/linux-loader src/loader/elf/mod.rs.
 */
import { alignUp } from '../../base/bytes/align.js';
import type { ByteSource } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import type { Phdr } from '../../formats/elf/headers.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { PT_NOTE } from '../../formats/elf/names.js';
import { readNumber } from '../../formats/note/desc.js';
import { XEN_ELFNOTE } from '../../formats/note/note-types.js';
import { NHDR_SIZE, RECORD_LIMIT, XEN_OWNER } from '../../formats/note/record.js';
import { LoaderReader } from './loader-reader.js';
import { NOTE_WALKS, type NoteStep, unitOf } from './note-steps.js';

/** What a PVH loader concludes about the 32-bit entry point. */
export interface PhysEntry {
  readonly found: boolean;
  /** The address that would be jumped to; 0 when nothing was found. */
  readonly value: bigint;
  /** Why the load fails, or why the answer depends on luck. */
  readonly problem?: string;
  /** Where it went wrong (a program header's index), and how it ends there. */
  readonly fault?: {
    readonly index: number;
    readonly kind: 'refused' | 'crash' | 'runs-away';
    /** What the loader prints, where its messages tell faults apart. */
    readonly says?: string;
  };
}

const NOTHING: PhysEntry = { found: false, value: 0n };
const { PHYS32_ENTRY } = XEN_ELFNOTE;
const U32_MAX = 0xffff_ffffn;

/** Records that a walk here follows in one image before it gives up; only damage or malice has so many. */
const STEP_LIMIT = 4 * RECORD_LIMIT;

function refusedBy(problem: string, fault?: PhysEntry['fault']): PhysEntry {
  return { ...NOTHING, problem, ...(fault === undefined ? {} : { fault }) };
}

interface NoteSegment {
  readonly index: number;
  readonly name: string;
  readonly segment: Phdr;
}

function noteSegments({ segments, header }: ElfImage): NoteSegment[] {
  return segments
    .slice(0, header.e_phnum)
    .flatMap((segment, index) => (segment.p_type === PT_NOTE ? [{ index, name: `PT_NOTE ${index}`, segment }] : []));
}

/** What a loader does with a record: it goes to the next one, at a file offset, or its walk of the segment ends. */
type Step<End> = { readonly next: bigint } | { readonly end: End };

/** The walks over one image: together they follow STEP_LIMIT records. What ended well is not walked again from another header. */
class Walks<Kept> {
  readonly #known = new Map<string, Kept>();
  #steps = 0;

  /** The end of a walk of this segment, where `isKept` says that it holds for every header over the same bytes. */
  once({ p_offset, p_filesz, p_align }: Phdr, walk: () => Kept, isKept: (end: Kept) => boolean): Kept {
    const key = `${p_offset} ${p_filesz} ${p_align}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const end = walk();
    if (isKept(end)) this.#known.set(key, end);
    return end;
  }

  /** From record to record until a step ends the walk; `tooMany` is the end where the limit is reached. */
  follow<End>(start: bigint, step: (at: bigint) => Step<End>, tooMany: End): End {
    for (let at = start; ; ) {
      const done = step(at);
      if ('end' in done) return done.end;
      if (++this.#steps > STEP_LIMIT) return tooMany;
      at = done.next;
    }
  }
}

/**
 * QEMU's answer from these program headers alone. Its walk through another owner's PT_NOTE may run over the end of the
 * file, which no placement of Xen's notes can cure; so they can be judged by themselves.
 */
export function physEntryAsQemuFrom(image: ElfImage, indices: readonly number[]): PhysEntry {
  const segments = indices.flatMap((index) => image.segments[index] ?? []);
  return physEntryAsQemu({ ...image, segments, header: { ...image.header, e_phnum: segments.length } });
}

/** Why QEMU gives up at a segment, before it has read a record. In this order. */
const QEMU_REFUSES: readonly {
  readonly kind: 'refused' | 'crash';
  readonly when: (segment: Phdr, file: { readonly size: bigint; readonly bits: 32 | 64 }) => boolean;
  readonly problem: (name: string) => string;
}[] = [
  {
    kind: 'refused',
    // The sum is made in words of the class, and wraps.
    when: ({ p_offset, p_filesz }, { size, bits }) => BigInt.asUintN(bits, p_offset + p_filesz) > size,
    problem: (name) => `${name} reaches behind the end of the file`,
  },
  {
    kind: 'crash',
    when: ({ p_align }) => p_align === 0n,
    problem: (name) => `QEMU dies (division by zero): ${name} has p_align 0`,
  },
];

/**
 * QEMU's `-kernel` (PVH). Any owner will do; p_align is the padding unit, whatever it is; the descriptor is a word of the
 * class; the last segment with a hit wins, and a value of 0 counts as no note. One record's own step is compared with
 * p_filesz, never the sum, so the walk may leave the segment.
 */
export function physEntryAsQemu(image: ElfImage): PhysEntry {
  return once(qemuAnswers, image, () => walkAsQemu(image));
}

/** Several loaders ask for each answer, and an image with 65,534 PT_NOTEs is expensive to walk. */
const qemuAnswers = new WeakMap<ElfImage, PhysEntry>();
const linuxLoaderAnswers: Readonly<Record<LinuxLoaderPadding, WeakMap<ElfImage, PhysEntry>>> = {
  four: new WeakMap(),
  p_align: new WeakMap(),
};

function once(known: WeakMap<ElfImage, PhysEntry>, image: ElfImage, work: () => PhysEntry): PhysEntry {
  const answer = known.get(image) ?? work();
  known.set(image, answer);
  return answer;
}

function walkAsQemu(image: ElfImage): PhysEntry {
  const { source, encoding } = image;
  if (encoding.endian === 'big') return refusedBy('QEMU loads little-endian images only');
  const walks = new Walks<QemuEnd>();
  const read = mappedReader(source);
  let last = 0n;
  // A walk that leaves the file mostly finds nothing there; what another segment said stands.
  let astray: PhysEntry = NOTHING;
  for (const { index, name, segment } of noteSegments(image)) {
    if (segment.p_filesz === 0n) continue;
    const refusal = QEMU_REFUSES.find(({ when }) => when(segment, { size: source.size, bits: encoding.bits }));
    if (refusal !== undefined) return refusedBy(refusal.problem(name), { index, kind: refusal.kind });
    const tooMany = { problem: `QEMU walks on through more than ${STEP_LIMIT} records of ${name}` };
    const end = walks.once(
      segment,
      () => walks.follow(segment.p_offset, qemuStep(segment, name, encoding.bits, read), tooMany),
      // A fault names its header.
      ({ problem, dies }) => problem === undefined && dies === undefined,
    );
    if (end.dies !== undefined) return refusedBy(end.dies, { index, kind: 'crash' });
    if (end.problem !== undefined) astray = refusedBy(end.problem, { index, kind: 'runs-away' });
    else if (end.value !== undefined) last = end.value;
  }
  return last === 0n ? astray : { ...astray, found: true, value: last & 0xffff_ffffn };
}

/** How QEMU's walk of a segment ends: with a value, with a fault, or with nothing. */
interface QemuEnd {
  readonly value?: bigint;
  readonly problem?: string;
  /** Why QEMU does not survive it. */
  readonly dies?: string;
}

interface MappedReader {
  number(at: bigint, width: 4 | 8): bigint | undefined;
  noteHeader: LoaderReader['noteHeader'];
}

/** The file as QEMU maps it, in pages: behind its end there are zeros up to the next page, then nothing. */
function mappedReader(source: ByteSource): MappedReader {
  const reader = new LoaderReader(source, 'little');
  const mapped = alignUp(source.size, 0x1000n);
  const number = (at: bigint, width: 4 | 8) => {
    if (at + BigInt(width) > mapped) return undefined;
    const whole = reader.number(at, width);
    if (whole !== undefined) return whole;
    return reader.bytes(at, BigInt(width)).reduce((sum, byte, i) => sum + (BigInt(byte) << BigInt(8 * i)), 0n);
  };
  const noteHeader = (at: bigint) => {
    const whole = reader.noteHeader(at);
    if (whole !== undefined) return whole;
    const [namesz, descsz, type] = [number(at, 4), number(at + 4n, 4), number(at + 8n, 4)];
    if (namesz === undefined || descsz === undefined || type === undefined) return undefined;
    return { namesz: Number(namesz), descsz: Number(descsz), type: Number(type) };
  };
  return { number, noteHeader };
}

function qemuStep(
  { p_filesz, p_align }: Phdr,
  name: string,
  bits: 32 | 64,
  read: MappedReader,
): (at: bigint) => Step<QemuEnd> {
  const space = 1n << BigInt(bits);
  const unit = unitOf(NOTE_WALKS.qemu.step, p_align, bits);
  const up = (size: number) => (((BigInt(size) + unit - 1n) % space) / unit) * unit;
  const lost = (problem: string) => ({ end: { problem } });
  return (at) => {
    const head = read.noteHeader(at);
    if (head === undefined) {
      return lost(`QEMU reads behind the end of the file in search of more records of ${name}, and may crash`);
    }
    const { namesz, descsz, type } = head;
    if (type === PHYS32_ENTRY) {
      const value = read.number(BigInt.asUintN(64, at + BigInt(NHDR_SIZE) + up(namesz)), bits === 64 ? 8 : 4);
      return value === undefined
        ? { end: { dies: `QEMU dies: it reads a descriptor of ${name} behind the end of the file` } }
        : { end: { value } };
    }
    const step = (BigInt(NHDR_SIZE) + up(namesz) + up(descsz)) % space;
    if (step > p_filesz) return { end: {} };
    return step === 0n ? lost(`QEMU never leaves the record at ${hex(at)} of ${name}`) : { next: at + step };
  };
}

/** How a release of linux-loader pads names and descriptors: by 4 since 0.9, by p_align before (NOTE_WALKS). */
export type LinuxLoaderPadding = Extract<NoteStep, 'four' | 'p_align'>;

/** Offsets from here on are negative to the system call that moves in a file. */
const SEEK_LIMIT = 1n << 63n;

/**
 * rust-vmm/linux-loader (Firecracker, Cloud Hypervisor). ELF64 only, owner checked. Each PT_NOTE overwrites the answer of
 * the one before, an empty one too: the last decides. What ends the load says so in the loader's words (`fault.says`).
 */
export function physEntryAsLinuxLoader(
  image: ElfImage,
  padding: LinuxLoaderPadding = NOTE_WALKS['linux-loader'].step,
): PhysEntry {
  return once(linuxLoaderAnswers[padding], image, () => walkAsLinuxLoader(image, padding));
}

function walkAsLinuxLoader(image: ElfImage, padding: LinuxLoaderPadding): PhysEntry {
  const { source, encoding } = image;
  if (encoding.bits === 32) return refusedBy('linux-loader loads ELF64 images only');
  if (encoding.endian === 'big') return refusedBy('linux-loader loads little-endian images only');
  const walks = new Walks<PhysEntry>();
  const reader = new LoaderReader(source, 'little');
  let result = NOTHING;
  for (const note of noteSegments(image)) {
    const tooMany = refusedBy(`more than ${STEP_LIMIT} records up to ${note.name}`);
    result = walks.once(
      note.segment,
      () => walks.follow(note.segment.p_offset, linuxLoaderStep(note, padding, reader), tooMany),
      ({ problem }) => problem === undefined,
    );
    if (result.problem !== undefined) return result;
  }
  return result;
}

/** `Xen` and its NUL as the little-endian word that linux-loader compares. */
const XEN_WORD = readNumber(XEN_OWNER, 0, 4, 'little');

const SEEK_NOTE = 'Unable to seek to note header';
const READ_NOTE = 'Unable to read note header';
const OVERFLOW = 'Overflow occurred during an arithmetic operation';
const BAD_ALIGNMENT = 'Invalid alignment';
const INVALID_NOTE = 'Invalid PVH note header';

function linuxLoaderStep(
  { index, name, segment: { p_offset, p_filesz, p_align } }: NoteSegment,
  padding: LinuxLoaderPadding,
  reader: LoaderReader,
): (at: bigint) => Step<PhysEntry> {
  const unit = unitOf(padding, p_align, 64);
  const ends = (says: string, problem: string): { end: PhysEntry } => ({
    end: refusedBy(problem, { index, kind: 'refused', says }),
  });
  return (at) => {
    if (at >= SEEK_LIMIT) return ends(SEEK_NOTE, `${name} goes on at offset ${hex(at)}, above what a file can have`);
    if (at - p_offset >= p_filesz) return { end: NOTHING };
    const head = reader.noteHeader(at);
    if (head === undefined) {
      return ends(READ_NOTE, `linux-loader cannot read the note header at ${hex(at)} of ${name}`);
    }
    const { namesz, descsz, type } = head;
    let hit = false;
    if (type === PHYS32_ENTRY && namesz === XEN_OWNER.length) {
      const owner = reader.number(at + BigInt(NHDR_SIZE), 4);
      if (owner === undefined) return ends(READ_NOTE, `linux-loader cannot read the owner at ${hex(at)} of ${name}`);
      hit = owner === XEN_WORD;
    }
    if (unit === 0n || (unit & (unit - 1n)) !== 0n) {
      return ends(BAD_ALIGNMENT, `${name} has p_align ${unit}, which is no power of two`);
    }
    const namePart = alignUp(BigInt(namesz), unit);
    if (hit) {
      if (descsz < 4)
        return ends(INVALID_NOTE, `the PHYS32_ENTRY of ${name} has ${descsz} bytes, linux-loader wants 4`);
      const value = reader.number(at + BigInt(NHDR_SIZE) + namePart, 4);
      if (value === undefined) return ends(READ_NOTE, `linux-loader cannot read the descriptor of ${name}`);
      return { end: { found: true, value } };
    }
    const descPart = alignUp(BigInt(descsz), unit);
    if (namePart > U32_MAX || descPart > U32_MAX) {
      const size = namePart > U32_MAX ? namesz : descsz;
      return ends(
        OVERFLOW,
        `the record at ${hex(at)} of ${name} has a size of ${hex(size)}, which padding makes overflow`,
      );
    }
    return { next: at + BigInt(NHDR_SIZE) + namePart + descPart };
  };
}
