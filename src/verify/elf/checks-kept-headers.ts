/** Laws about headers: what an edit of notes leaves as it was. */

import { movedOffset } from '../../base/bytes/shifted.js';
import { equalBytes } from '../../base/bytes/text.js';
import { hex, hexBytes } from '../../base/errors/hex.js';
import { Phdr, Shdr } from '../../formats/elf/headers.js';
import { sectionFileRange } from '../../formats/elf/image.js';
import {
  PT_LOAD,
  PT_NOTE,
  PT_NULL,
  PT_PHDR,
  SHT_NOTE,
  SHT_PROGBITS,
  segmentTypeName,
} from '../../formats/elf/names.js';
import type { Violation } from '../check.js';
import type { Expectation } from '../finding.js';
import type { ElfCheck } from './elf-check.js';
import { holdsOnlyAdded, isOnlyAdded, isTouched, type Pair } from './pair.js';
import { isAdded, type Subject, sectionPart, segmentPart } from './subject.js';

/** Checks that header fields of the baseline changed only where the edit needs it. */
export const keptHeaderChecks: readonly ElfCheck[] = [
  {
    name: 'header-kept',
    invariant: 1,
    needs: 'baseline',
    because: 'class, machine, entry point and flags decide who loads the image and where it starts',
    *run({ before, after }) {
      const old = before.image;
      const now = after.image;
      if (!equalBytes(old.ident, now.ident)) {
        const text = `e_ident is ${hexBytes(now.ident)}, was ${hexBytes(old.ident)}`;
        yield { offset: 0n, part: 'ELF header', text };
      }
      for (const field of ['e_type', 'e_machine', 'e_version', 'e_entry', 'e_flags', 'e_ehsize'] as const) {
        yield* kept('ELF header', field, old.header[field], now.header[field]);
      }
    },
  },
  {
    name: 'segments-kept',
    invariant: 11,
    needs: 'baseline',
    because: 'every program header means something to some loader; none may go, change type or change places',
    run: segmentsKept,
  },
  {
    name: 'new-segments-last',
    invariant: 11,
    needs: 'baseline',
    because: 'a new entry in front of the LOADs changes what a loader finds first',
    run: newSegmentsLast,
  },
  {
    name: 'new-loads',
    invariant: 11,
    needs: 'expectation',
    because: 'every further PT_LOAD takes memory that the plan has to have meant',
    *run({ before, after, expectation: { addedLoads } }) {
      const found = after.loads.length - before.loads.length;
      if (found === addedLoads) return;
      yield { part: 'program header table', text: `found ${found} more PT_LOAD entries, wanted ${addedLoads}` };
    },
  },
  {
    name: 'segment-fields-kept',
    invariant: 13,
    needs: 'baseline',
    because: 'addresses, sizes, flags and alignment say where the kernel is loaded and how',
    run: segmentFieldsKept,
  },
  {
    name: 'sections-kept',
    invariant: 16,
    needs: 'baseline',
    because: 'symbols, relocations and links name sections by index, and tools by name',
    run: sectionsKept,
  },
];

function* kept(part: string, field: string, old: number | bigint, now: number | bigint, offset?: bigint) {
  if (old !== now) yield { offset, part, text: `${field} is ${hex(now)}, wanted ${hex(old)} as before` };
}

function* segmentsKept({ before, after, counterparts, expectation }: Pair): Generator<Violation> {
  for (const [index, { p_type, p_vaddr }] of before.image.segments.entries()) {
    const name = segmentTypeName(p_type);
    const now = after.image.segments[counterparts[index] ?? -1];
    if (now === undefined) {
      if (mayGo(before, index, expectation)) continue;
      yield { part: segmentPart(index), text: `${name} at address ${hex(p_vaddr)} is gone` };
    } else if (now.p_type !== p_type && expectation?.replacedSegments.includes(index) === false) {
      const text = `${name} became ${segmentTypeName(now.p_type)}, wanted it kept`;
      yield { part: segmentPart(counterparts[index] ?? index), text };
    }
  }
}

/**
 * An undo takes back what an edit added: with a plan, as many PT_LOADs as it says and entries that it replaced; without one, a
 * PT_LOAD of nothing but headers and notes. Which notes may go with a PT_NOTE is the word of the checks of notes.
 */
function mayGo(before: Subject, index: number, expectation: Expectation | undefined): boolean {
  const segment = before.image.segments[index];
  if (segment === undefined) return false;
  const { p_type } = segment;
  if (p_type === PT_LOAD) return (expectation?.addedLoads ?? -1) < 0 && holdsOnlyAdded(before, segment);
  if (p_type !== PT_NOTE) return false;
  return expectation === undefined || expectation.replacedSegments.includes(index);
}

function* newSegmentsLast({ before, after, counterparts }: Pair): Generator<Violation> {
  const kept = new Set(counterparts);
  const lastLoad = counterparts[before.loads.at(-1)?.index ?? -1] ?? -1;
  for (const [index, { p_type }] of after.image.segments.entries()) {
    if (kept.has(index)) continue;
    const part = segmentPart(index);
    const name = segmentTypeName(p_type);
    if (index < lastLoad) {
      yield { part, text: `new ${name} stands in front of the PT_LOAD of program header ${lastLoad}` };
    }
    if (p_type !== PT_NOTE && p_type !== PT_LOAD && p_type !== PT_NULL) {
      yield { part, text: `new ${name}, wanted none but PT_NOTE and PT_LOAD` };
    }
  }
}

function* segmentFieldsKept({ before, after, counterparts, expectation, shift }: Pair): Generator<Violation> {
  for (const [index, old] of before.image.segments.entries()) {
    const place = counterparts[index] ?? -1;
    const now = after.image.segments[place];
    if (now === undefined || now.p_type !== old.p_type) continue;
    if (old.p_type === PT_NOTE || old.p_type === PT_NULL) continue;
    const grown = old.p_type === PT_LOAD ? growth(before, index, old, now, expectation) : 0n;
    const wanted: Phdr = {
      ...old,
      p_offset: movedOffset(shift, old.p_offset),
      p_filesz: old.p_filesz + grown,
      p_memsz: old.p_memsz + grown,
    };
    for (const field of fieldsOf(Phdr.fields)) {
      // PT_PHDR follows the table, in memory too; that it does is a check of its own.
      if (old.p_type === PT_PHDR && field !== 'p_flags' && field !== 'p_align') continue;
      // An entry without file bytes points nowhere; it may move along or stay.
      if (field === 'p_offset' && old.p_filesz === 0n && now.p_offset === old.p_offset) continue;
      yield* kept(segmentPart(place), field, wanted[field], now[field], now.p_offset);
    }
  }
}

/**
 * How much a LOAD was allowed to grow, or to give back (less than 0): what was planned; without a plan, what it did.
 */
function growth(before: Subject, index: number, old: Phdr, now: Phdr, expectation: Expectation | undefined): bigint {
  // Bytes behind p_filesz are zero memory where p_memsz is larger; notes would land in it.
  if (old.p_filesz !== old.p_memsz) return 0n;
  if (expectation !== undefined) {
    const { extendedLoad, shrunkLoad } = expectation;
    const less = shrunkLoad?.index === index ? shrunkLoad.by : 0n;
    return (extendedLoad?.index === index ? extendedLoad.by : 0n) - less;
  }
  // A shorter one gave back what an edit had put at its end, or lost something.
  const tail = { start: old.p_offset + now.p_filesz, end: old.p_offset + old.p_filesz };
  return tail.start >= tail.end || isOnlyAdded(before, tail) ? now.p_filesz - old.p_filesz : 0n;
}

function* sectionsKept(pair: Pair): Generator<Violation> {
  const old = pair.before.image;
  const now = pair.after.image;
  if (now.sections.length < old.sections.length && !droppedAsMeant(pair)) {
    const text = `found ${now.sections.length} sections, wanted at least the ${old.sections.length} from before`;
    yield { offset: now.header.e_shoff, part: 'section header table', text };
    return;
  }
  if (old.sections.length > 0) yield* kept('section header table', 'e_shstrndx', old.shstrndx, now.shstrndx);
  for (const [index, section] of old.sections.entries()) {
    const current = now.sections[index];
    // Section header 0 holds counts, not a section; it has its own check.
    if (index === 0 || current === undefined) continue;
    const touched = isTouched(pair, index);
    for (const field of fieldsOf(Shdr.fields)) {
      if (field === 'sh_offset') continue;
      if (touched && !KEPT_WHEN_TOUCHED.has(field)) continue;
      // GRUB describes its notes by a PROGBITS section; where that follows the notes it becomes what it covers.
      if (touched && field === 'sh_type' && current.sh_type === SHT_NOTE) continue;
      if (touched && RENAMED.has(field) && isAdded(pair.before, index) && isAdded(pair.after, index)) continue;
      if (touched && field === 'sh_type' && isRetired(pair, section, current)) continue;
      if (describesNoTable(pair, section, current) && EMPTIED.has(field)) continue;
      if (field === 'sh_type' && describesNotesAgain(pair, section, current)) continue;
      yield* kept(sectionPart(now, index), field, section[field], current[field], current.sh_offset);
    }
  }
}

/** Sections that edits added are known by index to nobody: each may become another one of them. */
const RENAMED: ReadonlySet<string> = new Set(['sh_name', 'sh_type']);

/** The section over program headers that stand elsewhere again: it is emptied. */
function describesNoTable({ before, after }: Pair, old: Shdr, now: Shdr): boolean {
  const { start, end } = before.phdrs;
  const was = sectionFileRange(old);
  return now.sh_size === 0n && was.start === start && was.end === end && after.phdrs.start !== start;
}

const EMPTIED: ReadonlySet<string> = new Set(['sh_size', 'sh_flags', 'sh_addr']);

/** The other way round: a PT_NOTE leads to these bytes again. */
function describesNotesAgain({ after }: Pair, old: Shdr, now: Shdr): boolean {
  if (old.sh_type !== SHT_PROGBITS || now.sh_type !== SHT_NOTE) return false;
  const same = now.sh_offset === old.sh_offset && now.sh_size === old.sh_size && now.sh_addr === old.sh_addr;
  return same && after.isInNotes(sectionFileRange(now));
}

/** Sections at the end may go with an undo: as many as were meant, or those of notes and the program header table alone. */
function droppedAsMeant({ before, after, expectation }: Pair): boolean {
  const { sections, shstrndx } = before.image;
  const kept = after.image.sections.length;
  if (kept === 0 || kept <= shstrndx) return false;
  if (expectation !== undefined) return sections.length - kept === expectation.droppedSections;
  return sections.slice(kept).every((section) => {
    const range = sectionFileRange(section);
    const isTable = range.start === before.phdrs.start && range.end === before.phdrs.end;
    return section.sh_type === SHT_NOTE || isTable || range.start === range.end;
  });
}

/**
 * A note section in memory whose notes stand elsewhere now describes the same bytes as data, so that tools which go by
 * sections do not show them twice.
 */
function isRetired({ after, shift }: Pair, old: Shdr, now: Shdr): boolean {
  if (old.sh_type !== SHT_NOTE || now.sh_type !== SHT_PROGBITS) return false;
  const range = sectionFileRange(now);
  const read = after.meetsNotes(range);
  const same = now.sh_offset === movedOffset(shift, old.sh_offset) && now.sh_size === old.sh_size;
  return same && now.sh_addr === old.sh_addr && !read && after.isInLoad(range);
}

/** A reused note section takes a new place, size and alignment; what it is and what it is called stays. */
const KEPT_WHEN_TOUCHED: ReadonlySet<string> = new Set(['sh_name', 'sh_type', 'sh_link', 'sh_info', 'sh_entsize']);

/** Field names of a declared structure, with their type. */
function fieldsOf<F extends object>(fields: F): (keyof F & string)[] {
  return Object.keys(fields) as (keyof F & string)[];
}
