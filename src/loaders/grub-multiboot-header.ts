/**
 * What GRUB asks of a Multiboot header (grub-core/loader/i386/multiboot_mbi.c, multiboot_mbi2.c): where it stands, its flags or
 * tags, and a file that is copied as one piece by the addresses in it.
 */
import { fits } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { MB1_SIZE, type Mb1Fields } from '../formats/multiboot/mb1.js';
import type { Mb2Header, Mb2Tag } from '../formats/multiboot/mb2.js';
import { multibootNearMiss } from '../formats/multiboot/near-miss.js';
import {
  isKnownTag,
  TAG_ADDRESS,
  TAG_EFI_BOOT_SERVICES,
  TAG_END,
  TAG_ENTRY,
  TAG_ENTRY_EFI32,
  TAG_ENTRY_EFI64,
  TAG_HEAD_SIZE,
  TAG_INFORMATION_REQUEST,
  TAG_OPTIONAL,
} from '../formats/multiboot/tags.js';
import { copiedSize, hasRawData } from '../formats/pe/image.js';
import { GIB4, type MultibootView, OUT_OF_RANGE, padded } from './grub-multiboot-view.js';
import { crash, lost, type Rule, refuse, warn } from './rule.js';

type R = Rule<MultibootView>;

/** A load_addr of -1: from the start of the file, says the specification. */
const MINUS_ONE = 0xffff_ffffn;
const NO_HEADER = 'no multiboot header found';

/** Flags below bit 16 that a boot loader must know; GRUB knows bits 0 to 2. */
const UNKNOWN_FLAGS = 0xfff8;

/** Bytes of a Multiboot2 header that GRUB goes through: up to the end tag, or to where it left what it holds. */
function endOfTags(header: Mb2Header | undefined, tags: readonly Mb2Tag[]): bigint {
  const last = tags.at(-1);
  const least = BigInt(header?.header_length ?? 0);
  if (last === undefined) return least;
  // It goes no further than to the tag that it refuses, or that it never gets past.
  const refused = tags.find(isRefused);
  if (refused !== undefined) return BigInt(refused.at + TAG_HEAD_SIZE);
  if (last.type === TAG_END || last.size === 0) return BigInt(last.at + TAG_HEAD_SIZE);
  return BigInt(last.at + padded(last.size) + TAG_HEAD_SIZE);
}

/** Does GRUB give up at it? The entry tag for 32-bit EFI is in the format, and GRUB does not know it. */
function isRefused({ type, flags }: Mb2Tag): boolean {
  if (type === TAG_END || (flags & TAG_OPTIONAL) !== 0) return false;
  return !isKnownTag(type) || type === TAG_ENTRY_EFI32;
}

/** What a kernel can ask GRUB for is numbered up to here (MULTIBOOT_TAG_TYPE_LOAD_BASE_ADDR). */
const LAST_INFORMATION = 21;

/** The first information that a required request names and GRUB does not have. */
function unknownRequest({ type, flags, size, at }: Mb2Tag, held: Uint8Array | undefined): number | undefined {
  if (type !== TAG_INFORMATION_REQUEST || (flags & TAG_OPTIONAL) !== 0 || held === undefined) return undefined;
  const view = new DataView(held.buffer, held.byteOffset, held.length);
  const end = Math.min(at + size, held.length);
  for (let place = at + TAG_HEAD_SIZE; place + 4 <= end; place += 4) {
    const wanted = view.getUint32(place, true);
    if (wanted > LAST_INFORMATION) return wanted;
  }
  return undefined;
}

/** Is there a header where GRUB looks, whole? */
export const HEADER: R = {
  name: 'header',
  source: 'grub-core/loader/multiboot_mbi.c, find_header; multiboot_mbi2.c, find_header',
  because: 'the header is found by its place: 4-aligned in the first 8 KiB, or 8-aligned in the first 32 KiB',
  run({ offset, window, header1, header2, tags, source, version }) {
    if (offset === undefined) return refuse(NO_HEADER, { reason: multibootNearMiss(source, version) });
    const needs = header1?.fields === undefined ? endOfTags(header2, tags) : BigInt(MB1_SIZE);
    if (offset + needs <= window.bytes) return undefined;
    return crash(
      `the header ends at ${hex(offset + needs)}, and GRUB holds the first ${hex(window.bytes)} bytes only: the rest is what memory has there`,
    );
  },
};

/** Flags of a Multiboot 1 header. */
export const FLAGS: R = {
  name: 'flags',
  source: 'grub-core/loader/i386/multiboot_mbi.c, grub_multiboot_load',
  because: 'bits 0 to 15 must be understood; GRUB knows the lowest three',
  run({ header1 }) {
    const unknown = (header1?.flags ?? 0) & UNKNOWN_FLAGS;
    return unknown === 0 ? undefined : refuse(`unsupported flag: ${hex(header1?.flags ?? 0)}`);
  },
};

/** Tags of a Multiboot2 header. */
export const TAGS: R = {
  name: 'tags',
  source: 'grub-core/loader/multiboot_mbi2.c, grub_multiboot2_load',
  because:
    'tags are walked to the end tag, 8-aligned, whatever header_length says; one that is not optional must be known, and so ' +
    'must be what it asks for; the address tag needs the entry address tag beside it',
  run({ tags, header2, held }) {
    const bad = tags.find((tag) => isRefused(tag) || unknownRequest(tag, held) !== undefined);
    const request = bad === undefined ? undefined : unknownRequest(bad, held);
    if (request !== undefined) return refuse(`unsupported information tag: ${hex(request)}`);
    const unknown = bad;
    if (unknown !== undefined) {
      const beyond =
        unknown.at >= (header2?.header_length ?? 0) ? ', behind header_length: the end tag was missed' : '';
      return refuse(`unsupported tag: ${hex(unknown.type)}`, {
        reason: `at ${hex(unknown.at)} of the header${beyond}`,
      });
    }
    const stuck = tags.find(({ type, size }) => type !== TAG_END && size === 0);
    if (stuck !== undefined)
      return crash(`the tag at ${hex(stuck.at)} of the header has size 0: GRUB never gets past it`);
    const has = (wanted: number) => tags.some(({ type }) => type === wanted);
    if (!has(TAG_ADDRESS) || has(TAG_ENTRY)) return undefined;
    const reason =
      has(TAG_EFI_BOOT_SERVICES) && has(TAG_ENTRY_EFI64)
        ? 'on BIOS; on UEFI the entry tag for its boot services will do'
        : undefined;
    return refuse('load address tag without entry address tag', { reason });
  },
};

/** A file that is copied as one piece. */
export const LINEAR: R = {
  name: 'linear-load',
  source: 'grub-core/loader/i386/multiboot_mbi.c, grub_multiboot_load',
  because: 'with address fields the file is copied as one piece from the header on: no byte of it may move',
  run({ fields, offset = 0n, source }) {
    if (fields === undefined) return undefined;
    const { load_addr, load_end_addr, bss_end_addr } = fields;
    if (load_addr === MINUS_ONE)
      return crash('load_addr -1 is used as it stands in one of two subtractions: GRUB hangs');
    const from = fileOffset(offset, fields);
    const asked =
      bss_end_addr !== 0n ? bss_end_addr : load_end_addr !== 0n ? load_end_addr : load_addr + source.size - from;
    if (load_addr + BigInt.asUintN(32, asked - load_addr) >= GIB4) {
      return refuse(OUT_OF_RANGE, { reason: `from load_addr ${hex(load_addr)} to ${hex(asked)}, in words of 32 bits` });
    }
    if (from < 0n || from > source.size) return refuse('attempt to seek outside of the file');
    const size = load_end_addr === 0n ? source.size - from : load_end_addr - load_addr;
    if (size < 0n) return crash(`load_end_addr ${hex(load_end_addr)} is below load_addr ${hex(load_addr)}`);
    const end = load_addr + size;
    if (bss_end_addr !== 0n && bss_end_addr < end) {
      return crash(
        `${hex(end)} is where the load ends, bss_end_addr ${hex(bss_end_addr)} is below: GRUB clears a negative count`,
      );
    }
    if (!fits(from, size, source.size)) {
      return warn('the file ends before load_end_addr, and GRUB does not notice: the rest is what memory held');
    }
    return load_end_addr === 0n ? warn('load_end_addr 0 loads everything up to the end of the file') : undefined;
  },
};

/** Where the bytes of the file end in memory. */
export function linearEnd({ offset = 0n, source }: MultibootView, fields: Mb1Fields): bigint {
  const { load_addr, load_end_addr } = fields;
  return load_end_addr === 0n ? load_addr + source.size - fileOffset(offset, fields) : load_end_addr;
}

/** Where the byte for load_addr stands in the file. */
function fileOffset(header: bigint, { header_addr, load_addr }: Mb1Fields): bigint {
  return header - (header_addr - load_addr);
}

/**
 * A PE image is not asked for its sections, and its code finds its data by address all the same. What differs from the
 * picture that UEFI firmware makes of it is told; a linear file has no difference (linearize).
 */
export const PE_SECTIONS: R = {
  name: 'pe-sections',
  source: 'grub-core/loader/i386/multiboot_mbi.c, grub_multiboot_load: sections of a PE image play no part',
  because: 'the code looks for its data where the linker put it: each section that is loaded must arrive there',
  run({ fields, offset = 0n, pe, source }) {
    if (fields === undefined || pe === undefined) return undefined;
    const lowest = pe.sections[0]?.VirtualAddress ?? 0n;
    const from = fileOffset(offset, fields);
    const { load_addr, load_end_addr } = fields;
    const end = load_end_addr === 0n ? source.size - from : load_end_addr - load_addr;
    const astray = pe.sections.find(
      (s) =>
        s.VirtualAddress - lowest < end &&
        (copiedSize(s) > 0n ? s.PointerToRawData - from !== s.VirtualAddress - lowest : s.VirtualSize > 0n),
    );
    if (astray === undefined) return undefined;
    const what = hasRawData(astray)
      ? `section ${astray.name} is not at the distance from the others that its address has`
      : `section ${astray.name} is to be zeros, and the load puts bytes of the file there`;
    return crash(`GRUB loads it, and the kernel does not run: ${what}`, { kind: 'linearize', mb1: false });
  },
};

/** Where a file that is copied as one piece is entered. */
export const LINEAR_ENTRY: R = {
  name: 'entry-in-the-load',
  source: 'grub-core/loader/i386/multiboot_mbi.c, grub_multiboot_load',
  because: 'GRUB jumps to the entry address without looking',
  run(view) {
    const { fields, values } = view;
    // With boot services kept, UEFI's own entry is gone by.
    if (fields === undefined || values?.keepsBootServices === true) return undefined;
    const { load_addr, entry_addr } = fields;
    const end = linearEnd(view, fields);
    if (entry_addr >= load_addr && entry_addr < end) return undefined;
    return lost(
      `the entry ${hex(entry_addr)} is outside of ${hex(load_addr)} to ${hex(end)}, where the file is loaded`,
    );
  },
};
