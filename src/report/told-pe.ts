/** Which PE images `notes` tells of by themselves. Asked of every image, so it stands apart from the report. */
import type { ByteSource } from '../base/bytes/source.js';
import { hasLinuxMagic } from '../formats/linux/boot-header.js';
import { findMb2 } from '../formats/multiboot/mb2.js';
import { METADATA_SECTIONS } from '../formats/pe/metadata-sections.js';
import { hasPeSection, looksLikePe } from '../formats/pe/read.js';

/**
 * Is there something to tell of a PE image: is it made for Multiboot2 as well, as xen.efi is, or does it say what it is, as
 * GRUB does? Boot images are containers of a kernel, whose notes are meant, and others are no business of ours.
 */
export function isToldPe(source: ByteSource): boolean {
  if (!looksLikePe(source)) return false;
  if (findMb2(source) !== undefined) return true;
  return !hasLinuxMagic(source) && METADATA_SECTIONS.some((name) => hasPeSection(source, name));
}
