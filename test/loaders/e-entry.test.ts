/** Loaders that enter e_entry and read no notes, known from their sources alone: an image for each rule, and its words. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import type { Encoding } from '../../src/formats/elf/struct.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { loaderRow } from '../../src/loaders/names.js';
import type { Verdict } from '../../src/loaders/rule.js';
import { evidenceOf } from '../../src/loaders/versions.js';
import { elf } from '../support/elf-builder.js';

const LE64: Encoding = { bits: 64, endian: 'little' };
const LE32: Encoding = { bits: 32, endian: 'little' };
const MIB = 0x100000n;
const HIGH = 0xffff_ffff_8000_0000n;

function judge(bytes: Uint8Array, name: string): Verdict {
  const [verdict] = judgeLoaders(new BufferSource(bytes, 'kernel'), { names: [name] });
  if (verdict === undefined) throw new Error(`no loader ${name}`);
  return verdict;
}

interface Plan {
  readonly at?: bigint;
  readonly entry?: bigint;
  readonly machine?: number;
  readonly encoding?: Encoding;
  readonly vaddr?: bigint;
  /** Words at the start of the code: a Multiboot header. */
  readonly words?: readonly number[];
  readonly second?: readonly [address: bigint, size: number, flags?: number];
  readonly memsz?: bigint;
}

/** An ELF with one PT_LOAD at 2 MiB that is entered where it begins, bent in one place. */
function kernel({ at = 2n * MIB, machine, encoding = LE64, words = [], memsz, ...plan }: Plan = {}): Uint8Array {
  const code = new Uint8Array(0x1000);
  const view = new DataView(code.buffer);
  for (const [index, word] of words.entries()) view.setUint32(4 * index, word, true);
  const vaddr = plan.vaddr ?? at;
  const builder = elf(encoding)
    .header({ e_type: 2, e_machine: machine ?? (encoding.bits === 64 ? 62 : 3), e_entry: plan.entry ?? vaddr })
    .load(at, code, { vaddr, flags: 5, ...(memsz === undefined ? {} : { memsz }) });
  const [address, size, flags = 6] = plan.second ?? [];
  if (address !== undefined && size !== undefined) builder.load(address, new Uint8Array(size), { flags });
  return builder.build();
}

const mb1 = (flags: number, ...fields: number[]) => [0x1badb002, flags, -(0x1badb002 + flags), ...fields];
const mb2 = (...tags: number[]) => {
  const length = 16 + 4 * tags.length;
  return [0xe85250d6, 0, length, -(0xe85250d6 + length), ...tags];
};

const with64Header = (): Uint8Array => {
  const bytes = new Uint8Array(0x400);
  bytes.set([0x48, 0x64, 0x72, 0x53], 0x202);
  return bytes;
};

const edited = (bytes: Uint8Array, at: number, ...values: number[]): Uint8Array => {
  bytes.set(values, at);
  return bytes;
};

type Row = readonly [name: string, bytes: Uint8Array, outcome: string, rule: string | undefined, message?: string];

const CROSVM: readonly Row[] = [
  ['ELF64', kernel(), 'accepted', undefined],
  ['ELF32', kernel({ encoding: LE32 }), 'accepted', undefined],
  ['below 2 MiB', kernel({ at: MIB }), 'refused', 'segments', 'program header address out of allowed address range'],
  ['entry behind', kernel({ entry: 4n * MIB }), 'refused', 'entry-in-bounds', 'invalid entry point'],
  [
    'the last PT_LOAD in front',
    kernel({ at: 4n * MIB, second: [2n * MIB, 16] }),
    'refused',
    'entry-in-bounds',
    'invalid program header size',
  ],
  ['entry in a gap', kernel({ second: [8n * MIB, 16], entry: 4n * MIB }), 'crash', 'entry-in-a-segment'],
  ['EI_VERSION 0', edited(kernel(), 6, 0), 'refused', 'elf-header', 'invalid elf version'],
  ['e_phentsize', edited(kernel(), 54, 64), 'refused', 'elf-header', 'invalid program header size'],
  ['bzImage', with64Header(), 'other-path', 'elf-magic'],
  ['nothing', new Uint8Array(64), 'refused', 'elf-magic', 'invalid magic number'],
  ['Multiboot without addresses', kernel({ words: mb1(3) }), 'accepted', undefined],
  ['an unknown flag', kernel({ words: mb1(0x20) }), 'refused', 'multiboot-flags', 'invalid flags'],
  [
    'addresses that do not fit',
    kernel({ words: mb1(0x10000, 0x200000, 0x300000, 0, 0, 0x200000) }),
    'refused',
    'address-fields',
    'invalid kernel offset',
  ],
  ['an address above memory', kernel({ at: 5n * 1024n * MIB }), 'refused', 'segments', 'unable to read kernel image'],
];

const OPENVMM: readonly Row[] = [
  ['ELF64', kernel({ at: MIB }), 'accepted', undefined],
  ['ELF32', kernel({ encoding: LE32 }), 'refused', 'elf-header', 'invalid file header'],
  ['EM_386', kernel({ machine: 3 }), 'refused', 'machine', 'target machine mismatch'],
  ['e_entry below', kernel({ entry: 0x1000n }), 'refused', 'entry-in-high-memory'],
  ['p_paddr below', kernel({ second: [0x1000n, 16] }), 'refused', 'segments'],
  ['big-endian', edited(kernel(), 5, 2), 'refused', 'elf-header', 'unsupported ELF file byte order'],
  ['entry nowhere', kernel({ entry: 8n * MIB }), 'crash', 'entry-in-a-segment'],
  ['bzImage', with64Header(), 'other-path', 'not-bzimage'],
];

const LIMINE: readonly Row[] = [
  ['in the higher half', kernel({ vaddr: HIGH }), 'accepted', undefined],
  ['below', kernel(), 'refused', 'higher-half', 'elf: No higher half PHDRs exist'],
  ['a second one below', kernel({ vaddr: HIGH, second: [4n * MIB, 16] }), 'with-warnings', undefined],
  ['ELF32', kernel({ encoding: LE32 }), 'refused', 'elf-header'],
  ['EM_386', kernel({ vaddr: HIGH, machine: 3 }), 'refused', 'elf-header', 'elf: Not an x86-64 ELF file.'],
  ['overlap', kernel({ vaddr: HIGH, second: [HIGH + 0x800n, 16] }), 'refused', 'no-overlap'],
  [
    'one page, other rights',
    kernel({ vaddr: HIGH, memsz: 0x1800n, second: [HIGH + 0x1900n, 16] }),
    'refused',
    'no-overlap',
    'elf: Attempted to load ELF file with PHDRs with different permissions sharing the same memory page.',
  ],
  [
    'one page, the same rights',
    kernel({ vaddr: HIGH, memsz: 0x1800n, second: [HIGH + 0x1900n, 16, 5] }),
    'accepted',
    undefined,
  ],
  ['entry nowhere', kernel({ vaddr: HIGH, entry: HIGH + 0x5000n }), 'crash', 'entry-in-a-segment'],
  ['Multiboot 1', kernel({ encoding: LE32, words: mb1(0) }), 'accepted', undefined],
  ['Multiboot 1, ELF64', kernel({ words: mb1(0) }), 'accepted', undefined],
  ['Multiboot 1, entry nowhere', kernel({ words: mb1(0), entry: 8n * MIB }), 'crash', 'multiboot-entry'],
  [
    'Multiboot 1, load_addr behind the header',
    kernel({ words: mb1(0x10000, 0x200000, 0x300000, 0, 0, 0x200000) }),
    'refused',
    'address-fields',
    'multiboot1: Illegal load address',
  ],
  ['Multiboot 2', kernel({ words: mb2(0, 8) }), 'accepted', undefined],
  ['Multiboot 2, tag 9', kernel({ words: mb2(9, 12, 0x200000, 0, 0, 8) }), 'refused', 'tags'],
  [
    'Multiboot 2, address without entry',
    kernel({ words: mb2(2, 24, 0x200000, 0x200000, 0, 0, 0, 8) }),
    'refused',
    'tags',
    'multiboot2: Using address tag but entry address tag missing',
  ],
];

describe.each<readonly [name: string, rows: readonly Row[]]>([
  ['crosvm', CROSVM],
  ['openvmm', OPENVMM],
  ['limine', LIMINE],
])('%s', (name, rows) => {
  for (const [title, bytes, outcome, rule, message] of rows) {
    it(title, () => {
      const verdict = judge(bytes, name);
      expect({ outcome: verdict.outcome, rule: verdict.rule }).toEqual({ outcome, rule });
      if (message !== undefined) expect(verdict.message).toBe(message);
    });
  }

  it('has a row for each of its rules that can end a load, and is called untried', () => {
    const { rules, version } = judge(kernel(), name);
    const ended = new Set(rows.map(([, , , rule]) => rule));
    const left = rules.map(({ name: rule }) => rule).filter((rule) => !ended.has(rule));
    // A file that is cut, more in it than in memory, and code without bytes are what no image here has.
    expect(
      left.filter((rule) => !['program-headers', 'file-size-in-memory-size', 'code-in-file'].includes(rule)),
    ).toEqual([]);
    expect(evidenceOf(loaderRow(name)?.product ?? 'xen', version)).toBe('read');
  });
});
