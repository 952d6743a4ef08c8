/** Laws of the linear layout, seen in the file alone: sections, headers, symbols, checksum. */

import { ZEROS } from '../../base/bytes/byte-comparison.js';
import { fits } from '../../base/bytes/source.js';
import { hex, hexRange } from '../../base/errors/hex.js';
import { OptionalHeader, PE } from '../../formats/pe/headers.js';
import { hasRawData, memoryRange, optionalHeaderOffset, rawRange, sectionTable } from '../../formats/pe/image.js';
import { stringTableRange, symbolTableRange } from '../../formats/pe/string-table.js';
import { type LinearCheck, partOf } from './check.js';
import { pictureDifferences } from './memory-image.js';
import { isTailKind, type LinearSubject } from './subject.js';

/** Checks of the layout of the file. */
export const layoutChecks: readonly LinearCheck[] = [
  {
    name: 'linear.raw-in-file',
    needs: 'image',
    anyImage: true,
    because: 'UEFI firmware refuses an image whose sections leave the file',
    *run({ image: { sections, source, optionalHeader } }) {
      if (optionalHeader.SizeOfHeaders > source.size) {
        yield {
          part: 'headers',
          text: `SizeOfHeaders is ${hex(optionalHeader.SizeOfHeaders)}, the file has ${hex(source.size)}`,
        };
      }
      for (const section of sections) {
        const { start, end } = rawRange(section);
        if (!hasRawData(section) || fits(start, end - start, source.size)) continue;
        yield {
          offset: start,
          part: partOf(section),
          text: `its data is ${hexRange(start, end)}, the file ends at ${hex(source.size)}`,
        };
      }
    },
  },
  {
    name: 'linear.section-order',
    needs: 'image',
    anyImage: true,
    because: 'the section table ascends by address and sections share no address (PE Format, "Section Table")',
    *run({ image: { sections } }) {
      for (const [index, section] of sections.entries()) {
        const before = sections[index - 1];
        if (before === undefined || memoryRange(before).end <= section.VirtualAddress) continue;
        yield {
          part: partOf(section),
          text: `begins at RVA ${hex(section.VirtualAddress)}, ${before.name} ends at ${hex(memoryRange(before).end)}`,
        };
      }
    },
  },
  {
    name: 'linear.one-distance',
    needs: 'image',
    because: 'a flat loader copies one stretch: every loaded section must stand equally far from its address',
    *run({ loaded }) {
      const [first] = loaded;
      if (first === undefined) return;
      const distance = first.VirtualAddress - first.PointerToRawData;
      if (distance < 0n) {
        yield {
          part: partOf(first),
          text: `file offset ${hex(first.PointerToRawData)} is behind RVA ${hex(first.VirtualAddress)}`,
        };
      }
      for (const section of loaded) {
        const found = section.VirtualAddress - section.PointerToRawData;
        if (found === distance) continue;
        const wanted = section.VirtualAddress - distance;
        yield {
          offset: section.PointerToRawData,
          part: partOf(section),
          text: `its data is at ${hex(section.PointerToRawData)}, wanted ${wanted < 0n ? 'an RVA above that' : hex(wanted)} as for ${first.name}`,
        };
      }
    },
  },
  {
    name: 'linear.tiling',
    needs: 'image',
    because: 'bytes in no section are not covered by a signature, yet a flat loader would load them',
    *run({ image: { sections, optionalHeader } }) {
      let end = optionalHeader.SizeOfHeaders;
      let before = 'the headers';
      for (const section of sections.filter(hasRawData)) {
        if (section.PointerToRawData !== end) {
          yield {
            offset: section.PointerToRawData,
            part: partOf(section),
            text: `its data begins at ${hex(section.PointerToRawData)}, wanted ${hex(end)}, where ${before} end`,
          };
        }
        end = rawRange(section).end;
        before = `those of ${section.name}`;
      }
    },
  },
  {
    name: 'linear.zero-padding',
    needs: 'image',
    because: 'a loader that copies all of SizeOfRawData must write nothing but zeros behind VirtualSize',
    *run({ image: { sections, source } }) {
      for (const section of sections) {
        const { start, end } = rawRange(section);
        const from = start + section.VirtualSize;
        if (!fits(start, end - start, source.size) || from >= end) continue;
        const raw = { source, pieces: [{ start: from, end, from }] };
        const [found] = pictureDifferences(raw, { source: ZEROS, pieces: [] }, { start: from, end });
        if (found !== undefined)
          yield { offset: found.start, part: partOf(section), text: 'a byte behind VirtualSize is not zero' };
      }
    },
  },
  {
    name: 'linear.bss',
    needs: 'image',
    because: 'a section without data has no place in the file',
    *run({ image: { sections } }) {
      for (const section of sections) {
        if (hasRawData(section) || section.PointerToRawData === 0n) continue;
        yield {
          part: partOf(section),
          text: `has no data but PointerToRawData ${hex(section.PointerToRawData)}, wanted 0`,
        };
      }
    },
  },
  {
    name: 'linear.tail-kind',
    needs: 'image',
    because: 'what stands behind .bss is not there when Multiboot loads the image',
    *run(subject) {
      // Without an address tag nothing says where the loaded part ends.
      if (subject.wantsTags && subject.values?.address === undefined) return;
      for (const section of subject.tail) {
        if (isTailKind(subject, section)) continue;
        yield {
          part: partOf(section),
          text: 'is behind the loaded part and looks like data that the kernel needs (--tail says that it is not)',
        };
      }
    },
  },
  {
    name: 'linear.symbols',
    needs: 'image',
    anyImage: true,
    because: 'debuggers find symbols by PointerToSymbolTable and strings right behind',
    *run({ image: { fileHeader, source, sections } }) {
      const symbols = symbolTableRange(fileHeader);
      if (symbols === undefined) return;
      const place = { offset: symbols.start, part: 'COFF symbols' };
      const rawEnd = sections
        .filter(hasRawData)
        .reduce((end, s) => (rawRange(s).end > end ? rawRange(s).end : end), 0n);
      if (symbols.start < rawEnd)
        yield { ...place, text: `begin at ${hex(symbols.start)}, inside the sections, which end at ${hex(rawEnd)}` };
      if (!fits(symbols.start, symbols.end - symbols.start, source.size)) {
        yield {
          ...place,
          text: `${hexRange(symbols.start, symbols.end)} leaves the file, which ends at ${hex(source.size)}`,
        };
      } else if (stringTableRange(source, fileHeader) === undefined) {
        yield { ...place, text: 'no string table stands behind them' };
      }
    },
  },
  {
    name: 'linear.header-size',
    needs: 'image',
    anyImage: true,
    because: 'firmware copies SizeOfHeaders bytes to the image base, in front of the first section',
    *run({ image }) {
      const { SizeOfHeaders, SizeOfImage } = image.optionalHeader;
      const table = sectionTable(image).end;
      const first = image.sections[0]?.VirtualAddress ?? 0n;
      const part = 'headers';
      if (SizeOfHeaders < table)
        yield { part, text: `SizeOfHeaders is ${hex(SizeOfHeaders)}, the section table ends at ${hex(table)}` };
      if (SizeOfHeaders > first)
        yield { part, text: `SizeOfHeaders is ${hex(SizeOfHeaders)}, the first section begins at RVA ${hex(first)}` };
      if (SizeOfHeaders >= SizeOfImage)
        yield { part, text: `SizeOfHeaders is ${hex(SizeOfHeaders)}, SizeOfImage only ${hex(SizeOfImage)}` };
    },
  },
  {
    name: 'linear.size-of-image',
    needs: 'image',
    anyImage: true,
    because: 'firmware reserves SizeOfImage bytes and refuses what leaves them',
    *run({ image: { sections, optionalHeader } }) {
      for (const section of sections) {
        const { end } = memoryRange(section);
        if (end > optionalHeader.SizeOfImage) {
          yield {
            part: partOf(section),
            text: `ends at RVA ${hex(end)}, SizeOfImage is ${hex(optionalHeader.SizeOfImage)}`,
          };
        }
      }
    },
  },
  {
    name: 'linear.checksum',
    needs: 'image',
    anyImage: true,
    because: 'signing tools and some firmware compare CheckSum with the file',
    *run({ image }) {
      const { CheckSum } = image.optionalHeader;
      if (CheckSum === 0) return;
      const offset = optionalHeaderOffset(image) + BigInt(OptionalHeader.offsetOf('CheckSum', PE));
      const wanted = checkSumOf(image.source, Number(offset));
      if (wanted !== CheckSum)
        yield { offset, part: 'optional header', text: `CheckSum is ${hex(CheckSum)}, wanted ${hex(wanted)}` };
    },
  },
];

/**
 * The checksum once more, by another road than the writer's: the whole file by the machine's own order of bytes, as remainders, turned
 * round at the end where that order is the other one (RFC 1071: the sum does not depend on it).
 */
function checkSumOf(source: LinearSubject['image']['source'], fieldAt: number): number {
  const chunk = 0x40000;
  const size = Number(source.size);
  let sum = 0;
  const words = new Uint32Array(Math.ceil(Math.min(chunk, size) / 4));
  const buffer = new Uint8Array(words.buffer);
  for (let at = 0; at < size; at += chunk) {
    const length = Math.min(chunk, size - at);
    source.readInto(BigInt(at), buffer.subarray(0, length), 'bytes of the checksum');
    // The last chunk is shorter: what the one before left counts for nothing.
    buffer.fill(0, length);
    for (let i = 0; i < 4; i++) if (fieldAt + i >= at && fieldAt + i < at + length) buffer[fieldAt + i - at] = 0;
    const part = sum + sumOf(words);
    // Nothing but zeros has the sum 0.
    sum = part === 0 ? 0 : part % 0xffff === 0 ? 0xffff : part % 0xffff;
  }
  return ((isBigEndian() ? ((sum & 0xff) << 8) | (sum >> 8) : sum) + size) % 2 ** 32;
}

/** A function of its own is compiled after its first calls; a loop within a long one is not, on a busy machine. */
function sumOf(words: Uint32Array): number {
  let [a, b, c, d] = [0, 0, 0, 0];
  const whole = words.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    a += words[i] ?? 0;
    b += words[i + 1] ?? 0;
    c += words[i + 2] ?? 0;
    d += words[i + 3] ?? 0;
  }
  for (let i = whole; i < words.length; i += 1) a += words[i] ?? 0;
  return a + b + c + d;
}

function isBigEndian(): boolean {
  return new Uint8Array(Uint16Array.of(1).buffer)[0] === 0;
}
