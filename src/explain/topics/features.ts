import { code, heading, list, table, text } from '../blocks.js';
import type { Page } from '../page.js';

/** One feature of xen/include/public/features.h, as far as a kernel's notes are concerned. */
export interface FeatureDoc {
  readonly bit: number;
  readonly name: string;
  /** Whether Xen's parser knows the name in a FEATURES string. */
  readonly named: boolean;
  readonly meaning: string;
}

export const FEATURE_DOCS: readonly FeatureDoc[] = [
  feature(0, 'writable_page_tables', true, 'direct writes to page tables are trapped and carried out by Xen'),
  feature(1, 'writable_descriptor_tables', true, 'the same for segment descriptor tables'),
  feature(
    2,
    'auto_translated_physmap',
    true,
    'Xen translates guest page numbers to machine ones; required in a PV guest: refused',
  ),
  feature(3, 'supervisor_mode_kernel', true, 'the kernel must run in ring 0; required in a PV dom0: Xen panics'),
  feature(4, 'pae_pgdir_above_4gb', true, 'page directories of a PAE guest may lie above 4 GiB'),
  feature(5, 'mmu_pt_update_preserve_ad', false, 'told by Xen to the guest'),
  feature(6, 'highmem_assist', false, 'told by Xen to the guest'),
  feature(7, 'gnttab_map_avail_bits', false, 'told by Xen to the guest'),
  feature(8, 'hvm_callback_vector', true, 'events of an HVM guest come by a vector; name known since Xen 4.4'),
  feature(9, 'hvm_safe_pvclock', false, 'told by Xen to the guest'),
  feature(10, 'hvm_pirqs', false, 'told by Xen to the guest'),
  feature(11, 'dom0', true, 'the kernel can run as dom0; name known since Xen 4.2'),
  feature(12, 'grant_map_identity', false, 'no longer in use'),
  feature(13, 'memory_op_vnode_supported', false, 'told by Xen to the guest'),
  feature(14, 'ARM_SMCCC_supported', false, 'not for x86'),
  feature(15, 'linux_rsdp_unrestricted', false, 'PVH with GUEST_OS=linux: the ACPI root pointer may lie above 1 MiB'),
  feature(16, 'not_direct_mapped', false, 'told by Xen to the guest'),
  feature(17, 'direct_mapped', false, 'told by Xen to the guest'),
  feature(18, 'runstate_phys_area', false, 'told by Xen to the guest'),
  feature(19, 'vcpu_time_phys_area', false, 'told by Xen to the guest'),
  feature(20, 'dm_msix_all_writes', false, 'told by Xen to the guest'),
];

export const features: Page = {
  name: 'features',
  title: 'Features: the names and bits of FEATURES and SUPPORTED_FEATURES',
  blocks: [
    text`A kernel tells Xen which features it can work with, and which it cannot work without. FEATURES does so by name,
      SUPPORTED_FEATURES by bit, and Xen takes both together.`,
    table(
      ['bit', 'mask', 'name', 'meaning'],
      ...FEATURE_DOCS.map(({ bit, name, named, meaning }) => [
        String(bit),
        `0x${(1 << bit).toString(16)}`,
        named ? name : `${name} *`,
        meaning,
      ]),
    ),
    text`* has no name that the parser of FEATURES knows: say it with SUPPORTED_FEATURES. Required in FEATURES (with !) such
      a name refuses the image.`,
    heading('The string'),
    list(
      'Names separated by |, compared exactly; blanks are part of a name. Empty items are fine, a lone ! is not.',
      'A required feature (!name) counts as supported too.',
      'An unknown name is ignored, an unknown required name refuses the image, PVH included, with no message of its own.',
      'patch refuses an unknown required name and names the nearest known one.',
    ),
    heading('What Xen does with the result'),
    list(
      'What the guest configuration asks for, and what the kernel requires, must be supported by the kernel.',
      'dom0: needed to boot as dom0 when SUPPORTED_FEATURES is there. Required (!dom0): xl refuses the kernel.',
      'All else is recorded.',
    ),
    code`
      $ xen-elfpatch patch vmlinux --set 'FEATURES=!writable_page_tables' -o out
      $ xen-elfpatch patch vmlinux --set SUPPORTED_FEATURES=0x8801 -o out`,
    text`0x8801 is what Linux writes: bits 0 (writable_page_tables), 11 (dom0) and 15 (linux_rsdp_unrestricted).`,
  ],
};

function feature(bit: number, name: string, named: boolean, meaning: string): FeatureDoc {
  return { bit, name, named, meaning };
}
