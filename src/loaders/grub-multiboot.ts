/**
 * GRUB's multiboot loaders, which read no notes: what an edit of the file can break for them. Their rules stand by what they
 * look at: the header (grub-multiboot-header.ts), then the file as ELF (grub-multiboot-elf.ts).
 */
import { hex } from '../base/errors/hex.js';
import type { RelocatableTag } from '../formats/multiboot/tags.js';
import { ELF_RULES } from './grub-multiboot-elf.js';
import { FLAGS, HEADER, LINEAR, LINEAR_ENTRY, PE_SECTIONS, TAGS } from './grub-multiboot-header.js';
import { LINEAR_IN_MEMORY, LINEAR_PLACE, multibootNeeds } from './grub-multiboot-memory.js';
import { MultibootView } from './grub-multiboot-view.js';
import { type Loader, loader } from './rule.js';

function values({ fields, elfEntry, offset, values: tagged, relocatable, image: { header } }: MultibootView) {
  // With the tag that keeps boot services, UEFI's own entry takes the place of the 32-bit one.
  const efi = tagged?.keepsBootServices === true ? tagged.entryEfi64 : undefined;
  return {
    headerOffset: offset,
    entry: fields === undefined ? (elfEntry ?? header.e_entry) : fields.entry_addr,
    ...(efi === undefined ? {} : { entryOnUefi: efi }),
    mode: '32-bit, paging off',
    load: fields === undefined ? 'by program headers' : 'as one piece, by the header',
    ...(relocatable === undefined ? {} : { moved: movedTo(relocatable) }),
  };
}

/** What a tag 10 says of the place: the entry moves with the image. */
function movedTo({ min_addr, max_addr, align }: RelocatableTag): string {
  return `with its entry, to a multiple of ${hex(align === 0n ? 1n : align)} from ${hex(min_addr)} on that ends at or below ${hex(max_addr)}`;
}

/** GRUB's `multiboot`. */
export const grubMultiboot: Loader = loader<MultibootView>({
  name: 'grub-multiboot',
  open: (source, options) => new MultibootView(source, 1, options),
  rules: [HEADER, FLAGS, LINEAR, PE_SECTIONS, LINEAR_ENTRY, LINEAR_IN_MEMORY, ...ELF_RULES],
  values,
  needsMemory: multibootNeeds,
});

/** GRUB's `multiboot2`. */
export const grubMultiboot2: Loader = loader<MultibootView>({
  name: 'grub-multiboot2',
  open: (source, options) => new MultibootView(source, 2, options),
  rules: [HEADER, TAGS, LINEAR_PLACE, LINEAR, PE_SECTIONS, LINEAR_ENTRY, LINEAR_IN_MEMORY, ...ELF_RULES],
  values,
  needsMemory: multibootNeeds,
});
