/**
 * Headers that keep an image from being read at all and that nothing at run time goes by: a section header table that is
 * not there any more. GRUB refuses such an image; QEMU and Xen never look.
 */
import { type ByteSource, fits, RepairedSource } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { PatchError } from '../../base/errors/patch-error.js';
import { Ehdr, EI_NIDENT, Shdr } from '../../formats/elf/headers.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { readElf } from '../../formats/elf/read.js';
import type { Candidate } from './candidates.js';

/** An image read with its headers repaired, and the step that repairs them. */
export interface Repaired {
  readonly image: ElfImage;
  /** Undefined: nothing had to be repaired. */
  readonly step: Candidate | undefined;
}

/** Reads an image, its stale e_shoff set to none where that is all that is wrong. Errors: those of readElf. */
export function readRepaired(source: ByteSource): Repaired {
  try {
    return { image: readElf(source), step: undefined };
  } catch (error) {
    const repaired = error instanceof PatchError ? withoutSections(source) : undefined;
    if (repaired === undefined) throw error;
    return repaired;
  }
}

function withoutSections(source: ByteSource): Repaired | undefined {
  const ident = source.size >= BigInt(EI_NIDENT) ? source.read(0n, BigInt(EI_NIDENT), 'ELF header') : undefined;
  const bits = ident?.[4] === 1 ? 32 : ident?.[4] === 2 ? 64 : undefined;
  const endian = ident?.[5] === 1 ? 'little' : ident?.[5] === 2 ? 'big' : undefined;
  if (bits === undefined || endian === undefined) return undefined;
  const encoding = { bits, endian } as const;
  const size = BigInt(Ehdr.size(encoding));
  if (!fits(BigInt(EI_NIDENT), size, source.size)) return undefined;
  const header = Ehdr.decode(source.read(BigInt(EI_NIDENT), size, 'ELF header'), 0, encoding);
  const table = BigInt(header.e_shnum * Shdr.size(encoding));
  // With e_shnum 0 the count is in section header 0, which has to be there for that.
  const need = header.e_shnum === 0 ? BigInt(Shdr.size(encoding)) : table;
  if (header.e_shoff === 0n || fits(header.e_shoff, need, source.size)) return undefined;
  const bytes = Ehdr.encode({ ...header, e_shoff: 0n, e_shnum: 0, e_shstrndx: 0 }, encoding);
  const image = readElf(new RepairedSource(source, [{ offset: BigInt(EI_NIDENT), bytes }]));
  const reason = `e_shoff is ${hex(header.e_shoff)}, and no section headers are there (the file has ${hex(source.size)} bytes)`;
  const told = '(e_shoff, e_shnum and e_shstrndx set to 0)';
  return { image, step: { reason, told, edits: [], repairs: [{ kind: 'drop-section-headers' }] } };
}
