/** What a packager may want to know about a linear file; nothing that boots today breaks by it. */
import { hex } from '../../base/errors/hex.js';
import { certificateTable } from '../../formats/pe/certificates.js';
import { directory, memoryRange } from '../../formats/pe/image.js';
import {
  DIRECTORY_BASERELOC,
  IMAGE_SCN_MEM_DISCARDABLE,
  IMAGE_SCN_MEM_EXECUTE,
  IMAGE_SCN_MEM_WRITE,
} from '../../formats/pe/names.js';
import { type LinearCheck, partOf } from './check.js';

const LEAST_FILE_ALIGNMENT = 0x200n;
const MOST_FILE_ALIGNMENT = 0x10000n;

/** Advice on the Multiboot2 header: what loads all the same, and could be better. */
export const advice: readonly LinearCheck[] = [
  {
    name: 'advice.header-addr',
    needs: 'image',
    level: 'advice',
    aboutTags: true,
    because: 'the Multiboot2 specification wants header_addr at or above load_addr; GRUB does not look',
    *run({ mb2, values }) {
      if (mb2 === undefined || values?.address === undefined) return;
      const { header_addr, load_addr } = values.address;
      if (header_addr < load_addr) {
        yield {
          offset: mb2.offset,
          part: 'address tag',
          text: `header_addr ${hex(header_addr)} is below load_addr ${hex(load_addr)}: the header stands in front of the sections`,
        };
      }
    },
  },
  {
    name: 'advice.fixed-address',
    needs: 'image',
    level: 'advice',
    aboutTags: true,
    because: 'without a relocatable tag GRUB loads to one place, and UEFI firmware may have taken that for itself',
    *run({ mb2, values }) {
      if (mb2 === undefined || values?.address === undefined || values.relocatable !== undefined) return;
      const text = `has no relocatable tag (10): it can be loaded at ${hex(values.address.load_addr)} only`;
      yield { offset: mb2.offset, part: 'Multiboot2 header', text };
    },
  },
  {
    name: 'advice.size-of-image',
    needs: 'image',
    level: 'advice',
    because: 'the PE format wants SizeOfImage to be a multiple of SectionAlignment; no UEFI loader does',
    *run({ image: { optionalHeader } }) {
      const { SizeOfImage, SectionAlignment } = optionalHeader;
      if (SectionAlignment > 0n && SizeOfImage % SectionAlignment !== 0n) {
        yield {
          part: 'optional header',
          text: `SizeOfImage ${hex(SizeOfImage)} is no multiple of SectionAlignment ${hex(SectionAlignment)}`,
        };
      }
    },
  },
  {
    name: 'advice.file-alignment',
    needs: 'image',
    level: 'advice',
    because: 'the PE format wants a FileAlignment of 512 to 64 Ki that divides every raw pointer; --merge gets there',
    *run({ image: { optionalHeader, sections } }) {
      const { FileAlignment } = optionalHeader;
      const part = 'optional header';
      if (FileAlignment < LEAST_FILE_ALIGNMENT || FileAlignment > MOST_FILE_ALIGNMENT) {
        yield { part, text: `FileAlignment is ${hex(FileAlignment)}` };
      }
      const uneven = sections.find(
        (s) =>
          FileAlignment > 0n && (s.PointerToRawData % FileAlignment !== 0n || s.SizeOfRawData % FileAlignment !== 0n),
      );
      if (uneven !== undefined)
        yield { part, text: `FileAlignment ${hex(FileAlignment)} does not divide the place of ${uneven.name}` };
    },
  },
  {
    name: 'advice.writable-code',
    needs: 'image',
    level: 'advice',
    because: 'a shim that requires NX refuses sections that are both writable and executable',
    *run({ image: { sections } }) {
      const both = (IMAGE_SCN_MEM_WRITE | IMAGE_SCN_MEM_EXECUTE) >>> 0;
      for (const section of sections) {
        if ((section.Characteristics & both) >>> 0 === both)
          yield { part: partOf(section), text: 'is writable and executable' };
      }
    },
  },
  {
    name: 'advice.discardable-relocations',
    needs: 'image',
    level: 'advice',
    because:
      'shim does not load discardable sections, and Xen then reads garbage for its relocations; --keep-reloc fixes it',
    *run({ image }) {
      const table = directory(image, DIRECTORY_BASERELOC);
      if (table === undefined) return;
      const home = image.sections.find(
        (s) => table.VirtualAddress >= s.VirtualAddress && table.VirtualAddress < memoryRange(s).end,
      );
      if (home === undefined || (home.Characteristics & IMAGE_SCN_MEM_DISCARDABLE) === 0) return;
      yield { part: partOf(home), text: 'holds the base relocations and is discardable' };
    },
  },
  {
    name: 'advice.unsigned',
    needs: 'image',
    level: 'advice',
    because: 'Secure Boot refuses unsigned images; sign behind linearize, a signature covers the layout',
    *run({ image }) {
      if (certificateTable(image) === undefined) yield { text: 'the image is not signed' };
    },
  },
];
