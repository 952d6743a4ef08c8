/**
 * Advice on links, followed: a small kernel is linked with the fault, verify says what to change, the kernel is linked again
 * that way, by the numbers of the advice, and the loader takes it.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileSource } from '../../../src/base/bytes/file-source.js';
import { proveCure } from '../../../src/edit/fix/cure.js';
import { ADVISED_RULES } from '../../../src/edit/fix/link-advice.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { accepts } from '../../../src/loaders/rule.js';
import { workFolder } from '../../support/cli.js';
import { requireTools } from '../../support/tools.js';

const folder = workFolder();
afterAll(() => folder.remove());
beforeAll(() => requireTools('as', 'ld', 'objcopy'));

/** How a kernel is linked; what is not said is as loaders like it. */
interface Link {
  readonly bits?: 32 | 64;
  /** Virtual address of the first section. */
  readonly base?: number | bigint;
  /** Subtracted by AT(…); undefined: no AT. */
  readonly offset?: bigint;
  /** In front of .data. */
  readonly gap?: string;
  /** Physical address of .data, where the script says one. */
  readonly dataAt?: number;
  readonly header?: 'mb1' | 'mb2' | 'mb1 late';
  readonly note?: boolean;
  readonly args?: readonly string[];
  readonly objectOnly?: boolean;
  readonly objcopy?: readonly string[];
}

const HEADERS = {
  mb1: '.balign 4\n.long 0x1badb002, 0, -0x1badb002\n',
  'mb1 late': '.skip 0x2400, 0x90\n.balign 4\n.long 0x1badb002, 0, -0x1badb002\n',
  mb2: '.balign 8\n.long 0xe85250d6, 0, 24, -(0xe85250d6 + 24), 0, 8\n',
} as const;

function program(name: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(name, args, { cwd: folder.path, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${name} ${args.join(' ')}: ${stderr}`);
}

const hex = (value: number | bigint) => `0x${value.toString(16)}`;

/** Assembles and links; the path of the kernel. */
function linked(name: string, link: Link): string {
  const {
    bits = 64,
    base = 0x200000,
    offset,
    gap = '. = ALIGN(0x1000);',
    dataAt,
    header,
    note = true,
    args = [],
  } = link;
  const at = (section: string) => (offset === undefined ? '' : `AT(ADDR(${section}) - ${hex(offset)})`);
  const data = dataAt === undefined ? at('.data') : `AT(${hex(dataAt)})`;
  const physical = BigInt(base) - (offset ?? 0n);
  const text = `.text\n.globl start\n${header === undefined ? '' : HEADERS[header]}start: hlt\n ${bits === 64 ? 'lea value(%rip), %rax' : 'mov $value, %eax'}\n jmp start\n.skip 0x200, 0x90\n`;
  const notes = note
    ? `.section .note.Xen,"a",@note\n.long 4, 4, 18\n.asciz "Xen"\n.long ${hex(physical & 0xffffffffn)}\n`
    : '';
  writeFileSync(join(folder.path, 'k.S'), `${text}.data\n.globl value\nvalue: .long 1\n${notes}`);
  program('as', [`--${bits}`, '-o', 'k.o', 'k.S']);
  const path = join(folder.path, name);
  const machine = bits === 64 ? 'elf_x86_64' : 'elf_i386';
  if (link.objectOnly === true) program('ld', ['-m', machine, '-r', '-o', path, 'k.o']);
  else {
    writeFileSync(
      join(folder.path, 'k.lds'),
      `ENTRY(start)
PHDRS { text PT_LOAD; data PT_LOAD; ${note ? 'note PT_NOTE;' : ''} }
SECTIONS {
  . = ${hex(base)};
  .text : ${at('.text')} { *(.text) } :text
  ${note ? `.note.Xen : ${at('.note.Xen')} { *(.note.Xen) } :text :note` : ''}
  ${gap}
  .data : ${data} { *(.data) } :data
  .interp : ${offset === undefined ? '' : at('.interp')} { *(.interp) }
  /DISCARD/ : { *(.note.gnu.*) }
}
`,
    );
    program('ld', [
      '-m',
      machine,
      '-z',
      'max-page-size=0x1000',
      '-z',
      'noexecstack',
      '--no-warn-rwx-segments',
      '-T',
      'k.lds',
      ...args,
      '-o',
      path,
      'k.o',
    ]);
  }
  if (link.objcopy !== undefined) program('objcopy', [...link.objcopy, path]);
  return path;
}

function verdictOn(path: string, loader: string) {
  const source = FileSource.open(path);
  try {
    const [verdict] = judgeLoaders(source, { names: [loader] });
    if (verdict === undefined) throw new Error(`no loader ${loader}`);
    return { ...proveCure(source, verdict), accepted: accepts(verdict) };
  } finally {
    source.close();
  }
}

interface Row {
  readonly loader: string;
  readonly rule: string;
  readonly fault: Link;
  readonly says: RegExp;
  /** The link after the advice, with what its pattern caught. */
  readonly follow: (caught: readonly string[]) => Link;
}

const HIGH = 0xffffffff80200000n;
const OFFSET = 0xffffffff80000000n;

const ROWS: Readonly<Record<string, Row>> = {
  'p_paddr as high as p_vaddr, Multiboot': {
    loader: 'grub-multiboot',
    rule: 'below-4-gib',
    fault: { base: HIGH, header: 'mb1', note: false },
    says: /AT\(ADDR\(section\) - base\) in the linker script brings it below 4 GiB/,
    follow: () => ({ base: HIGH, offset: OFFSET, header: 'mb1', note: false }),
  },
  'p_paddr as high as p_vaddr, a monitor': {
    loader: 'cloud-hypervisor',
    rule: 'segments-and-notes',
    fault: { base: HIGH, note: true, args: ['-e', '0x200000'] },
    says: /PT_LOAD 0 \(\.text, \.note\.Xen\) goes to p_paddr 0xffffffff80200000 to .*AT\(ADDR\(section\) - base\)/,
    follow: () => ({ base: HIGH, offset: OFFSET, args: ['-e', '0x200000'] }),
  },
  'e_entry virtual, kexec': {
    loader: 'kexec',
    rule: 'entry-in-a-segment',
    fault: { base: HIGH, offset: OFFSET },
    says: /is the virtual address of code in PT_LOAD 0 .* kexec enters by physical ones: link it by ld -e (0x[0-9a-f]+)/,
    follow: ([entry = '']) => ({ base: HIGH, offset: OFFSET, args: ['-e', entry] }),
  },
  'e_entry virtual, OpenVMM': {
    loader: 'openvmm',
    rule: 'entry-in-a-segment',
    fault: { base: HIGH, offset: OFFSET },
    says: /openvmm enters by physical ones: link it by ld -e (0x[0-9a-f]+)/,
    follow: ([entry = '']) => ({ base: HIGH, offset: OFFSET, args: ['-e', entry] }),
  },
  'e_entry physical, Limine': {
    loader: 'limine',
    rule: 'entry-in-a-segment',
    fault: { base: HIGH, offset: OFFSET, args: ['-e', '0x200000'] },
    says: /is the physical address of code in PT_LOAD 0 .* limine enters by virtual ones: link it by ld -e (0x[0-9a-f]+)/,
    follow: ([entry = '']) => ({ base: HIGH, offset: OFFSET, args: ['-e', entry] }),
  },
  'two segments in each other': {
    loader: 'kexec',
    rule: 'no-overlap',
    fault: { dataAt: 0x200000, args: ['--no-check-sections'] },
    says: /PT_LOAD 0 \(\.text, \.note\.Xen\) takes 0x200000 to .* and PT_LOAD 1 \(\.data\) 0x200000 to .*: move one of them/,
    follow: () => ({ dataAt: 0x300000 }),
  },
  'a first section on no page': {
    loader: 'kexec',
    rule: 'pages-of-memory',
    fault: { base: 0x200040 },
    says: /begins at p_paddr 0x200040: in the linker script put \. = ALIGN\((0x[0-9a-f]+)\);/,
    follow: ([page = '']) => ({ base: (0x200040n + BigInt(page) - 1n) & -BigInt(page) }),
  },
  'below what crosvm takes': {
    loader: 'crosvm',
    rule: 'segments',
    fault: { base: 0x100000 },
    says: /crosvm takes (0x[0-9a-f]+) or above: link the kernel there/,
    follow: ([least = '']) => ({ base: BigInt(least) }),
  },
  'below the higher half': {
    loader: 'limine',
    rule: 'higher-half',
    fault: {},
    says: /no PT_LOAD is at (0x[0-9a-f]+) or above: link the kernel there/,
    follow: ([least = '']) => ({ base: BigInt(least), offset: BigInt(least) - 0x200000n }),
  },
  'an entry in low memory': {
    loader: 'cloud-hypervisor',
    rule: 'entry-in-high-memory',
    fault: { base: 0x8000, note: false },
    says: /e_entry is 0x8000: .* link it at (0x[0-9a-f]+) or above/,
    follow: ([least = '']) => ({ base: BigInt(least) }),
  },
  'an entry in no segment': {
    loader: 'grub-multiboot',
    rule: 'entry-in-a-segment',
    fault: { header: 'mb1', note: false, args: ['-e', '0x900000'] },
    says: /e_entry is 0x900000 and in no program header: name the start by ENTRY\(symbol\) in the linker script or by ld -e/,
    follow: () => ({ header: 'mb1', note: false, args: ['-e', 'start'] }),
  },
  'a Multiboot header behind the window': {
    loader: 'grub-multiboot',
    rule: 'header',
    fault: { header: 'mb1 late', note: false },
    says: /Multiboot 1 header at 0x[0-9a-f]+/,
    follow: () => ({ header: 'mb1', note: false }),
  },
  'Multiboot2 where Multiboot 1 is asked for': {
    loader: 'grub-multiboot',
    rule: 'header',
    fault: { header: 'mb2', note: false },
    says: /multiboot2/,
    follow: () => ({ header: 'mb1', note: false }),
  },
  'an ELF64 with a Multiboot header under QEMU': {
    loader: 'qemu-multiboot',
    rule: 'class',
    fault: { header: 'mb1', note: false },
    says: /link it by ld -m elf_i386/,
    follow: () => ({ header: 'mb1', note: false, bits: 32 }),
  },
  'the same, of a PVH kernel': {
    loader: 'qemu-pvh',
    rule: 'not-multiboot',
    fault: { header: 'mb1' },
    says: /link the kernel without it|or give it a PVH entry and no header/,
    follow: () => ({}),
  },
  'relocations, linked without them': {
    loader: 'grub-multiboot2',
    rule: 'sections-readable',
    fault: { header: 'mb2', note: false, args: ['-q'] },
    says: /holds relocations: link without --emit-relocs \(-q\), or take it out by objcopy (--remove-section \S+)/,
    follow: () => ({ header: 'mb2', note: false }),
  },
  'relocations, taken out': {
    loader: 'grub-multiboot2',
    rule: 'sections-readable',
    fault: { header: 'mb2', note: false, args: ['-q'] },
    says: /or take it out by objcopy (--remove-section \S+)/,
    follow: ([words = '']) => ({ header: 'mb2', note: false, args: ['-q'], objcopy: words.split(' ') }),
  },
  'an ELF32 for a monitor of ELF64': {
    loader: 'firecracker',
    rule: 'program-header-size',
    fault: { bits: 32 },
    says: /it is an ELF32, and this loader takes ELF64 alone: link it by ld -m elf_x86_64/,
    follow: () => ({ bits: 64 }),
  },
  'an object file': {
    loader: 'kexec',
    rule: 'type',
    fault: { objectOnly: true },
    says: /link an executable, by ld without -r/,
    follow: () => ({}),
  },
  'a dom0 below 1 MiB': {
    loader: 'xen-dom0-pvh@4.17',
    rule: 'image-in-memory',
    fault: { base: 0xa0000 },
    says: /link the kernel at (0x[0-9a-f]+) or above/,
    follow: ([least = '']) => ({ base: BigInt(least) }),
  },
};

/** Rules whose advice cannot be followed by a linker alone, and who tries it. */
const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  'no link makes such a file: it was cut short, changed or is another one, and the advice is to link it again': [
    ...['file-size', 'elf-magic', 'byte-order', 'elf-header', 'flags', 'machine', 'guest-type', 'program-headers'],
    ...['program-headers-in-file', 'section-headers-in-file', 'segments-in-file', 'sections-in-file', 'tables-counted'],
    ...[
      'names-of-sections',
      'program-header-count',
      'program-header-offset',
      'segment-bytes-in-file',
      'bytes-in-the-file',
    ],
    ...['file-size-in-memory-size', 'total-size', 'code-in-file', 'section-header-count', 'program-headers-early'],
  ],
  'values of notes and of Multiboot headers, which the source has: test/matrix, test/loaders/xen/where-linked.test.ts':
    [
      ...['segments-copied', 'entry-in-bounds', 'clear-of-xen', 'virt-base-page-aligned', 'hypercall-page-in-area'],
      ...['hypercall-page-usable', 'hypercall-page-clear-of-entry', 'p2m-outside-image', 'loaded-as-linked'],
      ...['entry-as-linked', 'sections-loaded', 'segments-apart', 'start-page-aligned', 'multiboot-header', 'tags'],
      ...[
        'multiboot-flags',
        'linear-load',
        'entry-in-the-load',
        'address-fields',
        'multiboot-entry',
        'one-block',
        'fetched-to-the-end',
      ],
    ],
  'hangs on memory: test/loaders/memory.test.ts': ['in-memory'],
  'the release, and no link: test/edit/fix/release-advice.test.ts': ['pvh-known'],
  'four bytes at one place of the file, by chance: an image of test/matrix/bent-kernels.ts has them': [
    'not-compressed',
    'not-bzimage',
  ],
  'a program of an operating system, of which the advice is that it is none': ['no-interpreter'],
};

it('every rule with advice on the link has a row, or a reason', () => {
  const rows = new Set([...Object.values(ROWS).map(({ rule }) => rule), ...Object.values(ELSEWHERE).flat()]);
  expect(ADVISED_RULES.filter((rule) => !rows.has(rule))).toEqual([]);
});

describe.each(Object.entries(ROWS))('%s', (name, { loader, rule, fault, says, follow }) => {
  it('is refused, and taken once the advice was followed', () => {
    const before = verdictOn(linked('before', fault), loader);
    expect({ name, accepted: before.accepted, rule: before.rule }).toEqual({ name, accepted: false, rule });
    const caught = says.exec(before.advice ?? '');
    expect({ name, advice: before.advice }).toEqual({ name, advice: expect.stringMatching(says) });
    const after = verdictOn(linked('after', follow(caught?.slice(1) ?? [])), loader);
    expect({ name, accepted: after.accepted, message: after.message, advice: after.advice }).toMatchObject({
      name,
      accepted: true,
    });
  });
});
