/**
 * The matrix for PE images: what verify says of them to each loader is run as printed, and holds; fix says the same, and writes
 * the same bytes.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { LOADER_NAMES } from '../../src/loaders/names.js';
import { xenEfi } from '../reports/report-shapes.js';
import { bzImage } from '../support/bzimage.js';
import { workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { runHere, shellWords } from '../support/in-process.js';
import { BSS, buildPe, CODE, DATA, mb2Header, signedPe } from '../support/pe-builder.js';
import { validDocument } from '../support/schema.js';
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

/** What fix wrote for a loader. */
async function fixedBy(path: string, loader: string, signed: boolean): Promise<string> {
  const output = `${path}.fixed`;
  rmSync(output, { force: true });
  const strip = signed ? ['--strip-signature'] : [];
  expect(await runHere(['fix', path, '--for', loader, ...strip, '-o', output])).toMatchObject({ status: 0 });
  return output;
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
    const output = cure === undefined ? undefined : await keeps(cure, loader);
    const fixed = (await runHere(['fix', path, '--for', loader])).stdout;
    expect(fixed).toContain(`${cure === undefined ? 'what to do' : 'fix'}: ${cure ?? advice}`);
    if (cure === undefined || output === undefined) return;
    expect(
      readFileSync(await fixedBy(path, loader, cure.includes('--drop-signature'))).equals(readFileSync(output)),
    ).toBe(true);
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
  });

  it('fix takes no option that is for an ELF, and writes the image where there is nothing to fix', async () => {
    const refused = await runHere(['fix', path, '--for', 'grub-multiboot2', '--payload', 'extract']);
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('--payload is for an ELF file') });
    const output = `${path}.same`;
    expect((await runHere(['fix', path, '--for', 'uefi', '-o', output])).status).toBe(0);
    expect(readFileSync(output).equals(bytes)).toBe(true);
  });
});

describe('fix of an xen.efi', () => {
  const path = folder.write("xen's.efi", xenEfi());

  it('makes one layout for several loaders', async () => {
    const output = `${path}.both`;
    const asked = ['--for', 'grub-multiboot2', '--for', 'qemu-multiboot', '--for', 'grub-multiboot'];
    expect((await runHere(['fix', path, ...asked, '-o', output])).status).toBe(0);
    expect((await runHere(['verify', output, ...asked])).status).toBe(0);
    const shown = await runHere(['fix', path, ...asked]);
    expect(shown).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^ {2}fix: xen-elfpatch linearize --mb1 /m),
    });
    expect((await runHere(['fix', path, ...asked, '--check'])).status).toBe(1);
    expect((await runHere(['fix', output, ...asked, '--check'])).status).toBe(0);
  });

  it('asks firmware and GRUB where no loader is named', async () => {
    const { stdout } = await runHere(['fix', path, '--json']);
    const { diagnoses } = JSON.parse(stdout) as { readonly diagnoses: readonly { readonly loader: string }[] };
    expect(diagnoses.map(({ loader }) => loader)).toEqual(['grub-multiboot2', 'uefi']);
  });

  it('takes a signature off where it is told to', async () => {
    const signed = folder.write("xen's signed.efi", signedPe(xenEfi()));
    const output = `${signed}.out`;
    const words = ['fix', signed, '--for', 'grub-multiboot2', '-o', output];
    const refused = await runHere(words);
    expect(refused).toMatchObject({ status: 2, stderr: expect.stringContaining('--strip-signature') });
    expect(existsSync(output)).toBe(false);
    expect((await runHere([...words, '--strip-signature'])).status).toBe(0);
  });

  it('documents are what their schema says, with a plan and without', async () => {
    for (const more of [[], ['--dry-run'], ['-o', `${path}.document`], ['--check']]) {
      const { stdout } = await runHere(['fix', path, '--for', 'grub-multiboot2', '--json', ...more]);
      expect(validDocument(stdout)).toMatchObject({ changed: true, cured: true });
    }
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
    expect(fixed).toMatchObject({ status: 1, stdout: taken });
    const kernel = `${path}.linux`;
    expect(spawnSync('objcopy', ['-O', 'binary', '--only-section=.linux', path, kernel]).status).toBe(0);
    expect(readFileSync(kernel).subarray(0, vmlinuz.length).equals(Buffer.from(vmlinuz))).toBe(true);
    expect((await told(kernel, 'xen-pvh')).accepts).toBe(true);
  });
});
