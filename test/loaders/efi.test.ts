/** What starts PE images alone, asked about an image with one fault each; the same table is put to the programs in the boots. */
import { describe, expect, it } from 'vitest';
import '../../src/base/platform/node.js';
import { BufferSource } from '../../src/base/bytes/source.js';
import { judgeLoaders, LOADERS } from '../../src/loaders/loaders.js';
import { EFI_NAMES, LOADER_NAMES } from '../../src/loaders/names.js';
import { accepts } from '../../src/loaders/rule.js';
import { linearBytes } from '../support/linear.js';
import { PeBytes } from '../support/pe-edit.js';
import { PE_FAULTS } from '../support/pe-faults.js';

function judged(bytes: Uint8Array, name: string) {
  const [verdict] = judgeLoaders(new BufferSource(bytes, 'image'), { names: [name] });
  if (verdict === undefined) throw new Error(`nothing about ${name}`);
  return verdict;
}

/** A rule's remark without the questions that only a signed file passes. */
const UNSIGNED = /signed|sbat/;

describe.each(PE_FAULTS)('$name', ({ edit, shim, uefi }) => {
  const file = linearBytes(PeBytes.fixture().image(), { keepReloc: true });
  edit(file);

  it(`UEFI: ${uefi ?? 'starts it'}`, () => {
    const { message, outcome } = judged(file.bytes, 'uefi');
    expect(message).toBe(uefi);
    expect(outcome).toBe(uefi === undefined ? 'with-warnings' : 'refused');
  });

  it(`shim: ${shim ?? 'nothing against it'}`, () => {
    // Not signed: what is asked behind that is asked of signed images in the boots (secure-boot.boot.test.ts).
    const { rule = '', message = '' } = judged(file.bytes, 'shim');
    const header = !UNSIGNED.test(rule);
    if (header) expect(message).toBe(shim);
    else expect(rule).toBe('signed');
  });
});

describe('what starts PE images alone', () => {
  it('is not asked about other files unless it is named', () => {
    expect(judgeLoaders(new BufferSource(new Uint8Array(100), 'x')).map(({ loader }) => loader)).toEqual([
      ...LOADER_NAMES,
    ]);
    expect(LOADERS.some(({ name }) => EFI_NAMES.includes(name))).toBe(false);
  });

  it.each(EFI_NAMES)('%s takes no ELF and nothing that is short', (name) => {
    const elf = new Uint8Array(200);
    elf.set([0x7f, 0x45, 0x4c, 0x46]);
    for (const bytes of [
      elf,
      new Uint8Array(0),
      new Uint8Array(63),
      Uint8Array.of(0x4d, 0x5a),
      PeBytes.fixture().bytes.subarray(0, 300),
    ]) {
      expect(accepts(judged(bytes, name))).toBe(false);
    }
  });
});
