/** A linear file and the facts about it that several checks need; worked out from the file alone. */
import { fits } from '../../base/bytes/source.js';
import { findMb1, type Mb1Header } from '../../formats/multiboot/mb1.js';
import { findMb2, type Mb2Header, type Mb2Values, mb2Values } from '../../formats/multiboot/mb2.js';
import {
  copiedSize,
  directory,
  hasRawData,
  memoryRange,
  type PeImage,
  type PeSection,
  rawRange,
} from '../../formats/pe/image.js';
import { DIRECTORY_BASERELOC, IMAGE_SCN_MEM_DISCARDABLE } from '../../formats/pe/names.js';

/** A PE image to be judged, with what several checks need of it. */
export interface LinearSubject {
  readonly image: PeImage;
  /** The header a loader would take, and what it says. */
  readonly mb2: Mb2Header | undefined;
  readonly values: Mb2Values | undefined;
  readonly mb1: Mb1Header | undefined;
  /** load_addr minus the lowest RVA: where RVA 0 would stand. */
  readonly physBase: bigint;
  /** Sections with raw data that the flat load covers, as the address tag says. */
  readonly loaded: readonly PeSection[];
  /** The run of sections without raw data behind them. */
  readonly bss: readonly PeSection[];
  /** All that follows: UEFI only. */
  readonly tail: readonly PeSection[];
  /** Do sections ascend, share nothing, and lie inside the file? Else nothing can be simulated. */
  readonly orderly: boolean;
  /** Sections that are known to be of no use to a flat load, whatever they look like. */
  readonly tailNames: readonly string[];
  /** Is it to be loaded by Multiboot at all (not with --mb2 none)? */
  readonly wantsTags: boolean;
}

/** How the image was meant. */
export interface SubjectOptions {
  readonly tailNames: readonly string[];
  readonly wantsTags: boolean;
}

/** Gathers what checks need of a PE image. */
export function linearSubject(image: PeImage, { tailNames, wantsTags }: SubjectOptions): LinearSubject {
  const mb2 = findMb2(image.source);
  const values = mb2 === undefined || mb2.problem !== undefined ? undefined : mb2Values(mb2);
  const lowest = image.sections[0]?.VirtualAddress ?? 0n;
  const address = wantsTags ? values?.address : undefined;
  const physBase = address === undefined ? 0n : address.load_addr - lowest;
  const count =
    address === undefined ? equallyFar(image.sections) : before(image.sections, address.load_end_addr - physBase);
  const loaded = image.sections.slice(0, count);
  const behind = image.sections.slice(count);
  const firstTail = behind.findIndex(hasRawData);
  const bss = behind.slice(0, firstTail < 0 ? behind.length : firstTail);
  return {
    image,
    mb2,
    values,
    mb1: findMb1(image.source),
    physBase,
    loaded,
    bss,
    tail: behind.slice(bss.length),
    orderly: isOrderly(image),
    tailNames,
    wantsTags,
  };
}

/** How many sections begin in front of an address and have data; those without are bss wherever the load ends. */
function before(sections: readonly PeSection[], end: bigint): number {
  const last = sections.findLastIndex((section) => section.VirtualAddress < end && hasRawData(section));
  return last + 1;
}

/** Without an address tag: the sections that stand as far from their address as the first one. */
function equallyFar(sections: readonly PeSection[]): number {
  const [first] = sections;
  if (first === undefined) return 0;
  const distance = first.VirtualAddress - first.PointerToRawData;
  const other = sections.findIndex(
    (section) => !hasRawData(section) || section.VirtualAddress - section.PointerToRawData !== distance,
  );
  return other < 0 ? sections.length : other;
}

function isOrderly({ sections, source }: PeImage): boolean {
  return sections.every((section, index) => {
    const previous = sections[index - 1];
    const ascends = previous === undefined || memoryRange(previous).end <= section.VirtualAddress;
    const { start } = rawRange(section);
    return ascends && (!hasRawData(section) || fits(start, copiedSize(section), source.size));
  });
}

/** May the kernel do without this section when Multiboot loads it? */
export function isTailKind(
  { image, tailNames }: Pick<LinearSubject, 'image' | 'tailNames'>,
  section: PeSection,
): boolean {
  if (tailNames.includes(section.name) || (section.Characteristics & IMAGE_SCN_MEM_DISCARDABLE) !== 0) return true;
  if (/^\.(debug.*|config|kernel|ramdisk|xsm|ucode|sbat|pkgnote|sbom|pad)$/.test(section.name)) return true;
  const relocations = directory(image, DIRECTORY_BASERELOC)?.VirtualAddress;
  const { start, end } = memoryRange(section);
  return relocations !== undefined && relocations >= start && relocations < end;
}
