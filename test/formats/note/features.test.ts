import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkFeatures, FEATURES, featureItems, featureNames } from '../../../src/formats/note/features.js';

// xen/include/public/features.h, and elf_xen_feature_names[] of libelf-dominfo.c for the third column.
const ROWS: readonly [number, string, boolean][] = [
  [0, 'writable_page_tables', true],
  [1, 'writable_descriptor_tables', true],
  [2, 'auto_translated_physmap', true],
  [3, 'supervisor_mode_kernel', true],
  [4, 'pae_pgdir_above_4gb', true],
  [5, 'mmu_pt_update_preserve_ad', false],
  [6, 'highmem_assist', false],
  [7, 'gnttab_map_avail_bits', false],
  [8, 'hvm_callback_vector', true],
  [9, 'hvm_safe_pvclock', false],
  [10, 'hvm_pirqs', false],
  [11, 'dom0', true],
  [12, 'grant_map_identity', false],
  [13, 'memory_op_vnode_supported', false],
  [14, 'ARM_SMCCC_supported', false],
  [15, 'linux_rsdp_unrestricted', false],
  [16, 'not_direct_mapped', false],
  [17, 'direct_mapped', false],
  [18, 'runstate_phys_area', false],
  [19, 'vcpu_time_phys_area', false],
  [20, 'dm_msix_all_writes', false],
];

describe('FEATURES', () => {
  it.each(ROWS)('bit %i is %s', (bit, name, inString) => {
    expect(FEATURES[bit]).toEqual({ bit, name, inString });
    const check = checkFeatures(`!${name}`);
    expect(check.unknownRequired.length).toBe(inString ? 0 : 1);
    expect(check.required).toBe(inString ? 2 ** bit : 0);
    expect(check.supported).toBe(inString ? 2 ** bit : 0);
  });

  it('has no others', () => expect(FEATURES).toHaveLength(ROWS.length));
});

describe('featureItems()', () => {
  const names = (text: string) => featureItems(text).map(({ name, required }) => (required ? `!${name}` : name));

  it('splits at bars', () => {
    expect(names('!writable_page_tables|pae_pgdir_above_4gb')).toEqual([
      '!writable_page_tables',
      'pae_pgdir_above_4gb',
    ]);
    expect(names('')).toEqual([]);
    expect(names('a||b|')).toEqual(['a', '', 'b']);
    expect(names('!')).toEqual(['!']);
  });

  it('cuts items at 63 characters; what is left is an item of its own', () => {
    expect(names('x'.repeat(62))).toEqual(['x'.repeat(62)]);
    expect(names(`${'x'.repeat(62)}|dom0`)).toEqual(['x'.repeat(62), 'dom0']);
    expect(names(`${'x'.repeat(63)}dom0`)).toEqual(['x'.repeat(63), 'dom0']);
    expect(names(`${'x'.repeat(63)}|dom0`)).toEqual(['x'.repeat(63), '', 'dom0']);
    expect(names(`${'x'.repeat(63)}!dom0`)).toEqual(['x'.repeat(63), '!dom0']);
  });

  it('keeps every character but the bars it splits at', () => {
    const text = fc.array(fc.constantFrom('a', '|', '!', ' ', 'dom0', 'x'.repeat(62)), { maxLength: 20 });
    fc.assert(
      fc.property(text, (parts) => {
        const all = parts.join('');
        expect(names(all).join('').replaceAll('|', '')).toBe(all.replaceAll('|', ''));
      }),
    );
  });
});

describe('checkFeatures()', () => {
  it('adds up the masks', () => {
    expect(checkFeatures('!writable_page_tables|pae_pgdir_above_4gb|dom0')).toEqual({
      unknownRequired: [],
      unknownOptional: [],
      supported: 0x811,
      required: 0x001,
    });
  });

  it('names the nearest of what Xen does not know, blanks and case included', () => {
    const check = checkFeatures('!writeable_page_tables| dom0|DOM0|!linux_rsdp_unrestricted|');
    expect(check.unknownRequired).toEqual([
      { name: 'writeable_page_tables', nearest: ['writable_page_tables'] },
      { name: 'linux_rsdp_unrestricted', nearest: [] },
    ]);
    expect(check.unknownOptional).toEqual([
      { name: ' dom0', nearest: ['dom0'] },
      { name: 'DOM0', nearest: ['dom0'] },
    ]);
    expect(check.supported).toBe(0);
  });

  it('a lone ! is a required feature without a name', () => {
    expect(checkFeatures('dom0|!').unknownRequired).toEqual([{ name: '', nearest: [] }]);
    expect(checkFeatures('dom0||').unknownOptional).toEqual([]);
  });
});

describe('featureNames()', () => {
  it('names the bits Linux sets, and numbers those without a name', () => {
    expect(featureNames(0x8801)).toEqual(['writable_page_tables', 'dom0', 'linux_rsdp_unrestricted']);
    expect(featureNames(0x8020_0000)).toEqual(['bit 21', 'bit 31']);
    expect(featureNames(0)).toEqual([]);
  });
});
