/**
 * Both edges of every search for a Multiboot header, asked of the loaders themselves: QEMU boots kernels whose header
 * stands there, grub-file looks for it. Numbers are typed here, none is the project's own, so that a wrong one in its table
 * cannot agree with itself; verdicts, linear forms and their verifier, and mkelf32's output are held against the answers.
 */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { multibootWarnings } from '../../src/edit/mkelf32/multiboot.js';
import { lastMultibootOffset } from '../../src/formats/multiboot/windows.js';
import { grubMultiboot, grubMultiboot2 } from '../../src/loaders/grub-multiboot.js';
import { qemuPvh } from '../../src/loaders/qemu.js';
import { qemuMultiboot } from '../../src/loaders/qemu-multiboot.js';
import { accepts } from '../../src/loaders/rule.js';
import { NEWEST_XEN } from '../../src/loaders/xen-version.js';
import { verifyLinear } from '../../src/verify/pe/verify.js';
import { outputOf, plan, simple } from '../edit/mkelf32/support.js';
import { bootInQemu } from '../support/boot.js';
import { concat, elf, num } from '../support/elf-builder.js';
import { linearBytes } from '../support/linear.js';
import { PeBytes } from '../support/pe-edit.js';
import { requireTools } from '../support/tools.js';
import { ImageFolder } from './programs.js';

const folder = new ImageFolder();
beforeAll(() => {
  requireTools('qemu-system-x86_64');
  requireTools('grub-file');
});
afterAll(() => folder.remove());

const BASE = 0x100000;
/** What the stub leaves QEMU with: 2n + 1. */
const ENTERED = 2 * 0x21 + 1;
const STUB = Uint8Array.of(0xb0, 0x21, 0xe6, 0xf4, 0xf4, 0xeb, 0xfd);
const LE32 = { bits: 32, endian: 'little' } as const;

function words(...values: readonly number[]): Uint8Array {
  return concat(values.map((value) => num(BigInt(value >>> 0), 4, LE32)));
}

const PLAIN = words(0x1badb002, 0, -0x1badb002);
const MB2 = words(0xe85250d6, 0, 24, -(0xe85250d6 + 24), 0, 8);
/** The whole file at BASE, entered at its first byte. */
const byAddresses = (at: number, entry = BASE) =>
  words(0x1badb002, 0x10000, -(0x1badb002 + 0x10000), BASE + at, BASE, 0, 0, entry);

/** A flat file that begins with the stub; without a header QEMU would take it for an ancient boot sector. */
function flat(at: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set(STUB, 0);
  bytes.set(byAddresses(at).subarray(0, size - at), at);
  return bytes;
}

/** ELF32 with the stub at BASE; without a header QEMU refuses it at once, as it has no PVH note. */
function kernel(header: Uint8Array, at: number): Uint8Array {
  const code = new Uint8Array(0xa000);
  code.set(STUB, 0);
  const bytes = elf(LE32)
    .header({ e_type: 2, e_machine: 3, e_entry: BigInt(BASE) })
    .load(BigInt(BASE), code, { align: 0x1000n })
    .build();
  bytes.set(header, at);
  return bytes;
}

const options = { xenVersion: NEWEST_XEN };
const qemuOf = (bytes: Uint8Array) => accepts(qemuMultiboot.judge(new BufferSource(bytes), options));

async function bootsInQemu(name: string, bytes: Uint8Array): Promise<boolean> {
  const path = folder.write(name, bytes);
  // Once more with more time where it hung: a busy machine is no answer.
  for (const limit of [4000, 15_000]) {
    const { status, verdict } = await bootInQemu(path, { limit, marks: [] });
    if (verdict !== 'hung') return status === ENTERED;
  }
  return false;
}

function grubFinds(version: 1 | 2, name: string, bytes: Uint8Array): boolean {
  const path = folder.write(name, bytes);
  return spawnSync('grub-file', [`--is-x86-multiboot${version === 2 ? '2' : ''}`, path]).status === 0;
}

describe('QEMU', () => {
  it.each([
    [0x200, true],
    [8132, true],
    [8136, true],
    [8138, false],
    [8140, true],
    [8144, false],
    [8148, false],
    [8180, false],
  ])('takes a header at %i: %s, and verify says so', async (at, taken) => {
    const bytes = kernel(PLAIN, at);
    expect(await bootsInQemu(`elf-${at}`, bytes)).toBe(taken);
    expect(qemuOf(bytes)).toBe(taken);
    const pvh = qemuPvh.judge(new BufferSource(bytes), options);
    expect(pvh.rule === 'not-multiboot' && pvh.outcome === 'other-path').toBe(taken);
  });

  it.each([
    ['8140, with address fields', true, flat(8140, 9000)],
    ['8144, with address fields', false, flat(8144, 9000)],
    ['8140, in a file that ends with the header', true, flat(8140, 8172)],
    ['8, right behind the stub', true, flat(8, 9000)],
  ] as const)('takes a header at %s: %s', async (name, taken, bytes) => {
    expect(await bootsInQemu(`flat-${name.replaceAll(/\W+/g, '-')}`, bytes)).toBe(taken);
    expect(qemuOf(bytes)).toBe(taken);
  });

  it('finds what the last offset for all loaders promises, and no more', async () => {
    const last = Number(lastMultibootOffset({ version: 1, size: 12n }));
    expect(await bootsInQemu('last', kernel(PLAIN, last))).toBe(true);
    expect(await bootsInQemu('behind-last', kernel(PLAIN, last + 4))).toBe(false);
  });
});

describe('grub-file', () => {
  it.each([
    [1, 0x1000, true],
    [1, 0x1002, false],
    [1, 8176, true],
    [1, 8180, true],
    [1, 8182, false],
    [1, 8184, false],
    [1, 8192, false],
    [2, 0x1000, true],
    [2, 0x1004, false],
    [2, 32744, true],
    [2, 32752, true],
    [2, 32760, false],
    [2, 32768, false],
  ] as const)('finds a version %i header at %i: %s, and verify says so', (version, at, found) => {
    const bytes = kernel(version === 1 ? PLAIN : MB2, at);
    expect(grubFinds(version, `grub-${version}-${at}`, bytes)).toBe(found);
    const { message } = (version === 1 ? grubMultiboot : grubMultiboot2).judge(new BufferSource(bytes), options);
    expect(message !== 'no multiboot header found').toBe(found);
  });

  it.each([
    [1, 12, true],
    [1, 11, false],
    [2, 16, true],
    [2, 15, false],
  ] as const)('version %i: %i bytes of the header in the file: %s', (version, size, found) => {
    const bytes = kernel(version === 1 ? PLAIN : MB2, 0x1000).slice(0, 0x1000 + size);
    expect(grubFinds(version, `cut-${version}-${size}`, bytes)).toBe(found);
    const { message } = (version === 1 ? grubMultiboot : grubMultiboot2).judge(new BufferSource(bytes), options);
    expect(message !== 'no multiboot header found').toBe(found);
  });
});

describe('mkelf32', () => {
  /** The output with a header at a file offset; data of the input moves to 128, and the entry to its first byte. */
  function made(version: 1 | 2, at: number) {
    const bytes = simple(0xa000, 0xa000n);
    bytes.set(STUB, 0x1000);
    bytes.fill(0, 0x1100);
    bytes.set(version === 1 ? PLAIN : MB2, 0x1000 - 128 + at);
    const container = plan(bytes, { loadBase: BigInt(BASE) });
    return { output: outputOf(bytes, container), warnings: multibootWarnings(new BufferSource(bytes), container) };
  }

  it.each([
    [8140, true],
    [8144, false],
  ])('warns of a version 1 header at %i unless QEMU takes it: %s', async (at, taken) => {
    const { output, warnings } = made(1, at);
    expect(await bootsInQemu(`mkelf32-${at}`, output)).toBe(taken);
    expect(warnings.length).toBe(taken ? 0 : 1);
  });

  it.each([
    [32744, true, 0],
    // Found, but GRUB holds no more than its head: its tags would be whatever memory has there.
    [32752, true, 1],
    [32760, false, 1],
  ])('version 2 header at %i: found by GRUB: %s, warnings: %i', (at, found, count) => {
    const { output, warnings } = made(2, at);
    expect(grubFinds(2, `mkelf32-2-${at}`, output)).toBe(found);
    expect(warnings.length).toBe(count);
  });
});

describe('linearize --mb1', () => {
  const input = () => PeBytes.fixture().image();
  /** The header of a linear form moved along by hand, its own address with it. */
  function moved(file: PeBytes, by: number): PeBytes {
    const at = file.mb1();
    const header = file.bytes.subarray(at, at + 32);
    const copy = Uint8Array.from(header);
    new DataView(copy.buffer).setUint32(12, new DataView(copy.buffer).getUint32(12, true) + by, true);
    header.fill(0);
    file.bytes.set(copy, at + by);
    return file.unsummed();
  }
  const early = () => linearBytes(input(), { mb1: true, headerSize: 0x1f40n });

  it('plans a header at 8136 and refuses one at 8144', () => {
    expect(early().mb1()).toBe(8136);
    expect(() => linearBytes(input(), { mb1: true, headerSize: 0x1f48n })).toThrow('[mb1.no-room]');
  });

  it.each([
    [8136, true],
    [8140, true],
    [8144, false],
    [8148, false],
  ])('QEMU boots a linear form with the header at %i: %s, and its verifier says so', async (at, taken) => {
    const file = at === 8136 ? early() : moved(early(), at - 8136);
    expect(file.mb1()).toBe(at);
    const path = folder.write(`linear-${at}`, file.bytes);
    // The fixture's own kernel, which says how it was entered; one that is not found hangs.
    const { verdict, serial } = await bootInQemu(path, { limit: taken ? 60_000 : 4000, marks: [] });
    expect([verdict !== 'hung', serial.includes('mb1-i386')]).toEqual([taken, taken]);
    const found = verifyLinear(file.image()).findings.filter(({ check }) => check === 'linear.mb1-header');
    expect(found.map(({ text }) => text)).toEqual(
      taken ? [] : [`stands at 0x${at.toString(16)}, QEMU looks up to 0x1fcc`],
    );
  });

  it('replaces a header with address fields that QEMU does not find by one that it does', () => {
    const late = moved(linearBytes(input(), { mb1: true, headerSize: 0x1f00n }), 8148 - 8072);
    expect(late.mb1()).toBe(8148);
    const again = linearBytes(late.image(), { headerSize: 0x400n });
    expect(again.mb1()).toBeLessThan(8140);
    expect(verifyLinear(again.image()).findings.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
