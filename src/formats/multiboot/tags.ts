/** Tags of a Multiboot2 header: their numbers, structures and names (Multiboot2 2.0, "Multiboot2 header tags"). */
import { struct, type ValueOf } from '../../base/bytes/struct.js';
import { MULTIBOOT } from './words.js';

/** Types of tags. */
export const TAG_END = 0;
export const TAG_INFORMATION_REQUEST = 1;
export const TAG_ADDRESS = 2;
export const TAG_ENTRY = 3;
export const TAG_CONSOLE_FLAGS = 4;
export const TAG_FRAMEBUFFER = 5;
export const TAG_MODULE_ALIGNMENT = 6;
export const TAG_EFI_BOOT_SERVICES = 7;
export const TAG_ENTRY_EFI32 = 8;
export const TAG_ENTRY_EFI64 = 9;
export const TAG_RELOCATABLE = 10;

/** Flag bit 0 of a tag: a loader that does not know it may pass over it. */
export const TAG_OPTIONAL = 1;

/** Head of every tag. */
export const TagHead = struct('multiboot_header_tag', { type: 'half', flags: 'half', size: 'word' });

/** Bytes of the head of a tag, which is all that the end tag has. */
export const TAG_HEAD_SIZE = TagHead.size(MULTIBOOT);

/** Tag 2 behind its head. */
export const AddressTag = struct('multiboot_header_tag_address', {
  header_addr: 'place',
  load_addr: 'place',
  load_end_addr: 'place',
  bss_end_addr: 'place',
});
export type AddressTag = ValueOf<typeof AddressTag>;

/** Tags 3, 8 and 9 behind their head. */
export const EntryTag = struct('multiboot_header_tag_entry_address', { entry_addr: 'place' });

/** Tag 10 behind its head. */
export const RelocatableTag = struct('multiboot_header_tag_relocatable', {
  min_addr: 'place',
  max_addr: 'place',
  align: 'place',
  preference: 'word',
});
export type RelocatableTag = ValueOf<typeof RelocatableTag>;

/** Bytes behind the head of the tags that are read here. */
const BODIES: Readonly<Record<number, number>> = {
  [TAG_ADDRESS]: AddressTag.size(MULTIBOOT),
  [TAG_ENTRY]: EntryTag.size(MULTIBOOT),
  [TAG_ENTRY_EFI64]: EntryTag.size(MULTIBOOT),
  [TAG_RELOCATABLE]: RelocatableTag.size(MULTIBOOT),
};

/** The least size that a tag of this type has to state. */
export function leastTagSize(type: number): number {
  return TAG_HEAD_SIZE + (BODIES[type] ?? 0);
}

const TAG_NAMES: Readonly<Record<number, string>> = {
  [TAG_END]: 'end',
  [TAG_INFORMATION_REQUEST]: 'information request',
  [TAG_ADDRESS]: 'address',
  [TAG_ENTRY]: 'entry address',
  [TAG_CONSOLE_FLAGS]: 'console flags',
  [TAG_FRAMEBUFFER]: 'framebuffer',
  [TAG_MODULE_ALIGNMENT]: 'module alignment',
  [TAG_EFI_BOOT_SERVICES]: 'EFI boot services',
  [TAG_ENTRY_EFI32]: 'EFI i386 entry',
  [TAG_ENTRY_EFI64]: 'EFI amd64 entry',
  [TAG_RELOCATABLE]: 'relocatable',
};

/** Does the format define this type? GRUB knows the same ones (grub-core/loader/multiboot_mbi2.c, grub_multiboot2_load). */
export function isKnownTag(type: number): boolean {
  return TAG_NAMES[type] !== undefined;
}

/** `address`, or `tag 77`. */
export function tagName(type: number): string {
  return TAG_NAMES[type] ?? `tag ${type}`;
}
