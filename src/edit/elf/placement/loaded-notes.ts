/**
 * What is lost when notes that were in memory leave it, or leave the page of it that core files hold: readers that go by the
 * PT_NOTE of a running image find nothing there any more. A placement that keeps them is taken first; this is said where
 * none does.
 */
import { contains, rangeOf } from '../../../base/bytes/range.js';
import { hex } from '../../../base/errors/hex.js';
import { FDO, FDO_PACKAGING_METADATA, GNU, NT_GNU_BUILD_ID } from '../../../formats/note/note-types.js';
import { ownerOf } from '../../../formats/note/record.js';
import type { Analysis } from '../plan/analyze.js';
import type { RewriteTarget } from '../plan/rewrite-target.js';
import type { Layout } from './layout.js';
import type { PlacementInput } from './placement-input.js';

/**
 * The part of a file mapping that Linux writes into a core file: the first page, where it begins with an ELF header
 * (core(5), coredump_filter bit 4). The smallest page that Linux has.
 */
const CORE_PAGE = rangeOf(0n, 0x1000n);

/** Who reads which notes of a running image, in words for a warning. */
const READERS: readonly (readonly [owner: string, type: number, words: string])[] = [
  [GNU, NT_GNU_BUILD_ID, 'the build-id in core files'],
  [FDO, FDO_PACKAGING_METADATA, 'the package metadata that systemd logs of a crash'],
];

/** Do core files show these notes to one of their readers? */
export function isReadFromCores({ tableLoad }: Analysis, { areas, records }: RewriteTarget): boolean {
  const isRead = READERS.some(([owner, type]) => records.some((r) => r.type === type && ownerOf(r.name) === owner));
  return isRead && tableLoad?.file.start === 0n && areas.some(({ range }) => contains(CORE_PAGE, range));
}

/** Warnings about readers in memory that lose what they found. `--not-loaded` asked for it. */
export function lostFromMemory({ analysis, target, options }: PlacementInput, layout: Layout): string[] {
  const { noteRange, loaded, replacedSegments } = layout;
  const from = target.segments.at(-1);
  if (target.loaded === undefined || noteRange === undefined || from === undefined) return [];
  // Where the new notes got an entry of their own, the old one shows what it showed.
  if (!replacedSegments.includes(from)) return [];
  const has = (owner: string, type: number) =>
    target.records.some((record) => record.type === type && ownerOf(record.name) === owner);
  const names = READERS.flatMap(([owner, type, words]) => (has(owner, type) ? [words] : []));
  if (!loaded) {
    if (options.loaded === false) return [];
    const lost = [...names, 'new values in /sys/kernel/notes'].join(', ');
    return [`the notes of PT_NOTE ${from} leave memory; lost is what readers find of them there: ${lost}`];
  }
  if (!isReadFromCores(analysis, target) || contains(CORE_PAGE, noteRange)) return [];
  const where = `PT_NOTE ${from} moves to ${hex(noteRange.start)}, out of the first page, which core files hold`;
  return [`${where}; where only the core file is at hand, lost is ${names.join(', ')}`];
}
