import { hex } from '../../base/errors/hex.js';
import { FEATURES } from '../../formats/note/features.js';
import { code, heading, list, table, text } from '../blocks.js';
import type { Page } from '../page.js';

/** What a feature means for a kernel's notes; those not named here are only told by Xen to the guest. */
export const FEATURE_MEANINGS: Readonly<Record<string, string>> = {
  writable_page_tables: 'direct writes to page tables are trapped and carried out by Xen',
  writable_descriptor_tables: 'the same for segment descriptor tables',
  auto_translated_physmap: 'Xen translates guest page numbers to machine ones; required in a PV guest: refused',
  supervisor_mode_kernel: 'the kernel must run in ring 0; required in a PV dom0: Xen panics',
  pae_pgdir_above_4gb: 'page directories of a PAE guest may lie above 4 GiB',
  hvm_callback_vector: 'events of an HVM guest arrive through a vector; name known since Xen 4.4',
  dom0: 'the kernel can run as dom0; name known since Xen 4.2',
  grant_map_identity: 'no longer in use',
  ARM_SMCCC_supported: 'not for x86',
  linux_rsdp_unrestricted: 'PVH with GUEST_OS=linux: the ACPI root pointer may lie above 1 MiB',
};

/** The page on the features of a PV kernel. */
export const features: Page = {
  name: 'features',
  title: 'Features: the names and bits of FEATURES and SUPPORTED_FEATURES',
  blocks: [
    text`A kernel tells Xen which features it can work with, and which it cannot work without. FEATURES does so by name,
      SUPPORTED_FEATURES by bit, and Xen takes both together. The notes themselves: explain FEATURES (in capitals) and
      explain SUPPORTED_FEATURES.`,
    table(
      ['bit', 'mask', 'name', 'meaning'],
      ...FEATURES.map(({ bit, name, inString }) => [
        String(bit),
        hex(1 << bit),
        inString ? name : `${name} *`,
        FEATURE_MEANINGS[name] ?? 'told by Xen to the guest',
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
