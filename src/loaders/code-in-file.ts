/**
 * Is the code that a loader would enter in this file at all? A file of debug information (objcopy --only-keep-debug) keeps
 * headers and notes and has its code as SHT_NOBITS: every loader takes it, and none of them looks at sections.
 */

import type { ByteSource } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { PatchError } from '../base/errors/patch-error.js';
import { isAllocated } from '../formats/elf/image.js';
import { EI_CLASS, EI_DATA, ELFCLASS64, ELFDATA2MSB, PT_LOAD, SHT_NOBITS } from '../formats/elf/names.js';
import { sectionName } from '../formats/elf/section-names.js';
import { hasPhysical, hasVirtual } from './read/file-bytes.js';
import { hasElfMagic, type LaxImage, laxIdent, lenientElf } from './read/lenient-elf.js';
import { accepts, type RuleReport, type Verdict } from './rule.js';

const RULE: Omit<RuleReport, 'result' | 'remarks'> = {
  name: 'code-in-file',
  source: 'gABI, "Section Header": SHT_NOBITS',
  because: 'a section around the entry that is SHT_NOBITS has no bytes in this file, whatever the PT_LOAD says',
  holds: undefined,
};

/** The verdict, with the question asked last: whoever would take the file has to find the code in it. */
export function withCodeInFile(source: ByteSource, verdict: Verdict): Verdict {
  if (!accepts(verdict))
    return { ...verdict, rules: [...verdict.rules, { ...RULE, result: 'not-reached', remarks: [] }] };
  const section = emptyCode(source, verdict.values['entry']);
  if (section === undefined)
    return { ...verdict, rules: [...verdict.rules, { ...RULE, result: 'passed', remarks: [] }] };
  const message = `loads, and never runs: the code at ${hex(section.entry)} is not in this file (section ${section.name} is SHT_NOBITS)`;
  return {
    ...verdict,
    outcome: 'crash',
    rule: RULE.name,
    message,
    warnings: [],
    values: {},
    rules: [...verdict.rules, { ...RULE, result: 'crash', remarks: [{ kind: 'crash', message }] }],
  };
}

/** Is the code in the file that is entered by these values of a verdict? */
export function hasCodeInFile(source: ByteSource, { entry }: Verdict['values']): boolean {
  return emptyCode(source, entry) === undefined;
}

/** The section without bytes around the entry, which may be virtual or physical. */
function emptyCode(
  source: ByteSource,
  entered: unknown,
): { readonly entry: bigint; readonly name: string } | undefined {
  if (!hasElfMagic(source)) return undefined;
  const ident = laxIdent(source);
  const encoding = {
    bits: ident[EI_CLASS] === ELFCLASS64 ? 64 : 32,
    endian: ident[EI_DATA] === ELFDATA2MSB ? 'big' : 'little',
  } as const;
  const image = lenientElf(source, encoding, { stride: 'own-size', sections: true });
  const entry = typeof entered === 'bigint' ? entered : image.header.e_entry;
  for (const address of addressesOf(image, entry)) {
    const index = image.sections.findIndex(
      (s) => s.sh_type === SHT_NOBITS && isAllocated(s) && address >= s.sh_addr && address - s.sh_addr < s.sh_size,
    );
    if (index >= 0) return { entry, name: nameOf(image, index) };
  }
  return undefined;
}

/** Its virtual address, in whichever of the two ways it lies in the file bytes of a PT_LOAD. */
function addressesOf({ segments }: LaxImage, entry: bigint): bigint[] {
  const loads = segments.filter((s) => s.p_type === PT_LOAD);
  const byVaddr = loads.some((s) => hasVirtual(s, entry));
  const home = loads.find((s) => hasPhysical(s, entry));
  return [...(byVaddr ? [entry] : []), ...(home === undefined ? [] : [entry - home.p_paddr + home.p_vaddr])];
}

function nameOf(image: LaxImage, index: number): string {
  try {
    return sectionName(image, index);
  } catch (error) {
    if (error instanceof PatchError) return `${index}`;
    throw error;
  }
}
