/**
 * Laws about what a running program finds of itself: execve hands it the address of its program headers (AT_PHDR), and ld.so,
 * the libc and unwinders read them there. Without an expectation they are asked of images that look like programs, and
 * what breaks them is a warning, for kernels borrow parts of programs.
 */
import { contains, holderOf, type Range } from '../../base/bytes/range.js';
import { hex } from '../../base/errors/hex.js';
import type { Phdr } from '../../formats/elf/headers.js';
import { type ElfImage, loads, phdrTable, segmentFileRange } from '../../formats/elf/image.js';
import { PT_DYNAMIC, PT_GNU_STACK, PT_INTERP, PT_LOAD, PT_NOTE, PT_TLS } from '../../formats/elf/names.js';
import type { Level, Violation } from '../check.js';
import type { ElfCheck } from './elf-check.js';
import type { Pair } from './pair.js';
import { segmentPart } from './subject.js';

/** The checks of what a program finds of its own headers, notes and stack rights in memory. */
export const programChecks: readonly ElfCheck[] = [
  {
    name: 'program-headers-found',
    invariant: 12,
    needs: 'baseline',
    because: 'a program reads its thread template, relocations and stack rights where AT_PHDR leads',
    run: headersFound,
  },
  {
    name: 'loaded-notes-found',
    invariant: 13,
    needs: 'baseline',
    because: 'readers of the notes of a running program find them at the load bias plus p_vaddr',
    run: notesFound,
  },
  {
    name: 'stack-rights-kept',
    invariant: 11,
    needs: 'baseline',
    because: 'without its PT_GNU_STACK the stacks of a program may be executed',
    run: stackKept,
  },
];

/** The level of what breaks a law of programs in this pair; undefined: the image is none. */
function levelFor({ before, expectation }: Pair): Level | undefined {
  if (expectation?.isProgram !== undefined) return expectation.isProgram ? 'error' : undefined;
  const isProgram = before.image.segments.some(
    ({ p_type }) => p_type === PT_INTERP || p_type === PT_DYNAMIC || p_type === PT_TLS,
  );
  return isProgram ? 'warning' : undefined;
}

function* headersFound(pair: Pair): Generator<Violation> {
  const level = levelFor(pair);
  if (level === undefined || tableInMemory(pair.before.image) === undefined) return;
  const { image } = pair.after;
  if (tableInMemory(image) !== undefined) return;
  const { start, end } = phdrTable(image);
  const text = `no PT_LOAD shows all of [${hex(start)}, ${hex(end)}) where AT_PHDR leads, wanted one as before`;
  yield { level, offset: start, part: 'program header table', text };
}

/**
 * Where execve says the table is: in the last PT_LOAD whose file bytes hold e_phoff (Linux, fs/binfmt_elf.c). Undefined when
 * that one does not show all of it.
 */
function tableInMemory(image: ElfImage): bigint | undefined {
  const table = phdrTable(image);
  const holder = loads(image).findLast(({ segment: s }) =>
    contains(segmentFileRange(s), { ...table, end: table.start + 1n }),
  );
  if (table.start === table.end || holder === undefined) return undefined;
  return addressIn(holder.segment, table);
}

/** The virtual address at which a PT_LOAD shows file bytes; undefined where it does not show all of them. */
function addressIn(load: Phdr, bytes: Range): bigint | undefined {
  if (load.p_type !== PT_LOAD || !contains(segmentFileRange(load), bytes)) return undefined;
  return load.p_vaddr + (bytes.start - load.p_offset);
}

function* notesFound(pair: Pair): Generator<Violation> {
  const level = levelFor(pair);
  if (level === undefined || tableInMemory(pair.before.image) === undefined) return;
  const known = new Set(pair.before.image.segments.map(keyOf));
  const { image } = pair.after;
  const isShown = showing(image);
  for (const [index, segment] of image.segments.entries()) {
    if (segment.p_type !== PT_NOTE || known.has(keyOf(segment)) || isShown(segment)) continue;
    const text = `no PT_LOAD shows its notes at ${hex(segment.p_vaddr)}`;
    yield { level, offset: segment.p_offset, part: segmentPart(index), text };
  }
}

/** Does a PT_LOAD show the bytes of a segment at its address? By the distance of the two, which is that of the PT_LOAD. */
function showing(image: ElfImage): (segment: Phdr) => boolean {
  const byDistance = new Map<bigint, Range[]>();
  for (const { segment: load } of loads(image)) {
    const distance = load.p_vaddr - load.p_offset;
    const same = byDistance.get(distance);
    if (same === undefined) byDistance.set(distance, [segmentFileRange(load)]);
    else same.push(segmentFileRange(load));
  }
  const holders = new Map([...byDistance].map(([distance, ranges]) => [distance, holderOf(ranges)]));
  return (segment) => holders.get(segment.p_vaddr - segment.p_offset)?.(segmentFileRange(segment)) !== undefined;
}

function keyOf(segment: Phdr): string {
  return Object.values(segment).join(' ');
}

function* stackKept(pair: Pair): Generator<Violation> {
  const level = levelFor(pair);
  const was = pair.before.image.segments.find(({ p_type }) => p_type === PT_GNU_STACK);
  if (level === undefined || was === undefined) return;
  const now = pair.after.image.segments.find(({ p_type }) => p_type === PT_GNU_STACK);
  if (now?.p_flags === was.p_flags) return;
  const found = now === undefined ? 'found none' : `found p_flags ${hex(now.p_flags)}`;
  yield { level, part: 'PT_GNU_STACK', text: `${found}, wanted p_flags ${hex(was.p_flags)} as before` };
}
