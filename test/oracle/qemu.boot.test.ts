/**
 * `qemu-system-x86_64 -kernel` on images that differ in one thing each: what it prints, where it enters, and how it ends,
 * against our verdict. A stub at each address that could be entered says which one it was.
 */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import type { Encoding } from '../../src/formats/elf/struct.js';
import { qemuPvh } from '../../src/loaders/qemu.js';
import { newestVersion, resolveVersion } from '../../src/loaders/versions.js';
import { NEWEST_XEN } from '../../src/loaders/xen-version.js';
import { type Boot, bootInQemu } from '../support/boot.js';
import {
  concat,
  elf,
  hexToBytes,
  latin1,
  type NoteSegmentOptions,
  num,
  type SegmentOptions,
} from '../support/elf-builder.js';
import { requireTools } from '../support/tools.js';
import { ImageFolder, inParallel } from './programs.js';

const folder = new ImageFolder();
beforeAll(() => requireTools('qemu-system-x86_64'));
afterAll(() => folder.remove());

const BASE = 0x100000n;
const CODE = 0x4000;
/** Where a stub stands, and the value it leaves QEMU with (status 2n + 1). */
const E = { at: 0x3000, exit: 0x21 };
const A = { at: 0x3100, exit: 0x22 };
const B = { at: 0x3200, exit: 0x23 };
const K = { at: 0x3300, exit: 0x24 };

type Made = Uint8Array;
const LE64: Encoding = { bits: 64, endian: 'little' };
const LE32: Encoding = { bits: 32, endian: 'little' };

function code(): Uint8Array {
  const bytes = new Uint8Array(CODE).fill(0xf4);
  // mov $exit, %al; out %al, $0xf4; hlt; jmp .
  for (const { at, exit } of [E, A, B, K]) bytes.set([0xb0, exit, 0xe6, 0xf4, 0xf4, 0xeb, 0xfe], at);
  return bytes;
}

const addressOf = ({ at }: { at: number }) => BASE + BigInt(at);
const words = (...values: readonly number[]) => concat(values.map((value) => num(BigInt(value >>> 0), 4, LE64)));
const record = (type: number, desc: Uint8Array, owner: Uint8Array = latin1('Xen\0'), namesz = owner.length) => {
  const pad = (bytes: Uint8Array) => concat([bytes, new Uint8Array((4 - (bytes.length % 4)) % 4)]);
  return concat([words(namesz, desc.length, type), pad(owner), pad(desc)]);
};
const four = (value: bigint) => num(value, 4, LE64);
const eight = (value: bigint) => num(value, 8, LE64);
const pvh = (place = A) => record(18, four(addressOf(place)));
const buildId = record(3, new Uint8Array(20).fill(0xab), latin1('GNU\0'));

const FF = new Uint8Array(64).fill(0xff);
const zeros = (size: number) => new Uint8Array(size);
/** Name field padded to 8 behind the header, which nothing but QEMU with p_align 8 reads. */
const wideNamed = concat([words(4, 4, 18), latin1('Xen\0'), zeros(4), four(addressOf(A)), zeros(4)]);
const property = record(5, zeros(16), latin1('GNU\0'));
const odd = record(1, zeros(3), latin1('Odd!\0'));
const fdo = record(0xcafe1a7e, latin1('{"type":"deb","os":"debian"}\0'), latin1('FDO\0'));

interface Plan {
  readonly encoding?: Encoding;
  readonly machine?: number;
  /** Note segments: bytes and overrides. */
  readonly notes?: readonly (readonly [Uint8Array, NoteSegmentOptions?])[];
  readonly sectionOnly?: Uint8Array;
  readonly header?: Record<string, number | bigint>;
  readonly load?: SegmentOptions;
  readonly second?: SegmentOptions;
  readonly ident?: readonly [at: number, value: number];
  /** Words put down over the file: a multiboot header, HdrS. */
  readonly over?: readonly [at: number, bytes: Uint8Array];
  readonly trailing?: Uint8Array;
}

function make({
  encoding = LE64,
  machine,
  notes = [[pvh()]],
  sectionOnly,
  header,
  load,
  second,
  ident,
  over,
  trailing,
}: Plan): Made {
  const builder = elf(encoding)
    .header({ e_type: 2, e_machine: machine ?? (encoding.bits === 64 ? 62 : 3), e_entry: addressOf(E), ...header })
    .with({ slack: 0x200, ...(trailing === undefined ? {} : { trailing }) })
    .load(BASE, code(), { align: 0x1000n, ...load });
  if (second !== undefined) builder.load(second.vaddr ?? 0x200000n, new Uint8Array(0x100), second);
  for (const [bytes, options] of notes) builder.noteSegment(bytes, options);
  if (sectionOnly !== undefined) builder.noteSection('.note.Xen', sectionOnly);
  const bytes = builder.build();
  if (ident !== undefined) bytes[ident[0]] = ident[1];
  if (over !== undefined) bytes.set(over[1], over[0]);
  return bytes;
}

const MB1 = words(0x1badb002, 0, -0x1badb002);
/** With address fields: the whole file at BASE, the header at file offset `at`, entered at stub K. */
function kludge(at: number, changes: { header?: number; load?: number; end?: number } = {}): Uint8Array {
  // The PT_LOAD stands at file offset 0x1000 and goes to BASE.
  const load = Number(BASE) - 0x1000 + (changes.load ?? 0);
  const header = Number(BASE) - 0x1000 + at + (changes.header ?? 0);
  return words(0x1badb002, 0x10000, -(0x1badb002 + 0x10000), header, load, changes.end ?? 0, 0, Number(addressOf(K)));
}

const rows: readonly (readonly [name: string, plan: Plan])[] = [
  ['4-byte value', {}],
  ['8-byte value', { notes: [[record(18, eight(addressOf(A)))]] }],
  ['8-byte value, high half set', { notes: [[record(18, eight(addressOf(A) | (5n << 32n)))]] }],
  ['value 0', { notes: [[record(18, four(0n)), {}]], trailing: new Uint8Array(16) }],
  ['8-byte value 0', { notes: [[record(18, eight(0n))]] }],
  ['ELF32', { encoding: LE32 }],
  ['ELF32, 8-byte value', { encoding: LE32, notes: [[record(18, eight(addressOf(A)))]] }],
  ['ELF64 with EM_386', { machine: 3 }],
  ['ELF32 with EM_X86_64', { encoding: LE32, machine: 62 }],
  ['e_machine 6', { machine: 6 }],
  ['e_machine 0', { machine: 0 }],
  ['a section alone', { notes: [], sectionOnly: pvh() }],
  ['two segments', { notes: [[pvh(A)], [pvh(B)]] }],
  ['Xen, then build-id', { notes: [[pvh()], [buildId]] }],
  ['build-id, then Xen', { notes: [[buildId], [pvh()]] }],
  ['two in one segment', { notes: [[concat([pvh(A), pvh(B)])]] }],
  ['build-id and Xen in one segment', { notes: [[concat([buildId, pvh()])]] }],
  ['p_align 8, zeros behind', { notes: [[pvh(), { align: 8n }]], trailing: new Uint8Array(64) }],
  ['p_align 8, build-id first', { notes: [[concat([buildId, pvh()]), { align: 8n }]] }],
  ['p_align 0', { notes: [[pvh(), { align: 0n }]] }],
  ['p_align 1', { notes: [[concat([buildId, pvh()]), { align: 1n }]] }],
  ['p_align 2', { notes: [[concat([buildId, pvh()]), { align: 2n }]] }],
  ['p_filesz 0', { notes: [[pvh(), { filesz: 0n }]] }],
  ['p_filesz 1', { notes: [[pvh(), { filesz: 1n }]] }],
  ['behind the end of the file', { notes: [[pvh(), { offset: 0x100000n }]] }],
  ['owner GNU', { notes: [[record(18, four(addressOf(A)), latin1('GNU\0'))]] }],
  ['owner CORE first', { notes: [[concat([record(18, four(addressOf(B)), latin1('CORE\0')), pvh(A)])]] }],
  ['no owner', { notes: [[record(18, four(addressOf(A)), new Uint8Array(0))]] }],
  ['multiboot 1 in ELF32', { encoding: LE32, over: [0x300, MB1] }],
  ['multiboot 1 in ELF64', { over: [0x300, MB1] }],
  ['multiboot 1 in ELF64 with EM_386', { machine: 3, over: [0x300, MB1] }],
  ['multiboot 1 with address fields', { over: [0x200, kludge(0x200)] }],
  ['address fields: header below load', { over: [0x200, kludge(0x200, { header: -0x1000 })] }],
  ['address fields: too far from the header', { over: [0x200, kludge(0x200, { header: 0x1000 })] }],
  ['address fields: end behind the file', { over: [0x200, kludge(0x200, { end: 0x300000 })] }],
  ['multiboot 1 at 8140', { encoding: LE32, over: [8140, MB1] }],
  ['multiboot 1 at 8144', { encoding: LE32, over: [8144, MB1] }],
  ['multiboot 1 with a wrong sum', { encoding: LE32, over: [0x300, words(0x1badb002, 0, 1)] }],
  ['multiboot 1 at an odd place', { encoding: LE32, over: [0x302, MB1] }],
  ['multiboot 2', { over: [0x300, words(0xe85250d6, 0, 24, -(0xe85250d6 + 24), 0, 8)] }],
  ['e_flags 0x10000', { header: { e_flags: 0x10000 } }],
  ['e_flags 4', { header: { e_flags: 4 } }],
  ['e_flags 2', { header: { e_flags: 2 } }],
  ['entry in no segment', { notes: [[record(18, four(0x300000n))]] }],
  ['overlapping data', { second: { vaddr: 0x101000n, memsz: 0x100n } }],
  ['a segment inside the bss of another', { load: { memsz: 0x8000n }, second: { vaddr: 0x105000n, memsz: 0x100n } }],
  ['a segment over the firmware', { second: { vaddr: 0xfffff000n, memsz: 0x100n } }],
  ['a segment behind the file', { load: { filesz: 0x100000n, memsz: 0x100000n } }],
  ['ET_REL', { header: { e_type: 1 } }],
  ['ET_DYN', { header: { e_type: 3 } }],
  ['e_phentsize 64', { header: { e_phentsize: 64 } }],
  ['e_phentsize 0', { header: { e_phentsize: 0 } }],
  ['wild e_shoff', { header: { e_shoff: 0x7fffffffn } }],
  ['big-endian', { ident: [5, 2] }],
  ['EI_CLASS 3', { encoding: LE32, ident: [4, 3] }],
  ['EI_VERSION 0', { ident: [6, 0] }],
  ['no PT_LOAD flags', { load: { flags: 0 } }],
  ['note before the load, wild p_paddr', { notes: [[pvh(), { paddr: 0xffffffffff000n, memsz: 0n }]] }],
  ['a value, then 0', { notes: [[pvh()], [record(18, four(0n))]], trailing: new Uint8Array(16) }],
  ['a gap of 4 in front', { notes: [[concat([buildId, new Uint8Array(4), pvh()])]] }],
  ['zeros behind', { notes: [[concat([pvh(), new Uint8Array(24)])]] }],
  ['PHYS32_RELOC in front', { notes: [[concat([record(19, words(0x200000, 0, 0x3fffffff)), pvh()])]] }],
  ['e_phnum 0', { header: { e_phnum: 0 } }],
  ['4-byte value, then 0xff', { trailing: FF }],
  ['value 0, then 0xff', { notes: [[record(18, four(0n))]], trailing: FF }],
  ['8-byte value, 4 GiB to the byte', { notes: [[record(18, eight(1n << 32n))]] }],
  ['ELF32, 8-byte value, high half set', { encoding: LE32, notes: [[record(18, eight(addressOf(A) | (5n << 32n)))]] }],
  ['inside the PT_LOAD', { notes: [[pvh(), { inside: { load: 0, at: 0x100 } }]], over: [0x1100, pvh()] }],
  ['Xen and build-id in one segment', { notes: [[concat([pvh(), buildId])]] }],
  ['p_align 8, 0xff behind', { notes: [[pvh(), { align: 8n }]], trailing: FF }],
  ['p_align 8, name padded behind the header', { notes: [[wideNamed, { align: 8n }]] }],
  ['p_align 8, property, then Xen', { notes: [[concat([property, wideNamed]), { align: 8n }]], trailing: zeros(64) }],
  ['p_align 4, property, then Xen', { notes: [[concat([property, pvh()])]] }],
  ['p_align 1, a name of 5 bytes first', { notes: [[concat([odd, pvh()]), { align: 1n }]], trailing: zeros(64) }],
  ['p_align 4, a name of 5 bytes first', { notes: [[concat([odd, pvh()])]] }],
  ['p_align 16', { notes: [[pvh(), { align: 16n }]], trailing: FF }],
  ['p_align 3', { notes: [[pvh(), { align: 3n }]], trailing: FF }],
  ['p_filesz 12', { notes: [[pvh(), { filesz: 12n }]] }],
  ['nothing but a build-id, to the end', { notes: [[buildId]] }],
  ['nothing but a build-id, then 0xff', { notes: [[buildId]], trailing: FF }],
  ['Xen behind the segment', { notes: [[concat([buildId, pvh()]), { filesz: 36n }]] }],
  ['Xen 12 bytes behind the segment', { notes: [[concat([buildId, zeros(12), pvh()]), { filesz: 36n }]] }],
  ['owner xen', { notes: [[record(18, four(addressOf(A)), latin1('xen\0'))]] }],
  ['namesz 3', { notes: [[record(18, four(addressOf(A)), latin1('Xen\0'), 3)]] }],
  ['descsz 2', { notes: [[concat([words(4, 2, 18), latin1('Xen\0'), four(addressOf(A))])]] }],
  ['descsz 0', { notes: [[concat([words(4, 0, 18), latin1('Xen\0'), four(addressOf(A))])]] }],
  ['multiboot 1 and 2 in ELF64', { over: [0x300, concat([words(0xe85250d6, 0, 24, -(0xe85250d6 + 24), 0, 8), MB1])] }],
  ['multiboot 1 at 8148', { encoding: LE32, over: [8148, MB1] }],
  ['multiboot 1 at 8180', { encoding: LE32, over: [8180, MB1] }],
  ['multiboot 1 with an unknown bit', { encoding: LE32, over: [0x300, words(0x1badb002, 0x20, -(0x1badb002 + 0x20))] }],
  ['multiboot 1, no note', { encoding: LE32, notes: [], over: [0x300, MB1] }],
  ['multiboot 2, no note', { notes: [], over: [0x300, words(0xe85250d6, 0, 24, -(0xe85250d6 + 24), 0, 8)] }],
  ['multiboot 1, PT_NOTE with p_align 0', { encoding: LE32, notes: [[pvh(), { align: 0n }]], over: [0x300, MB1] }],
  [
    'multiboot 1, PT_NOTE behind the file',
    { encoding: LE32, notes: [[pvh(), { offset: 0x100000n }]], over: [0x300, MB1] },
  ],
  [
    'multiboot 1, PT_NOTE over the entry',
    { encoding: LE32, notes: [[pvh(), { vaddr: BASE, paddr: 0x300000n, memsz: 0x4000n }]], over: [0x300, MB1] },
  ],
  ['entry in bss', { load: { memsz: 0x8000n }, notes: [[record(18, four(BASE + 0x6000n))]] }],
  ['p_filesz above p_memsz', { load: { memsz: 0x100n } }],
  ['high virtual, low physical addresses', { load: { vaddr: 0xffffffff80100000n, paddr: BASE } }],
  ['low virtual, high physical addresses', { load: { paddr: 0x10000000n } }],
  ['ET_NONE', { header: { e_type: 0 } }],
  ['ET_CORE', { header: { e_type: 4 } }],
  ['a PT_LOAD of no size at 0', { second: { vaddr: 0n, filesz: 0n, memsz: 0n } }],
  [
    'a gap of 4 in front of property and Xen',
    { notes: [[concat([buildId, zeros(4), property, pvh()])]], trailing: zeros(64) },
  ],
  ['Xen, then such a gap', { notes: [[concat([pvh(), buildId, zeros(4), property])]] }],
  ['package note in front', { notes: [[concat([fdo, pvh()])]] }],
  ['package note behind', { notes: [[concat([pvh(), fdo])]] }],
  ['package note of its own', { notes: [[fdo], [pvh()]] }],
];

/** Statuses that a stub ends QEMU with. */
const ENTERED = new Map([E, A, B, K].map((stub) => [2 * stub.exit + 1, addressOf(stub)]));

/** The release that is installed, if its rules are known; else the newest is held to. */
function installedRelease(): string {
  const said = spawnSync('qemu-system-x86_64', ['--version'], { encoding: 'utf8' }).stdout;
  const [, version = ''] = /version (\d+\.\d+\.\d+)/.exec(said) ?? [];
  return resolveVersion('qemu', version) ?? newestVersion('qemu');
}

describe('qemu-system-x86_64 -kernel', () => {
  it(`does with ${rows.length} images what we say`, async () => {
    const version = installedRelease();
    const different: object[] = [];
    const counts = new Map<string, number>();
    await inParallel(rows, async ([name, plan]) => {
      const bytes = make(plan);
      const verdict = qemuPvh.judge(new BufferSource(bytes), { xenVersion: NEWEST_XEN, version });
      counts.set(verdict.outcome, (counts.get(verdict.outcome) ?? 0) + 1);
      const path = folder.write(name.replaceAll(/\W+/g, '-'), bytes);
      let seen = {};
      const hangs = verdict.rule === 'file-size-in-memory-size';
      const lost = hangs || (verdict.outcome === 'crash' && verdict.values['entry'] !== undefined);
      const agrees = (boot: Boot, entered: bigint | undefined): boolean => {
        switch (verdict.outcome) {
          case 'accepted':
          case 'with-warnings':
            return entered === verdict.values['entry'];
          case 'refused':
            return boot.status === 1 && boot.stderr.toLowerCase().includes((verdict.message ?? '').toLowerCase());
          case 'crash':
            return lost ? entered === undefined && boot.stderr === '' : boot.signal === 'SIGFPE';
          case 'other-path':
            return entered !== undefined && (verdict.message ?? '').includes(entered.toString(16));
          case 'undecided':
            return false;
        }
      };
      // An image that is lost runs into the limit; any other that does is looked at again, with time enough for a busy machine.
      for (const limit of lost ? [6000] : [6000, 60_000]) {
        const boot = await bootInQemu(path, { limit, marks: [] });
        const entered = boot.status === null ? undefined : ENTERED.get(boot.status);
        if (agrees(boot, entered)) return;
        seen = { status: boot.status, signal: boot.signal, stderr: boot.stderr, entered };
      }
      const { outcome, message, rule, values } = verdict;
      different.push({
        name,
        ours: { outcome, message, rule, entry: values['entry'] },
        qemu: seen,
      });
    });
    console.log('qemu -kernel:', Object.fromEntries([...counts].sort()));
    expect(different).toEqual([]);
  });

  it('takes HdrS at 0x202 for a Linux boot image', () => {
    const bytes = make({ over: [0x202, hexToBytes('48647253')] });
    const verdict = qemuPvh.judge(new BufferSource(bytes), { xenVersion: NEWEST_XEN });
    expect(verdict).toMatchObject({ outcome: 'other-path', rule: 'not-bzimage' });
  });
});
