/**
 * GRUB's multiboot loaders, which read no notes: what an edit of the file can break for them. Their rules stand by what they
 * look at: the header (grub-multiboot-header.ts), then the file as ELF (grub-multiboot-elf.ts).
 */
import { ELF_RULES } from './grub-multiboot-elf.js';
import { FLAGS, HEADER, LINEAR, LINEAR_ENTRY, PE_SECTIONS, TAGS } from './grub-multiboot-header.js';
import { MultibootView } from './grub-multiboot-view.js';
import { type Loader, loader } from './rule.js';

function values({ fields, entryHome, offset, values: tagged, image: { header } }: MultibootView) {
  // With the tag that keeps boot services, UEFI's own entry takes the place of the 32-bit one.
  const efi = tagged?.keepsBootServices === true ? tagged.entryEfi64 : undefined;
  return {
    headerOffset: offset,
    entry: fields === undefined ? (entryHome?.entry ?? header.e_entry) : fields.entry_addr,
    ...(efi === undefined ? {} : { entryOnUefi: efi }),
    mode: '32-bit, paging off',
    load: fields === undefined ? 'by program headers' : 'as one piece, by the header',
  };
}

/** GRUB's `multiboot`. */
export const grubMultiboot: Loader = loader<MultibootView>({
  name: 'grub-multiboot',
  open: (source) => new MultibootView(source, 1),
  rules: [HEADER, FLAGS, LINEAR, PE_SECTIONS, LINEAR_ENTRY, ...ELF_RULES],
  values,
});

/** GRUB's `multiboot2`. */
export const grubMultiboot2: Loader = loader<MultibootView>({
  name: 'grub-multiboot2',
  open: (source) => new MultibootView(source, 2),
  rules: [HEADER, TAGS, LINEAR, PE_SECTIONS, LINEAR_ENTRY, ...ELF_RULES],
  values,
});
