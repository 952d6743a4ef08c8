/**
 * What a running program finds of its program header table, and what therefore stays: the table where AT_PHDR leads (load
 * bias plus the address of e_phoff in its PT_LOAD; PT_PHDR), every entry of it in memory, PT_GNU_STACK, by which execve
 * and the libc give stacks their rights (Linux, fs/binfmt_elf.c; glibc, _dl_aux_init and _dl_non_dynamic_init), and notes at
 * the address that their entry names. A placement that would change one of these is refused with what shows that the image
 * is a program.
 */
import { contains, overlaps, type Range } from '../../../base/bytes/range.js';
import { loads, phdrTable, segmentFileRange } from '../../../formats/elf/image.js';
import type { Analysis } from '../plan/analyze.js';
import type { KindAnswer } from '../plan/image-kind.js';
import type { PlacementInput } from './placement-input.js';

/** Why the table may not go elsewhere; undefined: every loader reads it from where e_phoff says. */
export function tableMustStay({ analysis, kind }: PlacementInput): string | undefined {
  if (kind.kind !== 'program' || analysis.tableLoad === undefined) return undefined;
  return `${subject(kind)}, which finds its headers in PT_LOAD ${analysis.tableLoad.index} when it runs`;
}

/** Why PT_GNU_STACK may not be taken: thread stacks would become executable. */
export function stackMustStay({ kind }: PlacementInput): string | undefined {
  if (kind.kind !== 'program') return undefined;
  return `${subject(kind)}, whose PT_GNU_STACK says what its stacks may be`;
}

/**
 * Why a new entry may not take these bytes behind a table that is in memory. Zero bytes of a PT_LOAD are data unless section
 * headers show that nothing of the program stands there, and every PT_LOAD that shows the table must show the entry as well.
 */
export function entryMustNotJoin({ analysis, kind }: PlacementInput, entry: Range): string | undefined {
  if (kind.kind !== 'program' || analysis.tableLoad === undefined) return undefined;
  const { image } = analysis;
  const table = phdrTable(image);
  const short = loads(image).find(({ segment }) => {
    const file = segmentFileRange(segment);
    return overlaps(file, table) && !contains(file, entry);
  });
  if (short !== undefined) return `PT_LOAD ${short.index} shows the program headers and would not show the new one`;
  if (image.sections.length > 0) return undefined;
  return `${subject(kind)}, and no section headers tell that the zero bytes behind its program headers are padding`;
}

/**
 * Why the PT_NOTE has to be in memory: whoever walks dl_iterate_phdr reads it at the load bias plus its p_vaddr, and with a
 * p_vaddr of 0 that is the ELF header or an address of nobody. Undefined: it may stand outside memory.
 */
export function notesMustBeLoaded({ analysis, kind }: PlacementInput): string | undefined {
  if (kind.kind !== 'program' || analysis.tableLoad === undefined) return undefined;
  return `${subject(kind)}, in which readers of a PT_NOTE look at its p_vaddr, and these notes would have no address`;
}

/**
 * Why nothing may be put behind what is appended to a program: a self-extracting one finds its payload from the end of the
 * file or of the section header table. A placement that was asked for by name does it all the same, with a warning.
 */
export function payloadMustEnd({ analysis, kind, options }: PlacementInput, fileSize: bigint): string | undefined {
  const appended = appendedBytes(analysis);
  if (kind.kind !== 'program' || options.placement !== 'auto' || fileSize <= analysis.fileSize) return undefined;
  if (appended === undefined) return undefined;
  return `${subject(kind)}, and ${appended} bytes are appended to it, which it may look for from the end of the file; a placement that is asked for by name puts notes behind them`;
}

/** How many bytes of anybody stand behind everything that headers speak of; undefined: none. */
export function appendedBytes({ usedEnd, fileSize, isZero }: Analysis): bigint | undefined {
  const behind = { start: usedEnd, end: fileSize };
  return behind.end - behind.start <= TOOL_PADDING || isZero(behind) ? undefined : behind.end - behind.start;
}

/**
 * May the section headers not go to the end of the file, so that notes get no section of their own? What is appended to a program
 * may be found from there, or from where the section headers end (AppImage).
 */
export function sectionsMustStay({ analysis, kind, options }: PlacementInput): boolean {
  return kind.kind === 'program' && options.placement === 'auto' && appendedBytes(analysis) !== undefined;
}

/** Fewer bytes than a pointer behind an image are a tool's padding. */
const TOOL_PADDING = 8n;

/** The first sign is enough here; the error that ends the plan names all. */
function subject({ signs: [first] }: KindAnswer): string {
  return first === undefined ? 'it is to be taken for a program' : `${first.words} shows a program`;
}
