/** Laws about bytes: what an edit of notes leaves as it was. Most stand on one comparison of the two files. */
import { newBlocks, sameStretch } from '../../base/bytes/byte-comparison.js';
import { movedOffset } from '../../base/bytes/shifted.js';
import { fits } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import type { Shdr } from '../../formats/elf/headers.js';
import { hasLinuxMagic, LINUX_MAGIC_AT } from '../../formats/linux/boot-header.js';
import { type MultibootHeader, multibootHeaders } from '../../formats/multiboot/headers.js';
import type { Violation } from '../check.js';
import { differencesOf } from './difference-home.js';
import type { ElfCheck } from './elf-check.js';
import { plannedOverForeign } from './free-ranges.js';
import { movedSectionViolations } from './moved-sections.js';
import type { Pair } from './pair.js';
import { memoryDifferences } from './same-memory.js';
import { isAdded, type Subject } from './subject.js';

/** Checks that no byte of the baseline changed that was not to be changed. */
export const keptByteChecks: readonly ElfCheck[] = [
  {
    name: 'load-bytes',
    invariant: 14,
    needs: 'baseline',
    because: 'these bytes are the kernel in memory',
    run: (pair) => differencesOf(pair, 'load'),
  },
  {
    name: 'memory-image',
    invariant: 15,
    needs: 'baseline',
    because: 'a header can send the right bytes to the wrong address',
    run: memoryDifferences,
  },
  {
    name: 'section-bytes',
    invariant: 16,
    needs: 'baseline',
    because: 'debug information and symbols are found by sections, in place or moved',
    *run(pair) {
      yield* differencesOf(pair, 'section');
      yield* movedSectionViolations(pair);
    },
  },
  {
    name: 'section-name-table',
    invariant: 16,
    needs: 'baseline',
    because: 'every name is an offset into this table; new names may only follow the old ones',
    run: nameTableKept,
  },
  {
    name: 'unclaimed-bytes',
    invariant: 17,
    needs: 'baseline',
    because: 'bytes that no header names hold data of a kind that is not known here',
    run: (pair) => differencesOf(pair, 'unclaimed'),
  },
  {
    name: 'taken-bytes-free',
    invariant: 17,
    needs: 'baseline',
    because: 'room for notes and headers is zero bytes that nothing else owns',
    run: plannedOverForeign,
  },
  {
    name: 'trailing-bytes',
    invariant: 18,
    needs: 'baseline',
    because: 'tools that put bytes behind the image find them from its end or from its length',
    run: (pair) => differencesOf(pair, 'trailing'),
  },
  {
    name: 'linked-tables',
    invariant: 19,
    needs: 'baseline',
    because: 'symbols, groups and relocations refer to sections and to one another by number',
    run: (pair) => differencesOf(pair, 'linked'),
  },
  {
    name: 'file-size',
    invariant: 21,
    needs: 'expectation',
    because: 'a longer file has a tail that was not planned, a shorter one was cut',
    *run({ after, expectation: { fileSize } }) {
      if (after.fileSize === fileSize) return;
      yield { part: 'file', text: `found ${hex(after.fileSize)} bytes, wanted ${hex(fileSize)}` };
    },
  },
  {
    name: 'file-mode',
    invariant: 21,
    needs: 'expectation',
    because: 'a kernel that was executable or private has to stay so',
    *run({ before, after, expectation }) {
      const old = before.image.source;
      const now = after.image.source;
      if (old.mode === undefined || now.mode === undefined) return;
      const wanted = (expectation?.fileMode ?? old.mode) & PERMISSIONS;
      const found = now.mode & PERMISSIONS;
      if (found !== wanted) yield { part: 'file', text: `mode is ${octal(found)}, wanted ${octal(wanted)} as before` };
    },
  },
  {
    name: 'multiboot-kept',
    invariant: 22,
    needs: 'baseline',
    because: 'a boot loader searches the first bytes of the file for its header and takes the first it finds',
    run: multibootKept,
  },
  {
    name: 'linux-magic',
    invariant: 22,
    needs: 'baseline',
    because: 'a file with HdrS at 0x202 is taken for a Linux boot image, whatever else it is',
    *run({ before, after }) {
      const now = hasLinuxMagic(after.image.source);
      if (now === hasLinuxMagic(before.image.source)) return;
      yield { offset: LINUX_MAGIC_AT, part: 'file', text: `HdrS ${now ? 'appeared' : 'is gone'} at 0x202` };
    },
  },
];

const PERMISSIONS = 0o7777;

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}

function* nameTableKept({ before, after }: Pair): Generator<Violation> {
  const old = before.image.sections[before.image.shstrndx];
  const now = after.image.sections[after.image.shstrndx];
  // That there is one no more is the finding of sections-kept.
  if (before.image.shstrndx === 0 || after.image.shstrndx === 0 || old === undefined || now === undefined) return;
  const violation = { offset: now.sh_offset, part: 'section-name table' };
  // With sections that an undo dropped their names go: those that are left are the same.
  const dropped = after.image.sections.length < before.image.sections.length;
  const own = ownNames(before, old);
  const size = dropped && now.sh_size < own ? now.sh_size : own;
  if (now.sh_size < size) {
    yield { ...violation, text: `sh_size is ${hex(now.sh_size)}, wanted at least ${hex(old.sh_size)} as before` };
    return;
  }
  // Bytes outside a file are the finding of section-in-file.
  if (!fits(old.sh_offset, size, before.fileSize) || !fits(now.sh_offset, size, after.fileSize)) return;
  const a = { source: before.image.source, offset: old.sh_offset };
  const b = { source: after.image.source, offset: now.sh_offset };
  if (sameStretch(a, b, size, newBlocks(size))) return;
  yield { ...violation, text: 'does not begin with the names it held before' };
}

/** Bytes of the names but for those at their end that only sections which edits added have: these come and go. */
function ownNames(before: Subject, { sh_offset, sh_size }: Shdr): bigint {
  const { sections, source } = before.image;
  const names = (wanted: boolean) =>
    sections.flatMap(({ sh_name }, index) => (isAdded(before, index) === wanted ? [sh_name] : []));
  const last = names(false).reduce((most, name) => (name > most ? name : most), 0);
  const first = names(true)
    .filter((name) => name > last && BigInt(name) < sh_size)
    .reduce<number | undefined>((least, name) => (least === undefined || name < least ? name : least), undefined);
  if (first === undefined || !fits(sh_offset, sh_size, before.fileSize)) return sh_size;
  // In the middle of another name it would not be theirs alone.
  const [end] = source.read(sh_offset + BigInt(first) - 1n, 1n, 'section-name table');
  return end === 0 ? BigInt(first) : sh_size;
}

function* multibootKept({ before, after, shift }: Pair): Generator<Violation> {
  const now = multibootHeaders(after.image.source);
  const wanted = multibootHeaders(before.image.source).map(({ version, offset }) => ({
    version,
    offset: movedOffset(shift, offset),
  }));
  for (const { version, offset } of without(wanted, now)) {
    yield { offset, part: `multiboot ${version} header`, text: 'is no longer found where a boot loader looks' };
  }
  for (const { version, offset } of without(now, wanted)) {
    yield { offset, part: `multiboot ${version} header`, text: 'appeared, there was none before' };
  }
}

type Placed = Pick<MultibootHeader, 'version' | 'offset'>;

function without(some: readonly Placed[], others: readonly Placed[]): Placed[] {
  const known = new Set(others.map(({ version, offset }) => `${version} ${offset}`));
  return some.filter(({ version, offset }) => !known.has(`${version} ${offset}`));
}
