/** The two grammars that Xen reads in a kernel, FEATURES and `__xen_guest`, from their letters up. */
import fc from 'fast-check';
import { latin1 } from '../support/elf-builder.js';

/** Weighted choice: pairs of weight and arbitrary. */
export function some<T>(...choices: readonly (readonly [number, fc.Arbitrary<T>])[]): fc.Arbitrary<T> {
  return fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
}
export const of = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

export const PADDR = 0x100000n;
export const U64 = (1n << 64n) - 1n;

const featureName = some<string>(
  [
    6,
    of(
      'writable_page_tables',
      'writable_descriptor_tables',
      'auto_translated_physmap',
      'supervisor_mode_kernel',
      'pae_pgdir_above_4gb',
      'hvm_callback_vector',
      'dom0',
    ),
  ],
  [2, of('', '!', 'linux_rsdp_unrestricted', 'grant_map_identity', 'Dom0', ' dom0', 'dom0 ', 'dom', 'dom0x')],
  [1, fc.integer({ min: 58, max: 130 }).map((length) => 'f'.repeat(length))],
  [1, fc.tuple(fc.integer({ min: 55, max: 66 }), of('dom0', '!dom0', '|dom0')).map(([n, end]) => 'g'.repeat(n) + end)],
);

/** Required names that nobody knows end the parse, so most strings have none. */
export const features = fc
  .array(fc.tuple(some([8, of('')], [1, of('!')]), featureName), { maxLength: 6 })
  .map((items) => items.map(([mark, name]) => mark + name).join('|'));

const numberText = some<string>(
  [4, fc.bigInt(0n, U64).map((value) => `0x${value.toString(16)}`)],
  [4, of('0xffffffff80000000', '0x100000', '0', '0x0', '1', '256', '0x100')],
  [2, fc.bigInt(0n, 1n << 66n).map((value) => value.toString())],
  [1, fc.nat().map((value) => `0${value.toString(8)}`)],
  [1, of('', 'x', '0x', '0xg', '08', '-1', '+5', ' 7', '0X1f', '12zz', '0b1', '=', '==1', '18446744073709551616')],
);

const legacyItem = some<string>(
  [
    8,
    fc
      .tuple(of('VIRT_BASE', 'VIRT_ENTRY', 'ELF_PADDR_OFFSET', 'HYPERCALL_PAGE'), numberText)
      .map(([key, value]) => `${key}=${value}`),
  ],
  [5, of('LOADER=generic', 'XEN_VER=xen-3.0', 'GUEST_OS=linux', 'GUEST_OS=NetBSD', 'GUEST_VER=2.6')],
  [
    3,
    of('PAE=yes', 'PAE=no', 'PAE=yes[extended-cr3]', 'PAE=yesx', 'PAE=bimodal', 'PAE', 'BSD_SYMTAB', 'BSD_SYMTAB=no'),
  ],
  [2, features.map((text) => `FEATURES=${text}`)],
  [1, of('', '=', 'KEY', 'KEY=', 'LOADER', 'virt_base=1', ' LOADER=generic', 'SUPPORTED_FEATURES=1', '\u00e9=1')],
  [
    1,
    fc
      .tuple(fc.integer({ min: 29, max: 70 }), of('', '=1', '=LOADER=x', ',LOADER=generic'))
      .map(([length, rest]) => 'K'.repeat(length) + rest),
  ],
  [
    1,
    fc
      .tuple(of('GUEST_OS', 'KEY', 'LOADER'), fc.integer({ min: 124, max: 300 }), of('', 'LOADER=generic', '=2'))
      .map(([key, length, rest]) => `${key}=${'v'.repeat(length)}${rest}`),
  ],
);
const legacy = fc.tuple(
  some<readonly string[]>([3, of(['XEN_VER=xen-3.0', 'LOADER=generic'])], [1, of([])]),
  fc.array(legacyItem, { maxLength: 7 }),
  of(',', ',', ',,'),
  of('\0', '\0', '\0LOADER=generic\0', ''),
);
export const legacyText = legacy.map(([first, more, comma, end]) => latin1([...first, ...more].join(comma) + end));
