/**
 * `new-load`: the notes get a PT_LOAD of their own at a fresh address, for a program that must see them at run time. It
 * raises the end of the kernel in memory.
 */
import { alignUp, firstFit } from '../../../base/bytes/align.js';
import { overlaps, rangeOf } from '../../../base/bytes/range.js';
import { hex } from '../../../base/errors/hex.js';
import { vaddrRange } from '../../../formats/elf/address.js';
import type { Phdr } from '../../../formats/elf/headers.js';
import { addressSpace, allocatedAt, loads } from '../../../formats/elf/image.js';
import { EM_386, EM_X86_64, PF_R, PT_LOAD } from '../../../formats/elf/names.js';
import { compose, mergeFor } from './compose.js';
import { refusedBy } from './conditions.js';
import type { Layout, Refusal } from './layout.js';
import { bytesText, PADDING_LIMIT, type PlacementInput } from './placement-input.js';
import { countable, findSlot, phdrSize, type Slot, type SlotAnswer } from './program-headers.js';

const X86_PAGE = 0x1000n;

/** The layout of `new-load`, or why this image cannot have one. */
export function newLoad(input: PlacementInput): Layout | Refusal {
  const refuse = (reason: string): Refusal => ({ placement: 'new-load', reason });
  const { analysis } = input;
  const { image } = analysis;
  const refused = refusedBy('new-load', input);
  if (refused !== undefined) return refused;
  const merged = mergeFor(input);
  if ('reason' in merged) return refuse(merged.reason);
  const highest = loads(image)
    .map(({ segment }) => segment)
    .reduce<Phdr | undefined>((top, s) => (top === undefined || vEnd(s) > vEnd(top) ? s : top), undefined);
  if (highest === undefined) return refuse('the image has no PT_LOAD whose addresses could be followed');

  const slot = slotWithLoad(input);
  if ('reason' in slot) return { placement: 'new-load', ...slot };
  const x86 = image.header.e_machine === EM_386 || image.header.e_machine === EM_X86_64;
  const p_align = x86 ? X86_PAGE : highest.p_align > X86_PAGE ? highest.p_align : X86_PAGE;
  const p_vaddr = alignUp(vEnd(highest), p_align);
  // Not p_vaddr: a kernel's physical addresses differ from its virtual ones, and a loader places it by these.
  const p_paddr = p_vaddr - highest.p_vaddr + highest.p_paddr;
  const limit = addressSpace(image.encoding);
  if (p_vaddr + merged.size > limit || p_paddr + merged.size > limit || p_paddr < 0n) {
    return refuse(`no addresses are left behind ${hex(vEnd(highest))}`);
  }
  const taken = loads(image).find(({ segment: s }) =>
    overlaps(rangeOf(s.p_paddr, s.p_memsz), rangeOf(p_paddr, merged.size)),
  );
  if (taken !== undefined) return refuse(`PT_LOAD ${taken.index} has the physical addresses from ${hex(p_paddr)}`);
  const section = allocatedAt(image, vaddrRange(p_vaddr, merged.size));
  if (section !== undefined) return refuse(`section ${section} has the addresses from ${hex(p_vaddr)}`);
  const p_offset = firstFit(analysis.fileSize, p_vaddr, p_align);
  if (p_offset - analysis.fileSize > PADDING_LIMIT) {
    return refuse(`p_align ${hex(p_align)} would make the file larger by ${hex(p_offset - analysis.fileSize)}`);
  }
  const range = rangeOf(p_offset, merged.size);
  return compose(input, merged, {
    placement: 'new-load',
    summary: `notes in a PT_LOAD of their own (${bytesText(merged.size)} at ${hex(p_vaddr)}, physical ${hex(p_paddr)})`,
    slot,
    range,
    loadedAt: { p_vaddr, p_paddr },
    end: range.end,
    addedLoad: {
      p_type: PT_LOAD,
      p_flags: PF_R,
      p_offset,
      p_vaddr,
      p_paddr,
      p_filesz: merged.size,
      p_memsz: merged.size,
      p_align,
    },
    warnings: ['the image needs more memory: its end moves up by a PT_LOAD'],
  });
}

function vEnd({ p_vaddr, p_memsz }: Phdr): bigint {
  return p_vaddr + p_memsz;
}

/** Two entries are needed, one where a PT_NOTE is there to be redirected: all new ones have to fit the slack. */
function slotWithLoad(input: PlacementInput): Slot | Extract<SlotAnswer, { reason: string }> {
  const { analysis } = input;
  const found = findSlot(input);
  if ('reason' in found) return found;
  const fresh = found.slot.kind === 'slack' ? 2n : 1n;
  const counted = countable(analysis, Number(fresh));
  if (counted !== undefined) return { reason: counted };
  const need = rangeOf(analysis.tableEnd, phdrSize(analysis) * fresh);
  if (analysis.tableLoad !== undefined) {
    return { reason: `the program headers are part of PT_LOAD ${analysis.tableLoad.index} and cannot grow unseen` };
  }
  if (need.end > analysis.slack.end || !analysis.isZero(need)) {
    const free = analysis.slack.end - analysis.slack.start;
    return { reason: `${bytesText(need.end - need.start)} needed behind the program headers, ${free} free` };
  }
  return found.slot;
}
