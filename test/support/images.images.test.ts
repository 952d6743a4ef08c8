import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { corpusFiles, fixture, realImage, realImages, requireTools } from './images.js';

const isElf = (path: string): boolean => readFileSync(path).subarray(0, 4).toString('latin1') === '\x7fELF';

describe('what tests stand on', () => {
  it('realImages() are ELF files of both classes, those the reference results rest on among them', () => {
    const images = realImages();
    expect(images.filter(({ path }) => !isElf(path))).toEqual([]);
    const names = images.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['vmlinux', 'xen-syms', 'xen-shim', 'grub-x86_64-xen', 'grub-i386-xen_pvh', 'hvmloader']),
    );
    expect(realImages('elf32').length + realImages('elf64').length).toBe(images.length);
  });

  it('realImage() also has the containers', () => {
    expect(readFileSync(realImage('vmlinuz').path).toString('latin1', 0x202, 0x206)).toBe('HdrS');
  });

  it('corpusFiles() has hundreds of ELF files from each large corpus', () => {
    expect(corpusFiles('llvm').filter(isElf).length).toBeGreaterThan(900);
    expect(corpusFiles('elfutils').filter(isElf).length).toBeGreaterThan(280);
    expect(corpusFiles('elfutils').map((path) => basename(path))).toContain('tests__testfile-phdrs.elf');
  });

  it('throws, with what to do, for what is not there', () => {
    expect(() => fixture('no-such-kernel')).toThrow('make fixtures');
    expect(() => realImage('no-such-image')).toThrow('no image no-such-image');
    expect(() => realImages('no-such-trait')).toThrow('no-such-trait');
    expect(() => requireTools('readelf', 'no-such-program')).toThrow(/no-such-program; run .*install-debian-packages/);
  });
});
