import { code, heading, list, table, text } from '../blocks.js';
import type { Page } from '../page.js';

/** `explain stamp`: notes that say where an image came from. UAPI.8 (package metadata), `ld --build-id`. */
export const stamp: Page = {
  name: 'stamp',
  title: 'Stamps: where an image came from, in a note',
  blocks: [
    text`A stamp is a note of another owner than Xen: which package an image belongs to, which build it is, whatever a pipeline
      wants to find again. No boot loader acts on it. It must not stand in a loader's way either, and some stumble over
      notes in front of the one they look for; so stamps go behind Xen's notes, in the same PT_NOTE, and every loader that
      took the image is asked about the result before it is written.`,
    table(
      ['option', 'owner', 'type', 'who reads it'],
      ['--package-metadata', 'FDO', '0xcafe1a7e', 'systemd-coredump, systemd-analyze inspect-elf, distributions'],
      ['--build-id', 'GNU', '3', 'debuggers, perf, coredumpctl, debuginfod'],
      ['--note OWNER:TYPE=VALUE', 'yours', 'yours', 'readelf -n, and tools that know it'],
    ),
    heading('Package metadata'),
    text`One JSON object in UTF-8 with a NUL behind it. --package-metadata KEY=VALUE puts in one member and leaves the others,
      a file name or {JSON} replaces the whole object. Refused: a key that occurs twice, control characters, \u escapes,
      half a surrogate pair, a number that JSON readers would round, a well-known key that is no string. Well-known are
      type (deb, rpm, ...), os, osVersion, name, version, architecture, osCpe, appCpe and debugInfoUrl; others are a
      vendor's own.`,
    code`
      $ xen-elfpatch stamp vmlinux --in-place --package-metadata name=kernel
      $ xen-elfpatch stamp vmlinux --in-place --package-metadata pkg.json
      $ xen-elfpatch stamp vmlinux --check`,
    heading('Build-id'),
    list(
      'keep: there has to be one, and it stays.',
      'sha1, sha256: computed from class, machine, entry and what the PT_LOADs put into memory. Notes and headers do not ' +
        'count, so stamping again, whatever else was stamped, gives the same id.',
      'hexadecimal digits: this one, as with ld --build-id=0x....',
    ),
    heading('A note of your own'),
    text`VALUE is text (a NUL is put behind it), hex:BYTES, file:PATH, or with a width behind the type a number. Another note of
      the same owner and type is replaced; --remove OWNER:TYPE takes one out.`,
    text`A file may have up to 4 GiB: it is copied block by block, and memory does not depend on it. A single executable
      application of Node is such a note, in memory, with the byte behind NODE_SEA_FUSE_...: turned into 1.`,
    code`
      $ xen-elfpatch stamp vmlinux -o out --note Example:1=pipeline-4711
      $ xen-elfpatch stamp vmlinux -o out --note Example:2/4=0x10
      $ xen-elfpatch stamp node -o app --note NODE_SEA_BLOB:0=file:blob --loaded`,
    heading('Dates'),
    text`The clock is never read: the same input gives the same bytes. --date KEY puts the date of SOURCE_DATE_EPOCH into the
      metadata, and is refused where the build did not set it.`,
    heading('Reading back'),
    text`stamp without edits shows metadata and build-ids, notes shows every note. So do readelf -n, eu-readelf -n and
      systemd-analyze inspect-elf.`,
  ],
};
