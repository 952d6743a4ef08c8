/** What a running program finds in memory stays: its header table where AT_PHDR leads, PT_GNU_STACK, and notes with an address. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../../src/base/bytes/source.js';
import { PatchError } from '../../../../src/base/errors/patch-error.js';
import { planInside } from '../../../../src/edit/container/pipeline.js';
import { type PatchPlan, planPatch } from '../../../../src/edit/elf/pipeline.js';
import {
  DEFAULT_PLACEMENT,
  type Edit,
  type ImageKind,
  PLACEMENTS,
  type PlacementOptions,
} from '../../../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../../../src/edit/elf/render.js';
import { findFix } from '../../../../src/edit/fix/fix.js';
import { planStamp } from '../../../../src/edit/stamp/stamp.js';
import { openContainer } from '../../../../src/formats/container/open.js';
import type { ElfImage } from '../../../../src/formats/elf/image.js';
import { readElf } from '../../../../src/formats/elf/read.js';
import { ENCODINGS, type Encoding } from '../../../../src/formats/elf/struct.js';
import { parseSetting } from '../../../../src/formats/note/value.js';
import { type ElfBuilder, elf, num } from '../../../support/elf-builder.js';

const PT_LOAD = 1;
const PT_NOTE = 4;
const PT_PHDR = 6;
const PT_TLS = 7;
const PT_GNU_STACK = 0x6474e551;
const LE64: Encoding = { bits: 64, endian: 'little' };
const EDITS: readonly Edit[] = [{ kind: 'set', setting: parseSetting('GUEST_OS=os') }];

/** End of a program header table behind the ELF header, by the sizes of gABI. */
const tableEnd = ({ bits }: Encoding, entries: number) => (bits === 64 ? 64 + entries * 56 : 52 + entries * 32);

/**
 * Headers and code in one PT_LOAD from offset 0 on, PT_TLS and PT_GNU_STACK. `padding` zero bytes follow the table, then code
 * up to 0x300.
 */
function program(
  encoding: Encoding,
  { padding = 0, entries = 3, more = (image: ElfBuilder) => image } = {},
): ElfBuilder {
  const end = tableEnd(encoding, entries);
  const size = BigInt(0x300 - end - padding);
  return more(
    elf(encoding)
      .load(0x400000n, new Uint8Array(0x300).fill(0x90), { offset: 0n, filesz: 0x300n, memsz: 0x300n, align: 0x1000n })
      .segment(PT_TLS, undefined, { flags: 4, align: 8n })
      .segment(PT_GNU_STACK, undefined, { flags: 6, align: 16n })
      .section('.text', { offset: BigInt(end + padding), size, addr: 0x400000n + BigInt(end + padding), flags: 6n })
      .with({ slack: padding }),
  );
}

const read = (bytes: Uint8Array) => readElf(new BufferSource(bytes, 'prog'));

function planOf(image: ElfImage, options: Partial<PlacementOptions> = {}): PatchPlan | PatchError {
  try {
    return planPatch(image, EDITS, { ...DEFAULT_PLACEMENT, ...options });
  } catch (error) {
    if (error instanceof PatchError) return error;
    throw error;
  }
}

function refusalOf(image: ElfImage, options: Partial<PlacementOptions> = {}): PatchError {
  const outcome = planOf(image, options);
  if (!(outcome instanceof PatchError)) throw new Error(`planned: ${outcome.layout?.summary}`);
  return outcome;
}

function resultOf(
  image: ElfImage,
  options: Partial<PlacementOptions> = {},
): ElfImage & { readonly how: string | undefined } {
  const plan = planOf(image, options);
  if (plan instanceof PatchError) throw plan;
  return { ...readElf(preview(image, plan.rendered)), how: plan.layout?.placement };
}

describe.each(ENCODINGS)('a program with no room for a header, ELF$bits $endian', (encoding) => {
  const image = () => read(program(encoding).build());

  it('is refused, with what shows the program and what to do about a kernel', () => {
    // Out of memory is where a program's notes may not go, and nothing else has room for them.
    const error = refusalOf(image(), { loaded: false });
    expect(error).toMatchObject({ id: 'plan.program', exit: 2 });
    expect(error.detail).toContain('it looks like a program: PT_TLS 1, PT_GNU_STACK 2');
    expect(error.detail).toContain('move-table: PT_TLS 1 shows a program, which finds its headers in PT_LOAD 0');
    expect(error.detail).toContain('PT_TLS 1 shows a program, whose PT_GNU_STACK says what its stacks may be');
    expect(error.hint).toContain('--kind kernel');
  });

  it('gets a table of its own, in memory where AT_PHDR leads', () => {
    const before = image();
    const after = resultOf(before);
    expect(after.how).toBe('new-table');
    const { header, segments } = after;
    expect(segments.map(({ p_type }) => p_type)).toEqual([PT_LOAD, PT_LOAD, PT_TLS, PT_GNU_STACK, PT_NOTE]);
    const [first, own, , , note] = segments;
    if (first === undefined || own === undefined || note === undefined) throw new Error('no segments');
    expect(first).toEqual(before.segments[0]);
    expect(own.p_offset).toBe(header.e_phoff);
    // Linux before 5.18 adds e_phoff to where the first PT_LOAD has offset 0.
    expect(own.p_vaddr).toBe(first.p_vaddr - first.p_offset + header.e_phoff);
    expect(note.p_vaddr - own.p_vaddr).toBe(note.p_offset - own.p_offset);
    expect(note.p_offset + note.p_filesz).toBeLessThanOrEqual(own.p_offset + own.p_filesz);
  });

  it('takes PT_PHDR along', () => {
    const size = BigInt(tableEnd(encoding, 4) - tableEnd(encoding, 0));
    const at = BigInt(tableEnd(encoding, 0));
    const more = (builder: ElfBuilder) =>
      builder
        .segment(PT_PHDR, undefined, {
          offset: at,
          vaddr: 0x400000n + at,
          paddr: 0x400000n + at,
          filesz: size,
          memsz: size,
        })
        .with({ order: [3, 0, 1, 2] });
    const after = resultOf(read(program(encoding, { entries: 4, more }).build()));
    const entry = BigInt(encoding.bits === 64 ? 56 : 32);
    const { e_phoff } = after.header;
    expect(after.segments[0]).toMatchObject({
      p_type: PT_PHDR,
      p_offset: e_phoff,
      p_vaddr: 0x400000n + e_phoff,
      p_filesz: entry * BigInt(after.segments.length),
    });
  });

  it('is refused a table of its own by FreeBSD, which reads the first page only', () => {
    const bytes = program(encoding).build();
    bytes[7] = 9;
    expect(refusalOf(read(bytes)).detail).toContain('new-table: FreeBSD wants the program headers in the first page');
  });

  it.each(PLACEMENTS.filter((name) => !['in-place', 'grow', 'new-table'].includes(name)))(
    'is refused by %s alone',
    (placement) => {
      const error = refusalOf(image(), { placement });
      // What would not work in a kernel either keeps its reason and its id.
      expect(error.id).toBe(placement === 'shift' ? 'plan.impossible' : 'plan.program');
      expect(error.detail).toContain(placement);
    },
  );

  it('is planned as a kernel where a sign of one is there', () => {
    const more = (image: ElfBuilder) => image.load(0x800000n, new Uint8Array(16), { paddr: 0x100000n });
    expect(resultOf(read(program(encoding, { entries: 4, more }).build())).header.e_phnum).toBe(4);
  });

  it('is planned as a kernel where the person says so, and refused where the person says program', () => {
    const { segments } = resultOf(image(), { kind: 'kernel' });
    expect(segments.some(({ p_type }) => p_type === PT_GNU_STACK)).toBe(false);
    const bare = elf(encoding).load(0x400000n, new Uint8Array(0x300).fill(0x90), {
      offset: 0n,
      filesz: 0x200n,
      memsz: 0x200n,
    });
    expect(resultOf(read(bare.build())).how).toBe('move-table');
    expect(refusalOf(read(bare.build()), { kind: 'program' }).detail).toContain('it is to be taken for a program');
  });

  it('tells a dry run which placements spared it, where a later one works', () => {
    // A table outside memory: execve reads PT_GNU_STACK from the file all the same.
    const outside = elf(encoding)
      .load(0x400000n, new Uint8Array(64).fill(0x90), { align: 0x1000n })
      .segment(PT_TLS)
      .segment(PT_GNU_STACK, undefined, { flags: 6 })
      .section('.text')
      .with({ fileAlign: 1 });
    const bytes = outside.build();
    bytes.fill(0xff, tableEnd(encoding, 3), tableEnd(encoding, 3) + 8);
    const plan = planOf(read(bytes));
    if (plan instanceof PatchError) throw plan;
    expect(plan.refused.find(({ placement }) => placement === 'append')?.reason).toContain('PT_TLS 1 shows a program');
    expect(plan.layout?.placement).toBe('move-table');
    expect(readElf(preview(plan.image, plan.rendered)).segments.some((s) => s.p_type === PT_GNU_STACK)).toBe(true);
  });
});

describe.each(ENCODINGS)('padding behind the header table of a program, ELF$bits $endian', (encoding) => {
  it('takes the new entry: every PT_LOAD shows it where AT_PHDR leads', () => {
    // A hole behind the first PT_LOAD takes the notes.
    const more = (builder: ElfBuilder) => builder.load(0x501000n, new Uint8Array(16).fill(1), { align: 0x1000n });
    const before = read(program(encoding, { padding: 64, entries: 4, more }).build());
    const after = resultOf(before);
    expect(after.how).toBe('extend');
    expect(after.header.e_phoff).toBe(before.header.e_phoff);
    expect(after.header.e_phnum).toBe(5);
    expect(after.segments.slice(1, 4)).toEqual(before.segments.slice(1));
    const [load] = after.segments;
    expect((load?.p_filesz ?? 0n) + (load?.p_offset ?? 0n)).toBeGreaterThanOrEqual(BigInt(tableEnd(encoding, 5)));
  });

  it('is data where no section headers tell otherwise', () => {
    const bytes = program(encoding, { padding: 64 }).with({ stripped: true }).build();
    const error = refusalOf(read(bytes), { placement: 'append' });
    expect(error.id).toBe('plan.program');
    expect(error.detail).toContain('no section headers tell');
    expect(resultOf(read(bytes), { kind: 'kernel', placement: 'append' }).segments).toHaveLength(3);
  });

  it('is refused where another PT_LOAD shows the table and not the entry', () => {
    const size = BigInt(tableEnd(encoding, 4));
    const more = (image: ElfBuilder) =>
      image.load(0x800000n, new Uint8Array(0), { offset: 0n, filesz: size, memsz: size, align: 0x1000n });
    const bytes = program(encoding, { padding: 64, entries: 4, more }).build();
    expect(refusalOf(read(bytes), { placement: 'append' }).detail).toContain(
      'PT_LOAD 3 shows the program headers and would not show the new',
    );
  });
});

describe('the kind of image passes through every road', () => {
  const bytes = program(LE64).symbol('pvh_start_xen', 0x400120n).build();
  // Notes outside memory are what only a kernel may have, so the kind decides.
  const wish = (kind?: ImageKind) => ({ ...DEFAULT_PLACEMENT, kind, loaded: false });
  const stampWish = { metadata: { name: 'x' }, members: {}, buildId: undefined, notes: [], remove: [] };

  it.each<[road: string, plan: (kind?: ImageKind) => Promise<unknown> | unknown]>([
    ['patch', (kind) => planPatch(read(bytes), EDITS, wish(kind))],
    ['stamp', (kind) => planStamp(read(bytes), { ...stampWish, placement: { kind, loaded: false } })],
    [
      'copy',
      (kind) => {
        const notes = [{ name: Buffer.from('Xen\0'), type: 18, desc: num(0x400120n, 4, LE64) }];
        return planPatch(read(bytes), [{ kind: 'copy-from', file: 'other', notes }], wish(kind));
      },
    ],
    [
      'a container',
      async (kind) => {
        const opened = await openContainer(new BufferSource(gzipSync(bytes), 'prog.gz'));
        if (opened.kind === 'elf') throw new Error('not a container');
        return planInside(opened, EDITS, wish(kind));
      },
    ],
  ])('%s', async (_, plan) => {
    await expect((async () => plan())()).rejects.toMatchObject({ id: 'plan.program' });
    await expect((async () => plan('program'))()).rejects.toMatchObject({ id: 'plan.program' });
    await expect((async () => plan('kernel'))()).resolves.toBeDefined();
  });

  it('fix', () => {
    const fix = (kind?: ImageKind) => findFix(new BufferSource(bytes), ['qemu-pvh'], wish(kind));
    expect(fix('kernel')).toMatchObject({ cured: true, failed: [] });
    for (const spared of [fix(), fix('program')]) {
      expect(spared).toMatchObject({ cured: false, plan: undefined });
      expect(spared.failed.join('\n')).toContain('no placement leaves what it finds when it runs');
    }
  });
});
