/**
 * Every wording that `explain` knows, in the ways in which people paste a message: behind the prefixes of logs, in quotes, with
 * numbers filled in, cut by a terminal, wrapped by mail, coloured, among other lines.
 */
import { describe, expect, it } from 'vitest';
import { findMessages } from '../../src/explain/messages/match.js';
import type { Message } from '../../src/explain/messages/message.js';
import { MESSAGES } from '../../src/explain/messages/message-pages.js';

const WORDINGS = MESSAGES.flatMap((message) => message.says.map((said) => ({ said, message })));
const VALUES = ['0x1000850', '17', 'ffff82d040327d3f', 'xen-3.0-x86_32p', '-3', 'eax'];
const ESC = String.fromCharCode(0x1b);

/** A wording as a program prints it: the parts that vary filled in, another value for each. */
const printed = (said: string, k: number) => {
  let at = k;
  return said.replaceAll('…', () => VALUES[at++ % VALUES.length] ?? '');
};

type Variant = readonly [name: string, write: (line: string) => string];

const PREFIXES: readonly string[] = [
  '(XEN) ',
  '(XEN) [2026-08-01 10:11:12.345] ',
  '[    2.417331] (XEN) ',
  '(XEN) [    4.108823] d12v3 ',
  '(XEN) ELF: ERROR: ',
  'Nov 28 20:00:11 dom0 kernel: [    3.200417] ',
  'Nov 28 20:00:11 dom0 xl[4711]: ',
  '2026-11-28T20:00:11+0100 host libvirtd[12]: ',
  'xl: libxl: error: libxl_create.c:1842:domcreate_rebuild_done: Domain 12:',
  'libxl: error: libxl_dom.c:571:libxl__build_dom: ',
  'xc: error: panic: xg_dom_core.c:702: xc_dom_probe: ',
  'domainbuilder: detail: ',
  'qemu-system-x86_64: ',
  'qemu-system-x86_64: -kernel ../build/kernel.elf: ',
  'error: ../../grub-core/loader/i386/multiboot_mbi.c:401:',
  "thread 'main' panicked at src/main.rs:12:5: called `Result::unwrap()` on an `Err` value: ",
  '2026-11-28T20:00:11.123456789 [anonymous-instance:main:ERROR:src/firecracker/src/main.rs:98] ',
  'cloud-hypervisor: 12.345ms: <vmm> ERROR:vmm/src/lib.rs:2055 -- Error booting VM: ',
  '$ ./run.sh\n+ exec tool\n',
  '> ',
  '> > (XEN) ',
  '| ',
  '\t',
];

const VARIANTS: readonly Variant[] = [
  ...PREFIXES.map((prefix): Variant => [`behind ${JSON.stringify(prefix)}`, (line) => `${prefix}${line}`]),
  ['with a full stop', (line) => `${line}.`],
  ['with an exclamation mark and blanks', (line) => `  ${line} !  `],
  ['in double quotes', (line) => `"${line}"`],
  ['in back quotes', (line) => `\`${line}\``],
  ['in typographic quotes', (line) => `“${line}”`],
  ['in quotes behind a colon', (line) => `Error: "${line}"`],
  ['in the names of Rust', (line) => `Error: VmBoot(KernelLoad(Elf(${line})))`],
  ['with CRLF', (line) => `first line\r\n${line}\r\nlast line\r\n`],
  ['coloured', (line) => `${ESC}[1;31m${line}${ESC}[0m`],
  [
    'from a web page',
    (line) => `<p>${line.replaceAll('&', '&amp;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')}</p>`,
  ],
  ['with hard blanks', (line) => line.replaceAll(' ', '\u00a0')],
  ['in capitals', (line) => line.toUpperCase()],
  ['in small letters', (line) => line.toLowerCase()],
  ['with an error number behind', (line) => `${line}: Invalid argument (22)`],
  [
    'among lines that say what was read',
    (line) =>
      `(XEN) *** Building a PV Dom0 ***\n(XEN) ELF: phdr: paddr=0x1000000 memsz=0x1200000\n(XEN) ${line}\n(XEN) \n(XEN) ****************`,
  ],
];

describe.each(VARIANTS)('a wording %s', (_, write) => {
  it('is found, and little else', () => {
    const lost: string[] = [];
    for (const [k, { said, message }] of WORDINGS.entries()) {
      const line = write(printed(said, k));
      const found = findMessages(line, MESSAGES);
      // In a log, what says nothing bad stands back.
      if (!found.includes(message) && !(message.kind === 'remark' && line.includes('\n'))) lost.push(line);
      if (found.length > 3) lost.push(`${line} => ${found.length}`);
    }
    expect(lost).toEqual([]);
  });
});

/** Enough words that the rest tells what it was. */
const tells = (text: string) =>
  (text.match(/[a-z_]{2,}/gi) ?? []).length >= 4 && text.replace(/[^a-z_]/gi, '').length >= 22;

const CUTS: readonly Variant[] = [
  ['at a column', (line) => line.slice(0, Math.ceil(line.length * 0.75))],
  ['at a column, with three dots', (line) => `${line.slice(0, Math.ceil(line.length * 0.75))}...`],
  ['in front', (line) => line.slice(Math.floor(line.length * 0.25))],
  ['at both ends', (line) => line.slice(Math.floor(line.length * 0.15), Math.ceil(line.length * 0.85))],
];

describe.each(CUTS)('a wording cut %s', (_, cut) => {
  // A value that touches a word, or has several, is not one word.
  const long = WORDINGS.filter(({ said }) => tells(cut(said)) && !/\w…|…\w|too large \(…/.test(said));

  it('there are many', () => expect(long.length).toBeGreaterThan(70));

  it('is found', () => {
    const lost: string[] = [];
    for (const { said, message } of long) {
      const line = cut(printed(said, 0));
      if (!findMessages(line, MESSAGES).includes(message)) lost.push(`${line} of ${said}`);
    }
    expect(lost).toEqual([]);
  });
});

describe('a wording wrapped by mail', () => {
  it('is found, wherever the end of a line came', () => {
    const lost: string[] = [];
    for (const { said, message } of WORDINGS) {
      const line = printed(said, 0);
      if (!tells(said) || message.kind === 'remark') continue;
      const blanks = [...line.matchAll(/ /g)].map(({ index }) => index);
      // At the first, the middle and the last.
      for (const at of new Set([blanks[0], blanks[blanks.length >> 1], blanks.at(-1)])) {
        if (at === undefined) continue;
        const wrapped = `(XEN) ${line.slice(0, at)}\n> ${line.slice(at + 1)}`;
        if (!findMessages(wrapped, MESSAGES).includes(message)) lost.push(wrapped);
      }
    }
    expect(lost).toEqual([]);
  });
});

describe('what stands in every log', () => {
  /** Nothing of this is a refusal, and none of it may be taken for one. */
  const ORDINARY: readonly string[] = [
    'Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) 12.2.0)',
    'Command line: console=hvc0 earlyprintk=xen root=/dev/xvda1 ro',
    'BIOS-e820: [mem 0x0000000000000000-0x000000000009ffff] usable',
    'NX (Execute Disable) protection: active',
    'x86/fpu: Supporting XSAVE feature 0x001: x87 floating point registers',
    'Freeing unused kernel image (initmem) memory: 2400K',
    'make[2]: *** [Makefile:12: kernel.elf] Error 1',
    'ld: warning: kernel.elf has a LOAD segment with RWX permissions',
    'collect2: error: ld returned 1 exit status',
    'Loading Linux 6.1.0-18-amd64 ...',
    'Loading initial ramdisk ...',
    'SeaBIOS (version 1.16.2-debian-1.16.2-1)',
    'Booting from ROM..',
    'iPXE (https://ipxe.org) 00:03.0 CA00 PCI2.10 PnP PMM+06FCADF0+06F0ADF0 CA00',
    'Xen 4.17.5 (Debian 4.17.5+23-ga4e5191dc0-1) (pkg-xen-devel@lists.alioth.debian.org)',
    '(XEN) Bootloader: GRUB 2.06-13+deb12u1',
    '(XEN) Command line: placeholder dom0_mem=512M console=com1',
    '(XEN) Scrubbing Free RAM in background',
    '(XEN) Std. Loglevel: All',
    '(XEN) Xen is relinquishing VGA console.',
    '(XEN) Freed 2048kB init memory',
    'Parsing config from /etc/xen/guest.cfg',
    'systemd[1]: Started Session 3 of User root.',
    'error: command failed with exit status 1',
    'No such file or directory',
    'Permission denied',
    'Killed',
  ];

  it.each(ORDINARY)('%s', (line) => {
    const found: readonly Message[] = findMessages(line, MESSAGES);
    expect(found.filter(({ kind }) => kind !== 'remark').map(({ says }) => says[0])).toEqual([]);
  });
});
