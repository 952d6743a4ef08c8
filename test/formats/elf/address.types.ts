/**
 * What tsc must refuse about addresses. Nothing here runs: `make types` is the test, in which an expected error that does
 * not come is an error itself, so a lost brand shows there.
 */
import {
  fileOffset,
  fileRange,
  type Paddr,
  paddr,
  type Vaddr,
  vaddr,
  vaddrRange,
} from '../../../src/formats/elf/address.js';
import {
  allocatedAt,
  type ElfImage,
  loadAtOffset,
  loadAtPaddr,
  loadAtVaddr,
  toPhysical,
} from '../../../src/formats/elf/image.js';
import { findSymbols, symbolCovering } from '../../../src/formats/elf/symbols.js';

/** Each call of a function of the ELF image with an address of the wrong kind. */
export function wrongKinds(image: ElfImage): readonly unknown[] {
  const [virtual, physical, offset] = [vaddr(0n), paddr(0n), fileOffset(0n)];
  // @ts-expect-error: physical for virtual
  loadAtVaddr(image, physical);
  // @ts-expect-error: offset for virtual
  loadAtVaddr(image, offset);
  // @ts-expect-error: a number of no kind for virtual
  loadAtVaddr(image, image.header.e_entry);
  // @ts-expect-error: virtual for physical
  loadAtPaddr(image, virtual);
  // @ts-expect-error: offset for physical
  loadAtPaddr(image, offset);
  // @ts-expect-error: physical for virtual
  toPhysical(image, physical);
  // @ts-expect-error: addresses for offsets
  loadAtOffset(image, vaddrRange(0n, 1n));
  // @ts-expect-error: offsets for addresses
  allocatedAt(image, fileRange(0n, 1n));
  // @ts-expect-error: offsets for addresses
  symbolCovering(image, fileRange(0n, 1n));
  // @ts-expect-error: what comes out is physical
  const out: Vaddr | undefined = toPhysical(image, virtual);
  // @ts-expect-error: a symbol's value is virtual
  const symbol: Paddr | undefined = findSymbols(image, ['x']).get('x')?.[0]?.value;
  // @ts-expect-error: a sum of an address and a size is a number of no kind
  const sum: Vaddr = virtual + 1n;
  return [out, symbol, sum];
}
