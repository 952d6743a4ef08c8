/**
 * What a placement asks of an image before it looks for room, one row a question: which placements ask it, where it is said, and
 * why the image is not as wanted. Rows are asked in their order. What only the search for room can tell is left to the placement.
 */
import { hex } from '../../../base/errors/hex.js';
import { multibootWindow } from '../../../formats/multiboot/windows.js';
import type { PlacementName } from '../plan/placement-options.js';
import type { Refusal } from './layout.js';
import type { PlacementInput } from './placement-input.js';
import { tableMustStay } from './program.js';
import { countable } from './program-headers.js';

/** One question of a placement. */
export interface Condition {
  /** Stable; tests name it. */
  readonly name: string;
  readonly of: readonly PlacementName[];
  readonly source: string;
  /** Why the image is not as wanted; undefined where it is. */
  readonly reason: (input: PlacementInput) => string | undefined;
  /** It would work in a kernel; what a running program finds would change. */
  readonly sparesProgram?: true;
}

/** FreeBSD reads program headers from the first page of a file only. */
const EI_OSABI = 7;
const ELFOSABI_FREEBSD = 9;

/** Every question, in the order in which they are asked. */
export const CONDITIONS: readonly Condition[] = [
  {
    name: 'outside-memory',
    of: ['append', 'move-table', 'shift'],
    source: 'the wish: notes in memory',
    reason: ({ options }) => (options.loaded === true ? 'the notes would be outside every PT_LOAD' : undefined),
  },
  {
    name: 'inside-memory',
    of: ['extend', 'new-load', 'new-table'],
    source: 'the wish: notes outside memory',
    reason: ({ options }) => (options.loaded === false ? 'the notes would be inside a PT_LOAD' : undefined),
  },
  {
    name: 'notes-to-rewrite',
    of: ['in-place', 'grow'],
    source:
      'Notes that are there and stay as they are give no room: other owners beside an edit of Xen, or the other way round',
    reason: nothingToRewrite,
  },
  {
    name: 'stays-in-memory',
    of: ['in-place', 'grow'],
    source: 'the wish: notes in memory',
    reason: ({ target: { only }, options }) =>
      only !== undefined && options.loaded === true && only.loaded === undefined
        ? 'the notes are outside every PT_LOAD now'
        : undefined,
  },
  {
    name: 'stays-outside-memory',
    of: ['in-place', 'grow'],
    source: 'the wish: notes outside memory',
    reason: ({ target: { only }, options }) =>
      only !== undefined && options.loaded === false && only.loaded !== undefined
        ? 'the notes are inside a PT_LOAD now'
        : undefined,
  },
  {
    name: 'area-in-file',
    of: ['in-place', 'grow'],
    source: 'gABI, "Program Header", p_filesz',
    reason: ({ target: { only } }) =>
      only !== undefined && only.range.end !== only.declared.end
        ? `${only.name} reaches behind the end of the file`
        : undefined,
  },
  {
    name: 'area-aligned',
    of: ['in-place', 'grow'],
    source: 'gABI, "Note Section": entries are aligned to 4 bytes; Xen skips a PT_NOTE at offset 0',
    reason: ({ target: { only } }) =>
      only !== undefined && (only.range.start === 0n || only.range.start % 4n !== 0n)
        ? `${only.name} starts at ${hex(only.range.start)}, which loaders skip or read misaligned`
        : undefined,
  },
  {
    name: 'table-of-kernel',
    of: ['move-table'],
    source: 'Linux, fs/binfmt_elf.c, AT_PHDR',
    reason: tableMustStay,
    sparesProgram: true,
  },
  {
    name: 'no-table-segment',
    of: ['move-table'],
    source: 'gABI, "Program Header", PT_PHDR',
    reason: ({ analysis }) =>
      analysis.hasPhdrSegment ? 'PT_PHDR says that the program needs the table where it is' : undefined,
  },
  {
    name: 'no-interpreter',
    of: ['move-table'],
    source: 'Linux, fs/binfmt_elf.c, AT_PHDR; not where the user says that it is a kernel',
    reason: ({ analysis, kind }) =>
      analysis.hasInterpreter && !(kind.by === 'asked' && kind.kind === 'kernel')
        ? 'the image is started by execve, which looks for the table in the first PT_LOAD'
        : undefined,
  },
  {
    name: 'table-in-memory',
    of: ['new-table'],
    source: 'Linux, fs/binfmt_elf.c, AT_PHDR',
    reason: ({ analysis }) =>
      analysis.tableLoad === undefined
        ? 'the program headers are in no PT_LOAD, and no program looks for them there'
        : undefined,
  },
  {
    name: 'table-anywhere',
    of: ['new-table'],
    source: 'FreeBSD, sys/kern/imgact_elf.c',
    reason: ({ analysis }) =>
      analysis.image.ident[EI_OSABI] === ELFOSABI_FREEBSD
        ? 'FreeBSD wants the program headers in the first page'
        : undefined,
  },
  {
    name: 'table-read-whole',
    of: ['new-table'],
    source: 'GRUB, loader/multiboot_elfxx.c: the table is read from what was searched for the header',
    reason: ({ analysis: { multiboot } }) => multibootNeedsTable(multiboot[0]),
  },
  {
    name: 'entries-counted',
    of: ['move-table', 'shift'],
    source: 'gABI, "ELF Header", PN_XNUM',
    reason: ({ analysis, target }) => countable(analysis, target.segments.length > 0 ? 0 : 1),
  },
  {
    name: 'load-entry-counted',
    of: ['new-table'],
    source: 'gABI, "ELF Header", PN_XNUM',
    reason: ({ analysis, target }) => countable(analysis, target.segments.length > 0 ? 1 : 2),
  },
  {
    name: 'table-outside-memory',
    of: ['shift'],
    source: 'gABI, "Program Loading": what a PT_LOAD shows does not grow without its addresses',
    reason: ({ analysis: { tableLoad }, target }) =>
      target.segments.length === 0 && tableLoad !== undefined
        ? `PT_LOAD ${tableLoad.index} holds the program headers and would have to grow with them`
        : undefined,
  },
];

/** The first condition of `placement` that the image does not meet, as a refusal; undefined where it meets all. */
export function refusedBy(placement: PlacementName, input: PlacementInput): Refusal | undefined {
  for (const { of, reason, sparesProgram } of CONDITIONS) {
    const why = of.includes(placement) ? reason(input) : undefined;
    if (why !== undefined) return { placement, reason: why, ...(sparesProgram ? { sparesProgram } : {}) };
  }
  return undefined;
}

/** Why GRUB would not find a table behind everything; undefined where the image has no such header. */
export function multibootNeedsTable(
  header: PlacementInput['analysis']['multiboot'][number] | undefined,
): string | undefined {
  if (header === undefined) return undefined;
  return `it has a Multiboot ${header.version} header, and GRUB wants the program headers within the first ${multibootWindow(header)} bytes`;
}

function nothingToRewrite({ analysis: { areas }, target }: PlacementInput): string | undefined {
  if (target.areas.length > 0) return undefined;
  const [first] = areas.filter(({ walk }) => walk.records.length > 0);
  return first === undefined
    ? 'the image has no notes to rewrite'
    : `the notes in ${first.name} are not those that are rewritten`;
}
