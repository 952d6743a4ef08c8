/** Images of fixtures/cases: what each loader answers by release, told by the real programs or their sources. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { judgeLoaders, LOADERS } from '../../src/loaders/loaders.js';
import { accepts } from '../../src/loaders/rule.js';
import { XEN_VERSIONS } from '../../src/loaders/xen-version.js';

/** `yes`, or what the loader says. */
function answer(image: string, target: string): string {
  const source = new BufferSource(readFileSync(`fixtures/cases/${image}`), image);
  const [verdict] = judgeLoaders(source, { names: [target] });
  if (verdict === undefined) throw new Error(`no loader ${target}`);
  return accepts(verdict) ? 'yes' : `${verdict.outcome}: ${verdict.message}`;
}

const DOM0 = 'refused: Kernel does not support Dom0 operation';
const LOAD_FAILED = 'refused: Error while loading elf kernel';
const UNKNOWN = 'refused: Cannot determine the file type';

const CASES: readonly (readonly [image: string, target: string, answer: string | RegExp])[] = [
  ['xen-dom0-pvh-supported-no-dom0', 'xen-dom0-pvh', DOM0],
  ['xen-dom0-pvh-supported-no-dom0', 'xen-dom0-pvh@4.22', DOM0],
  ['xen-dom0-pvh-supported-no-dom0', 'xen-dom0-pvh@4.21', DOM0],
  ['xen-dom0-pvh-supported-no-dom0', 'xen-dom0-pvh@4.21.1', 'yes'],
  ['xen-dom0-pvh-supported-no-dom0', 'xen-dom0-pvh@4.20', DOM0],
  ['xen-dom0-pvh-supported-no-dom0', 'xen-dom0-pvh@4.20.3', 'yes'],
  ['xen-dom0-pvh-supported-no-dom0', 'xen-dom0-pvh@4.19', 'yes'],
  ['xen-dom0-pvh-supported-no-dom0', 'xen-dom0-pvh@4.18', 'yes'],
  ['xen-dom0-pvh-supported-no-dom0', 'xen-dom0-pvh@4.17', 'yes'],
  ['qemu-filesz-over-memsz', 'qemu-pvh', LOAD_FAILED],
  ['qemu-filesz-over-memsz', 'qemu-pvh@10.0', LOAD_FAILED],
  ['qemu-filesz-over-memsz', 'qemu-pvh@10.0.2', /^crash: .* never finishes/],
  ['qemu-filesz-over-memsz', 'qemu-pvh@7.2', /^crash: .* never finishes/],
  ['qemu-note-filesz-2-64-1', 'qemu-pvh@7.2', 'yes'],
  ['qemu-note-filesz-2-64-1', 'qemu-pvh', 'yes'],
  ['ll-descsz-overflow', 'firecracker', 'refused: Overflow occurred during an arithmetic operation'],
  ['ll-descsz-overflow', 'cloud-hypervisor', 'refused: Overflow occurred during an arithmetic operation'],
  ['ll-descsz-overflow', 'libkrun', 'refused: Overflow occurred during an arithmetic operation'],
  ['libkrun-low-e_entry', 'firecracker', 'refused: Invalid entry address'],
  ['libkrun-low-e_entry', 'cloud-hypervisor', 'refused: Invalid entry address'],
  ['libkrun-low-e_entry', 'libkrun', 'yes'],
  ['kexec-e_machine-ARM_64', 'kexec', UNKNOWN],
  ['kexec-et_rel', 'kexec@2.0.25', UNKNOWN],
  ['kexec-p_paddr-second-overlaps-first', 'kexec@2.0', /^refused: Overlapping memory segments at 0x/],
  ['grub212-no-section-headers.elf', 'multiboot@2.06', 'yes'],
  ['grub212-no-section-headers.elf', 'multiboot@2.12', 'refused: invalid section header table offset in e_shoff'],
  ['grub212-no-section-headers.elf', 'multiboot', 'refused: invalid section header table offset in e_shoff'],
  ['grub-zero-size-load-last.elf', 'multiboot@2.06', 'refused: overlap detected'],
  ['grub-zero-size-load-last.elf', 'multiboot', 'refused: invalid section header table offset in e_shoff'],
  ['mb2-tag-not-padded-to-8.elf', 'multiboot2', 'refused: unsupported tag: 0x8'],
  ['mb2-no-end-tag.elf', 'multiboot2', 'refused: unsupported tag: 0x77'],
  ['qemu-mb1-loads-span-bios.elf', 'multiboot@2.06', 'yes'],
  ['qemu-mb1-loads-span-bios.elf', 'qemu-multiboot', /^crash: .* one block, with zeros over the BIOS/],
  ['qemu-mb1-loads-span-bios.elf', 'qemu-pvh', /^crash: .* one block, with zeros over the BIOS.* before PVH/],
  ['VIRT_BASE-top-of-space-no-room', 'xen-dom0-pv@4.17', 'refused: Invalid HYPERCALL_PAGE field in ELF notes.'],
  ['VIRT_BASE-top-of-space-no-room', 'xen-dom0-pv@4.20.4', 'refused: Invalid HYPERCALL_PAGE field in ELF notes.'],
];

describe('verdicts', () => {
  it.each(CASES)('%s for %s: %s', (image, target, wanted) => {
    if (typeof wanted === 'string') expect(answer(image, target)).toBe(wanted);
    else expect(answer(image, target)).toMatch(wanted);
  });
});

describe('what an edit asks of a loader', () => {
  const images = ['cases', 'bin'].flatMap((folder) =>
    readdirSync(`fixtures/${folder}`).map((name) => `${folder}/${name}`),
  );

  it.each(images)('is the same yes or no, with the same values: %s', (image) => {
    const source = new BufferSource(readFileSync(`fixtures/${image}`), image);
    for (const loader of LOADERS) {
      for (const xenVersion of XEN_VERSIONS) {
        const verdict = loader.judge(source, { xenVersion });
        expect(loader.goesBy(source, { xenVersion })).toEqual(accepts(verdict) ? verdict.values : undefined);
      }
    }
  });
});
