import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { LOADER_ROWS, releaseOf, targetOf } from '../../src/loaders/names.js';
import { spanOf } from '../../src/loaders/span.js';
import { newestVersion, releasesOf, resolveVersion, spans, spanText } from '../../src/loaders/versions.js';
import { isSince, parseXenVersion } from '../../src/loaders/xen-version.js';

describe('resolveVersion()', () => {
  it.each([
    ['xen', '4.20', '4.20.4'],
    ['xen', '4.20.3', '4.20.3'],
    ['xen', '4.20.0', '4.20.0'],
    ['xen', '4.20.5', undefined],
    ['xen', '4.20.03', undefined],
    ['xen', '4.6', undefined],
    ['xen', '4', undefined],
    ['xen', '4.2', undefined],
    ['xen', '', undefined],
    ['qemu', '7.2', '7.2.22'],
    ['qemu', '10.0.2', '10.0.2'],
    ['grub', '2.06', '2.06'],
    ['grub', '2.6', undefined],
    ['grub', '2.12.0', undefined],
    ['kexec-tools', '2.0', '2.0.32'],
    ['kexec-tools', '2.0.25', '2.0.25'],
    ['kexec-tools', '2.0.24', undefined],
  ] as const)('%s %s is %s', (product, text, release) => {
    expect(resolveVersion(product, text)).toBe(release);
  });

  it('knows every release that it lists', () => {
    for (const { product } of LOADER_ROWS) {
      for (const { version } of releasesOf(product)) expect(resolveVersion(product, version)).toBe(version);
      expect(releasesOf(product).at(-1)?.version).toBe(newestVersion(product));
    }
  });
});

describe('spans()', () => {
  const rule = { since: '4.22', backported: ['4.20.4', '4.21.2'] };

  it.each([
    ['4.19.6', false],
    ['4.20.3', false],
    ['4.20.4', true],
    ['4.20', true],
    ['4.21.0', false],
    ['4.21.1', false],
    ['4.21.2', true],
    ['4.22.0', true],
  ])('a rule of 4.22 that was backported, %s: %s', (version, has) => {
    expect(spans('xen', rule, version)).toBe(has);
  });

  it('ends before `until`, whatever the point release', () => {
    expect(['4.14', '4.14.6', '4.15.0', '4.15'].map((v) => spans('xen', { until: '4.15' }, v))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('counts numbers, not letters', () => {
    expect(spans('qemu', { since: '10.0.13' }, '7.2.22')).toBe(false);
    expect(spans('qemu', { since: '10.0.13' }, '10.0.9')).toBe(false);
    expect(spans('qemu', { since: '10.0.13' }, '11.1.3')).toBe(true);
    expect(isSince('4.9', '4.10')).toBe(false);
    expect(['1.19.0', 'main'].map((v) => spans('libkrun', { until: 'main' }, v))).toEqual([true, false]);
    expect(['1.16.1', 'main'].map((v) => spans('firecracker', { since: 'main' }, v))).toEqual([false, true]);
  });

  it('is told in words', () => {
    expect(spanText(rule)).toBe('since 4.22 (and from 4.20.4, 4.21.2)');
    expect(spanText({ until: '4.15' })).toBe('until 4.15');
    expect(spanText({})).toBe('');
  });
});

describe('releaseOf()', () => {
  it.each([
    ['xen-pv', '4.22.0'],
    ['xen-dom0-pvh@4.20', '4.20.4'],
    ['qemu-pvh@7.2', '7.2.22'],
    ['kexec@2.0.32', '2.0.32'],
    ['multiboot@2.06', '2.06'],
    ['firecracker@1.16', '1.16.1'],
    ['firecracker', 'main'],
    ['cloud-hypervisor', '53.0'],
  ])('%s is %s', (target, release) => expect(releaseOf(target)).toBe(release));

  it.each(['xen-pv@5.0', 'xen-pv@', 'qemu-pvh@4.20', 'kexec@x'])('%s: an error that lists what is known', (target) => {
    expect(() => releaseOf(target)).toThrow(expect.objectContaining({ id: 'usage.bad' }));
  });
});

describe('spanOf()', () => {
  const span = (file: string, target: string): string | undefined => {
    const source = new BufferSource(readFileSync(`fixtures/${file}`), file);
    const [verdict] = judgeLoaders(source, { names: [target] });
    return verdict === undefined ? 'no loader' : spanOf(source, verdict);
  };

  it.each([
    ['cases/xen-dom0-pvh-supported-no-dom0', 'xen-dom0-pvh@4.20.3', 'Xen 4.11.0 to 4.20.3, 4.21.0 to 4.21.1'],
    ['cases/xen-dom0-pvh-supported-no-dom0', 'xen-dom0-pvh', 'Xen 4.7.0 to 4.10.4, 4.20.4, 4.21.2 to 4.22.0'],
    ['cases/grub212-no-section-headers.elf', 'grub-multiboot@2.06', 'GRUB 2.06'],
    ['cases/grub212-no-section-headers.elf', 'grub-multiboot', 'GRUB 2.12 to 2.14'],
    ['bin/pvh64-notes', 'firecracker', 'Firecracker 1.12.0 to main'],
    ['bin/pvh64-notes', 'qemu-pvh', undefined],
  ])('of %s, by %s: %s', (file, target, wanted) => expect(span(file, target)).toBe(wanted));
});

describe('targetOf()', () => {
  it('takes NAME[@VERSION] apart', () => {
    expect(targetOf('a@1')).toEqual({ name: 'a', version: '1' });
    expect(targetOf('a')).toEqual({ name: 'a', version: undefined });
  });
});

describe('parseXenVersion()', () => {
  it('keeps what was typed, where it is known', () => {
    expect(['4.17', '4.17.3', '4.17.99', '3.4'].map(parseXenVersion)).toEqual(['4.17', '4.17.3', undefined, undefined]);
  });
});
