/** A layout as the shortest list of writes over the input: only bytes that differ. */
import { normalize, type Range, rangeOf } from '../../base/bytes/range.js';
import { type Changed, changedSource, ShiftedSource } from '../../base/bytes/shifted.js';
import type { ByteSource, Write } from '../../base/bytes/source.js';
import { Ehdr, EI_NIDENT, Phdr, Shdr } from '../../formats/elf/headers.js';
import type { ElfImage } from '../../formats/elf/image.js';
import type { Layout } from './placement/layout.js';

/** The writes are sorted, disjoint, and each one a difference. */
export interface Rendered extends Changed {
  /** Output ranges that may differ from the input. */
  readonly planned: readonly Range[];
}

/** Runs of equal bytes shorter than this do not split a write: a system call costs more. */
const JOIN = 16;

/** What has to be written for a layout. Equal bytes are not written, so an edit that changes nothing is no write at all. */
export function render(image: ElfImage, layout: Layout): Rendered {
  const { encoding } = image;
  const header = Ehdr.encode(layout.header, encoding);
  const parts: Write[] = [
    { offset: BigInt(EI_NIDENT), bytes: header },
    tableWrite(layout.header.e_phoff, layout.segments.length, Phdr.size(encoding), (bytes, at, index) => {
      const segment = layout.segments[index];
      if (segment !== undefined) Phdr.encodeInto(bytes, at, segment, encoding);
    }),
    tableWrite(layout.header.e_shoff, layout.sections.length, Shdr.size(encoding), (bytes, at, index) => {
      const section = layout.sections[index];
      if (section !== undefined) Shdr.encodeInto(bytes, at, section, encoding);
    }),
    ...layout.blobs.map(({ offset, bytes }) => ({ offset, bytes })),
  ].filter(({ bytes }) => bytes.length > 0);
  const base = layout.shift === undefined ? image.source : new ShiftedSource(image.source, layout.shift);
  const writes = parts
    .flatMap((part) => differences(base, part))
    .sort((a, b) => (a.offset < b.offset ? -1 : a.offset > b.offset ? 1 : 0));
  const gap = layout.shift === undefined ? [] : [rangeOf(layout.shift.at, layout.shift.by)];
  // What stands where it stood is no difference.
  const copies = (layout.copies ?? []).filter(({ source, offset, to }) => source !== base || offset !== to);
  return {
    writes,
    ...(copies.length > 0 ? { copies } : {}),
    shift: layout.shift,
    fileSize: layout.fileSize,
    planned: normalize([
      ...writes.map(({ offset, bytes }) => rangeOf(offset, BigInt(bytes.length))),
      ...(layout.copies ?? []).map(({ to, size }) => rangeOf(to, size)),
      // Bytes that get a new meaning are part of the plan even where they keep their value.
      ...layout.blobs.map(({ offset, bytes }) => rangeOf(offset, BigInt(bytes.length))),
      ...extensionOf(image, layout),
      ...gap,
      ...tailOf(base, layout),
    ]),
  };
}

/** The writes that make `result` of the input: no byte differs outside `planned`, which are ranges of the output. */
export function renderedOver({ source }: ElfImage, result: ByteSource, planned: readonly Range[]): Rendered {
  const parts = planned
    .map(({ start, end }) => ({ start, end: end < result.size ? end : result.size }))
    .filter(({ start, end }) => start < end)
    .map(({ start, end }) => ({ offset: start, bytes: result.read(start, end - start, 'bytes to be written') }));
  return {
    writes: parts.flatMap((part) => differences(source, part)),
    shift: undefined,
    fileSize: result.size,
    planned: normalize([...planned, ...tailOf(source, { fileSize: result.size })]),
  };
}

/** The hole that a PT_LOAD grew over, alignment bytes in front of the notes included. */
function extensionOf({ segments }: ElfImage, { extendedLoad }: Layout): Range[] {
  const load = extendedLoad === undefined ? undefined : segments[extendedLoad.index];
  if (load === undefined || extendedLoad === undefined) return [];
  return [rangeOf(load.p_offset + load.p_filesz, extendedLoad.by)];
}

/** Alignment gaps behind the old end of the file are new bytes too; so is an end that was cut off. */
function tailOf(base: ByteSource, { fileSize }: Pick<Layout, 'fileSize'>): Range[] {
  if (fileSize < base.size) return [{ start: fileSize, end: base.size }];
  return fileSize > base.size ? [{ start: base.size, end: fileSize }] : [];
}

function tableWrite(
  offset: bigint,
  count: number,
  size: number,
  put: (bytes: Uint8Array, at: number, index: number) => void,
): Write {
  const bytes = new Uint8Array(count * size);
  for (let index = 0; index < count; index++) put(bytes, index * size, index);
  return { offset, bytes };
}

/** The stretches of a part that differ from what is there; behind the end of the file everything does. */
function differences(base: ByteSource, part: Write): Write[] {
  const length = BigInt(part.bytes.length);
  const inside = part.offset >= base.size ? 0n : base.size - part.offset < length ? base.size - part.offset : length;
  const old = base.read(part.offset < base.size ? part.offset : base.size, inside, 'bytes to be changed');
  const writes: Write[] = [];
  let from = -1;
  let last = -1;
  const flush = () => {
    if (from >= 0) writes.push({ offset: part.offset + BigInt(from), bytes: part.bytes.subarray(from, last + 1) });
    from = -1;
  };
  for (let at = 0; at < part.bytes.length; at++) {
    if (at < old.length && old[at] === part.bytes[at]) continue;
    if (from >= 0 && at - last > JOIN) flush();
    if (from < 0) from = at;
    last = at;
  }
  flush();
  return writes;
}

/** The result as a source, without a byte written: for plans, checks and tests. */
export function preview(image: ElfImage, rendered: Rendered): ByteSource {
  return changedSource(image.source, rendered);
}
