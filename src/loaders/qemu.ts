/**
 * `qemu-system-x86_64 -kernel` (hw/i386/x86-common.c, hw/i386/multiboot.c, include/hw/elf_ops.h.inc, hw/core/loader.c).
 * Boot image, multiboot 1, PVH: the first that matches is final. The PVH path is judged; that another one is taken is
 * said.
 */

import type { ByteSource } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { EM_386, EM_X86_64, PT_NOTE } from '../formats/elf/names.js';
import { hasLinuxMagic } from '../formats/linux/boot-header.js';
import { findMb1 } from '../formats/multiboot/mb1.js';
import { QEMU_MB1 } from '../formats/multiboot/windows.js';
import { editFix, preset } from '../formats/note/fix.js';
import {
  inMemory,
  isFileByte,
  LOAD_FAILED,
  QEMU_ELF,
  QEMU_HEADER,
  QEMU_PROGRAM_HEADERS,
  QEMU_ROMS,
  QEMU_TOTAL_SIZE,
  QemuElf,
} from './qemu-elf.js';
import { qemuMultiboot } from './qemu-multiboot.js';
import { hasElfMagic } from './read/lenient-elf.js';
import { type PhysEntry, physEntryAsQemu } from './read/phys-entry.js';
import {
  crash,
  entryOutside,
  type Loader,
  loader,
  type Options,
  otherPath,
  type Remark,
  type Rule,
  refuse,
  warn,
} from './rule.js';

const X86 = 'hw/i386/x86-common.c, x86_load_linux';

const NO_NOTE = 'Error loading uncompressed kernel without PVH ELF Note';

/** Flags of a.out-like formats that QEMU tests for in any ELF. */
const UNSUPPORTED_FLAGS = 0x00010004;

/** An image as QEMU's PVH path reads it. */
class QemuView extends QemuElf {
  readonly options: Options;
  #entry: PhysEntry | undefined;

  constructor(source: ByteSource, options: Options) {
    super(source, options);
    this.options = options;
  }

  /** The 32-bit entry that QEMU takes from the notes. */
  get entry(): PhysEntry {
    this.#entry ??= physEntryAsQemu(this.image);
    return this.#entry;
  }
}

const RULES: readonly Rule<QemuView>[] = [
  {
    name: 'not-bzimage',
    source: X86,
    because: 'HdrS at 0x202 makes it a Linux boot image, whatever else it is',
    run({ source }) {
      if (!hasLinuxMagic(source)) return undefined;
      return otherPath('loaded as a Linux boot image: HdrS stands at 0x202');
    },
  },
  {
    name: 'not-multiboot',
    source: 'hw/i386/multiboot.c, load_multiboot',
    because: 'a multiboot 1 header in the first 8 KiB always wins over PVH, and there is no way back',
    run({ source, options }) {
      const header = findMb1(source, QEMU_MB1);
      if (header === undefined) return undefined;
      const told = `multiboot 1 header at ${hex(header.offset)} is tried before PVH`;
      const { outcome, message = '', reason, values } = qemuMultiboot.judge(source, options);
      if (outcome === 'crash') return crash(`${message}; the ${told}`);
      if (outcome === 'refused') return refuse(message, { reason: reason === undefined ? told : `${told}: ${reason}` });
      const { entry } = values;
      const where = typeof entry === 'bigint' ? `, entered at ${hex(entry)}` : '';
      return otherPath(`loaded by its multiboot 1 header at ${hex(header.offset)}${where}; notes are not read`);
    },
  },
  {
    name: 'elf-magic',
    source: X86,
    because: 'what is no ELF is tried as an ancient boot sector, and hangs or is refused',
    run: ({ source }) => (hasElfMagic(source) ? undefined : refuse('invalid kernel header')),
  },
  {
    name: 'flags',
    source: `${X86}, load_elfboot`,
    because: 'two bits of e_flags are taken for a format that cannot be loaded',
    run({ image: { header } }) {
      const bits = header.e_flags & UNSUPPORTED_FLAGS;
      return bits === 0 ? undefined : refuse(`elfboot unsupported flags = ${header.e_flags.toString(16)}`);
    },
  },
  QEMU_HEADER,
  {
    name: 'machine',
    source: QEMU_ELF,
    because: 'EM_X86_64 or EM_386, in either class; qemu-system-i386 takes EM_386 alone',
    run({ image: { header } }) {
      if (header.e_machine === EM_X86_64 || header.e_machine === EM_386) return undefined;
      return refuse(LOAD_FAILED, { reason: `e_machine is ${header.e_machine}` });
    },
  },
  QEMU_PROGRAM_HEADERS,
  {
    name: 'segments-and-notes',
    source: `${QEMU_ELF}, get_elf_note_type`,
    because: 'each PT_LOAD and each PT_NOTE must be in the file; the search for the note divides by p_align',
    run: segmentsAndNotes,
  },
  QEMU_TOTAL_SIZE,
  {
    name: 'pvh-note',
    source: `${X86}, load_elfboot`,
    because: 'the entry must be known, and 0 counts as unknown',
    run({ entry }) {
      if (entry.found) return undefined;
      const reason = entry.problem ?? 'no record of type 18 where QEMU looks, or its value is 0';
      return refuse(NO_NOTE, { reason, cure: editFix(preset('pvh')) });
    },
  },
  ...QEMU_ROMS,
  inMemory(({ entry }) => entry.value),
  {
    name: 'entry-in-a-segment',
    source: X86,
    because: 'QEMU jumps without looking; only the low 32 bits of the value count',
    run({ entry, loads }) {
      const value = entry.value;
      const inside = loads.some(({ segment: s }) => isFileByte(s, value));
      return inside ? undefined : entryOutside(value);
    },
  },
  {
    name: 'note-alignment',
    source: QEMU_ELF,
    because: 'records are padded by 4; a p_align of 1 or 2 works only while every size is a multiple of 4',
    run({ image }) {
      const odd = image.segments.findIndex((s) => s.p_type === PT_NOTE && s.p_filesz > 0n && s.p_align !== 4n);
      const align = image.segments[odd]?.p_align;
      return odd < 0 ? undefined : warn(`PT_NOTE ${odd} has p_align ${align}: QEMU steps by it`);
    },
  },
];

/** In table order: what comes first ends the load. */
function segmentsAndNotes(view: QemuView): Remark | undefined {
  const { image, entry } = view;
  const bad = view.badLoad();
  const fault = entry.fault;
  const mend = editFix(preset('pvh'));
  if (fault !== undefined && (bad === undefined || fault.index < bad.index)) {
    const reason = entry.problem;
    if (fault.kind === 'crash')
      return crash(`QEMU dies: ${(reason ?? 'it divides by zero').replace('QEMU dies: ', '')}`, mend);
    if (fault.kind === 'refused') return refuse(LOAD_FAILED, { reason, cure: mend });
  }
  if (bad !== undefined) return refuse(LOAD_FAILED, { reason: `PT_LOAD ${bad.index} ${bad.why}` });
  return fault?.kind === 'runs-away' && image.segments.length > 0
    ? warn(`QEMU may crash: ${entry.problem}`, mend)
    : undefined;
}

/** QEMU's `-kernel`, which enters a PVH kernel by its note. */
export const qemuPvh: Loader = loader<QemuView>({
  name: 'qemu-pvh',
  open: (source, options) => new QemuView(source, options),
  rules: RULES,
  values: ({ entry, loads }) => ({
    entry: entry.value,
    mode: '32-bit, paging off',
    loadedFrom: loads.reduce<bigint | undefined>((low, { segment: s }) => min(low, s.p_paddr), undefined),
  }),
  needsMemory: (view) => view.needsMemory(),
});

function min(a: bigint | undefined, b: bigint): bigint {
  return a === undefined || b < a ? b : a;
}
