/**
 * The Multiboot 1 header: the one in the image has no addresses, so loaders take the file for ELF and refuse it. It is made
 * invalid and one with address fields placed behind the Multiboot2 header.
 */
import { alignUp } from '../../base/bytes/align.js';
import { rangeOf } from '../../base/bytes/range.js';
import type { ByteSource, Write } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import {
  encodeMb1,
  findMb1,
  MB1_CHECKSUM_AT,
  MB1_HAS_ADDRESSES,
  type Mb1Fields,
  mb1Size,
} from '../../formats/multiboot/mb1.js';
import { QEMU_MB1 } from '../../formats/multiboot/windows.js';
import type { PeImage } from '../../formats/pe/image.js';
import { proveFiller } from './filler.js';
import type { Mb2Plan } from './mb2-plan.js';
import type { Placement } from './place.js';

/** The Multiboot1 header of the result; `offset` is of the file. */
export interface Mb1Plan {
  readonly offset: bigint;
  readonly flags: number;
  readonly fields: Mb1Fields;
  readonly writes: readonly Write[];
}

/** Modules page-aligned, memory information wanted: what Xen asks for, where there is no header to keep the flags of. */
const USUAL_FLAGS = 3;

/**
 * Plans the header. One with address fields that is there already is brought up to date even when none was asked for: it
 * decides how a loader takes the file. Where QEMU does not find it, it is replaced by one that all loaders find.
 * Errors: `mb1.no-room`.
 */
export function planMb1(
  image: PeImage,
  { distance }: Placement,
  linear: ByteSource,
  mb2: Mb2Plan,
  asked: boolean,
): Mb1Plan | undefined {
  const file = image.source.name;
  const old = findMb1(linear);
  const fieldsAt = (offset: bigint): Mb1Fields => {
    const { load_addr, load_end_addr, bss_end_addr, header_addr } = mb2.address;
    return {
      header_addr: header_addr - mb2.offset + offset,
      load_addr,
      load_end_addr,
      bss_end_addr,
      entry_addr: mb2.entry,
    };
  };
  if (old?.fields !== undefined && old.offset <= QEMU_MB1.last) {
    const fields = fieldsAt(old.offset);
    return {
      offset: old.offset,
      flags: old.flags,
      fields,
      writes: [{ offset: old.offset, bytes: encodeMb1(old.flags, fields, old.mode) }],
    };
  }
  if (!asked && old?.fields === undefined) return undefined;
  if (mb2.how === 'gap') {
    // QEMU refuses header_addr below load_addr (hw/i386/multiboot.c, load_multiboot).
    fail('mb1.no-room', { file }, { why: 'the Multiboot2 header had to move in front of the sections' });
  }
  const offset = alignUp(mb2.end, 4n);
  if (offset > QEMU_MB1.last) {
    const why = `it would stand at ${hex(offset)}, QEMU looks up to ${hex(QEMU_MB1.last)}`;
    fail('mb1.no-room', { file, offset }, { why });
  }
  const flags = ((old?.flags ?? USUAL_FLAGS) | MB1_HAS_ADDRESSES) >>> 0;
  const proof = proveFiller(image, rangeOf(offset + distance, BigInt(mb1Size(flags))));
  if (!proof.ok) fail('mb1.no-room', { file, offset }, { why: proof.why });
  const fields = fieldsAt(offset);
  const writes: Write[] = [{ offset, bytes: encodeMb1(flags, fields, old?.mode) }];
  if (old !== undefined) writes.push({ offset: old.offset + MB1_CHECKSUM_AT, bytes: new Uint8Array(4) });
  return { offset, flags, fields, writes };
}
