/** What was stamped into the PE header of a boot image stays in it, whatever is done with the payload, and in any order. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import '../../../src/base/platform/node.js';
import { planContainer, planInside, proveContainer } from '../../../src/edit/container/pipeline.js';
import { resultSource } from '../../../src/edit/container/rebuilt.js';
import { DEFAULT_PLACEMENT } from '../../../src/edit/elf/plan/placement-options.js';
import { openContainer } from '../../../src/formats/container/open.js';
import type { PayloadAction } from '../../../src/formats/container/payload-action.js';
import { parseSetting } from '../../../src/formats/note/value.js';
import { bzImage, payloadOf, relocationTail, sectionOf, unpackForTest, withSection } from '../../support/bzimage.js';
import { fixture } from '../../support/fixtures.js';

const data = Buffer.concat([readFileSync(fixture('pvh64-notes')), relocationTail()]);
const SBAT = Buffer.from('sbat,1,SBAT Version,sbat,1,https://example.org\n');
const NOTE = Buffer.alloc(0x321, 'N');
const PLAIN = bzImage({ data, pe: 'new', crc: false });

async function made(bytes: Uint8Array, way: PayloadAction, set = ''): Promise<Uint8Array> {
  const source = new BufferSource(bytes, 'vmlinuz');
  const opened = await openContainer(source);
  if (opened.kind === 'elf') throw new Error('not a container');
  const edits = set === '' ? [] : [{ kind: 'set' as const, setting: parseSetting(set) }];
  const elf = way === 'detach' ? undefined : planInside(opened, edits, DEFAULT_PLACEMENT);
  const options = { way, stripSignature: false, compressor: undefined, keepTail: false };
  const plan = await planContainer(source, opened, elf, options);
  const result = resultSource(source, plan.rebuilt);
  const written = new Uint8Array(Number(result.size));
  result.readInto(0n, written, 'result');
  await proveContainer(plan, new BufferSource(written));
  return written;
}

const stamped = (image: Uint8Array) => withSection(withSection(image, '.sbat', SBAT), '.pkgnote', NOTE);
const hasBoth = (image: Uint8Array) => {
  expect(Buffer.from(sectionOf(image, '.sbat')).equals(SBAT)).toBe(true);
  expect(Buffer.from(sectionOf(image, '.pkgnote')).equals(NOTE)).toBe(true);
};

describe('a stamped boot image', () => {
  it('keeps its sections in front of an attached payload, and is what it was when that is taken off', async () => {
    const attached = await made(stamped(PLAIN), 'attach', 'PHYS32_ENTRY=0x123456');
    hasBoth(attached);
    expect(payloadOf(attached).end).toBe(attached.length);
    expect(Buffer.compare(await made(attached, 'detach'), stamped(PLAIN))).toBe(0);
  });

  it('keeps them behind a payload that is packed anew', async () => {
    const replaced = await made(stamped(PLAIN), 'replace', 'PHYS32_ENTRY=0');
    hasBoth(replaced);
    expect(replaced.length).toBe(stamped(PLAIN).length);
    expect(unpackForTest('gzip', payloadOf(replaced).stream).length).toBe(data.length);
  });

  it('that was stamped behind its attached payload gives the same as one that was stamped before', async () => {
    const before = await made(stamped(PLAIN), 'attach', 'PHYS32_ENTRY=0x123456');
    const late = stamped(await made(PLAIN, 'attach', 'PHYS32_ENTRY=0x654321'));
    hasBoth(late);
    const again = await made(late, 'attach', 'PHYS32_ENTRY=0x123456');
    hasBoth(again);
    expect(Buffer.compare(again, before)).toBe(0);
    const off = await made(late, 'detach');
    hasBoth(off);
    expect(Buffer.compare(off, stamped(PLAIN))).toBe(0);
  });

  it.each<[string, (image: Uint8Array) => Uint8Array]>([
    ['in front of its section', (image) => withSection(Buffer.concat([image, Buffer.from('whose?')]), '.sbat', SBAT)],
    ['behind its section', (image) => Buffer.concat([stamped(image), Buffer.from('whose?')])],
    [
      'in two sections at once',
      (image) => {
        const both = stamped(image);
        const view = new DataView(both.buffer);
        const [first = 0, second = 0] = [3, 4].map((index) => 0x40 + 24 + 160 + index * 40 + 20);
        view.setUint32(second, view.getUint32(first, true), true);
        return both;
      },
    ],
  ])('with bytes %s that nothing explains is refused', async (_, edit) => {
    for (const image of [PLAIN, await made(PLAIN, 'attach', 'PHYS32_ENTRY=0x1')]) {
      await expect(made(edit(image), 'attach', 'PHYS32_ENTRY=0x2')).rejects.toMatchObject({ id: 'bzimage.trailing' });
    }
  });
});
