/**
 * What Xen accepts and still does not load as it stands in the file (tools/libs/guest/xg_dom_core.c and
 * xen/common/libelf/libelf-loader.c, elf_load_binary), and what it accepts by accident.
 */

import { fits } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import type { Phdr } from '../../formats/elf/headers.js';
import { PF_R, PF_W, PF_X, PT_LOAD, PT_NOTE } from '../../formats/elf/names.js';
import { XEN_ELFNOTE } from '../../formats/note/note-types.js';
import { type Remark, type Rule, warn } from '../rule.js';
import type { XenParse } from './parse.js';

const LOAD = 'xen/common/libelf/libelf-loader.c, elf_load_binary';

/** The most remarks of one kind; an image can have 65,535 segments. */
const LIMIT = 4;

/** Rules for what Xen loads otherwise than the file says, or by accident; all of them warn. */
export const HIDDEN_FAULTS: readonly Rule<XenParse>[] = [
  {
    name: 'segments-have-flags',
    source: 'xen/common/libelf/libelf-tools.c, elf_phdr_is_loadable',
    because: 'a PT_LOAD without any of R, W, X in p_flags is not loaded',
    run({ image }) {
      return each(
        image.segments,
        (s) => s.p_type === PT_LOAD && (s.p_flags & (PF_R | PF_W | PF_X)) === 0 && s.p_memsz > 0n,
        (_, index) => warn(`PT_LOAD ${index} has no flags: its bytes stay out of memory`),
      );
    },
  },
  {
    name: 'segment-bytes-in-file',
    source: LOAD,
    because:
      'a segment that reaches behind the end of the file is accepted, and its copy skipped or filled with garbage',
    run({ loadable, source }) {
      return each(
        loadable,
        (s) => !fits(s.p_offset, s.p_filesz, source.size),
        (s) =>
          warn(`the PT_LOAD at ${hex(s.p_paddr)} reaches behind the end of the file: it is not loaded as it should be`),
      );
    },
  },
  {
    name: 'entry-in-a-segment',
    source: 'xen/common/libelf/libelf-dominfo.c, elf_xen_addr_calc_check',
    because: 'only the outermost addresses are compared: an entry in a gap, or right at the end, passes and crashes',
    run({ loadable, addresses, parameters, hvm }) {
      const entry = hvm ? (parameters.physEntry ?? addresses.entry) : addresses.entry;
      const offset = hvm ? 0n : addresses.virtBase - addresses.paddrOffset;
      const at = BigInt.asUintN(64, entry - offset);
      const inside = loadable.some((s) => at >= s.p_paddr && at - s.p_paddr < s.p_filesz);
      return inside ? undefined : warn(`the entry ${hex(entry)} is not in the file bytes of any PT_LOAD`);
    },
  },
  {
    name: 'pv-entry-told',
    source: 'xen/common/libelf/libelf-dominfo.c, elf_xen_addr_calc_check',
    because: 'without ENTRY a PV guest is entered at e_entry, of which a PVH kernel’s notes say nothing',
    run({ hvm, parameters: { physEntry, entry, virtBase } }) {
      if (hvm || physEntry === undefined || entry !== undefined || virtBase !== undefined) return undefined;
      return warn('the notes tell a PVH entry and no PV entry: start it as PVH (xl: type="pvh"; dom0: dom0=pvh)');
    },
  },
  {
    name: 'notes-inside-their-segment',
    source: 'xen/common/libelf/libelf-dominfo.c, elf_xen_parse_notes',
    because: 'only the start of a record must be inside the segment; other readers stop at its end',
    run({ notes, image }) {
      const last = notes.notes.findLast(({ kind, record, index }) => {
        const segment = image.segments[index];
        if (kind !== 'segment' || segment === undefined) return false;
        return record.descOffset + BigInt(record.desc.length) > segment.p_offset + segment.p_filesz;
      });
      return last === undefined ? undefined : warn(`the note at ${hex(last.record.offset)} runs past its PT_NOTE`);
    },
  },
  {
    name: 'note-alignment',
    source: 'xen/common/libelf/libelf-tools.c, elf_note_next',
    because: 'Xen steps by 4 whatever p_align says; QEMU steps by p_align',
    run({ image, notes }) {
      if (notes.from !== 'segments') return undefined;
      const used = new Set(notes.notes.map(({ index }) => index));
      return each(
        image.segments,
        (s, index) => s.p_type === PT_NOTE && used.has(index) && ![1n, 2n, 4n].includes(s.p_align),
        (s, index) => warn(`PT_NOTE ${index} has p_align ${s.p_align}: Xen does not look at it, other loaders do`),
      );
    },
  },
  {
    name: 'entry-width',
    source: 'xen/common/libelf/libelf-tools.c, elf_note_numeric',
    because: 'PHYS32_ENTRY is cut to 32 bits; a descriptor of another size than 1, 2, 4 or 8 bytes reads as 0',
    run({ notes, hvm, image }) {
      if (!hvm) return undefined;
      const entry = notes.notes.findLast(({ record }) => record.type === XEN_ELFNOTE.PHYS32_ENTRY)?.record;
      if (entry === undefined) return undefined;
      if (![1, 2, 4, 8].includes(entry.desc.length)) {
        return warn(`PHYS32_ENTRY has ${entry.desc.length} bytes, which Xen reads as 0`);
      }
      if (entry.desc.length !== 8) return undefined;
      const high = wordOf(entry.desc, image.encoding.endian === 'little' ? 4 : 0) !== 0;
      return warn(`PHYS32_ENTRY has 8 bytes${high ? ', more than 32 bits of them used' : ''}: Xen takes the low half`);
    },
  },
  {
    name: 'parser-not-upset',
    source: 'xen/common/libelf/libelf-tools.c, elf_mark_broken',
    because: 'the parser came upon something it could not read; it says so, and goes on without',
    run({ broken }) {
      return broken === undefined ? undefined : warn(`Xen calls the image broken: ${broken}`);
    },
  },
];

function wordOf(bytes: Uint8Array, at: number): number {
  return bytes.subarray(at, at + 4).reduce((sum, byte) => sum + byte, 0);
}

/** Remarks about the first few of a list that are so. */
export function each(
  segments: readonly Phdr[],
  isSo: (segment: Phdr, index: number) => boolean,
  say: (segment: Phdr, index: number) => Remark,
): Remark[] {
  const remarks: Remark[] = [];
  for (const [index, segment] of segments.entries()) {
    if (!isSo(segment, index)) continue;
    remarks.push(say(segment, index));
    if (remarks.length === LIMIT) break;
  }
  return remarks;
}
