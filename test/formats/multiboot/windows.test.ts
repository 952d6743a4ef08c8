import { describe, expect, it } from 'vitest';
import {
  HEADER_WINDOWS,
  lastMultibootOffset,
  multibootWindow,
  windowOf,
} from '../../../src/formats/multiboot/windows.js';

/** Typed from the loaders: hw/i386/multiboot.c; multiboot_mbi.c, multiboot_mbi2.c; kexec-multiboot-x86.c, kexec-mb2-x86.c. */
const LAST = { 'QEMU 1': 8140n, 'GRUB 1': 8180n, 'GRUB 2': 32752n, 'kexec 1': 8180n, 'kexec 2': 32752n };

describe('HEADER_WINDOWS', () => {
  it('has the last offset of every loader', () => {
    expect(
      Object.fromEntries(HEADER_WINDOWS.map(({ loader, version, last }) => [`${loader} ${version}`, last])),
    ).toEqual(LAST);
  });

  it.each(HEADER_WINDOWS)('$loader $version: the last offset is one that the search comes to, its head inside', (w) => {
    expect(w.last % w.align).toBe(0n);
    expect(w.last + w.head).toBeLessThanOrEqual(w.bytes);
    expect([w.bytes, w.align, w.head]).toEqual(w.version === 1 ? [8192n, 4n, 12n] : [32768n, 8n, 16n]);
  });
});

describe('lastMultibootOffset()', () => {
  it.each([
    [1, 12n, 8140n],
    [1, 32n, 8140n],
    [1, 48n, 8140n],
    [2, 16n, 32752n],
    [2, 24n, 32744n],
    [2, 136n, 32632n],
  ] as const)('version %i, %i bytes: %i, for every loader and with the whole header inside', (version, size, last) => {
    expect(lastMultibootOffset({ version, size })).toBe(last);
    expect(last + size).toBeLessThanOrEqual(multibootWindow({ version }));
  });
});

describe('windowOf()', () => {
  it('ends where a head still fits', () => {
    expect(windowOf(1, 0x10000n)).toMatchObject({ bytes: 0x10000n, last: 0xfff4n, align: 4n });
    expect(windowOf(2, 0x10000n)).toMatchObject({ bytes: 0x10000n, last: 0xfff0n, align: 8n });
  });
});
