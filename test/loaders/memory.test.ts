/** Verdicts that hang on memory: each loader takes the same image with what it says it needs, and not with less. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import type { Encoding } from '../../src/formats/elf/struct.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { isMemory, leastMemory, mebibytes, mostOf, orderOf } from '../../src/loaders/memory.js';
import { readMemory } from '../../src/loaders/memory-size.js';
import { accepts, type Verdict } from '../../src/loaders/rule.js';
import { cstr, elf, num, type TestNote } from '../support/elf-builder.js';

const LE64: Encoding = { bits: 64, endian: 'little' };
const LE32: Encoding = { bits: 32, endian: 'little' };
const MIB = 0x100000n;
const GIB = 0x40000000n;
const PADDR = 0x100000n;

const text = (type: number, value: string): TestNote => ({ type, desc: cstr(value) });
const NOTES: readonly TestNote[] = [
  { type: 1, desc: num(PADDR, 8, LE64) },
  { type: 3, desc: num(0n, 8, LE64) },
  text(5, 'xen-3.0'),
  text(6, 'linux'),
  { type: 18, desc: num(PADDR, 4, LE64) },
];

/** A kernel that is entered where it begins, and takes so much behind its bytes in a second PT_LOAD. */
function kernel(at: bigint, filesz: number, memsz = BigInt(filesz)): Uint8Array {
  return elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: PADDR })
    .load(PADDR, new Uint8Array(0x1000))
    .load(at, new Uint8Array(filesz), { memsz })
    .noteSegment(NOTES)
    .build();
}

/** A PVH kernel that is entered there. */
function entered(at: bigint): Uint8Array {
  return elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: at })
    .load(at, new Uint8Array(0x1000))
    .noteSegment([{ type: 18, desc: num(at, 4, LE64) }])
    .build();
}

/** A Multiboot 1 kernel that is entered there. */
function multiboot(at: bigint): Uint8Array {
  const code = new Uint8Array(0x1000);
  const words = new DataView(code.buffer);
  for (const [index, word] of [0x1badb002, 0, -0x1badb002].entries()) words.setUint32(4 * index, word, true);
  return elf(LE32)
    .header({ e_type: 2, e_machine: 3, e_entry: at + 0xcn })
    .load(at, code)
    .build();
}

function judge(bytes: Uint8Array, name: string, memory?: bigint): Verdict {
  const [verdict] = judgeLoaders(new BufferSource(bytes, 'kernel'), { names: [name], memory });
  if (verdict === undefined) throw new Error(`no loader ${name}`);
  return verdict;
}

const far = kernel(700n * MIB, 0x1000);

describe('--memory', () => {
  it.each<readonly [loader: string, image: Uint8Array, rule: string]>([
    ['xen-pv', far, 'in-memory'],
    ['xen-pvh', far, 'in-memory'],
    ['xen-dom0-pv', far, 'in-memory'],
    ['xen-dom0-pv', kernel(2n * MIB, 0x1000, 256n * MIB), 'in-memory'],
    ['xen-dom0-pvh', far, 'image-in-memory'],
    ['qemu-pvh', entered(700n * MIB), 'in-memory'],
    ['qemu-multiboot', multiboot(700n * MIB), 'in-memory'],
    ['grub-multiboot@2.06', multiboot(700n * MIB), 'segments-in-memory'],
    ['firecracker', far, 'segments-and-notes'],
    ['firecracker', kernel(4n * GIB, 0x1000), 'segments-and-notes'],
    ['cloud-hypervisor', far, 'segments-and-notes'],
    ['libkrun', far, 'segments-and-notes'],
  ])('%s takes an image with what it says it needs, and not with less', (name, bytes, rule) => {
    const enough = judge(bytes, name, 64n * GIB);
    expect(accepts(enough)).toBe(true);
    const needs = enough.needsMemory ?? 0n;
    expect(needs).toBeGreaterThan(0n);
    expect(accepts(judge(bytes, name, needs))).toBe(true);
    const less = judge(bytes, name, needs / 2n);
    expect(less).toMatchObject({ rule, needsMemory: needs });
    expect(accepts(less)).toBe(false);
    expect(`${less.message} ${less.reason}`).toContain(mebibytes(needs / 2n));
  });

  it.each(['xen-pv', 'firecracker'])('%s: an address that no memory reaches names none', (name) => {
    const verdict = judge(kernel(0xffffffff80100000n, 0x1000), name);
    expect(accepts(verdict)).toBe(false);
    expect(verdict.needsMemory).toBeUndefined();
  });

  it('QEMU enters a kernel of which another part goes nowhere, and that is told', () => {
    const verdict = judge(far, 'qemu-pvh', 256n * MIB);
    expect(verdict).toMatchObject({ outcome: 'with-warnings', warnings: [{ rule: 'in-memory' }] });
  });

  it('without a word 4 GiB are there', () => {
    expect(judge(far, 'firecracker').outcome).toBe(judge(far, 'firecracker', 4n * GIB).outcome);
    expect(accepts(judge(far, 'firecracker'))).toBe(true);
  });
});

describe('readMemory()', () => {
  it.each([
    ['256M', 256n * MIB],
    ['256MiB', 256n * MIB],
    ['1g', GIB],
    ['2T', 2048n * GIB],
    ['1048576', MIB],
    ['0x10000000', 256n * MIB],
    ['2048K', 2n * MIB],
  ])('%s', (word, bytes) => expect(readMemory(word)).toBe(bytes));

  it.each(['0', '0M', '', 'much', '512', '-1G', '1.5G', '5000T', '1GG', '99999999999999999999'])(
    '%j is a mistake',
    (word) => {
      expect(() => readMemory(word)).toThrow(expect.objectContaining({ id: 'usage.bad' }));
    },
  );
});

describe('where memory is', () => {
  const map = { holeStart: 3n * GIB };

  it.each([
    [GIB, 0n, GIB, true],
    [GIB, 1n, GIB, false],
    [4n * GIB, 3n * GIB - 1n, 1n, true],
    [4n * GIB, 3n * GIB, 1n, false],
    [4n * GIB, 4n * GIB, GIB, true],
    [4n * GIB, 4n * GIB, GIB + 1n, false],
    [3n * GIB, 4n * GIB, 1n, false],
  ])('of %i bytes: %i, %i more: %s', (memory, start, size, is) => {
    expect(isMemory(map, memory, start, size)).toBe(is);
    const least = leastMemory(map, start, size);
    if (least !== undefined) {
      expect(isMemory(map, least, start, size)).toBe(true);
      expect(isMemory(map, least - 1n, start, size)).toBe(false);
    } else expect(start < 4n * GIB && start + size > 3n * GIB).toBe(true);
  });

  it('adds up to nothing where one part can never be', () => {
    expect(mostOf([1n, 3n, 2n])).toBe(3n);
    expect(mostOf([1n, undefined, 2n])).toBeUndefined();
  });

  it('is taken in powers of two of pages', () => {
    expect([0n, 1n, 4096n, 4097n, 12288n, 16384n, 16385n].map(orderOf)).toEqual([1n, 1n, 1n, 2n, 4n, 4n, 8n]);
  });
});
