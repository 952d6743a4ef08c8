import { hex, hexRange } from '../hex.js';
import { problem } from '../problem.js';

/** Refusals while opening and reading an image. */
export const readProblems = {
  'read.open': problem<{ action: string; reason: string }>({
    exit: 2,
    text: (c) => `cannot ${c.action}: ${c.reason}`,
    meaning:
      'The operating system refused a file operation. The reason is its own: no such file, permission denied, a file ' +
      'system mounted read-only, no space left, and so on.',
  }),
  'read.not-a-file': problem<{ kind: string }>({
    exit: 2,
    text: (c) => `found a ${c.kind}, wanted a regular file`,
    hint: (c) =>
      c.kind === 'directory'
        ? 'verify --recursive looks through a folder, and so do notes, fix, stamp and patch'
        : 'Images are read by range, in any order; copy a stream into a file first, or give - for standard input',
    meaning: 'Directories, pipes, sockets and devices have no stable bytes at a given offset.',
  }),
  'read.truncated': problem<{ need: bigint; have: bigint }>({
    exit: 2,
    text: (c) => `found ${hex(c.have)} bytes up to the end of the file, wanted ${hex(c.need)}`,
    hint: 'The file was cut short, or an offset or count in its headers is wrong',
    meaning:
      'A header names bytes that lie behind the end of the file. Every read of foreign bytes is checked against the ' +
      'size of the file first, without sums that could wrap.',
  }),
  'read.too-large': problem<{ size: bigint; limit: bigint }>({
    exit: 2,
    text: (c) => `found a size of ${hex(c.size)} bytes, wanted at most ${hex(c.limit)}`,
    hint: 'Nothing of this kind is that large in a real image; a header is likely damaged',
    meaning:
      'Headers, name tables and notes are held in memory, so their size has a limit that no real kernel comes near. ' +
      'It keeps a lying header from costing memory.',
  }),
  'read.changed': problem<{ what: string }>({
    exit: 2,
    text: (c) => `the file changed while it was being worked on (${c.what})`,
    hint: 'Another program writes this file; run again when it has finished',
    meaning: 'Size, modification time or identity of the input differ between opening it and committing the edit.',
  }),
  'read.not-elf': problem<{ found: string }>({
    exit: 2,
    text: (c) => `found ${c.found}, wanted an ELF file (7f 45 4c 46)`,
    hint: 'Give the linked kernel itself (vmlinux, xen-syms, kernel.elf)',
    meaning:
      'The file does not begin with the four bytes that every ELF file begins with (gABI, "ELF Identification").',
  }),
  'read.bad-class': problem<{ field: string; found: number; wanted: string }>({
    exit: 2,
    text: (c) => `${c.field} is ${c.found}, wanted ${c.wanted}`,
    meaning:
      'EI_CLASS chooses 32 or 64 bits, EI_DATA the byte order, EI_VERSION and e_version must be 1 (gABI, "ELF ' +
      'Identification"). Some loaders guess at other values, each in its own way; this tool does not.',
  }),
  'read.bad-entry-size': problem<{ field: string; found: number; wanted: number }>({
    exit: 2,
    text: (c) => `${c.field} is ${c.found}, wanted ${c.wanted}`,
    meaning:
      'The header size fields have exactly one value for each class. Some loaders use them as a stride, some ignore ' +
      'them, some refuse: an image with another value means different things to different readers.',
  }),
  'read.table-outside': problem<{ table: string; start: bigint; end: bigint; size: bigint }>({
    exit: 2,
    text: (c) =>
      `found the ${c.table} at ${hexRange(c.start, c.end)}, wanted it inside the file of ${hex(c.size)} bytes`,
    hint: 'The file was cut short, or its offset was left stale by another tool',
    meaning: 'e_phoff or e_shoff with its count reaches behind the end of the file.',
  }),
  'read.table-overlap': problem<{ first: string; second: string; start: bigint; end: bigint }>({
    exit: 2,
    text: (c) => `found the ${c.first} at ${hexRange(c.start, c.end)} over the ${c.second}, wanted them apart`,
    meaning: 'The ELF header and its two tables may not share bytes; writing one would damage the other.',
  }),
  'read.bad-count': problem<{ what: string; why: string }>({
    exit: 2,
    text: (c) => `cannot tell the ${c.what}: ${c.why}`,
    meaning:
      'When a count does not fit its 16-bit field, the field holds an escape and section header 0 the real number ' +
      '(gABI, "ELF Header": e_phnum, e_shnum, e_shstrndx). Here the escape is used and the number is missing or absurd.',
  }),
} as const;
