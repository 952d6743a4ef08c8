/** Kernels linked as programs are, with PT_PHDR and PT_INTERP (BSD's): they get a new table, or the advice to link them otherwise. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../../src/base/bytes/source.js';
import { PatchError } from '../../../../src/base/errors/patch-error.js';
import { expectationOf, planPatch } from '../../../../src/edit/elf/pipeline.js';
import { preview } from '../../../../src/edit/elf/render.js';
import { readElf } from '../../../../src/formats/elf/read.js';
import { ENCODINGS, type Encoding } from '../../../../src/formats/elf/struct.js';
import { parseSetting } from '../../../../src/formats/note/value.js';
import { walkAsXen } from '../../../../src/loaders/read/loader-walks.js';
import { verifyImage } from '../../../../src/verify/elf/verify.js';
import { cstr, elf } from '../../../support/elf-builder.js';

const PT_INTERP = 3;
const PT_PHDR = 6;
const SET = [{ kind: 'set', setting: parseSetting('GUEST_OS=bsd') }] as const;
/** Magic, flags and checksum, as a Multiboot loader looks for them. */
const MULTIBOOT = Uint8Array.of(2, 0xb0, 0xad, 0x1b, 0, 0, 0, 0, 0xfe, 0x4f, 0x52, 0xe4);

/** Headers and code in one PT_LOAD of the upper half, with no byte between the headers and what follows. */
function kernel(encoding: Encoding, start: Uint8Array) {
  const base = (1n << BigInt(encoding.bits)) - 0x40000000n;
  const [ehdr, phdr] = encoding.bits === 64 ? [64n, 56n] : [52n, 32n];
  const table = { offset: ehdr, filesz: 3n * phdr, memsz: 3n * phdr };
  const end = ehdr + 3n * phdr;
  const code = new Uint8Array(0x100).fill(0x90);
  // One of four is aligned, wherever the bytes come to stand.
  for (const at of [0, 13, 26, 39]) code.set(start, at);
  const addresses = (offset: bigint) => ({ vaddr: base + offset, paddr: 0x200000n + offset });
  const bytes = elf(encoding)
    .segment(PT_PHDR, undefined, { ...table, ...addresses(ehdr), flags: 4 })
    .segment(PT_INTERP, cstr('/red/herring'), { flags: 4, ...addresses(0x800n) })
    .load(base, new Uint8Array(0), {
      offset: 0n,
      filesz: end + 0x100n,
      memsz: end + 0x100n,
      paddr: 0x200000n,
      align: 1n,
      flags: 5,
    })
    .with({ slack: 0, trailing: code })
    .build();
  return readElf(new BufferSource(bytes, 'kernel'));
}

describe.each(ENCODINGS)('ELF$bits $endian', (encoding) => {
  it('gets its notes by a new table, which its undo takes back', () => {
    const before = kernel(encoding, new Uint8Array(0));
    const plan = planPatch(before, SET);
    expect(plan).toMatchObject({ kind: 'kernel', layout: { placement: 'new-table' } });
    const result = preview(before, plan.rendered);
    const after = readElf(new BufferSource(result.read(0n, result.size, 'test'), 'result'));
    const findings = verifyImage({ image: after, baseline: before, expectation: expectationOf(plan) });
    expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
    expect(walkAsXen(after).notes).toHaveLength(1);
    const undo = planPatch(after, [{ kind: 'clear' }]);
    expect(readElf(preview(after, undo.rendered)).segments).toEqual(before.segments);
  });

  it('is told of --no-dynamic-linker where the table may not move', () => {
    try {
      planPatch(kernel(encoding, MULTIBOOT), SET);
      throw new Error('granted');
    } catch (error) {
      if (!(error instanceof PatchError)) throw error;
      expect(error.id).toBe('plan.impossible');
      expect(error.hint).toContain('ld --no-dynamic-linker');
      expect(error.detail).toContain('new-table: it has a Multiboot 1 header');
    }
  });
});
