/** Kernel or program: every sign alone, which signs win, and that the person's word outweighs them all. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../../src/base/bytes/source.js';
import { planPatch } from '../../../../src/edit/elf/pipeline.js';
import { analyze } from '../../../../src/edit/elf/plan/analyze.js';
import { imageKind, kindWords, SIGNS } from '../../../../src/edit/elf/plan/image-kind.js';
import { preview } from '../../../../src/edit/elf/render.js';
import { readElf } from '../../../../src/formats/elf/read.js';
import { ENCODINGS, type Encoding } from '../../../../src/formats/elf/struct.js';
import { parseSetting } from '../../../../src/formats/note/value.js';
import { cstr, type ElfBuilder, elf, num, type SegmentOptions } from '../../../support/elf-builder.js';

const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const PT_TLS = 7;
const PT_GNU_STACK = 0x6474e551;

/** One PT_LOAD at a user address, and nothing that shows what the image is. */
const plain = (encoding: Encoding, options: SegmentOptions = {}) =>
  elf(encoding).load(options.vaddr ?? 0x400000n, new Uint8Array(64), options);
/** The same with the headers in the PT_LOAD. */
const headersLoaded = (encoding: Encoding, vaddr = 0x400000n) =>
  plain(encoding, { vaddr, offset: 0n, filesz: 0x100n, memsz: 0x100n })
    .header({ e_entry: vaddr + 0x20n })
    .with({ trailing: new Uint8Array(0x100) });

const judge = (bytes: Uint8Array, asked?: 'kernel' | 'program') =>
  imageKind(analyze(readElf(new BufferSource(bytes))), asked);
const build = (image: ElfBuilder | Uint8Array) => (image instanceof Uint8Array ? image : image.build());

function withOsAbi(bytes: Uint8Array, abi: number): Uint8Array {
  bytes[7] = abi;
  return bytes;
}

const interp = (encoding: Encoding, path: string) => plain(encoding).segment(PT_INTERP, cstr(path));
const half = ({ bits }: Encoding) => 1n << BigInt(bits - 1);
const note = (name: string, type: number) => ({ name, type, desc: new Uint8Array(16) });

/** Signs as images show them, each alone. Bytes are typed in by hand: Multiboot magic, flags, checksum. */
const SHOWN: readonly (readonly [sign: string, image: (encoding: Encoding) => ElfBuilder | Uint8Array])[] = [
  ['xen-notes', (e) => plain(e).noteSegment([{ name: 'Xen', type: 18, desc: num(0x100000n, 4, e) }])],
  ['xen-notes', (e) => plain(e).noteSection('.note.Xen', [{ name: 'Xen', type: 6, desc: cstr('os') }])],
  ['xen-guest', (e) => plain(e).section('__xen_guest', { bytes: cstr('GUEST_OS=os') })],
  ['multiboot', (e) => elf(e).load(0x400000n, Uint8Array.of(2, 0xb0, 0xad, 0x1b, 0, 0, 0, 0, 0xfe, 0x4f, 0x52, 0xe4))],
  ['physical-addresses', (e) => plain(e, { paddr: 0x1000000n })],
  ['upper-half', (e) => plain(e, { vaddr: half(e) })],
  ['no-interpreter', (e) => interp(e, '/red/herring')],
  ['no-interpreter', (e) => interp(e, '/nonexistent/solo5/')],
  ['interpreter', (e) => interp(e, '/lib64/ld-linux-x86-64.so.2')],
  ['tls', (e) => plain(e).segment(PT_TLS)],
  ['dynamic', (e) => plain(e).segment(PT_DYNAMIC)],
  ['abi-tag', (e) => plain(e).noteSegment([note('GNU', 1)])],
  ['abi-tag', (e) => plain(e).noteSection('.note.android.ident', [note('Android', 1)])],
  ['gnu-osabi', (e) => withOsAbi(plain(e).build(), 3)],
  ['stack-rights', (e) => headersLoaded(e).segment(PT_GNU_STACK, undefined, { flags: 6 })],
];

/** What is no sign, though it looks like one. */
const NOTHING: readonly (readonly [what: string, image: (encoding: Encoding) => ElfBuilder | Uint8Array])[] = [
  ['nothing', (e) => plain(e)],
  ['p_paddr 0 everywhere', (e) => plain(e, { paddr: 0n })],
  ['an empty PT_LOAD with a p_paddr of its own', (e) => plain(e).load(0x500000n, new Uint8Array(0), { paddr: 1n })],
  ['the last address of the lower half', (e) => plain(e, { vaddr: half(e) - 64n })],
  ['a build-id', (e) => plain(e).noteSegment([note('GNU', 3)])],
  ['the note of NetBSD, whose kernels have it too', (e) => plain(e).noteSegment([note('NetBSD', 1)])],
  ['EI_OSABI FreeBSD', (e) => withOsAbi(plain(e).build(), 9)],
  ['PT_GNU_STACK with headers outside memory', (e) => plain(e).segment(PT_GNU_STACK)],
  ['PT_GNU_STACK of an image at 1 MiB', (e) => headersLoaded(e, 0x100000n).segment(PT_GNU_STACK)],
  ['headers in memory alone', (e) => headersLoaded(e)],
];

describe.each(ENCODINGS)('imageKind(), ELF$bits $endian', (encoding) => {
  it.each(SHOWN)('sees %s', (name, image) => {
    const of = SIGNS.find((sign) => sign.name === name)?.of;
    const answer = judge(build(image(encoding)));
    expect(answer).toMatchObject({ kind: of, by: 'signs', signs: [{ name }] });
    expect(kindWords(answer)).toMatch(/^it looks like a (kernel|program): ./);
  });

  it.each(NOTHING)('takes no sign from %s', (_, image) => {
    expect(judge(build(image(encoding)))).toEqual({ kind: 'kernel', by: 'nothing', signs: [] });
  });

  it('lets a sign of a kernel win over those of a program', () => {
    const program = interp(encoding, '/lib/ld.so.1').segment(PT_TLS).segment(PT_DYNAMIC);
    expect(judge(program.build()).signs.map(({ name }) => name)).toEqual(['interpreter', 'tls', 'dynamic']);
    const kernel = program.load(0x9000000n, new Uint8Array(16), { paddr: 0x100000n });
    expect(judge(kernel.build())).toMatchObject({ kind: 'kernel', signs: [{ name: 'physical-addresses' }] });
  });

  it('lets Xen notes win over what kernels borrow, and not over what only programs have: an edit may have put them there', () => {
    const xen = [{ name: 'Xen', type: 6, desc: cstr('os') }];
    const unikernel = plain(encoding).segment(PT_TLS).segment(PT_DYNAMIC).noteSegment(xen);
    expect(judge(unikernel.build())).toMatchObject({ kind: 'kernel', signs: [{ name: 'xen-notes' }] });
    const program = interp(encoding, '/lib/ld.so.1').noteSegment(xen);
    expect(judge(program.build())).toMatchObject({ kind: 'program', signs: [{ name: 'interpreter' }] });
    const both = program.load(0x9000000n, new Uint8Array(16), { paddr: 0x100000n });
    expect(judge(both.build()).kind).toBe('kernel');
  });

  it('takes Xen notes that an edit put there for no word of the builder: a program without a libc goes on to be one', () => {
    const program = headersLoaded(encoding)
      .segment(PT_GNU_STACK, undefined, { flags: 6 })
      .section('.text')
      .symbol('a', 1n);
    const image = readElf(new BufferSource(program.with({ slack: 0x80, trailing: new Uint8Array(0x100) }).build()));
    expect(imageKind(analyze(image)).kind).toBe('program');
    const plan = planPatch(image, [{ kind: 'set', setting: parseSetting('GUEST_OS=os') }]);
    const result = preview(image, plan.rendered);
    expect(judge(result.read(0n, result.size, 'test'))).toMatchObject({
      kind: 'program',
      signs: [{ name: 'stack-rights' }],
    });
    // By a linker they stand in front of the section names.
    const linked = headersLoaded(encoding).segment(PT_GNU_STACK, undefined, { flags: 6 });
    const xen = linked
      .noteSegment([{ name: 'Xen', type: 6, desc: cstr('os') }], { section: '.note.Xen' })
      .symbol('a', 1n);
    expect(judge(xen.build())).toMatchObject({ kind: 'kernel', signs: [{ name: 'xen-notes' }] });
  });

  it.each(['kernel', 'program'] as const)('takes the word of the person for it: %s', (asked) => {
    for (const [, image] of [...SHOWN, ...NOTHING]) {
      expect(judge(build(image(encoding)), asked)).toEqual({ kind: asked, by: 'asked', signs: [] });
    }
  });
});

describe('SIGNS', () => {
  it('are each shown by an image here', () => {
    expect(new Set(SHOWN.map(([name]) => name))).toEqual(new Set(SIGNS.map(({ name }) => name)));
  });

  it('say why in their own words, each', () => {
    expect(new Set(SIGNS.map(({ why }) => why)).size).toBe(SIGNS.length);
  });
});

describe('an interpreter that is no string', () => {
  it.each([
    ['behind the end of the file', { offset: 0x10000n, filesz: 20n }],
    ['longer than the file', { offset: 64n, filesz: 1n << 40n }],
    ['empty', { offset: 0n, filesz: 0n }],
  ])('%s is one of a program all the same', (_, options) => {
    const bytes = plain({ bits: 64, endian: 'little' }).segment(PT_INTERP, undefined, options).build();
    expect(judge(bytes).signs.map(({ name }) => name)).toEqual(['interpreter']);
  });
});
