/** No edit is looked for in a kernel that unpacks to more than any real one: each that is tried would be packed again. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BufferSource, OverlaySource } from '../../../src/base/bytes/source.js';
import { MOST_UNPACKED, proveCure } from '../../../src/edit/fix/cure.js';
import { openContainer } from '../../../src/formats/container/open.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { elf } from '../../support/elf-builder.js';

/** An image with zeros behind it, to any size, and a count of the bytes that are read of it. */
class Padded extends OverlaySource {
  asked = 0n;

  constructor(image: Uint8Array, size: bigint) {
    super(new BufferSource(image), [], size);
  }

  override read(offset: bigint, length: bigint, part: string): Uint8Array {
    this.asked += length;
    return super.read(offset, length, part);
  }

  override readInto(offset: bigint, target: Uint8Array, part: string): void {
    this.asked += BigInt(target.length);
    super.readInto(offset, target, part);
  }
}

const kernel = elf({ bits: 64, endian: 'little' })
  .header({ e_type: 2, e_machine: 62, e_entry: 0x100000n })
  .load(0x100000n, new Uint8Array(0x200).fill(0x90), { align: 0x1000n })
  .build();

describe('a packed kernel without notes', () => {
  it.each([
    ['of the largest size', MOST_UNPACKED, false],
    ['of a byte more', MOST_UNPACKED + 1n, true],
  ])('%s', async (_, size, refused) => {
    const source = new Padded(kernel, size);
    const outer = new BufferSource(gzipSync(kernel), 'kernel.gz');
    const opened = await openContainer(outer);
    if (opened.kind === 'elf') throw new Error('nothing was packed');
    const wrapped = { facts: opened.facts, outer };
    const [verdict] = judgeLoaders(source, { names: ['qemu-pvh'] });
    if (verdict === undefined) throw new Error('no verdict');
    source.asked = 0n;
    const { cure, advice } = proveCure(source, verdict, { wrapped, ways: [] });
    const text = `no edit is looked for: found ${size} bytes packed, wanted at most ${MOST_UNPACKED}`;
    expect(advice === text).toBe(refused);
    // A header, a few times.
    if (refused) expect({ cure, few: source.asked < 4096n }).toEqual({ cure: undefined, few: true });
  });
});
