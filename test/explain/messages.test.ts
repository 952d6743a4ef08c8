import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { explainTopic } from '../../src/explain/index.js';
import { findMessages } from '../../src/explain/messages/match.js';
import { MESSAGES } from '../../src/explain/messages/message-pages.js';
import { XEN_NOTES } from '../../src/formats/note/xen-notes.js';

const wordings = MESSAGES.flatMap((message) => message.says.map((said) => [said, message] as const));

describe('findMessages()', () => {
  it.each(wordings)('%s: as it stands, with values in it, and as a pasted line', (said, message) => {
    const printed = said.replaceAll('…', '0x1234');
    expect(findMessages(said, MESSAGES)).toContain(message);
    expect(findMessages(printed, MESSAGES)).toContain(message);
    expect(findMessages(`(XEN) prog: error 7: ${printed}`, MESSAGES)).toContain(message);
  });

  it.each([
    ['without PVH ELF Note', 'QEMU'],
    ['qemu-system-x86_64: Error loading uncompressed kernel without PVH ELF Note', 'QEMU'],
    ["(XEN) ERROR: Xen will only load images built for Xen v3.0 (Not 'xen-4.17')", 'Xen'],
    ["built for the generic loader or Linux images (Not 'other' and 'minix')", 'Xen'],
    ['(XEN) ELF: phdr overflow (off 100000a8 > size 4638)', 'Xen'],
    [
      'xc: error: panic: xg_dom_core.c:689: xc_dom_find_loader: no loader found: Invalid kernel',
      'xl (libxl, libxenguest)',
    ],
    ['image not capable of booting inside a HVM container', 'xl (libxl, libxenguest)'],
    ['guest type xen-3.0-x86_32p not supported by xen kernel, sorry', 'xl (libxl, libxenguest)'],
    ['VmBoot(KernelMissingPvhHeader)', 'Firecracker, Cloud Hypervisor'],
    ['error: no XEN note found.', 'GRUB for Xen'],
    ['elf note CORRUPTED', 'kexec'],
    ['bad note description size 0xc0010001', 'file, readelf'],
    ["strip: warning: allocated section `.note.Xen' not in segment", 'binutils (strip, objcopy)'],
    ['d0v0 Unhandled: vec 14, #PF[0002]', 'Xen'],
    ['(XEN) Hardware Dom0 crashed: rebooting machine in 5 seconds.', 'Xen'],
    [
      'libxl: error: libxl_create.c:1842:domcreate_rebuild_done: Domain 1:cannot (re-)build domain: -3',
      'xl (libxl, libxenguest)',
    ],
    ['xc: error: panic: inflate failed (rc=-5)', 'xl (libxl, libxenguest)'],
    ['error: invalid arch-dependent ELF magic.', 'GRUB, multiboot'],
    ['error: bad shim signature.', 'GRUB, Secure Boot'],
    ['Could not find a free area of memory of 0x27400000 bytes...', 'kexec'],
    ['Expect precisly 2 program header; found 3.', "Xen's build (mkelf32)"],
  ])('%s', (asked, by) => {
    expect(findMessages(asked, MESSAGES).map((message) => message.by)).toEqual([by]);
    expect(explainTopic(asked)?.body).toContain(by);
  });

  it.each(['', '0x12', 'kernel', 'ELF', 'note', 'the quick brown fox', "''", '…', '1 2 3 4 5 6 7'])(
    'nothing for %j',
    (asked) => {
      expect(findMessages(asked, MESSAGES)).toEqual([]);
    },
  );

  it.each(['Error: "Kernel lacks PVH header"', 'Error: "entry point isn\'t in a segment"'])(
    '%s, quoted by its program',
    (line) => {
      expect(findMessages(line, MESSAGES)).toHaveLength(1);
    },
  );

  it('is not confused by a long line', () => {
    expect(findMessages('x '.repeat(50_000), MESSAGES)).toEqual([]);
  });
});

describe('the note pages', () => {
  it.each(XEN_NOTES.map((info) => [info.name] as const))('%s quotes only messages that the table knows', (name) => {
    const json = explainTopic(name)?.json as { mistakes: { outcome: string }[] };
    for (const { outcome } of json.mistakes) {
      for (const [, quoted] of outcome.matchAll(/"([^"]+)"/g)) {
        expect(findMessages(quoted ?? '', MESSAGES).length, quoted).toBeGreaterThan(0);
      }
    }
  });
});

describe('the loader rules', () => {
  /** Messages as the rules spell them; what is filled in at run time varies. */
  const quoted = readdirSync('src/loaders', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => [
      ...readFileSync(join('src/loaders', name), 'utf8').matchAll(/\brefuse\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g),
    ])
    .map(([, , message = '']) => message.replace(/\$\{[^}]*\}/g, '0x1234').replace(/^ERROR: /, ''))
    // Some refusals of the parser come without a word, and a panic has no words of its own here.
    .filter((message) => message !== '(no message)' && !message.startsWith('Xen panics'));

  it('are looked at', () => expect(quoted.length).toBeGreaterThan(50));

  it.each([...new Set(quoted)])('%s is a message that explain knows', (message) => {
    expect(findMessages(message, MESSAGES).length).toBeGreaterThan(0);
  });
});
