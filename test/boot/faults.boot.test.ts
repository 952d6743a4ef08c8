/** Each way to get a note wrong, the message that was predicted, and the one that Xen really printed (4.17, PV dom0). */
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { FileSource } from '../../src/base/bytes/file-source.js';
import { xenDom0Pv } from '../../src/loaders/xen/dom0.js';
import { runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { bootUnderXen, panicOf, xenLines } from '../support/xen-boot.js';

const folder = workFolder();
afterAll(() => folder.remove());

const GATE = 'Will only load images built for the generic loader or Linux images';
const BOUNDS = 'ELF start or entries are out of bounds';
const CONSTRUCT = 'Could not construct domain 0';

interface Fault {
  /** Edits of the command; values that it would refuse are given as bytes, which are changed behind it. */
  readonly edits?: readonly string[];
  readonly bytes?: (image: Buffer) => unknown;
  /** What Xen prints; with `panic`, as the panic itself. */
  readonly says: string;
  readonly panic?: string;
}

const hex = (text: string) => `hex:${Buffer.from(`${text}\0`).toString('hex')}`;
const set = (...edits: string[]) => edits.flatMap((edit) => ['--set', edit]);

const FAULTS: Readonly<Record<string, Fault>> = {
  'PT_NOTE made PT_NULL': {
    bytes: (image) => retype(image, 0),
    says: "Not a Xen-ELF image: No ELF notes or '__xen_guest' section found",
  },
  'owner not Xen': { bytes: (image) => rename(image, 'xen'), says: `${GATE} (Not '' and '')` },
  'LOADER and GUEST_OS missing': {
    edits: ['--unset', 'LOADER', '--unset', 'GUEST_OS'],
    says: `${GATE} (Not '' and '')`,
  },
  'LOADER and GUEST_OS unknown': {
    edits: set('LOADER=other', 'GUEST_OS=minix'),
    says: `${GATE} (Not 'other' and 'minix')`,
  },
  'XEN_VERSION missing': { edits: ['--unset', 'XEN_VERSION'], says: "images built for Xen v3.0 (Not '')" },
  'XEN_VERSION xen-3.1': {
    edits: set(`XEN_VERSION=${hex('xen-3.1')}`),
    says: "images built for Xen v3.0 (Not 'xen-3.1')",
  },
  'VIRT_BASE missing': { edits: ['--unset', 'VIRT_BASE'], says: 'ELF_PADDR_OFFSET set, VIRT_BASE unset' },
  'VIRT_BASE and PADDR_OFFSET missing': { edits: ['--unset', 'VIRT_BASE', '--unset', 'PADDR_OFFSET'], says: BOUNDS },
  'VIRT_BASE of 4 bytes': { edits: set('VIRT_BASE/4=0x80000000'), says: BOUNDS },
  'VIRT_BASE of 3 bytes': { edits: set('VIRT_BASE=hex:000080'), says: BOUNDS },
  'VIRT_BASE 0': { edits: set('VIRT_BASE=0'), says: BOUNDS },
  'PADDR_OFFSET as VIRT_BASE': { edits: set('PADDR_OFFSET=0xffffffff80000000'), says: BOUNDS },
  'ENTRY 0': { edits: set('ENTRY=0'), says: BOUNDS },
  'ENTRY behind the end': { edits: set('ENTRY=0xffffffff80200000'), says: BOUNDS },
  'ENTRY of 4 bytes': { edits: set('ENTRY/4=0x80100000'), says: BOUNDS },
  'ENTRY big-endian': { edits: set('ENTRY=hex:ffffffff80100000'), says: BOUNDS },
  'INIT_P2M in the kernel': { edits: set('INIT_P2M=0xffffffff80101000'), says: 'P->M table base is out of bounds' },
  'FEATURES requires frobnicate': {
    bytes: (image) => image.write('!frobnicate', image.indexOf('!writable_page_tables'), 'latin1'),
    says: '',
  },
  'SUPPORTED_FEATURES without dom0': {
    edits: set('SUPPORTED_FEATURES=1'),
    says: 'Kernel does not support Dom0 operation',
  },
  'SUPPORTED_FEATURES of 2 bytes': {
    edits: set('SUPPORTED_FEATURES=hex:0008'),
    says: 'Kernel does not support Dom0 operation',
  },
  'FEATURES requires supervisor mode': {
    edits: set('FEATURES=!supervisor_mode_kernel'),
    says: 'Dom0 requires supervisor-mode execution',
    panic: 'Dom0 requires supervisor-mode execution',
  },
  'HYPERCALL_PAGE 0': { edits: set('HYPERCALL_PAGE=0'), says: 'Invalid HYPERCALL_PAGE field in ELF notes.' },
  'HYPERCALL_PAGE of 4 bytes': {
    edits: set('HYPERCALL_PAGE/4=0x80101000'),
    says: 'Invalid HYPERCALL_PAGE field in ELF notes.',
  },
  'HYPERCALL_PAGE far behind': {
    edits: set('HYPERCALL_PAGE=0xffffffffc0000000'),
    says: 'Invalid HYPERCALL_PAGE field in ELF notes.',
  },
  'e_machine 3': { bytes: (image) => image.writeUInt16LE(3, 18), says: 'Mismatch between Xen and DOM0 kernel' },
  'addresses of Xen': {
    edits: set('VIRT_BASE=0xffff800000000000', 'ENTRY=0xffff800000100000', 'HYPERCALL_PAGE=0xffff800000101000'),
    says: 'DOM0 image overlaps with Xen private area.',
  },
  'VIRT_BASE not page aligned': {
    edits: set('VIRT_BASE=0xffffffff80000008', 'ENTRY=0xffffffff80100008', 'HYPERCALL_PAGE=0xffffffff80101008'),
    says: 'Xen BUG at arch/x86/pv/dom0_build.c',
    panic: 'Xen BUG at',
  },
  'addresses that do not exist': {
    edits: ['--unset', 'HYPERCALL_PAGE', ...set('VIRT_BASE=0x800000000000', 'ENTRY=0x800000100000')],
    says: 'Failed to load the kernel binary',
  },
  'PT_NOTE with p_offset 0': {
    bytes: (image) => notePhdr(image, (at) => image.writeBigUInt64LE(0n, at + 8)),
    says: "Not a Xen-ELF image: No ELF notes or '__xen_guest' section found",
  },
  'PT_NOTE empty': {
    bytes: (image) => notePhdr(image, (at) => image.writeBigUInt64LE(0n, at + 32)),
    says: `${GATE} (Not '' and '')`,
  },
  'notes zeroed': {
    bytes: (image) =>
      notePhdr(image, (at) => {
        const from = Number(image.readBigUInt64LE(at + 8));
        image.fill(0, from, from + Number(image.readBigUInt64LE(at + 32)));
      }),
    says: `${GATE} (Not '' and '')`,
  },
  'XEN_VERSION empty': { edits: set('XEN_VERSION=hex:00'), says: "images built for Xen v3.0 (Not '')" },
  'VIRT_BASE too high': { edits: set('VIRT_BASE=0xffffffff90000000'), says: BOUNDS },
  'VIRT_BASE too low': { edits: set('VIRT_BASE=0xffffffff70000000'), says: BOUNDS },
  'PADDR_OFFSET by the load address': { edits: set('PADDR_OFFSET=0x100000'), says: BOUNDS },
  'PADDR_OFFSET negative': { edits: set('PADDR_OFFSET=0xffffffffffe00000'), says: BOUNDS },
  'ENTRY below the kernel': { edits: set('ENTRY=0xffffffff800ff000'), says: BOUNDS },
  'no ENTRY, e_entry 0': {
    edits: ['--unset', 'ENTRY'],
    bytes: (image) => image.writeBigUInt64LE(0n, 24),
    says: BOUNDS,
  },
  'physical addresses virtual': {
    bytes: (image) => {
      for (const at of loads(image)) image.copy(image, at + 24, at + 16, at + 24);
    },
    says: BOUNDS,
  },
  'segments 4 GiB apart': {
    bytes: (image) => {
      const at = loads(image).at(-1) ?? 0;
      image.writeBigUInt64LE(image.readBigUInt64LE(at + 24) + (1n << 32n), at + 24);
    },
    says: BOUNDS,
  },
  'nothing to load': {
    bytes: (image) => {
      for (const at of loads(image)) image.writeUInt32LE(0, at);
    },
    says: BOUNDS,
  },
  'p_filesz above p_memsz': {
    bytes: (image) => {
      const at = loads(image).findLast((load) => image.readBigUInt64LE(load + 32) > 1n) ?? 0;
      image.writeBigUInt64LE(image.readBigUInt64LE(at + 32) - 1n, at + 40);
    },
    says: 'Failed to load the kernel binary',
  },
  'HYPERCALL_PAGE below VIRT_BASE': {
    edits: set('HYPERCALL_PAGE=0xffffffff7ffff000'),
    says: 'Invalid HYPERCALL_PAGE field in ELF notes.',
  },
  'the wrong class': { bytes: (image) => image.writeUInt8(1, 4), says: 'phdr overflow' },
  'the wrong byte order': { bytes: (image) => image.writeUInt8(2, 5), says: 'phdr overflow' },
  'program headers behind the end': {
    bytes: (image) => image.writeBigUInt64LE(0x100000000n, 32),
    says: 'phdr overflow',
  },
  'section headers behind the end': {
    bytes: (image) => image.writeBigUInt64LE(0x100000000n, 40),
    says: 'shdr overflow',
  },
};

function phdrs(image: Buffer): number[] {
  const at = Number(image.readBigUInt64LE(32));
  return Array.from({ length: image.readUInt16LE(56) }, (_, index) => at + 56 * index);
}

const loads = (image: Buffer) => phdrs(image).filter((at) => image.readUInt32LE(at) === 1);

/** Changes the program header of the notes; no section shows them any more. */
function notePhdr(image: Buffer, change: (at: number) => void): void {
  retype(image, 4);
  for (const at of phdrs(image)) if (image.readUInt32LE(at) === 4) change(at);
}

/** The PT_NOTE, and the type of its section with it. */
function retype(image: Buffer, type: number): void {
  for (const at of phdrs(image)) if (image.readUInt32LE(at) === 4) image.writeUInt32LE(type, at);
  const sections = Number(image.readBigUInt64LE(40));
  for (let index = 0; index < image.readUInt16LE(60); index++) {
    const at = sections + 64 * index + 4;
    if (image.readUInt32LE(at) === 7) image.writeUInt32LE(1, at);
  }
}

function rename(image: Buffer, owner: string): void {
  for (let at = image.indexOf('Xen\0'); at >= 0; at = image.indexOf('Xen\0', at + 1)) image.write(owner, at, 'latin1');
}

describe('faults in a PV dom0 kernel', () => {
  it.each(Object.entries(FAULTS))('%s', async (name, { edits, bytes, says, panic = CONSTRUCT }) => {
    const path = `${folder.path}/${name.replaceAll(/\W+/g, '-')}`;
    if (edits !== undefined) {
      expect(runCli(['patch', fixture('pv64-notes'), '-o', path, ...edits])).toMatchObject({ status: 0 });
    }
    if (bytes !== undefined) {
      const image = readFileSync(edits === undefined ? fixture('pv64-notes') : path);
      bytes(image);
      folder.write(path.slice(folder.path.length + 1), image);
    }
    const source = FileSource.open(path);
    const verdict = xenDom0Pv.judge(source, { xenVersion: '4.17' });
    source.close();
    expect(['refused', 'crash']).toContain(verdict.outcome);
    expect(verdict.message).toContain(says);

    const boot = await bootUnderXen(path, { marks: ['Reboot in five seconds'], stopAtMarks: true });
    const lines = xenLines(boot);
    expect(lines).toContain(says);
    expect(panicOf(boot)).toContain(panic);
    // What was predicted is what was printed, to the letter, where Xen prints anything.
    const told = verdict.outcome === 'crash' || verdict.message?.startsWith('(') === true ? says : verdict.message;
    expect(lines).toContain(told);
    expect(lines).not.toContain('MARK');
  });
});
