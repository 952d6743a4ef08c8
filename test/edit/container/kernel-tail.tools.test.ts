/** Bytes that a kernel's linker leaves behind the kernel stay, whatever is done with the payload; other bytes are refused. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { planContainer, planInside, proveContainer } from '../../../src/edit/container/pipeline.js';
import { resultSource } from '../../../src/edit/container/rebuilt.js';
import { DEFAULT_PLACEMENT } from '../../../src/edit/elf/plan/placement-options.js';
import { isKernelTail } from '../../../src/formats/container/kernel-tail.js';
import { openContainer } from '../../../src/formats/container/open.js';
import type { PayloadAction } from '../../../src/formats/container/payload-action.js';
import { parseSetting } from '../../../src/formats/note/value.js';
import { bzImage, payloadOf, relocationTail, unpackForTest } from '../../support/bzimage.js';
import { fixture } from '../../support/fixtures.js';

const kernel = readFileSync(fixture('pvh64-notes'));
const data = Buffer.concat([kernel, relocationTail()]);
const zeros = (length: number) => new Uint8Array(length);
/** What Debian's linux-image-6.17.13 has there, in the shape of its own strings. */
const MODINFO = Buffer.from('zstd_common.author=A\0zstd_common.license=Dual BSD/GPL\0decompressor.parm=x:a\tb\n\0');

const TAILS: readonly (readonly [string, Uint8Array])[] = [
  ['one zero', zeros(1)],
  ['zeros', zeros(4096)],
  ['zeros, more than a block of reading', zeros(0x200123)],
  ['.modinfo at once', MODINFO],
  ['zeros and .modinfo', Buffer.concat([zeros(0x1001), MODINFO])],
  ['.modinfo between zeros', Buffer.concat([zeros(0x100005), MODINFO, zeros(9)])],
];

const STRANGERS: readonly (readonly [string, Uint8Array])[] = [
  ['text', Buffer.from('somebody needs this')],
  ['a name without a value', Buffer.from('license\0')],
  ['a value without a name', Buffer.from('=GPL\0')],
  ['a name of other characters', Buffer.from('a b=c\0')],
  ['control characters', Buffer.from('a=b\x1b\0')],
  ['.modinfo, then data', Buffer.concat([MODINFO, Uint8Array.of(1, 2, 3)])],
  ['zeros, then an ELF', Buffer.concat([zeros(64), kernel])],
  ['more strings than any kernel has', Buffer.concat([zeros(16), Buffer.alloc(0x100001, 'a=b\0')])],
];

async function planned(bytes: Uint8Array, way: PayloadAction, set: string, stripSignature = false) {
  const source = new BufferSource(bytes, 'vmlinuz');
  const opened = await openContainer(source);
  if (opened.kind === 'elf') throw new Error('not a container');
  const edits = set === '' ? [] : [{ kind: 'set' as const, setting: parseSetting(set) }];
  const elf = way === 'detach' ? undefined : planInside(opened, edits, DEFAULT_PLACEMENT);
  return planContainer(source, opened, elf, { way, stripSignature, compressor: undefined, keepTail: false });
}

/** The result of a way, proved as the command does it before it writes. */
async function rebuilt(...args: Parameters<typeof planned>): Promise<Uint8Array> {
  const plan = await planned(...args);
  const result = resultSource(plan.source, plan.rebuilt);
  const bytes = new Uint8Array(Number(result.size));
  result.readInto(0n, bytes, 'result');
  await proveContainer(plan, new BufferSource(bytes));
  return bytes;
}

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

describe.each(TAILS)('%s behind the kernel', (_, tail) => {
  const bare = bzImage({ data, pe: 'new' });
  const image = bzImage({ data, pe: 'new', tail });

  it('is no obstacle, and stays in front of an attached payload', async () => {
    expect(isKernelTail(new BufferSource(tail), { start: 0n, end: BigInt(tail.length) })).toBe(true);
    const attached = await rebuilt(image, 'attach', 'PHYS32_ENTRY=0x123456');
    expect(same(attached.subarray(bare.length, image.length), tail)).toBe(true);
    expect(payloadOf(attached).end).toBe(attached.length);
    const again = await rebuilt(attached, 'attach', 'PHYS32_ENTRY=0x654321');
    expect(same(again, await rebuilt(image, 'attach', 'PHYS32_ENTRY=0x654321'))).toBe(true);
    expect(same(await rebuilt(again, 'detach', ''), image)).toBe(true);
  });

  it('stays behind a payload that is packed anew', async () => {
    const result = await rebuilt(image, 'replace', 'PHYS32_ENTRY=0');
    expect(result.length).toBe(image.length);
    expect(same(result.subarray(bare.length), tail)).toBe(true);
    expect(unpackForTest('gzip', payloadOf(result).stream).length).toBe(data.length);
  });

  it('stays when a signature goes, and the result is the image before it was signed', async () => {
    const signed = bzImage({ data, pe: 'new', tail, certificate: 64 });
    const stripped = await rebuilt(signed, 'attach', '', true);
    expect(same(stripped, image)).toBe(true);
    const attached = await rebuilt(signed, 'attach', 'PHYS32_ENTRY=0x123456', true);
    expect(same(attached, await rebuilt(image, 'attach', 'PHYS32_ENTRY=0x123456'))).toBe(true);
  });
});

describe.each(STRANGERS)('%s behind the kernel', (_, behind) => {
  it.each(['attach', 'replace'] as const)('is somebody’s: %s is refused with place and size', async (way) => {
    const image = bzImage({ data, pe: 'new', tail: behind });
    const at = bzImage({ data, pe: 'new' }).length;
    const error = await planned(image, way, 'PHYS32_ENTRY=0x123456').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(PatchError);
    expect(error).toMatchObject({
      id: 'bzimage.trailing',
      detail: `found ${behind.length} bytes of unknown purpose at 0x${at.toString(16)}, behind the kernel`,
      hint: expect.stringContaining(`truncate -s ${at}`),
    });
  });

  it('once cut off as the hint says, a signed image is edited with --strip-signature', async () => {
    const signed = bzImage({ data, pe: 'new', tail: behind, certificate: 64 });
    const cut = signed.slice(0, bzImage({ data, pe: 'new' }).length);
    const edit = 'PHYS32_ENTRY=0x123456';
    await expect(planned(cut, 'attach', edit)).rejects.toMatchObject({ id: 'pe.signed' });
    expect(
      same(await rebuilt(cut, 'attach', edit, true), await rebuilt(bzImage({ data, pe: 'new' }), 'attach', edit)),
    ).toBe(true);
  });
});
