/** QEMU's multiboot 1 loader (hw/i386/multiboot.c, load_multiboot): how it ends, and where it enters. */
import { type ByteSource, fits } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import {
  beginsAsElf,
  EI_CLASS,
  EI_DATA,
  ELFCLASS64,
  ELFDATA2LSB,
  EM_X86_64,
  PF_X,
  PT_LOAD,
} from '../formats/elf/names.js';
import type { Mb1Fields, Mb1Header } from '../formats/multiboot/mb1.js';
import { bytesAt, lenientElf } from './read/lenient-elf.js';

/** Why QEMU refuses a Multiboot1 kernel, or the physical address it enters. */
export type QemuMultiboot =
  | { readonly refused: string; readonly entry?: undefined }
  | { readonly refused?: undefined; readonly entry: bigint };

const E_MACHINE_AT = 18n;

/** Where the BIOS is that copies the kernel in. */
const FIRMWARE_START = 0xf0000n;
const FIRMWARE_END = 0x100000n;

/** How QEMU's `-kernel` loads a file with this Multiboot1 header. */
export function qemuMultiboot(source: ByteSource, { offset, fields }: Mb1Header): QemuMultiboot {
  return fields === undefined ? byElf(source) : byFields(source, offset, fields);
}

/** The halfword at 0x12 decides, in any class and in what is no ELF, too. */
function byElf(source: ByteSource): QemuMultiboot {
  const [low = 0, high = 0] = bytesAt(source, E_MACHINE_AT, 2);
  if ((low | (high << 8)) === EM_X86_64) return { refused: 'Cannot load x86-64 image, give a 32bit one.' };
  const ident = bytesAt(source, 0n, 16);
  if (!beginsAsElf(ident) || ident[EI_DATA] !== ELFDATA2LSB) return { refused: 'Error while loading elf kernel' };
  const encoding = { bits: ident[EI_CLASS] === ELFCLASS64 ? 64 : 32, endian: 'little' } as const;
  const { header, segments, segmentsCut } = lenientElf(source, encoding, { stride: 'own-size', sections: false });
  const outside = segments.some(
    (s) => s.p_type === PT_LOAD && s.p_filesz > 0n && !fits(s.p_offset, s.p_filesz, source.size),
  );
  if (header.e_phnum === 0 || segmentsCut || outside) return { refused: 'Error while loading elf kernel' };
  const loads = segments.filter((s) => s.p_type === PT_LOAD && s.p_memsz > 0n);
  const start = loads.reduce((least, s) => (s.p_paddr < least ? s.p_paddr : least), FIRMWARE_END);
  const end = loads.reduce((most, s) => (s.p_paddr + s.p_memsz > most ? s.p_paddr + s.p_memsz : most), 0n);
  if (start < FIRMWARE_END && end > FIRMWARE_START) {
    const range = `${hex(start)} to ${hex(end)}`;
    return { refused: `never starts: ${range} is copied as one block, with zeros over the BIOS` };
  }
  // Only a segment with other physical than virtual addresses moves the entry.
  const home = segments.find(
    (s) =>
      s.p_type === PT_LOAD &&
      s.p_vaddr !== s.p_paddr &&
      (s.p_flags & PF_X) !== 0 &&
      header.e_entry >= s.p_vaddr &&
      header.e_entry - s.p_vaddr < s.p_filesz,
  );
  const entry = home === undefined ? header.e_entry : header.e_entry - home.p_vaddr + home.p_paddr;
  return { entry: BigInt.asUintN(32, entry) };
}

function byFields(source: ByteSource, offset: bigint, fields: Mb1Fields): QemuMultiboot {
  const { header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr } = fields;
  if (header_addr < load_addr) return { refused: 'invalid load_addr address' };
  if (header_addr - load_addr > offset) return { refused: 'invalid header_addr address' };
  const from = offset - (header_addr - load_addr);
  if (load_end_addr !== 0n && load_end_addr < load_addr) return { refused: 'invalid load_end_addr address' };
  const size = load_end_addr === 0n ? source.size - from : load_end_addr - load_addr;
  if (load_addr + size > 0xffff_ffffn) return { refused: 'kernel does not fit in address space' };
  if (bss_end_addr !== 0n && bss_end_addr < load_addr + size) return { refused: 'invalid bss_end_addr address' };
  if (!fits(from, size, source.size)) return { refused: 'fread() failed' };
  return { entry: entry_addr };
}
