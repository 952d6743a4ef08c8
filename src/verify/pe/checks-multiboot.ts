/** Laws of the Multiboot headers, seen in the file alone (Multiboot2 specification; GRUB grub-core/loader/multiboot_mbi2.c). */
import { fits } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { hasLinuxMagic, LINUX_MAGIC_AT } from '../../formats/linux/boot-header.js';
import type { Mb2Header, Mb2Values } from '../../formats/multiboot/mb2.js';
import type { AddressTag } from '../../formats/multiboot/tags.js';
import { QEMU_MB1 } from '../../formats/multiboot/windows.js';
import { isExecutable, memoryRange } from '../../formats/pe/image.js';
import type { Violation } from '../check.js';
import type { LinearCheck } from './check.js';
import { isTailKind, type LinearSubject } from './subject.js';

const ONE_MIB = 0x100000n;

interface Tagged {
  readonly header: Mb2Header;
  readonly values: Mb2Values;
  readonly address: AddressTag;
}

/** Header and address tag, for checks that have nothing to say without them; linear.mb2-header tells of their absence. */
function tagged({ mb2, values }: LinearSubject): Tagged | undefined {
  if (mb2 === undefined || values?.address === undefined) return undefined;
  return { header: mb2, values, address: values.address };
}

/** Checks of the Multiboot headers and of where they lead. */
export const multibootChecks: readonly LinearCheck[] = [
  {
    name: 'linear.mb2-header',
    needs: 'image',
    aboutTags: true,
    because: 'GRUB takes the first valid header of the first 32 KiB and refuses an address tag without an entry tag',
    *run({ mb2, values }) {
      const part = 'Multiboot2 header';
      if (mb2 === undefined) {
        yield { part, text: 'there is none in the first 32 KiB' };
        return;
      }
      const { offset } = mb2;
      if (mb2.problem !== undefined) yield { offset, part, text: mb2.problem };
      if (values === undefined) return;
      if (values.address === undefined)
        yield { offset, part, text: 'has no address tag (2): a loader takes the file for ELF' };
      if (values.entry === undefined) yield { offset, part, text: 'has no entry tag (3)' };
    },
  },
  {
    name: 'linear.tag-arithmetic',
    needs: 'image',
    aboutTags: true,
    because: 'GRUB computes place and size by plain subtraction; a short read or a negative count is no error to it',
    *run(subject) {
      const found = tagged(subject);
      if (found === undefined) return;
      const { header, address, values } = found;
      const { load_addr, load_end_addr, bss_end_addr, header_addr } = address;
      const at = (text: string): Violation => ({ offset: header.offset, part: 'address tag', text });
      if (load_addr === 0xffffffffn)
        yield at('load_addr is -1, which GRUB uses as it stands in one of its subtractions');
      if (load_end_addr === 0n)
        yield at('load_end_addr is 0: everything up to the end of the file is loaded, over .bss');
      else if (load_end_addr <= load_addr)
        yield at(`load_end_addr ${hex(load_end_addr)} is not above load_addr ${hex(load_addr)}`);
      if (bss_end_addr === 0n) yield at('bss_end_addr is 0: nothing is zeroed, and modules may be put into .bss');
      else if (bss_end_addr < load_end_addr)
        yield at(`bss_end_addr ${hex(bss_end_addr)} is below load_end_addr ${hex(load_end_addr)}`);
      const from = header.offset - (header_addr - load_addr);
      const size = load_end_addr > load_addr ? load_end_addr - load_addr : 0n;
      if (!fits(from, size, subject.image.source.size)) {
        yield at(
          `asks for ${hex(size)} bytes at file offset ${from < 0n ? 'below 0' : hex(from)}, the file has ${hex(subject.image.source.size)}`,
        );
      }
      if (values.relocatable === undefined && load_addr < ONE_MIB) {
        yield at(
          `load_addr is ${hex(load_addr)} and nothing lets the loader choose another, wanted at least ${hex(ONE_MIB)}`,
        );
      }
    },
  },
  {
    name: 'linear.load-range',
    needs: 'image',
    aboutTags: true,
    because: 'load_end_addr is the end of the last loaded section, and all of .bss must be zeroed and reserved',
    *run(subject) {
      const found = tagged(subject);
      if (found === undefined) return;
      const { address, header } = found;
      const { loaded, bss, physBase, image } = subject;
      const at = (text: string): Violation => ({ offset: header.offset, part: 'address tag', text });
      const last = loaded.at(-1);
      const end = last === undefined ? undefined : memoryRange(last).end + physBase;
      if (end !== undefined && end !== address.load_end_addr) {
        yield at(`load_end_addr is ${hex(address.load_end_addr)}, section ${last?.name} ends at ${hex(end)}`);
      }
      const file = header.offset - (address.header_addr - address.load_addr);
      if (file !== image.optionalHeader.SizeOfHeaders) {
        yield at(
          `load_addr stands at file offset ${file < 0n ? 'below 0' : hex(file)}, the first section at ${hex(image.optionalHeader.SizeOfHeaders)}`,
        );
      }
      // A section without data may be of no use to the kernel either, as Xen's old .pad.
      const lastBss = bss.findLast((section) => !isTailKind(subject, section));
      if (lastBss !== undefined && address.bss_end_addr < memoryRange(lastBss).end + physBase) {
        yield at(
          `bss_end_addr is ${hex(address.bss_end_addr)}, ${lastBss.name} ends at ${hex(memoryRange(lastBss).end + physBase)}`,
        );
      }
    },
  },
  {
    name: 'linear.entries',
    needs: 'image',
    aboutTags: true,
    because: 'a loader jumps there whatever stands there',
    *run({ values, loaded, physBase, mb2 }) {
      if (values?.address === undefined) return;
      const entries = [
        { name: 'entry tag', value: values.entry },
        { name: 'EFI amd64 entry tag', value: values.entryEfi64 },
      ];
      for (const { name, value } of entries) {
        if (value === undefined) continue;
        const rva = value - physBase;
        const section = loaded.find((s) => rva >= s.VirtualAddress && rva < memoryRange(s).end);
        if (section !== undefined && isExecutable(section)) continue;
        const where = section === undefined ? 'in no loaded section' : `in ${section.name}, which is not executable`;
        yield { offset: mb2?.offset, part: name, text: `${hex(value)} is ${where}` };
      }
    },
  },
  {
    name: 'linear.relocatable',
    needs: 'image',
    aboutTags: true,
    because:
      'GRUB aligns load_addr and keeps it within the range of the relocatable tag; Xen needs a multiple of 2 MiB',
    *run(subject) {
      const found = tagged(subject);
      const tag = found?.values.relocatable;
      if (found === undefined || tag === undefined) return;
      const { load_addr, bss_end_addr } = found.address;
      const at = (text: string): Violation => ({ offset: found.header.offset, part: 'relocatable tag', text });
      if (tag.align > 1n && load_addr % tag.align !== 0n)
        yield at(`load_addr ${hex(load_addr)} is no multiple of ${hex(tag.align)}`);
      if (load_addr < tag.min_addr)
        yield at(`load_addr ${hex(load_addr)} is below the least address, ${hex(tag.min_addr)}`);
      if (bss_end_addr > tag.max_addr)
        yield at(`bss_end_addr ${hex(bss_end_addr)} is above the last address, ${hex(tag.max_addr)}`);
    },
  },
  {
    name: 'linear.mb1-header',
    needs: 'image',
    aboutTags: true,
    because: 'QEMU -kernel and GRUB multiboot load the file by the fields of this header',
    *run(subject) {
      const found = tagged(subject);
      const { mb1 } = subject;
      if (found === undefined || mb1?.fields === undefined) return;
      const { address, header, values } = found;
      const at = (text: string): Violation => ({ offset: mb1.offset, part: 'Multiboot 1 header', text });
      const wanted = {
        header_addr: address.header_addr - header.offset + mb1.offset,
        load_addr: address.load_addr,
        load_end_addr: address.load_end_addr,
        bss_end_addr: address.bss_end_addr,
        entry_addr: values.entry ?? 0n,
      };
      for (const [field, value] of Object.entries(wanted)) {
        const is = mb1.fields[field as keyof typeof wanted];
        if (is !== value) yield at(`${field} is ${hex(is)}, the Multiboot2 tags say ${hex(value)}`);
      }
      if (mb1.offset > QEMU_MB1.last) yield at(`stands at ${hex(mb1.offset)}, QEMU looks up to ${hex(QEMU_MB1.last)}`);
    },
  },
  {
    name: 'linear.linux-magic',
    needs: 'image',
    anyImage: true,
    because: 'QEMU takes a file with HdrS at 0x202 for a Linux boot image before it looks at anything else',
    *run({ image }) {
      if (hasLinuxMagic(image.source)) yield { offset: LINUX_MAGIC_AT, text: 'HdrS stands at 0x202' };
    },
  },
];
