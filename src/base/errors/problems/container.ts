import { hex } from '../hex.js';
import { problem } from '../problem.js';

const ATTACH = '--payload attach adds a second payload and leaves what Linux starts alone';

/** The kernel_version string of a setup header. */
const callsItself = (text: string | undefined) => (text === undefined ? '' : `; it calls itself "${text}"`);

/** Refusals about what an ELF is wrapped in: gzip files, bzImages, and files that hold no ELF at all. */
export const containerProblems = {
  'container.no-notes': problem<{ found: string; why: string; instead: string }>({
    exit: 2,
    text: (c) => `found ${c.found}, wanted an ELF file, a gzip'd one or a bzImage: ${c.why}`,
    hint: (c) => c.instead,
    meaning:
      'The file is recognized, and no loader reads Xen notes out of such a file: an arm64 or RISC-V Image has no ELF headers, ' +
      'EFI programs and U-Boot images are wrappers that Xen does not open, an ARM zImage and a cpio archive hold no notes. The ' +
      'message says which file to take instead.',
  }),
  'container.bare-stream': problem<{ format: string }>({
    exit: 2,
    text: (c) =>
      `found a bare ${c.format} stream, which is read and not rewritten, wanted gzip, a bzImage or the ELF itself`,
    hint: '--payload extract --compressor gzip wraps the result as gzip: every part of Xen takes an ELF.gz',
    meaning:
      "Of an ELF that is compressed as a whole, Xen's tools unpack gzip only; the hypervisor takes other formats, and only " +
      'with the unpacked size as 4 more bytes behind the stream. Wrapped as gzip it works everywhere.',
  }),
  'container.corrupt': problem<{ format: string; why: string }>({
    exit: 2,
    text: (c) => `the ${c.format} data does not unpack: ${c.why}`,
    hint: 'Was it copied whole? The program that packed it can test it (-t)',
    meaning: 'The file begins like one that is compressed as a whole, and its data is damaged or is something else.',
  }),
  'archive.bad': problem<{ why: string }>({
    exit: 2,
    text: (c) => `the archive cannot be looked through: ${c.why}`,
    meaning:
      'An archive that was named is looked through for kernels and Xen images: a .deb by dpkg-deb, an .rpm by rpm2cpio, a ' +
      'packed .tar by the program that packed it. That program, or the archive itself, ended too soon. What was found ' +
      'before that was looked at.',
  }),
  'container.limit': problem<{ limit: bigint }>({
    exit: 2,
    text: (c) => `unpacks to more than ${hex(c.limit)} bytes, wanted at most that`,
    hint: '--limit SIZE allows more, up to 1 GiB',
    meaning:
      '--limit says how many bytes of a packed file may be unpacked, all of which are held in memory. A small file can claim ' +
      'to become a gigabyte; nothing of it was unpacked beyond the limit.',
  }),
  'container.wrong-way': problem<{ way: string; found: string; why: string }>({
    exit: 2,
    text: (c) => `found ${c.found}, which --payload ${c.way} does not apply to: ${c.why}`,
    hint: 'xen-elfpatch explain containers tells what each way is for',
    meaning:
      'attach, replace and detach are about the payload of a bzImage; a gzip file is rewritten as a gzip file and can be ' +
      'extracted; an ELF is patched as it is.',
  }),
  'container.contains-container': problem<{ found: string; outer: string }>({
    exit: 2,
    text: (c) => `found ${c.found} inside ${c.outer}, wanted an ELF`,
    hint: 'Unpack the outer one and give what is inside',
    meaning: 'Every reader of such files unpacks one level. What is wrapped twice is opened by none.',
  }),
  'gzip.corrupt': problem<{ why: string }>({
    exit: 2,
    text: (c) => `the gzip data is damaged: ${c.why}`,
    meaning:
      'Header, compressed data, CRC-32 and length have to agree (RFC 1952). Xen panics on a file where they do not.',
  }),
  'gzip.too-large': problem<{ limit: bigint }>({
    exit: 2,
    text: (c) => `unpacks to more than ${hex(c.limit)} bytes, wanted at most that`,
    hint: "Xen's tools leave a file packed that is larger",
    meaning: 'Unpacked data is held in memory, so it has a limit: 1 GiB, as in the tools of Xen. No kernel comes near.',
  }),
  'gzip.members': problem<{ at: bigint }>({
    exit: 2,
    text: (c) => `found a second member at ${hex(c.at)}, wanted one: Xen reads only the first`,
    hint: 'Write it anew: unpack it by gzip -dc, and pack that by gzip -n -9',
    meaning:
      'gzip files may be joined, and gzip then unpacks all of them. Xen takes the length from the end of the file and the ' +
      'data from the first member, and refuses. Such a file is read, never rewritten.',
  }),
  'gzip.trailing': problem<{ at: bigint; size: bigint }>({
    exit: 2,
    text: (c) => `found ${c.size} bytes behind the gzip data at ${hex(c.at)}, wanted none`,
    hint: 'Write it anew: unpack it by gzip -dc, and pack that by gzip -n -9',
    meaning:
      'Xen takes the last 4 bytes of the file as the unpacked size. With anything behind the data, zeros too, that is ' +
      'wrong: the tools refuse, the hypervisor can hang. Such a file is read, never rewritten.',
  }),
  'bzimage.protocol': problem<{ version: string; calledItself: string | undefined }>({
    exit: 2,
    text: (c) =>
      `boot protocol ${c.version} has no ELF payload, wanted 2.08 (Linux 2.6.26) or later${callsItself(c.calledItself)}`,
    hint: 'Linux before 2.6.26 and programs that borrow its header, iPXE for one, hold no notes; verify tells which loaders start them',
    meaning: 'Fields that say where the compressed ELF is came with boot protocol 2.08; older kernels have none.',
  }),
  'bzimage.header': problem<{ what: string }>({
    exit: 2,
    text: (c) => c.what,
    meaning:
      'The setup header of a bzImage (Linux Documentation/arch/x86/boot.rst) is too short for the fields that it must have, ' +
      'or says 0 setup sectors, which Linux reads as 4 and Xen as 0.',
  }),
  'bzimage.no-payload': problem<{ offset: number; length: number; calledItself: string | undefined }>({
    exit: 2,
    text: (c) =>
      `the kernel names no payload (payload_offset ${hex(c.offset)}, payload_length ${hex(c.length)})${callsItself(c.calledItself)}`,
    hint: 'Programs that borrow the header of a bzImage, memtest86+ for one, hold no notes; verify tells which loaders start them',
    meaning:
      'payload_offset and payload_length are 0 or too small. Programs that only borrow the bzImage header, memtest86+ for ' +
      'one, look like this.',
  }),
  'bzimage.bounds': problem<{ what: string; start: bigint; size: bigint; end: bigint }>({
    exit: 2,
    text: (c) =>
      `the ${c.what} ${hex(c.start)}+${hex(c.size)} reaches ${hex(c.start + c.size)}, the file ends at ${hex(c.end)}`,
    hint: 'The file was cut short, or its setup header is damaged',
    meaning:
      'The setup header names bytes behind the end of the file. The hypervisor does not check this and reads what is there.',
  }),
  'bzimage.compression': problem<{ magic: string; known: string | undefined }>({
    exit: 2,
    text: (c) =>
      `the payload begins ${c.magic}${c.known === undefined ? '' : ` (${c.known})`}, wanted a format that kernels use`,
    meaning:
      'Payloads are gzip, xz, zstd, lz4 (the legacy format), lzma, bzip2 or lzo, told by their first bytes. The LZ4 frame ' +
      'format is unpacked by no boot loader.',
  }),
  'bzimage.size': problem<{ stated: bigint; found: string }>({
    exit: 2,
    text: (c) => `the size word says ${hex(c.stated)}, ${c.found}`,
    meaning:
      'The last 4 bytes of a payload are the size of what it unpacks to; readers make a buffer of that size, and the tools ' +
      'of Xen refuse a payload that unpacks to another. More than 1 GiB is taken by none.',
  }),
  'bzimage.corrupt': problem<{ format: string; why: string }>({
    exit: 2,
    text: (c) => `the ${c.format} payload does not unpack: ${c.why}`,
    meaning: 'The compressed data is damaged, or what the header calls the payload is something else.',
  }),
  'bzimage.not-elf': problem<{ found: string }>({
    exit: 2,
    text: (c) => `the payload unpacks to something that begins ${c.found}, wanted an ELF (7f 45 4c 46)`,
    meaning: 'The payload of a Linux bzImage is the kernel as an ELF file. This one is something else.',
  }),
  'bzimage.tail': problem<{ size: bigint; why: string }>({
    exit: 2,
    text: (c) => `the ${c.size} bytes behind the ELF are not a relocation table: ${c.why}`,
    hint: ATTACH,
    meaning:
      'Behind its ELF a Linux payload carries the table for moving the kernel to a random address, read backwards from the ' +
      'very end. Replacing the payload changes what Linux itself starts, so it is done only where these bytes are understood.',
  }),
  'bzimage.pair': problem<{ count: number }>({
    exit: 2,
    text: (c) =>
      `found the lengths that Linux's own decompressor uses ${c.count} times, wanted once${c.count === 0 ? ' (before Linux 5.10?)' : ''}`,
    hint: ATTACH,
    meaning:
      'The start-up code does not read the setup header: it has both lengths, packed and unpacked, in its own data, side by ' +
      'side since Linux 5.10. They must be changed with the payload, so they have to be found beyond doubt.',
  }),
  'bzimage.no-room': problem<{ need: bigint; room: bigint; with: string }>({
    exit: 2,
    text: (c) => `the new stream needs ${c.need} bytes, ${c.room} are there (${c.with})`,
    hint: `${ATTACH}; or name a better compressor with --compressor`,
    meaning:
      'Nothing behind the payload can move, so a new one must not be longer than the old. Compressors differ by more than ' +
      'an edit does; that it does not fit is normal.',
  }),
  'bzimage.too-large': problem<{ need: bigint; limit: bigint }>({
    exit: 2,
    text: (c) =>
      `with the second payload ${hex(c.need)} bytes follow the setup part, wanted at most init_size ${hex(c.limit)}`,
    hint: '--payload replace keeps the size, --payload extract gives the ELF alone',
    meaning:
      'GRUB reserves init_size bytes and reads all that follows the setup part into them, without comparing the two. A ' +
      'longer file would overwrite memory.',
  }),
  'bzimage.attached': problem<{ offset: bigint }>({
    exit: 2,
    text: (c) => `found an attached payload at ${hex(c.offset)}, wanted the kernel's own`,
    hint: 'Take it off first with patch --payload detach, or keep using attach',
    meaning:
      'The header points at a payload that was attached behind the kernel; Linux starts the other one, in front. Replacing ' +
      'the attached one in place means nothing to Linux, and attach does that for Xen already.',
  }),
  'bzimage.not-attached': problem<Record<never, never>>({
    exit: 2,
    text: () => "the header points at the kernel's own payload, nothing is attached",
    meaning: '--payload detach takes off what --payload attach has added. Here nothing was.',
  }),
  'bzimage.native': problem<{ count: number }>({
    exit: 2,
    text: (c) => `found ${c.count} places that could be the kernel's own payload, wanted one`,
    hint: 'Install the kernel package again to get the original',
    meaning:
      'To take an attached payload off, the header has to point at the old one again. It is found by the lengths in the ' +
      'start-up code, which kernels before 5.10 do not have as data.',
  }),
  'bzimage.trailing': problem<{ size: bigint; at: bigint }>({
    exit: 2,
    text: (c) => `found ${c.size} bytes of unknown purpose at ${hex(c.at)}, behind the kernel`,
    hint: (c) =>
      `Cut the file at that offset if you know what they are (truncate -s ${c.at}); with --strip-signature if it is signed`,
    meaning:
      'Behind the protected-mode part there may be zeros and the .modinfo strings that Linux 6.17 and 6.18 leave there, ' +
      'sections that the PE header names (stamp puts .sbat there), an attached payload, and a signature. Other bytes ' +
      'belong to a tool that is not known here; writing there would lose them.',
  }),
  'codec.missing': problem<{ program: string; format: string }>({
    exit: 2,
    text: (c) => `cannot run ${c.program}, which is needed for ${c.format} data`,
    hint: (c) => `Install it (the Debian package is ${PACKAGES[c.program] ?? c.program})`,
    meaning:
      'gzip, zstd and lz4 payloads are unpacked without help; xz, lzma, bzip2 and lzo by the programs that kernel builds ' +
      'use, and all but gzip are packed by them. Where a program is missing, xz and lzma are unpacked by the npm package ' +
      'node-liblzma, bzip2 by seek-bzip; npm installs both beside this one unless it runs with --omit=optional.',
  }),
  'codec.failed': problem<{ program: string; why: string }>({
    exit: 2,
    text: (c) => `${c.program} did not compress the payload: ${c.why}`,
    meaning: 'The compressor ended with an error; its own message is given.',
  }),
  'pe.certificate': problem<{ at: bigint; end: bigint; size: bigint }>({
    exit: 2,
    text: (c) => `the certificate table at [${hex(c.at)}, ${hex(c.end)}) does not end the file of ${hex(c.size)} bytes`,
    meaning:
      'A signature stands at the very end of a file. One that does not cannot be cut off without losing other data.',
  }),
} as const;

const PACKAGES: Readonly<Record<string, string>> = { xz: 'xz-utils', 'dpkg-deb': 'dpkg' };
