/**
 * Feature names and the feature string (xen/include/public/features.h; parsing: xen/common/libelf/libelf-dominfo.c).
 * Xen has many feature bits and knows only a few of them by name in a kernel's string.
 */
import { nearest } from './nearest.js';

/** A feature of a PV kernel. */
export interface Feature {
  readonly bit: number;
  /** The name in features.h, XENFEAT_ left out. */
  readonly name: string;
  /** Does Xen's parser know the name in FEATURES? The others may only stand in SUPPORTED_FEATURES. */
  readonly inString: boolean;
}

const NAMES = [
  'writable_page_tables',
  'writable_descriptor_tables',
  'auto_translated_physmap',
  'supervisor_mode_kernel',
  'pae_pgdir_above_4gb',
  'mmu_pt_update_preserve_ad',
  'highmem_assist',
  'gnttab_map_avail_bits',
  'hvm_callback_vector',
  'hvm_safe_pvclock',
  'hvm_pirqs',
  'dom0',
  'grant_map_identity',
  'memory_op_vnode_supported',
  'ARM_SMCCC_supported',
  'linux_rsdp_unrestricted',
  'not_direct_mapped',
  'direct_mapped',
  'runstate_phys_area',
  'vcpu_time_phys_area',
  'dm_msix_all_writes',
] as const;

type FeatureName = (typeof NAMES)[number];

/** Names that the parser knows. Since 4.2: dom0; since 4.4: hvm_callback_vector; the rest always. */
const IN_STRING: ReadonlySet<FeatureName> = new Set<FeatureName>([
  'writable_page_tables',
  'writable_descriptor_tables',
  'auto_translated_physmap',
  'supervisor_mode_kernel',
  'pae_pgdir_above_4gb',
  'hvm_callback_vector',
  'dom0',
]);

/** Bits 0 to 20; the index is the bit. */
export const FEATURES: readonly Feature[] = NAMES.map((name, bit) => ({ bit, name, inString: IN_STRING.has(name) }));

/** The mask of one feature, for words of SUPPORTED_FEATURES. */
export function featureMask(name: FeatureName): number {
  return 1 << NAMES.indexOf(name);
}

const KNOWN = new Map(FEATURES.filter((f) => f.inString).map((f) => [f.name, f.bit]));

/** Characters that Xen takes of one item; the rest becomes an item of its own. */
const ITEM_LIMIT = 63;

/** One item of a feature string as Xen cuts it. */
export interface FeatureItem {
  /** Without its `!`. */
  readonly name: string;
  readonly required: boolean;
  /** Undefined when the parser does not know the name. */
  readonly bit: number | undefined;
}

/** The items of a feature string, split, cut and compared as Xen's parser does: exactly, blanks and case included. */
export function featureItems(text: string): FeatureItem[] {
  const items: FeatureItem[] = [];
  let at = 0;
  while (at < text.length) {
    const bar = text.indexOf('|', at);
    const end = bar < 0 ? text.length : bar;
    // Xen looks at 63 characters at a time; a bar right behind them then is an empty item.
    const cut = end - at >= ITEM_LIMIT ? at + ITEM_LIMIT : end;
    const item = text.slice(at, cut);
    const required = item.startsWith('!');
    const name = required ? item.slice(1) : item;
    items.push({ name, required, bit: KNOWN.get(name) });
    at = cut === end && end - at < ITEM_LIMIT ? end + 1 : cut;
  }
  return items;
}

/** A name that the parser does not know, with those that may be meant. */
export interface UnknownFeature {
  readonly name: string;
  readonly nearest: readonly string[];
}

/** What Xen makes of the FEATURES string. */
export interface FeatureCheck {
  /** Each of these makes every load fail, of PV, PVH and dom0 alike. */
  readonly unknownRequired: readonly UnknownFeature[];
  /** Ignored without a word. Empty items are not counted. */
  readonly unknownOptional: readonly UnknownFeature[];
  /** Masks as Xen adds them up; a required feature is supported, too. */
  readonly supported: number;
  readonly required: number;
}

/** What Xen's parser makes of a feature string. */
export function checkFeatures(text: string): FeatureCheck {
  const items = featureItems(text);
  const unknown = (required: boolean) =>
    items
      .filter((item) => item.bit === undefined && item.required === required && (required || item.name !== ''))
      .map(({ name }) => ({ name, nearest: nearestFeatures(name) }));
  return {
    unknownRequired: unknown(true),
    unknownOptional: unknown(false),
    supported: mask(items),
    required: mask(items.filter((item) => item.required)),
  };
}

/** The first required name that Xen does not know, which refuses the image; undefined when there is none. */
export function firstUnknownRequired(text: string): string | undefined {
  // Most strings require nothing, and an image may hold thousands of them.
  if (!text.includes('!')) return undefined;
  return featureItems(text).find((item) => item.required && item.bit === undefined)?.name;
}

/** The names of the parser that are likely meant. */
export function nearestFeatures(name: string): string[] {
  return nearest(name.trim(), [...KNOWN.keys()]);
}

/** The names of the bits of a SUPPORTED_FEATURES word; bits without a name come as `bit 25`. */
export function featureNames(word: number): string[] {
  return Array.from({ length: 32 }, (_, bit) => bit)
    .filter((bit) => ((word >>> bit) & 1) === 1)
    .map((bit) => FEATURES[bit]?.name ?? `bit ${bit}`);
}

function mask(items: readonly FeatureItem[]): number {
  return items.reduce((word, { bit }) => (bit === undefined ? word : (word | (1 << bit)) >>> 0), 0);
}
