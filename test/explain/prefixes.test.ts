/** What stands around a message in the log that it was pasted from changes nothing: every kind of prefix × messages of every program. */
import { describe, expect, it } from 'vitest';
import { findMessages } from '../../src/explain/messages/match.js';
import { MESSAGES } from '../../src/explain/messages/message-pages.js';

const MESSAGES_SEEN: readonly string[] = [
  'd0v0 Unhandled: vec 13, #GP[0000]',
  'Domain 27 (vcpu#3) crashed on cpu#11:',
  'FATAL TRAP: vector = 6 (invalid opcode)',
  'Could not construct domain 0',
  'ELF: ERROR: ELF start or entries are out of bounds',
  'Mismatch between Xen and DOM0 kernel',
  'xc: error: panic: xg_dom_bzimageloader.c:688: xc_dom_probe_bzimage_kernel: unknown compression format: Invalid kernel',
  "xc: error: panic: xg_dom_boot.c:120: xc_dom_boot_mem_init: can't allocate low memory for domain: Out of memory",
  'xc_dom_parse_hvm_kernel: ELF image is not 32bit: Invalid kernel',
  'VmBoot(KernelMissingPvhHeader)',
  'Invalid ELF program header size',
  'Error loading uncompressed kernel without PVH ELF Note',
  'error: no multiboot header found.',
  "error: ../../grub-core/loader/multiboot_elfxx.c:211:entry point isn't in a segment.",
  'error: bad shim lock signature.',
  'Base address: 0x100b40 is not page aligned',
];

/** As programs put them around a line; the message stands where the bar is. */
const AROUND: readonly (readonly [what: string, text: string])[] = [
  ['Xen', '(XEN) |'],
  ['Xen with a time', '(XEN) [    3.210415] |'],
  ['Xen with a date', '(XEN) [2026-08-01 10:11:12] |'],
  ['Xen by the serial console', '(XEN) |\r'],
  ['dmesg', '[    2.417331] |'],
  ['dmesg -T', '[Sat Aug  1 10:11:12 2026] |'],
  ['journald', 'Aug 01 10:11:12 host xl[1234]: |'],
  ['journald, ISO', '2026-08-01T10:11:12+0200 host xen-create[77]: |'],
  ['syslog with a level', '<3>Aug  1 10:11:12 host kernel: |'],
  ['libxl', 'libxl: error: libxl_dom.c:571:libxl__build_dom: Domain 12:|'],
  ['libvirt', '2018-01-18 20:42:47.735+0000: 1234: error : |'],
  ['colours', '\x1b[31m|\x1b[0m'],
  ['colours of a level', '\x1b[1;31mERROR\x1b[0m |'],
  ['a screen that is erased', '\x1b[2J\x1b[H|'],
  ['a quotation', '> |'],
  ['a list', '  - |'],
  ['a tab', '\t|\t'],
  ['backquotes', '`|`'],
  ['quotes', '"|"'],
];

const idOf = (text: string) => findMessages(text, MESSAGES).map(({ by, says }) => `${by}: ${says[0]}`);

describe.each(AROUND)('%s', (_, around) => {
  it.each(MESSAGES_SEEN)('%s', (message) => {
    const alone = idOf(message);
    expect(alone).toHaveLength(1);
    // A function: `$` in a message stands for itself.
    expect(idOf(around.replace('|', () => message))).toEqual(alone);
  });
});
