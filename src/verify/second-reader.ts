/**
 * A second opinion from a reader that shares no code with this one: elfy. It is asked for what it can tell reliably and
 * not for what it is known to get wrong: sh_addralign and sh_entsize of ELF64, numbers beyond 2^53 (doubles), extended
 * numbering, an image without section names.
 */
import { portOrNone } from '../base/bytes/ports.js';
import { normalize, type Range, rangeOf } from '../base/bytes/range.js';
import type { SecondParser } from '../base/bytes/second-parser.js';
import { fits } from '../base/bytes/source.js';
import { equalBytes, latin1Bytes, utf8 } from '../base/bytes/text.js';
import { hex } from '../base/errors/hex.js';
import {
  type ElfImage,
  ehdrSize,
  phdrTable,
  sectionFileRange,
  segmentFileRange,
  shdrTable,
} from '../formats/elf/image.js';
import { PN_XNUM, PT_NOTE, SHN_LORESERVE, SHT_NOTE } from '../formats/elf/names.js';
import { sectionName } from '../formats/elf/section-names.js';
import { sectionPart, segmentPart } from './elf/subject.js';

/** What the second reader (elfy) makes of an image. */
export interface SecondOpinion {
  /** `absent`: this platform has no second reader. */
  readonly verdict: 'agrees' | 'differs' | 'cannot-read' | 'absent';
  /** What differs, or why it cannot read this, or what it could not be asked; one line each. */
  readonly details: readonly string[];
}

type Reading = ReturnType<SecondParser['parse']>;

/** elfy wants the file in one piece. Everything it is asked for has to lie below this. */
const WINDOW = 0x80000000n;

/** Bytes that are read for elfy, and compared with what it made of them. Real images need less than one MiB. */
const FILLED = 0x8000000n;

/** elfy goes through a name byte by byte, for every section anew. */
const LONGEST_NAME = 4096;

/** Headers of one kind that elfy is asked about: it makes objects of all, and real images have a few hundred. */
const MOST_HEADERS = 20_000;

/** Differences told. */
const LIMIT = 16;

/**
 * Asks elfy about headers, program headers, sections and the bytes of every note segment and note section. Reads header
 * tables, names and notes only; memory does not depend on the size of the file. It comes in through a port. Errors: those of reading the image.
 */
export async function secondReader(image: ElfImage): Promise<SecondOpinion> {
  const load = portOrNone('loadSecondParser');
  if (load === undefined) return { verdict: 'absent', details: ['this platform has no second reader'] };
  const reason = beyondElfy(image);
  if (reason !== undefined) return { verdict: 'cannot-read', details: [reason] };
  const elfy = await load();
  const bytes = sparseCopy(image);
  const named = image.shstrndx !== 0;
  let reading: Reading;
  try {
    reading = elfy.parse(bytes, named);
  } catch (error) {
    return { verdict: 'cannot-read', details: [`elfy gave up: ${error instanceof Error ? error.message : error}`] };
  }
  const { header, body } = reading;
  const differences = [
    ...headerDifferences(image, header, elfy),
    ...segmentDifferences(image, body, elfy),
    ...sectionDifferences(image, body, elfy, named),
  ];
  if (differences.length > 0) return { verdict: 'differs', details: differences.slice(0, LIMIT) };
  const details = named ? [] : ['section names were not compared: the image has none'];
  if (wholeNoteRanges(image).some(({ start, end }) => end - start > NOTES_SHOWN)) {
    details.push(`of long notes the first ${hex(NOTES_SHOWN)} bytes were compared`);
  }
  return { verdict: 'agrees', details };
}

function beyondElfy(image: ElfImage): string | undefined {
  const { header, sections, segments, shstrndx, source } = image;
  if (header.e_phnum === PN_XNUM || segments.length >= PN_XNUM) {
    return `elfy does not know extended numbering: ${segments.length} program headers`;
  }
  if (header.e_shnum !== sections.length || shstrndx >= SHN_LORESERVE) {
    return `elfy does not know extended numbering: ${sections.length} sections, names in ${shstrndx}`;
  }
  const most = Math.max(segments.length, sections.length);
  if (most > MOST_HEADERS) return `${most} headers, wanted at most ${MOST_HEADERS}`;
  const outside = [...neededRanges(image), ...wholeNoteRanges(image)].find(
    ({ start, end }) => !fits(start, end - start, source.size),
  );
  if (outside !== undefined) return `bytes at ${hex(outside.start)} are behind the end of the file`;
  const end = bufferEnd(image);
  if (end > WINDOW) {
    return `elfy holds the file in one buffer: notes or headers end at ${hex(end)}, beyond ${hex(WINDOW)}`;
  }
  const filled = sizeOf(neededRanges(image)) + sizeOf(distinct(noteRanges(image)));
  if (filled > FILLED) return `headers, names and notes take ${hex(filled)} bytes, wanted at most ${hex(FILLED)}`;
  const long = image.sections.findIndex((_, index) => sectionName(image, index).length >= LONGEST_NAME);
  if (long >= 0) return `the name of section ${long} is longer than ${LONGEST_NAME} bytes`;
  return undefined;
}

function sizeOf(ranges: readonly Range[]): bigint {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0n);
}

function distinct(ranges: readonly Range[]): Range[] {
  return [...new Map(ranges.map((range) => [`${range.start} ${range.end}`, range])).values()];
}

/** What elfy is shown of a note area: it holds all it is shown in one buffer. */
const NOTES_SHOWN = 0x100000n;

function noteRanges(image: ElfImage): Range[] {
  return wholeNoteRanges(image).map(({ start, end }) => ({ start, end: shownEnd(start, end) }));
}

function shownEnd(start: bigint, end: bigint): bigint {
  return end - start > NOTES_SHOWN ? start + NOTES_SHOWN : end;
}

function wholeNoteRanges(image: ElfImage): Range[] {
  return [
    ...image.segments.filter((s) => s.p_type === PT_NOTE).map(segmentFileRange),
    ...image.sections.filter((s) => s.sh_type === SHT_NOTE).map(sectionFileRange),
  ];
}

/** What elfy looks at when it answers the questions asked here. */
function neededRanges(image: ElfImage): Range[] {
  const names = image.shstrndx === 0 ? undefined : image.sections[image.shstrndx];
  return normalize([
    rangeOf(0n, ehdrSize(image.encoding)),
    phdrTable(image),
    shdrTable(image),
    ...(names === undefined ? [] : [sectionFileRange(names)]),
    ...noteRanges(image),
  ]);
}

/** Where the buffer for elfy ends: it cuts whole notes out of it, shown or not. */
function bufferEnd(image: ElfImage): bigint {
  return normalize([...neededRanges(image), ...wholeNoteRanges(image)]).at(-1)?.end ?? 0n;
}

/**
 * The file as elfy wants it, with only the needed bytes filled in. The operating system hands out zeroed memory page by
 * page as it is written, so what is left out costs nothing.
 */
function sparseCopy(image: ElfImage): Uint8Array {
  const ranges = neededRanges(image);
  const bytes = new Uint8Array(Number(bufferEnd(image)));
  for (const { start, end } of ranges) {
    image.source.readInto(start, bytes.subarray(Number(start), Number(end)), 'bytes for the second reader');
  }
  return bytes;
}

/** One comparison of ours with elfy's; wide numbers as doubles, as far as elfy goes. */
function* unequal(part: string, pairs: readonly (readonly [string, number | bigint, number])[]): Generator<string> {
  for (const [field, ours, theirs] of pairs) {
    if (Number(ours) !== theirs) yield `${part}: ${field} is ${hex(ours)}, elfy reads ${theirs}`;
  }
}

function* headerDifferences(
  { header, encoding }: ElfImage,
  theirs: Reading['header'],
  elfy: SecondParser,
): Generator<string> {
  const part = 'ELF header';
  const words = `${encoding.bits} ${encoding.endian === 'little' ? 'lsb' : 'msb'}`;
  if (words !== `${theirs.class} ${theirs.endian}`) {
    yield `${part}: found ELF${words}, elfy reads ELF${theirs.class} ${theirs.endian}`;
  }
  if (elfy.constants.type[header.e_type] !== theirs.type) yield `${part}: elfy reads e_type ${theirs.type}`;
  if (elfy.constants.machine[header.e_machine] !== theirs.machine) {
    yield `${part}: elfy reads e_machine ${theirs.machine}`;
  }
  yield* unequal(part, [
    ['e_version', header.e_version, theirs.version],
    ['e_entry', header.e_entry, theirs.entry],
    ['e_phoff', header.e_phoff, theirs.phoff],
    ['e_shoff', header.e_shoff, theirs.shoff],
    ['e_flags', header.e_flags, theirs.flags],
    ['e_ehsize', header.e_ehsize, theirs.ehsize],
    ['e_phentsize', header.e_phentsize, theirs.phentsize],
    ['e_phnum', header.e_phnum, theirs.phnum],
    ['e_shentsize', header.e_shentsize, theirs.shentsize],
    ['e_shnum', header.e_shnum, theirs.shnum],
    ['e_shstrndx', header.e_shstrndx, theirs.shstrndx],
  ]);
}

function* segmentDifferences(image: ElfImage, { programs }: Reading['body'], elfy: SecondParser): Generator<string> {
  yield* unequal('program header table', [['entries', image.segments.length, programs.length]]);
  const sameBytes = noteComparer(image);
  for (const [index, ours] of image.segments.entries()) {
    const theirs = programs[index];
    if (theirs === undefined) return;
    const part = segmentPart(index);
    if (elfy.constants.entryType[ours.p_type] !== theirs.type) yield `${part}: elfy reads p_type ${theirs.type}`;
    yield* unequal(part, [
      ['p_offset', ours.p_offset, theirs.offset],
      ['p_vaddr', ours.p_vaddr, theirs.vaddr],
      ['p_paddr', ours.p_paddr, theirs.paddr],
      ['p_filesz', ours.p_filesz, theirs.filesz],
      ['p_memsz', ours.p_memsz, theirs.memsz],
      ['p_align', ours.p_align, theirs.align],
    ]);
    if (ours.p_type === PT_NOTE && !sameBytes(segmentFileRange(ours), theirs.data)) {
      yield `${part}: elfy sees other note bytes`;
    }
  }
}

function* sectionDifferences(
  image: ElfImage,
  { sections }: Reading['body'],
  elfy: SecondParser,
  named: boolean,
): Generator<string> {
  yield* unequal('section header table', [['entries', image.sections.length, sections.length]]);
  const sameBytes = noteComparer(image);
  for (const [index, ours] of image.sections.entries()) {
    const theirs = sections[index];
    if (theirs === undefined) return;
    const part = sectionPart(image, index);
    if ((elfy.constants.sectType[ours.sh_type] ?? ours.sh_type) !== theirs.type) {
      yield `${part}: elfy reads sh_type ${theirs.type}`;
    }
    if (named && asUtf8(sectionName(image, index)) !== theirs.name) yield `${part}: elfy reads the name ${theirs.name}`;
    yield* unequal(part, [
      ['sh_addr', ours.sh_addr, theirs.addr],
      ['sh_offset', ours.sh_offset, theirs.off],
      ['sh_size', ours.sh_size, theirs.size],
      ['sh_link', ours.sh_link, theirs.link],
      ['sh_info', ours.sh_info, theirs.info],
    ]);
    if (ours.sh_type === SHT_NOTE && !sameBytes(sectionFileRange(ours), theirs.data)) {
      yield `${part}: elfy sees other note bytes`;
    }
  }
}

/** Our names are one character a byte, elfy's are decoded as UTF-8. */
function asUtf8(name: string): string {
  return utf8(latin1Bytes(name));
}

/** Compares note bytes as read here with those elfy cut out; equal headers, of which there may be 65,534, only once. */
function noteComparer(image: ElfImage): (range: Range, theirs: Uint8Array) => boolean {
  const known = new Map<string, boolean>();
  return ({ start, end }, theirs) => {
    const key = `${start} ${end} ${theirs.byteOffset} ${theirs.length}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const length = shownEnd(start, end) - start;
    const ours = image.source.read(start, length, 'notes');
    const same = BigInt(theirs.length) === end - start && equalBytes(ours, theirs.subarray(0, Number(length)));
    known.set(key, same);
    return same;
  };
}
