/**
 * Which sections a flat loader gets from the file, which it zeros, and which only UEFI sees. Image: up to the first run of
 * sections without data; that run is the bss; all behind it is tail.
 */
import { fail } from '../../base/errors/patch-error.js';
import { directory, hasRawData, type PeImage, type PeSection } from '../../formats/pe/image.js';
import { METADATA_SECTIONS } from '../../formats/pe/metadata-sections.js';
import { DIRECTORY_BASERELOC, IMAGE_SCN_MEM_DISCARDABLE } from '../../formats/pe/names.js';
import type { LinearOptions } from './options.js';

/** What a flat loader makes of a section: bytes of the file, zeros, or nothing: only UEFI sees a tail. */
export type Role = 'image' | 'bss' | 'tail';

/**
 * Parts of a unified xen.efi (docs/misc/efi.pandoc) and what shim and others read from the file; Xen itself takes them through UEFI.
 * `.pad` filled the address space behind .reloc until Xen 4.20.
 */
const KNOWN_TAIL = ['.config', '.kernel', '.ramdisk', '.xsm', '.ucode', '.pad', ...METADATA_SECTIONS];

/** The role of each section, in table order. Errors: `pe.data-after-bss`, `linear.no-section`. */
export function classify(image: PeImage, options: Pick<LinearOptions, 'image' | 'tail'>): Role[] {
  const { sections, source } = image;
  for (const name of [...options.image, ...options.tail]) {
    if (sections.some((section) => section.name === name)) continue;
    const have = sections
      .map((section) => section.name)
      .slice(0, 40)
      .join(', ');
    fail('linear.no-section', { file: source.name }, { name, have });
  }
  const belongsBehind = tailRule(image);
  const isTail = (section: PeSection) =>
    options.tail.includes(section.name) || (!options.image.includes(section.name) && belongsBehind(section));

  const bssStart = firstOfBss(sections, options, isTail);
  const bssEnd = sections.findIndex((section, index) => index >= bssStart && hasRawData(section));
  const tailStart = sections.findIndex(({ name }) => options.tail.includes(name));
  // Without a bss the image ends where nothing but tail follows.
  const imageEnd = Math.min(
    bssStart,
    tailStart < 0 ? sections.length : tailStart,
    bssStart === sections.length ? sections.findLastIndex((section) => !isTail(section)) + 1 : sections.length,
  );
  return sections.map((section, index) => {
    if (index < imageEnd) return 'image';
    if (imageEnd === bssStart && (bssEnd < 0 || index < bssEnd) && !isTail(section)) return 'bss';
    if (!isTail(section))
      fail('pe.data-after-bss', { file: source.name, part: 'section table' }, { name: section.name });
    return 'tail';
  });
}

/**
 * Where the first run of sections without data begins, behind the first with data and all that are to be loaded. One that
 * belongs to the tail begins none.
 */
function firstOfBss(
  sections: readonly PeSection[],
  options: Pick<LinearOptions, 'image'>,
  isTail: (section: PeSection) => boolean,
): number {
  const first = sections.findIndex(hasRawData);
  const lastAsked = sections.findLastIndex(({ name }) => options.image.includes(name));
  const found = sections.findIndex(
    (section, index) => index > first && index > lastAsked && !hasRawData(section) && !isTail(section),
  );
  return found < 0 ? sections.length : found;
}

function tailRule(image: PeImage): (section: PeSection) => boolean {
  const relocations = directory(image, DIRECTORY_BASERELOC);
  return ({ name, Characteristics, VirtualAddress, VirtualSize }) =>
    (Characteristics & IMAGE_SCN_MEM_DISCARDABLE) !== 0 ||
    name.startsWith('.debug') ||
    KNOWN_TAIL.includes(name) ||
    (relocations !== undefined &&
      relocations.VirtualAddress >= VirtualAddress &&
      relocations.VirtualAddress < VirtualAddress + VirtualSize);
}
