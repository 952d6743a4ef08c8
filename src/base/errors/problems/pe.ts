import { hex, hexRange } from '../hex.js';
import { problem } from '../problem.js';

/** Refusals while reading a PE image, and of PE images that cannot be laid out anew. */
export const peProblems = {
  'pe.not-pe': problem<{ found: string; wanted: string }>({
    exit: 2,
    text: (c) => `found ${c.found}, wanted ${c.wanted}: this is no PE image`,
    hint: 'linearize takes the xen.efi of a Xen build; a compressed one has to be unpacked first',
    meaning:
      'A PE image begins with MZ, and the word at 0x3c says where the signature PE stands. One of them is missing.',
  }),
  'pe.not-pe32plus': problem<{ found: string }>({
    exit: 2,
    text: (c) => `found ${c.found}, wanted PE32+ (magic 0x20b)`,
    meaning:
      'Only linked 64-bit images are understood. An object file has no optional header, a 32-bit image has another one.',
  }),
  'pe.bad-header': problem<{ field: string; found: string; wanted: string }>({
    exit: 2,
    text: (c) => `${c.field} is ${c.found}, wanted ${c.wanted}`,
    meaning:
      'The PE headers contradict themselves or the file; UEFI firmware would refuse the image for the same reason.',
  }),
  'pe.machine': problem<{ found: string }>({
    exit: 2,
    text: (c) => `found an image for ${c.found}, wanted x86-64`,
    meaning: 'Multiboot is a protocol of x86. The xen.efi of other architectures has another form and other loaders.',
  }),
  'pe.signed': problem<{ size: bigint; at: bigint; option: '--strip-signature' | '--drop-signature' }>({
    exit: 2,
    text: (c) => `the Secure Boot signature (${c.size} bytes at ${hex(c.at)}) would no longer match`,
    hint: (c) => `${c.option} takes it off; with Secure Boot the result must be signed again`,
    meaning:
      'An Authenticode signature covers headers and data by file offset, nearly every byte of the file, so any edit breaks ' +
      'it. It is taken off only on request. Distributions that keep a checksum file beside the kernel (.vmlinuz-*.hmac) ' +
      'need a new one as well.',
  }),
  'pe.section-order': problem<{ first: string; second: string; at: bigint; before: bigint }>({
    exit: 2,
    text: (c) => `section ${c.second} is at RVA ${hex(c.at)}, not behind ${c.first} at ${hex(c.before)}`,
    meaning: 'The section table must ascend by address (PE Format, "Section Table"); a linear file has no other order.',
  }),
  'pe.overlap': problem<{ first: string; second: string; start: bigint; end: bigint; where: 'file' | 'memory' }>({
    exit: 2,
    text: (c) => `${c.first} and ${c.second} share the ${c.where} range ${hexRange(c.start, c.end)}`,
    meaning: 'Two parts of the image claim the same bytes. Laid out anew they would become two, and one of them stale.',
  }),
  'pe.data-after-bss': problem<{ name: string }>({
    exit: 2,
    text: (c) => `section ${c.name} stands behind .bss and looks like data that the kernel needs`,
    hint: (c) =>
      `Say what it is: --image ${c.name} (loaded, .bss becomes zeros in the file) or --tail ${c.name} (UEFI only)`,
    meaning:
      'A Multiboot loader copies one stretch of the file and zeros what follows. Sections behind .bss are not in it. That ' +
      'is right for base relocations, debug data and the parts of a unified image; anything else must be decided by a person.',
  }),
  'pe.too-big': problem<{ what: string; value: bigint }>({
    exit: 2,
    text: (c) => `${c.what} would be ${hex(c.value)}, wanted less than 4 GiB`,
    meaning: 'File offsets and addresses in PE and Multiboot headers are 32 bits wide.',
  }),
  'pe.coff-tables': problem<{ section: string; what: string }>({
    exit: 2,
    text: (c) => `section ${c.section} has COFF ${c.what}, wanted none in a linked image`,
    hint: 'strip or objcopy removes them; linearize behind it',
    meaning: 'COFF relocations and line numbers belong to object files. Their file offsets are not carried along.',
  }),
  'pe.directory': problem<{ why: string }>({
    exit: 2,
    text: (c) => c.why,
    meaning: 'A data directory names bytes that no section brings into memory, so no program could use it.',
  }),
  'pe.bad-sbat': problem<{ line: number; why: string }>({
    exit: 2,
    text: (c) => `line ${c.line} of the SBAT: ${c.why}`,
    hint: 'A line is component,generation,vendor,package,version,url; the first one is that of the component sbat',
    meaning:
      'SBAT is what shim compares with the generations that were revoked (shim, SBAT.md). It is read by a small parser in ' +
      'the firmware: six fields a line, each line ended by a line feed alone, each component once, no NUL.',
  }),
  'pe.sbat-downgrade': problem<{ component: string; from: number; to: number }>({
    exit: 2,
    text: (c) => `the generation of ${c.component} is ${c.from}, and would become ${c.to}`,
    hint: '--allow-sbat-downgrade lowers it all the same; machines that revoked the lower one will not start the image',
    meaning:
      'A generation rises with each security fix that has to be enforced. A machine remembers the least one that it ' +
      'takes, so a lower number is nearly always a mistake.',
  }),
  'pe.bad-sbom': problem<{ why: string }>({
    exit: 2,
    text: (c) => `the bill of materials is no uSWID container: ${c.why}`,
    hint: 'Give what a tool for uSWID writes: a file that begins with the 16 bytes of its magic, not the JSON or XML it is made from',
    meaning: 'fwupd and its tools look for the uSWID magic in section .sbom, and take nothing else from there.',
  }),
  'pe.section-exists': problem<{ name: string }>({
    exit: 2,
    text: (c) => `there is a section ${c.name} already, and it holds other bytes`,
    hint: 'Give another name: code of the image may read the section that is there',
    meaning: 'Sections are added. What is in a section that code may read is not replaced.',
  }),
  'pe.section-name': problem<{ name: string; why: string }>({
    exit: 2,
    text: (c) => `section ${JSON.stringify(c.name)}: ${c.why}`,
    hint: '--add-section NAME=file:PATH, the name of at most 8 characters',
    meaning: 'The section table has eight bytes for a name; longer ones are for object files and debuggers.',
  }),
  'pe.no-header-room': problem<{ need: bigint; have: bigint; at: bigint; why: string }>({
    exit: 2,
    text: (c) =>
      `no room for ${c.need} more bytes of section table at ${hex(c.at)}: ${c.have} are free, and the headers cannot grow: ${c.why}`,
    meaning:
      'A new section takes 40 bytes behind the section table, in front of what the headers hold there. Where they are full, ' +
      'everything behind them moves; that is not possible where something stands at a place that is written elsewhere.',
  }),
  'pe.no-section-room': problem<{ name: string; size: bigint; room: bigint; why: string }>({
    exit: 2,
    text: (c) => `section ${c.name} cannot become ${c.size} bytes long: ${c.room} are free, ${c.why}`,
    hint: 'Shorten what goes in, or begin with the image as it was before that section came in: no tool moves the sections behind it',
    meaning: 'A section that is there stays at its address. It grows up to the next one and no further.',
  }),
  'pe.relocations': problem<{ what: string }>({
    exit: 2,
    text: (c) => c.what,
    meaning:
      'Base relocations come in blocks: an RVA, the size of the block, 16-bit entries. Firmware that meets a malformed ' +
      'block refuses the image.',
  }),
} as const;
