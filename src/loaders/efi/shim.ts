/**
 * shim (as of 16.1), as what starts a PE image itself, and as what GRUB asks with Secure Boot on: before 2.14 only whether
 * the image is signed (shim_lock), since 2.14 to load it (the loader protocol). Read in the source, and booted. But for a failed
 * verification shim keeps its words to itself, unless SHIM_VERBOSE is set.
 */
import { hex } from '../../base/errors/hex.js';
import { DataDirectory, OptionalHeader, PE, SECTION_ENTRY } from '../../formats/pe/headers.js';
import { directory, type PeSection, sectionTable } from '../../formats/pe/image.js';
import {
  DIRECTORY_BASERELOC,
  DIRECTORY_SECURITY,
  IMAGE_SCN_CNT_UNINITIALIZED_DATA,
  IMAGE_SCN_MEM_DISCARDABLE,
  IMAGE_SCN_MEM_READ,
} from '../../formats/pe/names.js';
import { type Loader, loader, lost, type Remark, type Rule, refuse, warn } from '../rule.js';
import { EfiView } from './efi-view.js';
import { valuesOf } from './uefi.js';

const HEADER = 'shim pe-relocate.c, read_header';
const LAYOUT = 'shim pe.c, handle_image';
const BUFFER = 'shim shim.c, verify_buffer';
const SBAT = 'shim pe.c, verify_sbat_section; sbat.c, verify_sbat';

const MOST_DIRECTORIES = 16;
const DOS_HEADER = 64n;
const PE_OFFSET_AT = 60n;
const RELOCS_STRIPPED = 1;
const RELOCATIONS = '.reloc';
const PLATFORM = 'Platform does not support this image';
const INVALID = 'Invalid image';
const OVERFLOW = 'Image sections overflow section headers';
const VIOLATION = 'Verification failed: (0x1A) Security Violation';

/** What shim 16.1 writes into SbatLevel by itself, unless the machine remembers more (SBAT_VAR_AUTOMATIC). */
const LEVEL: ReadonlyMap<string, number> = new Map([
  ['sbat', 1],
  ['shim', 4],
  ['grub', 5],
]);

type R = Rule<EfiView>;

const HEADER_RULES: readonly R[] = [
  {
    name: 'pe-image',
    source: HEADER,
    because: 'shim starts PE images of its own machine',
    run(view) {
      const { source, isMz, headers } = view;
      if (source.size < DOS_HEADER) return refuse(INVALID, { reason: 'it is shorter than a DOS header' });
      if (!isMz) return refuse(PLATFORM, { reason: 'it is no PE image' });
      if (headers === undefined) {
        const offset = peOffsetOf(view);
        const inside = offset >= DOS_HEADER && offset <= source.size - 4n;
        return refuse(inside ? 'Unsupported image type' : INVALID, { reason: 'the DOS header leads to no PE header' });
      }
      if (headers.peOffset < DOS_HEADER) return refuse(INVALID, { reason: 'the PE header begins in the DOS header' });
      return view.isForThisMachine ? undefined : refuse(PLATFORM, { reason: 'wanted x86-64 and PE32+' });
    },
  },
  {
    name: 'file-alignment',
    source: HEADER,
    because: 'odd values of FileAlignment make no sense',
    run: ({ headers }) => {
      const value = headers?.optionalHeader?.FileAlignment ?? 0n;
      return value % 2n === 0n ? undefined : refuse(`File Alignment is invalid (${value})`);
    },
  },
  {
    name: 'directories',
    source: HEADER,
    because: 'the optional header ends where its directories end',
    run({ headers }) {
      const header = headers?.optionalHeader;
      if (headers === undefined || header === undefined) return undefined;
      const count = header.NumberOfRvaAndSizes;
      if (count > MOST_DIRECTORIES) return refuse('Image header too large');
      const wanted = OptionalHeader.size(PE) + count * DataDirectory.size(PE);
      return headers.fileHeader.SizeOfOptionalHeader === wanted
        ? undefined
        : refuse('Image header overflows data directory');
    },
  },
  {
    name: 'section-table',
    source: HEADER,
    because: 'SizeOfImage, SizeOfHeaders and the file hold the section table',
    run({ headers, source }) {
      const header = headers?.optionalHeader;
      if (headers === undefined || header === undefined) return undefined;
      const { start, end } = sectionTable(headers);
      const count = BigInt(headers.fileHeader.NumberOfSections);
      const room = (size: bigint) => (size < start ? -1n : (size - start) / BigInt(SECTION_ENTRY));
      if (room(header.SizeOfImage) <= count) return refuse('Image sections overflow image size');
      return room(header.SizeOfHeaders) < count || end > source.size ? refuse(OVERFLOW) : undefined;
    },
  },
  {
    name: 'relocations-stripped',
    source: HEADER,
    because: 'an image is loaded wherever there is room',
    run: ({ headers }) =>
      ((headers?.fileHeader.Characteristics ?? 0) & RELOCS_STRIPPED) === 0
        ? undefined
        : refuse('Unsupported image - Relocations have been stripped'),
  },
  {
    name: 'size-of-image',
    source: HEADER,
    because: 'the headers are copied to the front of the image',
    run({ headers }) {
      const header = headers?.optionalHeader;
      if (header === undefined || header.SizeOfImage >= header.SizeOfHeaders) return undefined;
      return refuse(INVALID, { reason: 'SizeOfImage is less than SizeOfHeaders' });
    },
  },
  {
    name: 'certificate-table',
    source: HEADER,
    because: 'the certificate table begins in the file',
    run({ headers, source }) {
      const table = headers?.directories[DIRECTORY_SECURITY];
      const at = table?.VirtualAddress ?? 0n;
      const bad = at > source.size || (at === source.size && (table?.Size ?? 0n) > 0n);
      return bad ? refuse('Malformed security header') : undefined;
    },
  },
];

/** Is it signed, by whomever? What the machine trusts no file tells. */
const SIGNED: R = {
  name: 'signed',
  source: BUFFER,
  because:
    'with Secure Boot on, only what is signed by a key that shim or the firmware knows is run, and as it was signed',
  run(view) {
    if (!view.isSigned) return refuse(VIOLATION, { reason: 'the image is not signed; sbsign signs it' });
    if (view.signature !== 'of other bytes') return undefined;
    return refuse(VIOLATION, { reason: 'it is not the image that was signed; sign it again' });
  },
};

/** SBAT; what stands outside of shim needs none. */
const sbatRule = (mustBeThere: boolean): R => ({
  name: 'sbat',
  source: SBAT,
  because: 'generations of components say what is revoked; shim demands them of what it starts itself',
  run({ sbat }) {
    if (sbat === undefined) {
      if (!mustBeThere) return undefined;
      const reason = 'there is no section .sbat; stamp --sbat puts one in, before the image is signed';
      return refuse(VIOLATION, { reason });
    }
    const { entries } = sbat;
    if (entries === undefined) return refuse(VIOLATION, { reason: 'section .sbat has a line of less than six fields' });
    const old = entries.find(({ component, generation }) => generation < (LEVEL.get(component) ?? 0));
    if (old === undefined) return undefined;
    const { component, generation } = old;
    const reason = `generation ${generation} of component ${component} is revoked, wanted ${LEVEL.get(component)}`;
    return refuse(VIOLATION, { reason });
  },
});

const LAYOUT_RULES: readonly R[] = [
  {
    name: 'entry-in-image',
    source: LAYOUT,
    because: 'the entry is looked up in SizeOfImage bytes',
    run({ headers }) {
      const header = headers?.optionalHeader;
      if (header === undefined || header.AddressOfEntryPoint < header.SizeOfImage) return undefined;
      return refuse('Entry point is invalid');
    },
  },
  {
    name: 'sections',
    source: LAYOUT,
    because: 'what is readable is copied to its address, unless it is discardable',
    run: (view) => {
      let relocations = 0;
      for (const section of view.sections) {
        const fault = sectionFault(view, section);
        if (fault !== undefined) return refuse(fault, { reason: `section ${section.name}` });
        if (!isLoaded(section) || section.name !== RELOCATIONS) continue;
        relocations += 1;
        if (relocations > 1) return refuse('Image has multiple relocation sections');
      }
      return undefined;
    },
  },
  {
    name: 'has-relocation-directory',
    source: LAYOUT,
    because: 'an image is relocated to where it is loaded',
    run: ({ headers }) =>
      (headers?.directories.length ?? 0) > DIRECTORY_BASERELOC ? undefined : refuse('Image has no relocation entry'),
  },
  {
    name: 'one-section-of-the-entry',
    source: LAYOUT,
    because: 'the entry lies in one section that is loaded',
    run({ headers, sections }) {
      const entry = headers?.optionalHeader?.AddressOfEntryPoint ?? 0n;
      const holders = sections.filter(
        (s) => isLoaded(s) && s.VirtualAddress <= entry && s.VirtualAddress + s.VirtualSize - 1n > entry,
      );
      if (holders.length === 1) return undefined;
      return refuse(
        holders.length === 0 ? 'Entry point is not within sections' : `${holders.length} sections contain entry point`,
        { reason: `the entry is ${hex(entry)}` },
      );
    },
  },
];

/** What is run then. */
const RELOCATIONS_LOADED: R = {
  name: 'relocations-loaded',
  source: `${LAYOUT}; xen/arch/x86/efi/efi-boot.h, efi_arch_relocate_image`,
  because: 'shim leaves out what is discardable; Xen reads its relocations once more, and finds garbage',
  run(view) {
    const section = view.discardableRelocations;
    if (section === undefined) return undefined;
    const what = `section ${section.name} is discardable, and shim does not load it`;
    return view.readsItsRelocations
      ? lost(`${what}: Xen stops with "Unsupported relocation type"; linearize --keep-reloc clears the flag`)
      : warn(`${what}: an image that reads its own relocations misses them`);
  },
};

/** Is the section looked at when sections are copied? */
function isLoaded({ Characteristics, VirtualSize }: PeSection): boolean {
  if ((Characteristics & IMAGE_SCN_MEM_DISCARDABLE) !== 0 && VirtualSize === 0n) return false;
  return (Characteristics & IMAGE_SCN_MEM_READ) !== 0;
}

/** The first fault in shim's words and order; addresses are words of 32 bits. */
function sectionFault({ headers }: EfiView, section: PeSection): string | undefined {
  const header = headers?.optionalHeader;
  if (header === undefined || !isLoaded(section)) return undefined;
  const { index, VirtualAddress, VirtualSize, PointerToRawData, Characteristics } = section;
  const last = BigInt.asUintN(32, VirtualAddress + VirtualSize - 1n);
  const [base, end] = [VirtualAddress, last].map((at) => (at < header.SizeOfImage ? at : undefined));
  // A place that is not in the image counts as 0.
  const under = end === undefined ? base !== undefined : base !== undefined && end < base;
  if (under) return `Section ${index} has negative size`;
  if (section.name === RELOCATIONS) {
    const table = headers === undefined ? undefined : directory(headers, DIRECTORY_BASERELOC);
    const fits =
      section.SizeOfRawData > 0n &&
      VirtualSize > 0n &&
      base !== undefined &&
      end !== undefined &&
      table?.VirtualAddress === VirtualAddress &&
      table.VirtualAddress + table.Size - 1n <= end;
    if (!fits) return 'Relocation section is invalid';
  }
  if ((Characteristics & IMAGE_SCN_MEM_DISCARDABLE) !== 0) return undefined;
  if (base === undefined) return `Section ${index} has invalid base address`;
  if (end === undefined) return `Section ${index} has zero size`;
  const isData = (Characteristics & IMAGE_SCN_CNT_UNINITIALIZED_DATA) === 0;
  const inHeaders = VirtualAddress < header.SizeOfHeaders || PointerToRawData < header.SizeOfHeaders;
  return isData && inHeaders ? `Section ${index} is inside image headers` : undefined;
}

function peOffsetOf({ source }: EfiView): bigint {
  const bytes = source.read(PE_OFFSET_AT, 4n, 'DOS header');
  return BigInt(new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true));
}

/** GRUB says that shim would not have the image; shim, where it says anything, why. */
function asGrub(message: string, span: Pick<R, 'since' | 'until'>, rule: R): R {
  return {
    ...rule,
    ...span,
    source: `grub-core/kern/efi/sb.c, shim_lock_verifier_write; ${rule.source}`,
    run: (view) =>
      remarks(rule.run(view)).map((remark) => (remark.kind === 'refuse' ? inWords(message, remark) : remark)),
  };
}

function remarks(remark: ReturnType<R['run']>): readonly Remark[] {
  if (remark === undefined) return [];
  return 'kind' in remark ? [remark] : remark;
}

function inWords(message: string, { message: said, reason }: Extract<Remark, { kind: 'refuse' }>): Remark {
  return refuse(message, {
    reason: said === VIOLATION ? reason : [`shim: ${said}`, reason].filter(Boolean).join(', '),
  });
}

const VERIFIED: readonly R[] = [...HEADER_RULES, SIGNED, sbatRule(false)];

/** shim, starting an image itself: the second stage beside it. */
export const shim: Loader = loader<EfiView>({
  name: 'shim',
  open: (source) => new EfiView(source),
  rules: [...HEADER_RULES, SIGNED, sbatRule(true), ...LAYOUT_RULES, RELOCATIONS_LOADED],
  values: valuesOf,
});

/** GRUB behind shim with Secure Boot on: its own look at a kernel is the row of the way in which it starts it. */
export const grubSecureBoot: Loader = loader<EfiView>({
  name: 'grub-secure-boot',
  open: (source) => new EfiView(source),
  rules: [
    ...VERIFIED.map((rule) => asGrub('bad shim signature', { until: '2.14' }, rule)),
    ...[...VERIFIED, ...LAYOUT_RULES].map((rule) => asGrub('bad shim loader signature', { since: '2.14' }, rule)),
  ],
  values: valuesOf,
});
