/**
 * What Xen accepts and still does not load as it stands in the file (tools/libs/guest/xg_dom_core.c and
 * xen/common/libelf/libelf-loader.c, elf_load_binary), and what it accepts by accident.
 */

import { fits } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import type { Phdr } from '../../formats/elf/headers.js';
import { PF_R, PF_W, PF_X, PT_LOAD, PT_NOTE, SHT_NOTE } from '../../formats/elf/names.js';
import { XEN_ELFNOTE } from '../../formats/note/note-types.js';
import { hasPhysical } from '../read/file-bytes.js';
import { walkAsXen, type XenView } from '../read/loader-walks.js';
import { NOTE_WALKS } from '../read/note-steps.js';
import { entryOutside, lost, type Remark, type Rule, warn } from '../rule.js';
import { firstOverlap } from '../segment-overlap.js';
import type { XenParse } from './parse.js';
import { enteredAt, loadOffset, WHERE_LINKED } from './where-linked.js';

const LOAD = 'xen/common/libelf/libelf-loader.c, elf_load_binary';

const PAGE = 0x1000n;

const isCode = ({ p_flags }: Phdr): boolean => (p_flags & PF_X) !== 0;

/** The most remarks of one kind; an image can have 65,535 segments. */
const LIMIT = 4;

/** Bytes of a PT_LOAD that are looked at. */
const LOOKED_AT = 0x1_0000n;

/** Is there anything but zeros at the start of it? Memory that Xen gives out is zeros. */
function hasBytes({ source }: XenParse, { p_offset, p_filesz }: Phdr): boolean {
  const most = p_filesz < LOOKED_AT ? p_filesz : LOOKED_AT;
  if (!fits(p_offset, most, source.size)) return false;
  return source.read(p_offset, most, 'bytes of a PT_LOAD').some((byte) => byte !== 0);
}

/** Are bytes that the file has for `early` others once `late` was copied? */
function isLostUnder({ source }: XenParse, early: Phdr | undefined, late: Phdr | undefined): boolean {
  if (early === undefined || late === undefined) return false;
  const from = early.p_paddr > late.p_paddr ? early.p_paddr : late.p_paddr;
  const ends = [early.p_paddr + early.p_filesz, late.p_paddr + late.p_memsz, from + LOOKED_AT];
  const to = ends.reduce((least, end) => (end < least ? end : least));
  if (to <= from) return false;
  const bytesOf = (s: Phdr): Uint8Array => {
    const bytes = new Uint8Array(Number(to - from));
    const have = s.p_paddr + s.p_filesz < to ? s.p_paddr + s.p_filesz - from : to - from;
    const at = s.p_offset + from - s.p_paddr;
    if (have > 0n && fits(at, have, source.size)) bytes.set(source.read(at, have, 'bytes of a PT_LOAD'));
    return bytes;
  };
  const [was, is] = [bytesOf(early), bytesOf(late)];
  return was.some((byte, at) => byte !== is[at]);
}

/** Rules for what Xen loads otherwise than the file says, or by accident: where the guest is lost of it, that is a no. */
export const HIDDEN_FAULTS: readonly Rule<XenParse>[] = [
  {
    name: 'segments-have-flags',
    source: 'xen/common/libelf/libelf-tools.c, elf_phdr_is_loadable',
    because: 'a PT_LOAD without any of R, W, X in p_flags is not loaded',
    run(parse) {
      return each(
        parse.image.segments,
        (s) => s.p_type === PT_LOAD && (s.p_flags & (PF_R | PF_W | PF_X)) === 0 && s.p_memsz > 0n,
        (s, index) => {
          const why = `PT_LOAD ${index} has no flags: its bytes stay out of memory`;
          return hasBytes(parse, s) ? lost(why) : warn(why);
        },
      );
    },
  },
  {
    name: 'segment-bytes-in-file',
    source: LOAD,
    because:
      'a segment that reaches behind the end of the file is accepted, and its copy is skipped or filled with what memory has there',
    run({ loadable, source }) {
      return each(
        loadable,
        (s) => !fits(s.p_offset, s.p_filesz, source.size),
        (s) =>
          lost(`the PT_LOAD at ${hex(s.p_paddr)} reaches behind the end of the file: it is not loaded as it should be`),
      );
    },
  },
  {
    name: 'entry-in-a-segment',
    source: 'xen/common/libelf/libelf-dominfo.c, elf_xen_addr_calc_check',
    because: 'only the outermost addresses are compared: an entry in a gap, or right at the end, passes and crashes',
    run(parse) {
      const { loadable } = parse;
      const entry = enteredAt(parse);
      const at = BigInt.asUintN(64, entry - loadOffset(parse));
      const homes = loadable.filter((s) => hasPhysical(s, at));
      if (homes.length === 0) return entryOutside(entry);
      if (homes.some(isCode)) return undefined;
      // Where some PT_LOAD says that it is code, the others are none.
      const why = `the entry ${hex(entry)} is in data: no PT_LOAD with X in p_flags has it`;
      return loadable.some((s) => isCode(s) && s.p_filesz > 0n) ? lost(why) : warn(why);
    },
  },
  {
    name: 'hypercall-page-clear-of-entry',
    source: 'xen/arch/x86/pv/dom0_build.c, dom0_construct_pv; tools/libs/guest/xg_dom_boot.c, setup_hypercall_page',
    because: 'the page is filled when the kernel is in place, whatever stands there',
    run({ hvm, addresses: { entry }, parameters: { hypercallPage } }) {
      if (hvm || hypercallPage === undefined) return undefined;
      const page = hypercallPage - (hypercallPage % PAGE);
      if (entry < page || entry >= page + PAGE) return undefined;
      return lost(`HYPERCALL_PAGE ${hex(hypercallPage)} is filled over the entry ${hex(entry)}`);
    },
  },
  ...WHERE_LINKED,
  {
    name: 'segments-apart',
    source: LOAD,
    because: 'segments are copied in table order, and no check finds that they overlap or wrap',
    run(parse) {
      const { loadable } = parse;
      const placed = loadable.map(({ p_paddr, p_memsz }, index) => ({ index, start: p_paddr, end: p_paddr + p_memsz }));
      const wraps = placed.find(({ end }) => end > 1n << 64n);
      if (wraps !== undefined) {
        return warn(
          `the PT_LOAD at ${hex(wraps.start)} ends behind the last address: its end wraps to ${hex(BigInt.asUintN(64, wraps.end))}`,
        );
      }
      const pair = firstOverlap(placed);
      if (pair === undefined) return undefined;
      const [first, second] = pair;
      const why = `the PT_LOADs at ${hex(first.start)} and ${hex(second.start)} overlap: the later one in the table overwrites the other`;
      const [early, late] = first.index < second.index ? pair : [second, first];
      return isLostUnder(parse, loadable[early.index], loadable[late.index]) ? lost(why) : warn(why);
    },
  },
  {
    name: 'offset-with-address',
    source: LOAD,
    because:
      'bytes are copied from p_offset to the address, whatever p_align says of both: a p_offset that was shifted shows here',
    run({ loadable }) {
      return each(
        loadable,
        ({ p_align, p_offset, p_vaddr, p_filesz }) =>
          p_filesz > 0n && p_align >= PAGE && (p_align & (p_align - 1n)) === 0n && (p_offset - p_vaddr) % PAGE !== 0n,
        (s) =>
          warn(
            `the PT_LOAD at ${hex(s.p_paddr)} has a p_offset and a p_vaddr that p_align ${hex(s.p_align)} does not allow together: its bytes may be shifted`,
          ),
      );
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
    name: 'notes-stepped-by-4',
    source: 'xen/common/libelf/libelf-tools.c, elf_note_next; a patch proposed in July 2026',
    because: 'a PT_NOTE or section of an ELF64 with an alignment above 4 may come to be stepped by 8',
    run({ image, notes, hvm }) {
      const isAligned = [
        ...image.segments.filter((s) => s.p_type === PT_NOTE).map((s) => s.p_align),
        ...image.sections.filter((s) => s.sh_type === SHT_NOTE).map((s) => s.sh_addralign),
      ].some((align) => align > 4n);
      if (image.encoding.bits === 32 || !isAligned) return undefined;
      const told = ({ from, notes: found }: XenView) =>
        [from, ...found.map(({ record }) => `${record.descOffset}`)].join();
      const proposed = walkAsXen(image, { step: NOTE_WALKS['xen-proposed'].step, legacy: !hvm });
      if (told(proposed) === told(notes)) return undefined;
      return warn(
        `depends on today's rule: stepped as a patch to Xen proposes (by 8 where p_align says so) other notes are read; p_align 4 is safe`,
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
