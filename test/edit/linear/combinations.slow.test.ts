/** Every combination of options on every fixture: refused in words, or proved, final and the same each time. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import type { LinearOptions } from '../../../src/edit/linear/options.js';
import { changesLinear, proveLinear } from '../../../src/edit/linear/pipeline.js';
import { fixture } from '../../support/fixtures.js';
import { linearBytes, linearLayout } from '../../support/linear.js';
import { PeBytes } from '../../support/pe-edit.js';

const flags = [false, true];
const WISHES: readonly Partial<LinearOptions>[] = flags.flatMap((mb1) =>
  flags.flatMap((merge) =>
    flags.flatMap((keepReloc) =>
      (['auto', 'append', 'gap', 'none'] as const).flatMap((mb2) =>
        [undefined, 0x300n, 0x8000n].flatMap((headerSize) =>
          (['auto', 'keep'] as const).map((fileAlign) => ({ mb1, merge, keepReloc, mb2, headerSize, fileAlign })),
        ),
      ),
    ),
  ),
);

describe.each([
  { name: 'dual.efi', least: 120 },
  { name: 'dual-tight.efi', least: 70 },
])('options of linearize together, on $name', ({ name, least }) => {
  const input = () => new PeBytes(readFileSync(fixture(name))).image(name);

  it('change nothing the second time, with the same options', () => {
    let made = 0;
    for (const options of WISHES) {
      try {
        const once = linearBytes(input(), options);
        made += 1;
        expect(linearBytes(input(), options).bytes.equals(once.bytes)).toBe(true);
        const layout = linearLayout(input(), options);
        proveLinear(layout, layout.output);
        expect(
          changesLinear(linearLayout(once.image(), options)),
          JSON.stringify(options, (_, v) => `${v}`),
        ).toBe(false);
      } catch (error) {
        if (!(error instanceof PatchError)) throw error;
        expect(error.id).toMatch(/^(mb1\.no-room|mb2\.no-room|mb2\.too-far|linear\.header-size)$/);
      }
    }
    expect(made).toBeGreaterThan(least);
  });

  it('change nothing but what was asked for when a linear image is given other ones', () => {
    const plain = linearBytes(input()).image();
    for (const options of [
      { keepReloc: true },
      { discardableReloc: true },
      { merge: true },
      { headerSize: 0x2000n },
      { mb2: 'gap' as const },
    ]) {
      const stepwise = linearBytes(plain, options);
      // Two steps lead where one does; but a header in the gap stays where it is.
      const direct = linearLayout(input(), options).mb2?.how;
      if (direct === 'append') expect(stepwise.bytes.equals(linearBytes(input(), options).bytes)).toBe(true);
      else expect(direct).toBe('gap');
      proveLinear(linearLayout(plain, options), linearLayout(plain, options).output);
    }
  });
});

describe('a debug entry', () => {
  it('that points to bytes which are not taken over is refused', () => {
    const file = PeBytes.fixture();
    const at = file.section('.text', 'PointerToRawData') + 0x100;
    file.bytes.fill(0, at, at + 28);
    // Type 20, extended DLL flags: no address, so its file offset is all there is; the hole in front of .rodata.
    file
      .word(at + 12, 20)
      .word(at + 16, 4)
      .word(at + 24, 0x694);
    file.directory(6, 0x200100, 28);
    expect(() => linearLayout(file.image())).toThrow('[linear.debug-pointer]');
  });

  it('without an address follows its old place', () => {
    const file = PeBytes.fixture();
    const at = file.section('.text', 'PointerToRawData') + 0x100;
    file.bytes.fill(0, at, at + 28);
    file
      .word(at + 12, 20)
      .word(at + 16, 4)
      .word(at + 24, 0x6a4);
    file.directory(6, 0x200100, 28);
    const made = linearBytes(file.image());
    const layout = linearLayout(file.image());
    proveLinear(layout, layout.output);
    const now = made.section('.text', 'PointerToRawData') + 0x100;
    // Four bytes into .rodata, before and after.
    expect(made.bytes.readUInt32LE(now + 24)).toBe(made.section('.rodata', 'PointerToRawData') + 4);
  });
});
