/** What has to change in the source or the link for a boot loader that goes by a Multiboot header: one row a rule. */
import type { ByteSource } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { hasFileBytes } from '../../formats/elf/image.js';
import { PT_LOAD, SHT_REL, SHT_RELA } from '../../formats/elf/names.js';
import { findMb1 } from '../../formats/multiboot/mb1.js';
import { findMb2, mb2Values } from '../../formats/multiboot/mb2.js';
import { multibootNearMiss, unseenMultiboot } from '../../formats/multiboot/near-miss.js';
import {
  GRUB_MB1,
  GRUB_MB2,
  grubWindow,
  HEADER_WINDOWS,
  type HeaderWindow,
  type MultibootVersion,
  QEMU_MB1,
} from '../../formats/multiboot/windows.js';
import { loaderRow } from '../../loaders/names.js';
import { type LinkFacts, placeOf } from './link-facts.js';

type Row = (facts: LinkFacts) => string | undefined;

/** The version that the loader asks for. */
function versionOf({ verdict: { loader }, source }: LinkFacts): MultibootVersion {
  const name = loaderRow(loader)?.name ?? '';
  // A loader of several protocols takes the header that is there.
  if (!name.endsWith('multiboot') && !name.endsWith('multiboot2')) return findMb2(source) === undefined ? 1 : 2;
  return name.endsWith('multiboot2') ? 2 : 1;
}

/** Where the loader looks. */
function windowOf(facts: LinkFacts): HeaderWindow {
  return facts.verdict.loader.startsWith('qemu') ? QEMU_MB1 : grubWindow(versionOf(facts));
}

const NAMES = { 1: 'Multiboot 1', 2: 'Multiboot2' } as const;

/** The header with its place, as sentences name it. */
function headerOf(facts: LinkFacts): string {
  const version = versionOf(facts);
  const header = version === 1 ? findMb1(facts.source) : findMb2(facts.source);
  return `the ${NAMES[version]} header${header === undefined ? '' : ` at ${hex(header.offset)}`}`;
}

const tableEarly: Row = (facts) => {
  const { e_phoff, e_phnum, e_phentsize } = facts.image.header;
  const end = e_phoff + BigInt(e_phnum * e_phentsize);
  const { bytes } = grubWindow(versionOf(facts));
  return `the program header table is at ${hex(e_phoff)} to ${hex(end)}, and GRUB reads it from the first ${hex(bytes)} bytes: link the kernel again, ld puts it behind the ELF header; what was done to the file since then moved it`;
};

const noHeader: Row = (facts) => {
  const version = versionOf(facts);
  const { bytes, align } = windowOf(facts);
  const near = multibootNearMiss(facts.source, version, windowOf(facts));
  if (near !== undefined) return near;
  const [first] = facts.loads.filter(({ p_filesz }) => p_filesz > 0n);
  const place =
    first === undefined
      ? ''
      : `; ${facts.loadName(first)}, the first that is loaded, stands at offset ${hex(first.p_offset)}`;
  const found = version === 1 ? findMb1(facts.source, windowOf(facts)) : findMb2(facts.source);
  return found === undefined
    ? `the file has no ${NAMES[version]} header: the source has to define one, and the linker script has to put its section first, at a multiple of ${align} in the first ${hex(bytes)} bytes${place}`
    : `the ${NAMES[version]} header at ${hex(found.offset)} has to end in the first ${hex(bytes)} bytes: link its section first${place}`;
};

const addresses: Row = (facts) =>
  `${headerOf(facts)} has the addresses ${fieldsText(facts)}: correct them in the source, load_addr <= header_addr, load_addr < load_end_addr <= bss_end_addr, or leave them out, so that the program headers count`;

const flags: Row = (facts) =>
  `${headerOf(facts)} has flags ${hex(findMb1(facts.source)?.flags ?? 0)}, of which loaders know bits 0 to 2 and 16, and not all of those: clear what they do not know in the source and make the checksum again`;

/** Loaders that look for a header first, and then go by the ELF as if there were none; what each looks for. */
const ALSO_LOOKS: Readonly<Partial<Record<string, readonly HeaderWindow[]>>> = {
  kexec: HEADER_WINDOWS.filter(({ loader }) => loader === 'kexec'),
  crosvm: [{ ...GRUB_MB1, loader: 'crosvm' }],
  limine: [
    { ...GRUB_MB2, loader: 'Limine' },
    { ...GRUB_MB1, loader: 'Limine' },
  ],
};

/** A header that is there and that such a loader does not see; undefined where there is none. */
export function unseenHeader(source: ByteSource, loader: string): string | undefined {
  for (const window of ALSO_LOOKS[loader] ?? []) {
    const near = unseenMultiboot(source, window);
    if (near !== undefined) return near;
  }
  return undefined;
}

/** By the name of the rule; rules that are not here have a row for all loaders. */
export const MULTIBOOT_ADVICE: Readonly<Record<string, Row>> = {
  // QEMU's rule of that name is about the ELF header.
  header: (facts) => (facts.verdict.loader.startsWith('qemu') ? undefined : noHeader(facts)),
  'multiboot-header': noHeader,
  flags,
  tags: (facts) =>
    `${headerOf(facts)} has a tag that the loader does not take: in the source leave it out, or for GRUB set bit 0 of the tag's flags (optional), pad each tag to a multiple of 8, and end with a tag of type 0 and size 8`,
  'multiboot-flags': flags,
  'linear-load': addresses,
  'entry-in-the-load': addresses,
  'address-fields': addresses,
  class: ({ image: { encoding, header } }) =>
    `it is an ELF${encoding.bits} with e_machine ${header.e_machine}, and QEMU takes a Multiboot kernel as ELF32 with EM_386 alone: link it by ld -m elf_i386, set bit 16 of flags and the address fields, or give it a PVH entry and no header`,
  'fetched-to-the-end': (facts) => {
    const ends = facts.loads
      .filter(({ p_memsz }) => p_memsz > 0n)
      .map((load) => `${facts.loadName(load)} ${placeOf(load)}`);
    return `${ends.join(', ')}: in the linker script let the PT_LOAD with the highest p_paddr be the one that ends last`;
  },
  'one-block': (facts) =>
    facts.about(
      ({ p_paddr, p_memsz }) => p_memsz > 0n && p_paddr < 0x100000n,
      (name, { p_paddr, p_memsz }) =>
        `${name} takes p_paddr ${hex(p_paddr)} to ${hex(p_paddr + p_memsz)}: link all of the kernel at 0x100000 or above, where the BIOS is not`,
    ),
  machine: ({ image: { header, encoding }, verdict: { loader } }) =>
    loader.startsWith('qemu')
      ? undefined
      : `it is an ELF${encoding.bits} with e_machine ${header.e_machine}: GRUB takes ELF32 with EM_386 (ld -m elf_i386) and ELF64 with EM_X86_64 (ld -m elf_x86_64)`,
  'elf-magic': ({ source }) =>
    `the file of ${hex(source.size)} bytes is no little-endian ELF: a header without address fields needs one, so link an ELF or set bit 16 of flags and the address fields`,
  'program-headers-early': tableEarly,
  'below-4-gib': (facts) =>
    facts.about(
      ({ p_paddr, p_memsz }) => p_paddr + p_memsz >= 0x1_0000_0000n,
      (name, { p_paddr, p_memsz }) =>
        `${name} takes p_paddr ${hex(p_paddr)} to ${hex(p_paddr + p_memsz)}: AT(ADDR(section) - base) in the linker script brings it below 4 GiB`,
    ),
  'entry-in-a-segment'(facts) {
    const { header, segments } = facts.image;
    const home = segments.findIndex((s) => s.p_vaddr <= header.e_entry && s.p_vaddr + s.p_memsz > header.e_entry);
    if (home < 0) {
      const [first] = facts.loads;
      const where = first === undefined ? '' : `; ${facts.loadName(first)} is at p_vaddr ${hex(first.p_vaddr)}`;
      return `e_entry is ${hex(header.e_entry)} and in no program header: name the start by ENTRY(symbol) in the linker script or by ld -e${where}`;
    }
    const kind = segments[home]?.p_type === PT_LOAD ? 'PT_LOAD' : 'program header';
    return `${kind} ${home} is the first around e_entry ${hex(header.e_entry)} and has p_paddr ${hex(segments[home]?.p_paddr ?? 0n)}, so GRUB would enter above 4 GiB: correct it, or put it behind the PT_LOADs`;
  },
  'section-header-count': ({ image: { header } }) =>
    `e_shnum is ${header.e_shnum}, e_shoff ${hex(header.e_shoff)}: link the kernel again, with fewer than 65,280 sections`,
  'sections-readable'(facts) {
    const { image, source } = facts;
    const relocations = facts.sectionNamed((type) => type === SHT_REL || type === SHT_RELA);
    if (relocations !== undefined && versionOf(facts) === 2) {
      return `section ${relocations} holds relocations: link without --emit-relocs (-q), or take it out by objcopy --remove-section ${relocations}`;
    }
    const bad = image.sections.findIndex((s) => hasFileBytes(s) && s.sh_offset + s.sh_size > source.size);
    const what =
      bad < 0
        ? `e_shoff is ${hex(image.header.e_shoff)}, e_shnum ${image.header.e_shnum}, e_shentsize ${image.header.e_shentsize}`
        : `section ${bad} names bytes up to ${hex((image.sections[bad]?.sh_offset ?? 0n) + (image.sections[bad]?.sh_size ?? 0n))}`;
    return `${what}, and the file has ${hex(source.size)} bytes: it was cut short or changed after the link, so link or copy it again`;
  },
};

function fieldsText(facts: LinkFacts): string {
  const header = findMb2(facts.source);
  const tagged = header === undefined ? undefined : mb2Values(header);
  const fields =
    versionOf(facts) === 1 ? findMb1(facts.source)?.fields : { ...tagged?.address, entry_addr: tagged?.entry ?? 0n };
  if (fields === undefined) return 'of its address tag';
  return Object.entries(fields)
    .map(([name, value]) => `${name} ${hex(value)}`)
    .join(', ');
}
