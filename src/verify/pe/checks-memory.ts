/** Laws of what is in memory once loaded: both loaders are simulated; relocations and debug entries lead somewhere. */
import { type Range, rangeAt, rangeOf } from '../../base/bytes/range.js';
import { hex, hexRange } from '../../base/errors/hex.js';
import { TAG_ADDRESS, TAG_ENTRY } from '../../formats/multiboot/tags.js';
import { debugEntries } from '../../formats/pe/debug.js';
import { fileOffsetOf, hasRawData, memoryRange, rawRange } from '../../formats/pe/image.js';
import { relocations } from '../../formats/pe/relocations.js';
import type { LinearCheck } from './check.js';
import { flatPicture, pePicture, pictureDifferences, without } from './memory-image.js';

/** Differences told; one wrong offset makes thousands. */
const SHOWN = 8;

/** Checks that UEFI and Multiboot leave the same bytes in memory. */
export const memoryChecks: readonly LinearCheck[] = [
  {
    name: 'linear.same-memory',
    needs: 'image',
    aboutTags: true,
    because: 'the same code runs under every loader: UEFI and Multiboot must leave the same bytes, but for the tail',
    *run(subject) {
      const { image, mb2, values, physBase, tail, orderly } = subject;
      if (mb2 === undefined || values?.address === undefined) return;
      if (!orderly) {
        yield { text: 'cannot be simulated: sections overlap or leave the file' };
        return;
      }
      const { load_addr, load_end_addr, bss_end_addr } = values.address;
      const flat = flatPicture(image.source, mb2.offset, values.address, physBase);
      const firmware = without(pePicture(image), tail);
      const ends = [bss_end_addr, load_end_addr, ...flat.pieces.map(({ end }) => end + physBase)];
      const window = { start: load_addr - physBase, end: ends.reduce((most, x) => (x > most ? x : most)) - physBase };
      let count = 0;
      for (const { start, end } of pictureDifferences(firmware, flat, window)) {
        count += 1;
        if (count > SHOWN) {
          yield { text: 'and more' };
          return;
        }
        const section = image.sections.find((s) => start >= s.VirtualAddress && start < memoryRange(s).end);
        const where = section === undefined ? 'between the sections' : `in ${section.name}`;
        yield { text: `memory at RVA ${hexRange(start, end)}, ${where}, differs between the loaders` };
      }
    },
  },
  {
    name: 'linear.relocations',
    needs: 'image',
    anyImage: true,
    because: 'firmware changes the bytes that base relocations name, and must not hit the new tags',
    *run({ image, mb2, values }) {
      const sections = image.sections.map(memoryRange).filter(({ start, end }) => start < end);
      const tags = newTags(
        mb2,
        values?.address !== undefined,
        image.optionalHeader.SizeOfHeaders,
        image.sections[0]?.VirtualAddress,
      );
      const part = 'base relocation directory';
      let outside = 0;
      for (const { rva, width } of relocations(image)) {
        const home = rangeAt(sections, rva);
        if (home === undefined || rva + width > home.end) {
          outside += 1;
          if (outside <= SHOWN) yield { part, text: `an entry is aimed at RVA ${hex(rva)}, in no section` };
        }
        if (tags.some((tag) => rva < tag.end && rva + width > tag.start)) {
          yield { part, text: `an entry is aimed at RVA ${hex(rva)}, inside an address or entry tag` };
        }
      }
    },
  },
  {
    name: 'linear.debug-pointers',
    needs: 'image',
    anyImage: true,
    because: 'debug entries hold the file offset of their data, next to its address',
    *run({ image }) {
      const raw = image.sections
        .filter(hasRawData)
        .map(rawRange)
        .sort((a, b) => (a.start < b.start ? -1 : 1));
      for (const [index, { entry, offset }] of debugEntries(image).entries()) {
        const { AddressOfRawData, PointerToRawData, SizeOfData } = entry;
        if (PointerToRawData === 0n) continue;
        const part = `debug entry ${index}`;
        const wanted = AddressOfRawData === 0n ? undefined : fileOffsetOf(image, AddressOfRawData);
        if (wanted !== undefined && wanted !== PointerToRawData) {
          yield {
            offset,
            part,
            text: `PointerToRawData is ${hex(PointerToRawData)}, its address stands at ${hex(wanted)}`,
          };
        } else if (PointerToRawData + SizeOfData > image.source.size) {
          yield { offset, part, text: `its data at ${hex(PointerToRawData)} leaves the file` };
        } else if (AddressOfRawData !== 0n && rangeAt(raw, PointerToRawData) === undefined) {
          yield { offset, part, text: `its data at ${hex(PointerToRawData)} is in no section` };
        }
      }
    },
  },
];

/** The RVAs of the address and entry tags, where the header is in a section. */
function newTags(
  mb2: { readonly offset: bigint; readonly tags: readonly { type: number; at: number; size: number }[] } | undefined,
  hasAddress: boolean,
  headers: bigint,
  lowest: bigint | undefined,
): Range[] {
  if (mb2 === undefined || !hasAddress || lowest === undefined || mb2.offset < headers) return [];
  const start = mb2.offset - headers + lowest;
  return mb2.tags
    .filter(({ type }) => type === TAG_ADDRESS || type === TAG_ENTRY)
    .map(({ at, size }) => rangeOf(start + BigInt(at), BigInt(size)));
}
