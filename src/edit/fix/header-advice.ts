/** What has to change where the ELF header or a table is what a loader refuses: rows that claim only what the file shows. */
import { fits } from '../../base/bytes/source.js';
import { hex, hexBytes } from '../../base/errors/hex.js';
import { Phdr, Shdr } from '../../formats/elf/headers.js';
import { ehdrSize } from '../../formats/elf/image.js';
import { EI_VERSION, EM_386, EM_X86_64, EV_CURRENT, fileTypeName, machineName } from '../../formats/elf/names.js';
import { bytesAt, hasElfMagic } from '../../loaders/read/lenient-elf.js';
import type { LinkFacts, LinkRow } from './link-facts.js';

/** The first row that has something to say of the file. */
export const firstOf =
  (...rows: readonly LinkRow[]): LinkRow =>
  (facts) => {
    for (const row of rows) {
      const said = row(facts);
      if (said !== undefined) return said;
    }
    return undefined;
  };

/** A file of which a table or a segment was lost. */
export const damaged: LinkRow = ({ source, image: { header } }) =>
  `e_phoff is ${hex(header.e_phoff)} with ${header.e_phnum} program headers, e_shoff ${hex(header.e_shoff)} with ${header.e_shnum} section headers, and the file has ${hex(source.size)} bytes: it was cut short or changed after the link, so link or copy it again`;

/** Does a table of the header leave the file? Only then was the file cut short. */
const tablesOut = ({ source, image: { header } }: LinkFacts): boolean =>
  (header.e_phnum > 0 && !fits(header.e_phoff, BigInt(header.e_phnum * header.e_phentsize), source.size)) ||
  (header.e_shnum > 0 && !fits(header.e_shoff, BigInt(header.e_shnum * header.e_shentsize), source.size));

/** What is left to say where nothing was cut: what the loader took offence at. */
export const otherwise: LinkRow = (facts) =>
  tablesOut(facts) || facts.verdict.reason === undefined
    ? damaged(facts)
    : `${facts.verdict.reason}: correct that in the source or the link of the kernel, or undo what changed the file`;

/** A header that no linker writes. */
export const oddHeader: LinkRow = ({ image: { header, ident } }) =>
  `e_ident is ${hexBytes(ident.subarray(0, 8))}, e_version ${header.e_version}, e_ehsize ${header.e_ehsize}, e_phentsize ${header.e_phentsize}, e_shentsize ${header.e_shentsize}: no linker for x86 writes such an ELF header, so link the kernel again or undo what changed it`;

/** Loaders that take one class alone, whatever their messages speak of. */
const ELF64_ALONE: ReadonlySet<string> = new Set(['openvmm', 'limine']);

const elf32: LinkRow = ({ image: { encoding }, verdict: { loader } }) =>
  encoding.bits === 32 && ELF64_ALONE.has(loader)
    ? 'it is an ELF32, and this loader takes ELF64 alone: link it by ld -m elf_x86_64'
    : undefined;

/** Another byte order or machine is not an odd header, and a good one is no fault. */
const foreignHeader: LinkRow = (facts) => {
  const { header, encoding } = facts.image;
  const usual = encoding.bits === 64 ? EM_X86_64 : EM_386;
  return encoding.endian === 'big' || header.e_machine !== usual ? machine(facts) : undefined;
};

/** Does the header say what no linker writes? */
export const isOdd = ({ image: { header, ident, encoding } }: LinkFacts): boolean =>
  ident[EI_VERSION] !== EV_CURRENT ||
  header.e_version !== EV_CURRENT ||
  header.e_ehsize !== Number(ehdrSize(encoding)) ||
  header.e_phentsize !== Phdr.size(encoding) ||
  (header.e_shnum > 0 && header.e_shentsize !== Shdr.size(encoding));

/** Another machine, class or byte order than the loader's. */
export const machine: LinkRow = ({ image: { header, encoding } }) =>
  `it is an ELF${encoding.bits} for ${machineName(header.e_machine)}, ${encoding.endian}-endian: build and link it for x86, by ld -m elf_x86_64 (${machineName(EM_X86_64)}) or -m elf_i386 (${machineName(EM_386)})`;

/** No ELF at all. */
export const noElf: LinkRow = ({ source }) =>
  source.size === 0n
    ? 'the file is empty: build it again'
    : `the file begins with ${hexBytes(bytesAt(source, 0n, 4))} and is no ELF: name the kernel that the linker wrote (vmlinux)`;

/** An object file, or another type that is not started. */
export const notExecutable: LinkRow = ({ image: { header } }) =>
  `e_type is ${fileTypeName(header.e_type)}: link an executable, by ld without -r`;

/** No program headers. */
export const noSegments: LinkRow = ({ image: { header } }) =>
  `e_phnum is ${header.e_phnum}${header.e_phnum === 0 ? `, e_type ${fileTypeName(header.e_type)}: link an executable that has PT_LOADs, by ld without -r` : `, e_phoff ${hex(header.e_phoff)}: the table was cut off or overwritten, so link or copy the file again`}`;

/** What is wrong with a header, where the loader says no more than that it is. */
export const elfHeader: LinkRow = (facts) =>
  hasElfMagic(facts.source)
    ? firstOf(
        elf32,
        (f) => (isOdd(f) ? oddHeader(f) : undefined),
        foreignHeader,
        (f) => (tablesOut(f) ? damaged(f) : oddHeader(f)),
      )(facts)
    : noElf(facts);
