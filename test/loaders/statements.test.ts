/**
 * What is known of loaders by version and of those read in their sources, statement by statement, and where it went: a rule of a
 * row, from when it holds, what a rule's absence says, a page of explain, or the reason why nothing follows from it.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { findMessages } from '../../src/explain/messages/match.js';
import { MESSAGES } from '../../src/explain/messages/message-pages.js';
import { FDO } from '../../src/formats/note/note-types.js';
import { meaningOf } from '../../src/inspect/notes/note-meanings.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { NOTE_WALKS } from '../../src/loaders/read/note-steps.js';
import { releasesOf } from '../../src/loaders/versions.js';
import { fixture } from '../support/fixtures.js';

const image = new BufferSource(readFileSync(fixture('pvh64-notes')), 'kernel');

/** The rules of a row by name, with the releases that have each. */
function rulesOf(target: string): ReadonlyMap<string, string> {
  const [verdict] = judgeLoaders(image, { names: [target] });
  if (verdict === undefined) throw new Error(`no loader ${target}`);
  return new Map(verdict.rules.map(({ name, holds = '' }) => [name, holds]));
}

interface Statement {
  readonly says: string;
  /** Rows, with a version where it matters, that have all of these rules. */
  readonly rows?: readonly string[];
  readonly rules?: readonly string[];
  /** When the first of the rules holds, as the verdict says it. */
  readonly holds?: string;
  /** Rows that lack them. */
  readonly without?: readonly string[];
  /** What `explain TEXT` finds. */
  readonly messages?: readonly string[];
  /** Why no rule follows. */
  readonly because?: string;
}

const XEN = ['xen-pv', 'xen-pvh', 'xen-dom0-pv', 'xen-dom0-pvh'] as const;
const GRUB = ['grub-multiboot', 'grub-multiboot2'] as const;
const LINUX_LOADER = ['firecracker', 'cloud-hypervisor', 'libkrun'] as const;

const STATEMENTS: readonly Statement[] = [
  {
    says: 'a PVH dom0 must have the dom0 bit: 4.22.0, 4.20.4, 4.21.2, and not before',
    rows: ['xen-dom0-pvh@4.22.0', 'xen-dom0-pvh@4.20.4', 'xen-dom0-pvh@4.21.2'],
    rules: ['supports-dom0'],
    holds: 'since 4.22 (and from 4.20.4, 4.21.2)',
    without: ['4.18', '4.19', '4.20.0', '4.20.3', '4.21.0', '4.21.1'].map((version) => `xen-dom0-pvh@${version}`),
  },
  {
    says: 'a PV dom0 must have it in every release',
    rows: ['xen-dom0-pv@4.17', 'xen-dom0-pv'],
    rules: ['supports-dom0'],
  },
  {
    says: 'libelf may come to step notes by their alignment',
    rows: XEN,
    rules: ['note-alignment', 'notes-stepped-by-4'],
  },
  {
    says: 'end addresses wrap at 2^64: VIRT_BASE at the top is an invalid HYPERCALL_PAGE',
    rows: ['xen-dom0-pv@4.17', 'xen-dom0-pv'],
    rules: ['hypercall-page-in-area'],
    messages: ['Invalid HYPERCALL_PAGE field in ELF notes.'],
  },
  { says: 'a p_paddr beyond any guest fails in the builder', rows: ['xen-pv', 'xen-pvh'], rules: ['in-memory'] },
  {
    says: 'QEMU 7.2 hangs over p_filesz above p_memsz, later ones refuse it',
    rows: ['qemu-pvh@7.2', 'qemu-multiboot@7.2'],
    rules: ['file-size-in-memory-size'],
    holds: 'until 10.0.13',
    without: ['qemu-pvh@10.0.13', 'qemu-pvh@11.1', 'qemu-multiboot@11.1'],
  },
  {
    says: 'sums of offset and size wrap in QEMU',
    rows: ['qemu-pvh@7.2', 'qemu-pvh@10.0', 'qemu-pvh'],
    rules: ['segments-and-notes', 'bytes-in-the-file'],
  },
  {
    says: 'QEMU copies a Multiboot kernel as one block, over the BIOS',
    rows: ['qemu-multiboot@7.2', 'qemu-multiboot'],
    rules: ['one-block'],
  },
  {
    says: 'GRUB wants section headers since 2.12',
    rows: GRUB,
    rules: ['section-header-count', 'sections-in-file'],
    holds: 'since 2.12',
    without: GRUB.map((row) => `${row}@2.06`),
    messages: [
      'invalid section header table offset in e_shoff',
      'invalid number of section header table entries in sh_size',
    ],
  },
  {
    says: 'a PT_LOAD of size 0 counts as an overlap',
    rows: GRUB,
    rules: ['no-overlap'],
    messages: ['overlap detected'],
  },
  {
    says: 'Multiboot2 tags are walked to the end tag, and those that GRUB does not know are refused',
    rows: ['grub-multiboot2@2.06', 'grub-multiboot2'],
    rules: ['tags'],
    messages: ['unsupported tag: 0x8', 'unsupported information tag: 0x63'],
  },
  {
    says: 'GRUB 2.14 gives a Multiboot kernel to shim under Secure Boot',
    messages: [
      'bad shim loader signature',
      'bad shim lock signature',
      'shim protocols not found',
      'bad shim signature',
    ],
    because: 'what the firmware trusts is no property of the file',
  },
  {
    says: 'linux-loader: namesz and descsz overflow, empty PT_LOADs are skipped, an offset of 2^63 cannot be sought',
    rows: LINUX_LOADER,
    rules: ['segments-and-notes'],
    messages: ['Overflow occurred during an arithmetic operation', 'Unable to seek to note header'],
  },
  {
    says: 'Firecracker takes a bzImage since July 2026',
    rows: ['firecracker@main'],
    rules: ['not-bzimage'],
    holds: 'since main',
    without: ['firecracker@1.16'],
  },
  {
    says: 'Firecracker enters PHYS32_ENTRY since 1.12',
    rows: ['firecracker@1.11'],
    rules: ['pvh-known'],
    holds: 'until 1.12',
    without: ['firecracker@1.12'],
  },
  {
    says: 'libkrun enters it since May 2026',
    rows: ['libkrun@1.19'],
    rules: ['pvh-known'],
    holds: 'until main',
    without: ['libkrun@main'],
  },
  {
    says: 'libkrun has no lower bound for e_entry, the other two have',
    rows: ['firecracker', 'cloud-hypervisor'],
    rules: ['entry-in-high-memory'],
    without: ['libkrun'],
  },
  {
    says: 'Cloud Hypervisor tries a bzImage where it is no ELF',
    rows: ['cloud-hypervisor'],
    rules: ['not-bzimage', 'pvh-entry'],
    holds: 'since 39',
  },
  {
    says: 'kexec: its probe, types, program headers, pages, overlaps; sums that wrap are taken',
    rows: ['kexec@2.0.25', 'kexec@2.0.32'],
    rules: [
      'machine',
      'type',
      'program-headers',
      'pages-of-memory',
      'no-overlap',
      'segments-in-file',
      'entry-in-a-segment',
    ],
    messages: [
      'No ELF program header',
      'Overlapping memory segments at 0x200000',
      'Base address: 0x200010 is not page aligned',
    ],
  },
  {
    says: 'whether it loads can hang on memory',
    rows: ['xen-dom0-pv', 'qemu-pvh', 'qemu-multiboot'],
    rules: ['in-memory'],
  },
  { says: 'and for a PVH dom0 likewise', rows: ['xen-dom0-pvh'], rules: ['image-in-memory'] },
  {
    says: 'accepted, then crash or wrong data: overlaps, wraps, an entry in data, a page over the entry, a shifted p_offset',
    rows: XEN,
    rules: [
      'segments-apart',
      'loaded-as-linked',
      'entry-as-linked',
      'sections-loaded',
      'entry-in-a-segment',
      'hypercall-page-clear-of-entry',
      'offset-with-address',
    ],
  },
  {
    says: 'crosvm: Multiboot with address fields, EI_VERSION and e_phentsize, 2 MiB, the end of the last PT_LOAD',
    rows: ['crosvm'],
    rules: ['multiboot-flags', 'address-fields', 'elf-header', 'segments', 'entry-in-bounds'],
  },
  {
    says: 'OpenVMM: bzImage first, ELF64 for x86-64, nothing below the start address',
    rows: ['openvmm'],
    rules: ['not-bzimage', 'elf-header', 'machine', 'entry-in-high-memory', 'segments'],
  },
  {
    says: 'Limine: the higher half, no overlap, p_filesz no more than p_memsz; Multiboot in ELF64, too',
    rows: ['limine'],
    rules: ['tags', 'address-fields', 'higher-half', 'no-overlap', 'file-size-in-memory-size', 'multiboot-entry'],
  },
  {
    says: 'Xen on Arm and RISC-V takes no ELF',
    because: 'it reads no notes and no ELF, so that there is nothing to judge',
  },
  {
    says: 'hyperlaunch calls the note parser from the dom0 builders only',
    because: 'the rows for dom0 are these builders',
  },
  {
    says: 'new writers: FEATURES without NUL, SUPPORTED_FEATURES 0x8001, PHYS32_RELOC',
    because: 'every walk takes them; test/loaders/vectors.test.ts and test/real have them',
  },
];

describe.each(STATEMENTS)('$says', ({ rows = [], rules = [], holds, without = [], messages = [], because }) => {
  it('is a rule, a page, or has a reason', () => {
    expect(rules.length > 0 || because !== undefined).toBe(true);
    for (const row of rows) {
      const own = rulesOf(row);
      expect(
        rules.filter((rule) => !own.has(rule)),
        row,
      ).toEqual([]);
      if (holds !== undefined) expect(own.get(rules[0] ?? ''), row).toBe(holds);
    }
    for (const row of without)
      expect(
        rules.filter((rule) => rulesOf(row).has(rule)),
        row,
      ).toEqual([]);
    for (const message of messages) expect(findMessages(message, MESSAGES).length, message).toBeGreaterThan(0);
  });
});

describe('statements about notes and releases', () => {
  it('linux-loader padded by p_align before 0.9, which Cloud Hypervisor 32 has', () => {
    expect([NOTE_WALKS['linux-loader-0.8'].step, NOTE_WALKS['linux-loader'].step]).toEqual(['p_align', 'four']);
    expect(releasesOf('cloud-hypervisor')[0]).toMatchObject({
      version: '32.0',
      changed: expect.stringContaining('0.8.1'),
    });
  });

  it.each([
    ['.sbat', 0x53424154],
    ['Appended-Signature', 0x41536967],
    [FDO, 0x407c0c0a],
  ])('notes of %s, type %i, have a name', (owner, type) => {
    expect(meaningOf(owner, type, new Uint8Array(4), { bits: 64, endian: 'little' }).name).toBeDefined();
  });

  it('what is known from sources only says so', () => {
    for (const product of ['crosvm', 'openvmm', 'limine', 'firecracker', 'cloud-hypervisor', 'libkrun'] as const) {
      expect(releasesOf(product).every(({ evidence }) => evidence === 'read')).toBe(true);
    }
  });
});
