import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { hasLinuxMagic } from '../../../src/formats/linux/boot-header.js';
import { hexToBytes } from '../../support/elf-builder.js';

function fileWith(at: number, size: number): BufferSource {
  const bytes = new Uint8Array(size);
  bytes.set(hexToBytes('48 64 72 53').subarray(0, Math.max(0, size - at)), at);
  return new BufferSource(bytes);
}

describe('hasLinuxMagic()', () => {
  it('looks at 0x202 and nowhere else', () => {
    expect(hasLinuxMagic(fileWith(0x202, 0x206))).toBe(true);
    expect(hasLinuxMagic(fileWith(0x203, 0x300))).toBe(false);
    expect(hasLinuxMagic(fileWith(0x202, 0x205))).toBe(false);
  });
});
