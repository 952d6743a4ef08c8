/**
 * Sections as they will stand in the result: one each, or, when asked, joined where one starts in the last page of the one
 * before. Joined sections let every raw pointer be a multiple of 512, the least FileAlignment of the PE format.
 */
import { alignDown } from '../../base/bytes/align.js';
import { hasRawData, type PeImage, type PeSection } from '../../formats/pe/image.js';
import {
  IMAGE_SCN_CNT_INITIALIZED_DATA,
  IMAGE_SCN_CNT_UNINITIALIZED_DATA,
  IMAGE_SCN_MEM_DISCARDABLE,
} from '../../formats/pe/names.js';
import type { Role } from './classify.js';
import type { LinearOptions } from './options.js';

const PAGE = 4096n;

/** A section of the result, with no place in the file yet. */
export interface Part {
  readonly name: string;
  readonly rawName: Uint8Array;
  readonly role: Role;
  readonly VirtualAddress: bigint;
  readonly VirtualSize: bigint;
  readonly Characteristics: number;
  /** The input sections in it, in order; more than one when joined. */
  readonly members: readonly PeSection[];
}

/** The sections of the result. A section that was uninitialized and gets zeros in the file becomes initialized data. */
export function partsOf(
  { sections }: PeImage,
  roles: readonly Role[],
  { merge, keepReloc, discardableReloc }: Pick<LinearOptions, 'merge' | 'keepReloc' | 'discardableReloc'>,
  relocations: bigint | undefined,
): Part[] {
  const parts: OpenPart[] = [];
  const wish = keepReloc ? 'clear' : discardableReloc ? 'set' : 'as it was';
  for (const [index, section] of sections.entries()) {
    const role = roles[index] ?? 'tail';
    const part: OpenPart = {
      name: section.name,
      rawName: section.rawName,
      role,
      VirtualAddress: section.VirtualAddress,
      VirtualSize: section.VirtualSize,
      Characteristics: discardable(characteristics(section, role), wish, holds(section, relocations)),
      members: [section],
    };
    const before = parts.at(-1);
    if (merge && role === 'image' && before?.role === 'image' && startsInLastPage(before, part)) {
      join(before, part);
    } else parts.push(part);
  }
  return parts;
}

function characteristics(section: PeSection, role: Role): number {
  let flags = section.Characteristics;
  if (role === 'image' && !hasRawData(section) && (flags & IMAGE_SCN_CNT_UNINITIALIZED_DATA) !== 0) {
    flags = (flags & ~IMAGE_SCN_CNT_UNINITIALIZED_DATA) | IMAGE_SCN_CNT_INITIALIZED_DATA;
  }
  return flags;
}

/** What a wish makes of the flags of a section that holds the base relocations. */
function discardable(flags: number, wish: 'clear' | 'set' | 'as it was', isRelocations: boolean): number {
  if (!isRelocations || wish === 'as it was') return flags >>> 0;
  return (wish === 'set' ? flags | IMAGE_SCN_MEM_DISCARDABLE : flags & ~IMAGE_SCN_MEM_DISCARDABLE) >>> 0;
}

function holds({ VirtualAddress, VirtualSize }: PeSection, rva: bigint | undefined): boolean {
  return rva !== undefined && rva >= VirtualAddress && rva < VirtualAddress + VirtualSize;
}

function startsInLastPage(before: Part, part: Part): boolean {
  const last = before.VirtualAddress + (before.VirtualSize > 0n ? before.VirtualSize - 1n : 0n);
  return alignDown(part.VirtualAddress, PAGE) <= alignDown(last, PAGE);
}

/** A part to which sections may still be joined. */
interface OpenPart extends Part {
  VirtualSize: bigint;
  Characteristics: number;
  readonly members: PeSection[];
}

function join(first: OpenPart, second: OpenPart): void {
  first.VirtualSize = second.VirtualAddress + second.VirtualSize - first.VirtualAddress;
  const both = first.Characteristics & second.Characteristics & IMAGE_SCN_MEM_DISCARDABLE;
  // What is discardable in part must stay as a whole.
  first.Characteristics =
    (((first.Characteristics | second.Characteristics) & ~IMAGE_SCN_MEM_DISCARDABLE) | both) >>> 0;
  first.members.push(...second.members);
}
