/** Images that are refused before anything is planned: each row of the table by an image that breaks it alone. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { latin1Bytes } from '../../../src/base/bytes/text.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { planPatch, planUnchanged } from '../../../src/edit/elf/pipeline.js';
import { PRECONDITIONS } from '../../../src/edit/elf/preconditions.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { ENCODINGS, type Encoding } from '../../../src/formats/elf/struct.js';
import { elf } from '../../support/elf-builder.js';
import { osEdit } from '../../support/placing.js';

const GIB = 0x40000000n;

const code = (encoding: Encoding) =>
  elf(encoding).load(0n, new Uint8Array(64).fill(0x90), { align: 1n }).with({ slack: 64 });
const aligned = (encoding: Encoding, align: bigint) => elf(encoding).load(0n, new Uint8Array(0), { align, memsz: 16n });
const trailer = latin1Bytes('~Module signature appended~\n');

/** By name: images that are refused, with words of the refusal, and the nearest that is not. */
const ROWS: Readonly<Record<string, (e: Encoding) => { broken: [Uint8Array, string][]; kept: Uint8Array[] }>> = {
  linked: (e) => ({
    broken: [
      [code(e).header({ e_type: 1 }).build(), 'found ET_REL'],
      [code(e).header({ e_type: 4 }).build(), 'found ET_CORE'],
    ],
    kept: [code(e).header({ e_type: 2 }).build(), code(e).header({ e_type: 3 }).build()],
  }),
  unsigned: (e) => ({
    broken: [[code(e).with({ trailing: trailer }).build(), 'found an appended signature']],
    kept: [
      code(e)
        .with({ trailing: trailer.subarray(1) })
        .build(),
    ],
  }),
  'alignment-is-one': (e) => ({
    broken: [[aligned(e, 3n).build(), 'p_align is 0x3, wanted 0 or a power of two']],
    kept: [aligned(e, 0n).build(), aligned(e, 2n).build()],
  }),
  'alignment-of-a-page': (e) => ({
    broken: [
      [aligned(e, 2n * GIB).build(), 'p_align is 0x80000000, wanted at most 1 GiB'],
      [
        code(e)
          .section('.wide', { bytes: new Uint8Array(4), align: 1n })
          .section('.x', { bytes: new Uint8Array(4), align: 2n * GIB, offset: 0n })
          .build(),
        'sh_addralign is 0x80000000, wanted at most 1 GiB',
      ],
    ],
    kept: [aligned(e, GIB).build()],
  }),
  sound: (e) => ({
    broken: [[elf(e).load(0n, new Uint8Array(64), { filesz: 0x1000000n }).build(), 'the image breaks']],
    kept: [code(e).build()],
  }),
};

function refusal(bytes: Uint8Array, plan: (image: ReturnType<typeof readElf>) => unknown): PatchError | undefined {
  try {
    plan(readElf(new BufferSource(bytes, 'image')));
    return undefined;
  } catch (error) {
    if (error instanceof PatchError) return error;
    throw error;
  }
}

it('has an image for each row, and a source', () => {
  expect(Object.keys(ROWS).toSorted()).toEqual(PRECONDITIONS.map(({ name }) => name).toSorted());
  for (const { source } of PRECONDITIONS) expect(source).not.toBe('');
});

describe.each(ENCODINGS)('ELF$bits $endian', (encoding) => {
  describe.each(PRECONDITIONS)('$name', ({ name, when, refusal: asked }) => {
    const row = ROWS[name]?.(encoding) ?? { broken: [], kept: [] };

    it('refuses what breaks it, and nothing less', () => {
      expect(row.broken.length).toBeGreaterThan(0);
      for (const [bytes, words] of row.broken) {
        const error = refusal(bytes, (image) => planPatch(image, osEdit()));
        expect(error?.detail).toContain(words);
        expect(asked(readElf(new BufferSource(bytes, 'image')))?.detail).toBe(error?.detail);
      }
      expect(row.kept.length).toBeGreaterThan(0);
      for (const bytes of row.kept) expect(asked(readElf(new BufferSource(bytes, 'image')))).toBeUndefined();
    });

    it(`${when === 'any' ? 'stops' : 'does not stop'} a copy with its headers repaired`, () => {
      for (const [bytes] of row.broken) {
        const error = refusal(bytes, planUnchanged);
        // Only a row for `any` may be what stops it.
        if (when === 'any') expect(error?.id).toBe('plan.unsound');
        else expect(error?.detail ?? '').not.toBe(asked(readElf(new BufferSource(bytes, 'image')))?.detail);
      }
    });
  });
});
