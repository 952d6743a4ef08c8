/**
 * The matrix for PE images: what verify says of them to each loader is run as printed, and holds. Fix has no part in them: it
 * edits notes, and says so.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LOADER_NAMES } from '../../src/loaders/names.js';
import { xenEfi } from '../reports/report-shapes.js';
import { bzImage } from '../support/bzimage.js';
import { workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { runHere, shellWords } from '../support/in-process.js';
import { BSS, buildPe, CODE, DATA, mb2Header, signedPe } from '../support/pe-builder.js';
import { requireTools } from '../support/tools.js';

vi.mock('../../src/cli/output.js', async (original) => {
  const { captured } = await import('../support/captured-output.js');
  return captured(await original<typeof import('../../src/cli/output.js')>());
});

const folder = workFolder();
afterAll(() => folder.remove());

const code = { name: '.text', rva: 0x1000, virtualSize: 0x200, data: Buffer.alloc(0x200, 0x90), flags: CODE };
const data = { name: '.data', rva: 0x2000, virtualSize: 0x40, data: Buffer.alloc(0x40, 1), flags: DATA };
const vmlinuz = bzImage({ format: 'gzip', data: readFileSync(fixture('pvh64-notes')), pe: 'new' });

const overlap = () =>
  buildPe({
    sections: [
      {
        ...code,
        rva: 0x200000,
        virtualSize: 0x800,
        data: Buffer.concat([mb2Header({ align: 0x200000 }), Buffer.alloc(0x400, 0x90)]),
      },
      { name: '.data', rva: 0x200400, virtualSize: 0x40, data: Buffer.alloc(0x40, 1), flags: DATA },
    ],
  });

/** What is done for `multiboot2` and the two others: the command, or what is said in its place. */
interface Row {
  readonly bytes: Buffer | Uint8Array;
  readonly multiboot2: RegExp | 'yes';
  readonly multiboot: RegExp | 'yes';
}

const NO_HEADER = /no Multiboot2 header by which linearize could lay it out/;
const ROWS: Readonly<Record<string, Row>> = {
  'xen.efi': { bytes: xenEfi(), multiboot2: /^xen-elfpatch linearize '/, multiboot: /^xen-elfpatch linearize --mb1 '/ },
  'xen.efi, signed': {
    bytes: signedPe(xenEfi()),
    multiboot2: /^xen-elfpatch linearize --drop-signature '/,
    multiboot: /^xen-elfpatch linearize --mb1 --drop-signature '/,
  },
  'a fixture of the linker': {
    bytes: readFileSync(fixture('dual.efi')),
    multiboot2: /^xen-elfpatch linearize '/,
    multiboot: /^xen-elfpatch linearize --mb1 '/,
  },
  'systemd-boot': {
    bytes: buildPe({
      sections: [
        code,
        data,
        {
          name: '.sdmagic',
          rva: 0x3000,
          virtualSize: 0x20,
          data: Buffer.from('#### LoaderInfo: systemd-boot 252 ####'.slice(0, 32)),
          flags: DATA,
        },
        { name: '.bss', rva: 0x4000, virtualSize: 0x100, flags: BSS },
      ],
    }),
    multiboot2: NO_HEADER,
    multiboot: NO_HEADER,
  },
  'sections in each other': {
    bytes: overlap(),
    multiboot2: /does not lay it out for Multiboot/,
    multiboot: /does not lay it out for Multiboot/,
  },
};

interface Told {
  readonly accepts: boolean;
  readonly cure?: string;
  readonly advice?: string;
}

async function told(path: string, loader: string): Promise<Told> {
  const { stdout } = await runHere(['verify', path, '--for', loader, '--json']);
  const [verdict] = (JSON.parse(stdout) as { loaders: readonly Told[] }).loaders;
  if (verdict === undefined) throw new Error(stdout);
  return verdict;
}

/** Runs a line as a shell reads it, and has its result judged. */
async function keeps(line: string, loader: string): Promise<string> {
  const [words = []] = shellWords([line]);
  const ran = await runHere(words.slice(1));
  expect({ line, ...ran }).toMatchObject({ line, status: 0 });
  const output = words.at(-1) ?? '';
  expect({ line, ...(await told(output, loader)) }).toMatchObject({ accepts: true });
  return output;
}

describe.each(Object.entries(ROWS))('%s', (name, { bytes, ...wanted }) => {
  const path = folder.write(`my "PE's" ${name}`, bytes);

  it.each([
    ['grub-multiboot2', wanted.multiboot2],
    ['grub-multiboot', wanted.multiboot],
    ['qemu-multiboot', wanted.multiboot],
  ] as const)('%s', async (loader, answer) => {
    const { accepts, cure, advice } = await told(path, loader);
    expect({ accepts, said: cure ?? advice }).toEqual({ accepts: false, said: expect.stringMatching(answer) });
    if (cure === undefined) return;
    const output = await keeps(cure, loader);
    // What has a header of both kinds is taken as it is from then on.
    expect((await runHere(['linearize', output, ...(cure.includes('--mb1') ? ['--mb1'] : []), '--check'])).status).toBe(
      0,
    );
    expect(/sign .* again/.test(advice ?? '')).toBe(cure.includes('--drop-signature'));
  });

  it('every other loader is told what it takes in place of it', async () => {
    for (const loader of LOADER_NAMES.filter((each) => !each.includes('multiboot'))) {
      const { accepts, cure, advice } = await told(path, loader);
      expect({ loader, accepts, cure, advice }).toMatchObject({
        accepts: false,
        cure: undefined,
        advice: expect.stringMatching(/takes an ELF kernel: name the one that it was made from/),
      });
    }
    const { status, stderr } = await runHere(['fix', path, '--for', 'grub-multiboot2']);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('linearize') });
  });
});

describe('PE images that hold a kernel', () => {
  beforeAll(() => requireTools('objcopy'));

  it('a bzImage goes by its payload, whatever its PE headers are', async () => {
    const path = folder.write("a kernel's bzImage", vmlinuz);
    for (const loader of ['xen-pvh', 'firecracker', 'libkrun', 'grub-multiboot2', 'limine']) {
      const { accepts, cure, advice } = await told(path, loader);
      if (accepts) continue;
      expect({ loader, said: cure ?? advice }).toEqual({ loader, said: expect.stringMatching(/\S/) });
      if (cure !== undefined) await keeps(cure, loader);
    }
  });

  it('a unified kernel image names the section, and what takes it out gives the kernel', async () => {
    const uki = buildPe({
      sections: [
        code,
        { name: '.linux', rva: 0x10000, virtualSize: vmlinuz.length, data: vmlinuz, flags: DATA },
        { name: '.cmdline', rva: 0x8000, virtualSize: 8, data: Buffer.from('console='), flags: DATA },
      ],
      fileAlignment: 0x200,
    });
    const path = folder.write("a 'unified' image", uki);
    const taken = expect.stringContaining('objcopy -O binary --only-section=.linux takes the bzImage out');
    const judged = await runHere(['verify', path, '--for', 'xen-pvh']);
    expect(judged).toMatchObject({ status: 1, stdout: taken });
    const fixed = await runHere(['fix', path, '--for', 'xen-pvh']);
    expect(fixed).toMatchObject({ status: 2, stderr: taken });
    const kernel = `${path}.linux`;
    expect(spawnSync('objcopy', ['-O', 'binary', '--only-section=.linux', path, kernel]).status).toBe(0);
    expect(readFileSync(kernel).subarray(0, vmlinuz.length).equals(Buffer.from(vmlinuz))).toBe(true);
    expect((await told(kernel, 'xen-pvh')).accepts).toBe(true);
  });
});
