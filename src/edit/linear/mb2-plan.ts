/**
 * The Multiboot2 header of the result: the one that is there, with the address and the entry tag. Where the tags go: their
 * values are rewritten when they exist (update), else they follow the old tags over proved filler (append), else they take the
 * place of optional tags about the console (update as well: mb2-spare.ts), else the whole header moves in front of the sections (gap).
 */
import { alignUp } from '../../base/bytes/align.js';
import { rangeOf } from '../../base/bytes/range.js';
import type { ByteSource, Write } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import {
  findMb2,
  MB2_ALIGN,
  MB2_ARCHITECTURE_I386,
  type Mb2Header,
  type Mb2Values,
  mb2HeaderAt,
  mb2Values,
  sealMb2,
} from '../../formats/multiboot/mb2.js';
import {
  AddressTag,
  EntryTag,
  TAG_ADDRESS,
  TAG_END,
  TAG_ENTRY,
  TAG_HEAD_SIZE,
  TagHead,
} from '../../formats/multiboot/tags.js';
import { GRUB_MB2 } from '../../formats/multiboot/windows.js';
import { MULTIBOOT } from '../../formats/multiboot/words.js';
import type { PeImage } from '../../formats/pe/image.js';
import { findEntry, isLoadedCode } from './entry.js';
import { type FillerProof, proveFiller } from './filler.js';
import { type SpareTags, spareTags } from './mb2-spare.js';
import type { LinearOptions } from './options.js';
import type { Placement } from './place.js';
import { FOUR_GIB } from './preconditions.js';

/** The Multiboot2 header of the result; offsets are of the file, addresses physical. */
export interface Mb2Plan {
  readonly how: 'update' | 'append' | 'gap';
  /** Where the header stands in the result. */
  readonly offset: bigint;
  readonly end: bigint;
  readonly address: AddressTag;
  readonly entry: bigint;
  /** How the entry was found. */
  readonly entryFrom: string;
  /** What was overwritten, and why that was allowed; undefined where nothing had to be. */
  readonly filler: Extract<FillerProof, { ok: true }> | undefined;
  readonly values: Mb2Values;
  readonly writes: readonly Write[];
  readonly warnings: readonly string[];
}

/** What lies below belongs to firmware and loaders. */
const ONE_MIB = 0x100000n;
const ADDRESS_SIZE = TAG_HEAD_SIZE + AddressTag.size(MULTIBOOT);
const ENTRY_SIZE = TAG_HEAD_SIZE + EntryTag.size(MULTIBOOT);
const ENTRY_ROOM = Math.ceil(ENTRY_SIZE / MB2_ALIGN) * MB2_ALIGN;

/**
 * Plans the tags. `linear` is the result before any edit: its header is where a loader would find it.
 * Errors: `mb2.*`, `pe.too-big`.
 */
export function planMb2(image: PeImage, placement: Placement, linear: ByteSource, options: LinearOptions): Mb2Plan {
  const file = image.source.name;
  const first = findMb2(linear);
  // One that begins inside the loaders' window and ends behind it is as good as none, and can be moved all the same.
  const whole = first?.problem === undefined ? undefined : readWhole(linear, first.offset);
  const found = whole === undefined ? first : undefined;
  const header = found ?? whole ?? findBeyond(linear, placement);
  if (header === undefined) fail('mb2.none', { file }, {});
  const isInGap = header.offset < placement.headerSize;
  const inPlace = found !== undefined && (options.mb2 !== 'gap' || isInGap);
  if (!inPlace && options.mb2 === 'append') fail('mb2.too-far', { file }, { offset: header.offset });
  checkTags(file, header);
  const values = mb2Values(header);
  const entry = findEntry(image, placement, values, options.entry, options.physBase);
  const addresses = { ...addressesOf(image, placement, values, options), entry: entry.rva + options.physBase };
  checkOtherTags(file, placement, values, addresses, options);

  const missing = [TAG_ADDRESS, TAG_ENTRY].filter((type) => !header.tags.some((tag) => tag.type === type));
  const grow = (missing.includes(TAG_ADDRESS) ? ADDRESS_SIZE : 0) + (missing.includes(TAG_ENTRY) ? ENTRY_ROOM : 0);
  const plan = (
    how: Mb2Plan['how'],
    offset: bigint,
    { filler, spare }: { filler?: Extract<FillerProof, { ok: true }>; spare?: SpareTags } = {},
  ): Mb2Plan => {
    const address: AddressTag = { ...addresses.address, header_addr: offset + placement.distance + options.physBase };
    const bytes = withTags(header, missing, { grow, spare }, address, addresses.entry);
    const end = offset + BigInt(bytes.length);
    if (end > GRUB_MB2.bytes) fail('mb2.too-far', { file }, { offset });
    const writes: Write[] = [{ offset, bytes }];
    // A loader takes the first header it finds; the old one must not look like one any more.
    if (offset !== header.offset) writes.push({ offset: header.offset, bytes: new Uint8Array(4) });
    return {
      how,
      offset,
      end,
      address,
      entry: addresses.entry,
      entryFrom: entry.from,
      filler,
      values,
      writes,
      warnings: [],
    };
  };

  if (inPlace && grow === 0) return plan('update', header.offset);
  const end = header.offset + BigInt(header.bytes.length);
  const proof: FillerProof = inPlace
    ? proveFiller(image, rangeOf(end + placement.distance, BigInt(grow)))
    : { ok: false, why: found === undefined ? 'the header stands behind the first 32 KiB' : 'the gap was asked for' };
  if (proof.ok && end + BigInt(grow) <= GRUB_MB2.bytes) return plan('append', header.offset, { filler: proof });
  const why = proof.ok ? 'the header would leave the first 32 KiB' : proof.why;
  if (options.mb2 === 'append') fail('mb2.no-room', { file, offset: header.offset }, { need: grow, why });
  const spare = inPlace ? spareTags(header, grow) : undefined;
  if (spare !== undefined) {
    const given = spare.names.map((name) => `the ${name} tag`).join(' and ');
    const warning =
      `${given} of the Multiboot2 header, which a loader may ignore, give their place to the address and the entry tag (${why}); ` +
      '--mb2 gap keeps them and moves the header in front of the sections instead';
    return { ...plan('update', header.offset, { spare }), warnings: [warning] };
  }

  const at = alignUp(placement.headerEnd, BigInt(MB2_ALIGN));
  const need = header.bytes.length + grow;
  if (at + BigInt(need) > placement.headerSize) {
    const room = placement.headerSize > at ? placement.headerSize - at : 0n;
    fail(
      'mb2.no-room',
      { file },
      { need, why: `${why}; and between the section table and the sections there are ${hex(room)} bytes` },
    );
  }
  const gap = plan('gap', at);
  const warning =
    `the Multiboot2 header stands in front of the sections (${why}), so header_addr is below load_addr: GRUB loads such a ` +
    'file, the specification does not allow it';
  return { ...gap, warnings: [warning] };
}

function checkTags(file: string, { offset, tags, bytes, problem }: Mb2Header): void {
  const place = { file, offset, part: 'Multiboot2 header' };
  if (problem !== undefined) fail('mb2.bad-tags', place, { why: problem });
  const end = tags.at(-1);
  if (end === undefined || end.at + TAG_HEAD_SIZE !== bytes.length) {
    const why = `the end tag is at ${hex(end?.at ?? 0)}, wanted it last in the ${hex(bytes.length)} bytes of the header`;
    fail('mb2.bad-tags', place, { why });
  }
  for (const type of [TAG_ADDRESS, TAG_ENTRY]) {
    const count = tags.filter((tag) => tag.type === type).length;
    if (count > 1) fail('mb2.bad-tags', place, { why: `tag ${type} occurs ${count} times` });
  }
}

interface Addresses {
  readonly address: Omit<AddressTag, 'header_addr'>;
  readonly entry: bigint;
}

function addressesOf(
  image: PeImage,
  { loadStart, loadEnd, bssEnd }: Placement,
  { relocatable }: Mb2Values,
  { physBase, bssAlign }: LinearOptions,
): Pick<Addresses, 'address'> {
  const { SectionAlignment } = image.optionalHeader;
  const asked = relocatable?.align ?? 0n;
  // The kernel maps itself in large pages up to here: what lies in the last of them must be its own.
  const align = bssAlign ?? (asked > SectionAlignment ? asked : SectionAlignment);
  const end = alignUp(bssEnd + physBase, align);
  if (end >= FOUR_GIB) fail('pe.too-big', { file: image.source.name }, { what: 'bss_end_addr', value: end });
  return { address: { load_addr: loadStart + physBase, load_end_addr: loadEnd + physBase, bss_end_addr: end } };
}

/** The tags that stay must make sense under the new ones. */
function checkOtherTags(
  file: string,
  placement: Placement,
  { entryEfi64, relocatable }: Mb2Values,
  { address }: Addresses,
  { physBase }: LinearOptions,
): void {
  const refuse = (what: string, value: bigint, wanted: string) =>
    fail('mb2.bad-address', { file, part: 'Multiboot2 header' }, { what, value, wanted });
  if (entryEfi64 !== undefined && !isLoadedCode(placement, entryEfi64 - physBase)) {
    refuse('the EFI entry (tag 9)', entryEfi64, `an address in loaded code with physical base ${hex(physBase)}`);
  }
  const { load_addr, bss_end_addr } = address;
  if (relocatable === undefined) {
    if (load_addr < ONE_MIB) {
      const wanted = `at least ${hex(ONE_MIB)}, as no relocatable tag lets a loader choose (--phys-base)`;
      refuse('load_addr', load_addr, wanted);
    }
    return;
  }
  const { align, min_addr, max_addr } = relocatable;
  if (align > 1n && load_addr % align !== 0n) refuse('load_addr', load_addr, `a multiple of ${hex(align)} (tag 10)`);
  if (load_addr < min_addr) refuse('load_addr', load_addr, `at least ${hex(min_addr)} (tag 10)`);
  if (bss_end_addr > max_addr) refuse('bss_end_addr', bss_end_addr, `at most ${hex(max_addr)} (tag 10)`);
}

/**
 * The header with both tags: those that exist get new values where they are, the others follow the old ones, or stand where the
 * spare ones stood.
 */
function withTags(
  { bytes: old, tags }: Mb2Header,
  missing: readonly number[],
  { grow, spare }: { readonly grow: number; readonly spare: SpareTags | undefined },
  address: AddressTag,
  entry: bigint,
): Uint8Array {
  const bytes = new Uint8Array(old.length + (spare === undefined ? grow : 0));
  bytes.set(old);
  let at = spare?.at ?? old.length - TAG_HEAD_SIZE;
  bytes.fill(0, at, spare === undefined ? undefined : at + grow);
  const atOf = (type: number) => tags.find((tag) => tag.type === type)?.at;
  const place = (type: number, size: number, room: number) => {
    const known = atOf(type);
    if (known !== undefined) return known;
    const here = at;
    TagHead.encodeInto(bytes, here, { type, flags: 0, size }, MULTIBOOT);
    at += room;
    return here;
  };
  AddressTag.encodeInto(bytes, place(TAG_ADDRESS, ADDRESS_SIZE, ADDRESS_SIZE) + TAG_HEAD_SIZE, address, MULTIBOOT);
  EntryTag.encodeInto(
    bytes,
    place(TAG_ENTRY, ENTRY_SIZE, ENTRY_ROOM) + TAG_HEAD_SIZE,
    { entry_addr: entry },
    MULTIBOOT,
  );
  if (spare === undefined) TagHead.encodeInto(bytes, at, { type: TAG_END, flags: 0, size: TAG_HEAD_SIZE }, MULTIBOOT);
  // An optional address tag could be passed over by a loader; both are made mandatory.
  for (const type of [TAG_ADDRESS, TAG_ENTRY].filter((t) => !missing.includes(t))) {
    const known = tags.find((tag) => tag.type === type);
    if (known !== undefined) TagHead.encodeInto(bytes, known.at, { type, flags: 0, size: known.size }, MULTIBOOT);
  }
  sealMb2(bytes);
  return bytes;
}

/** The header at `offset` as far as it goes; undefined when that does not make it better. */
function readWhole(linear: ByteSource, offset: bigint): Mb2Header | undefined {
  const rest = linear.size - offset;
  const length = rest < GRUB_MB2.bytes ? rest : GRUB_MB2.bytes;
  const header = mb2HeaderAt(linear.read(offset, length, 'Multiboot2 header'), 0, offset);
  return header?.problem === undefined ? header : undefined;
}

const CHUNK = 0x100000n;

/** A valid header behind the loaders' window, inside what is loaded: it can be moved to the front. */
function findBeyond(linear: ByteSource, { loadEnd, distance }: Placement): Mb2Header | undefined {
  const stop = loadEnd - distance < linear.size ? loadEnd - distance : linear.size;
  const most = CHUNK + GRUB_MB2.bytes;
  for (let from = GRUB_MB2.last; from < stop; from += CHUNK) {
    const bytes = linear.read(from, stop - from < most ? stop - from : most, 'Multiboot2 header');
    for (let at = 0; at < Number(CHUNK); at += MB2_ALIGN) {
      const header = mb2HeaderAt(bytes, at, from + BigInt(at));
      if (header?.architecture === MB2_ARCHITECTURE_I386) return header;
    }
  }
  return undefined;
}
