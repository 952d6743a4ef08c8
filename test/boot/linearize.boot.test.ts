/** Linear images, entered in every way there is: by UEFI, by GRUB on both firmwares, by QEMU. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixture, xenEfiImages } from '../support/images.js';
import { efiMedium, grubMedium, type MachineRun, runMachine } from '../support/machine.js';
import { PeBytes } from '../support/pe-edit.js';

const COMMAND = fileURLToPath(new URL('../../bin/xen-elfpatch.js', import.meta.url));
/** QEMU's status when the guest wrote 0x10 to the exit port. */
const PASSED = 33;
const FAILED = 35;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'linear-boot-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
/** The linear form of an image, by the built command. */
function linear(input: string, ...options: readonly string[]): string {
  made += 1;
  const output = join(folder, `linear-${made}.efi`);
  const run = spawnSync(process.execPath, [COMMAND, 'linearize', input, '-o', output, ...options], {
    encoding: 'utf8',
  });
  expect(run.stderr.split('\n').filter((line) => line !== '' && !line.includes(': warning: '))).toEqual([]);
  expect(run.status).toBe(0);
  return output;
}

const MULTIBOOT2 = ['multiboot2 /boot/k'];

describe('the fixture with four ways in', () => {
  /** Medium and the line that the kernel prints for its way in. */
  const ways = {
    uefi: (kernel: string) => runMachine({ firmware: 'uefi', medium: efiMedium(folder, kernel), folder }),
    'GRUB multiboot2 on BIOS': (kernel: string) => grub('bios', kernel, MULTIBOOT2),
    'GRUB multiboot2 on UEFI': (kernel: string) => grub('uefi', kernel, MULTIBOOT2),
    'qemu -kernel': (kernel: string) =>
      runMachine({ firmware: 'bios', medium: ['-kernel', kernel], folder, limit: 10_000 }),
    'GRUB multiboot on BIOS': (kernel: string) => grub('bios', kernel, ['multiboot /boot/k']),
  };
  const grub = (firmware: 'bios' | 'uefi', kernel: string, commands: readonly string[]): Promise<MachineRun> =>
    runMachine({
      firmware,
      medium: grubMedium(folder, { k: kernel }, commands),
      folder,
      // To the end of the line: serial output comes in pieces.
      until: /error: .*(magic|header|tag|supported).*\n/,
    });

  it.each([
    ['uefi', 'pe-efi'],
    ['GRUB multiboot2 on BIOS', 'mb2-i386'],
    ['GRUB multiboot2 on UEFI', 'mb2-efi64'],
    ['qemu -kernel', 'mb1-i386'],
    ['GRUB multiboot on BIOS', 'mb1-i386'],
  ] as const)('passes by %s', async (way, entered) => {
    const run = await ways[way](linear(fixture('dual.efi'), '--mb1'));
    expect(run.serial).toContain(`MARK entered by ${entered}`);
    expect(run.serial).toContain('MARK pass 00');
    expect(run.status).toBe(PASSED);
  });

  it.each([
    ['uefi', 'pe-efi'],
    ['GRUB multiboot2 on BIOS', 'mb2-i386'],
    ['GRUB multiboot2 on UEFI', 'mb2-efi64'],
  ] as const)('passes with no room behind its header, which moves to the gap, by %s', async (way, entered) => {
    const kernel = linear(fixture('dual-tight.efi'), '--merge', '--keep-reloc');
    const run = await ways[way](kernel);
    expect(run.serial).toContain(`MARK entered by ${entered}`);
    expect(run.status).toBe(PASSED);
  });

  it.each([
    ['uefi', 'pe-efi'],
    ['GRUB multiboot2 on BIOS', 'mb2-i386'],
    ['GRUB multiboot2 on UEFI', 'mb2-efi64'],
    ['qemu -kernel', 'mb1-i386'],
  ] as const)('passes with holes of 2 MiB, by %s', async (way, entered) => {
    const run = await ways[way](linear(fixture('dual-2m.efi'), '--mb1'));
    expect(run.serial).toContain(`MARK entered by ${entered}`);
    expect(run.status).toBe(PASSED);
  });

  it.each([
    ['uefi', 'pe-efi'],
    ['GRUB multiboot2 on BIOS', 'mb2-i386'],
    ['GRUB multiboot2 on UEFI', 'mb2-efi64'],
    ['qemu -kernel', 'mb1-i386'],
  ] as const)('passes with SBAT and package metadata put in behind, by %s', async (way, entered) => {
    const kernel = join(folder, 'stamped.efi');
    const stamps = ['--sbat', 'dual,1,Test,dual,1,https://example.org', '--package-metadata', 'name=dual'];
    const args = ['stamp', linear(fixture('dual.efi'), '--mb1'), '-o', kernel, ...stamps];
    expect(spawnSync(process.execPath, [COMMAND, ...args]).status).toBe(0);
    const run = await ways[way](kernel);
    expect(run.serial).toContain(`MARK entered by ${entered}`);
    expect(run.status).toBe(PASSED);
  });

  it('passes compressed by GRUB multiboot2, where the holes cost nothing', async () => {
    const packed = join(folder, 'dual-2m.gz');
    const bytes = gzipSync(readFileSync(linear(fixture('dual-2m.efi'))));
    expect(bytes.length).toBeLessThan(20_000);
    writeFileSync(packed, bytes);
    const run = await ways['GRUB multiboot2 on BIOS'](packed);
    expect(run.serial).toContain('MARK entered by mb2-i386');
    expect(run.status).toBe(PASSED);
  });

  it('starts by UEFI unprocessed, and GRUB refuses it', async () => {
    expect((await ways.uefi(fixture('dual.efi'))).status).toBe(PASSED);
    const refused = await ways['GRUB multiboot2 on BIOS'](fixture('dual.efi'));
    expect(refused.serial).toContain('invalid arch-dependent ELF magic');
    expect(refused.serial).not.toContain('MARK');
  });

  /** The linear form with something done to it. */
  const broken = (edit: (file: PeBytes) => void, ...options: readonly string[]) => {
    const file = new PeBytes(readFileSync(linear(fixture('dual.efi'), ...options)));
    edit(file);
    const path = join(folder, 'broken.efi');
    writeFileSync(path, file.bytes);
    return path;
  };
  const cut = (path: string, size: number) => {
    truncateSync(path, size);
    return path;
  };

  it.each<[string, string, () => string]>([
    ['load_end_addr is 0: debug data lands in .bss', 'MARK fail 10', () => broken((f) => f.word(f.tag(2) + 8, 0))],
    [
      'the entry tag is missing',
      'error: load address tag without entry address tag',
      () => broken((f) => f.bytes.writeUInt16LE(6, f.tag(3) - 8)),
    ],
    [
      'the header stands behind 32 KiB',
      'error: no multiboot header found',
      () => linear(fixture('dual.efi'), '--mb2', 'none', '--header-size', '0x9000'),
    ],
    [
      'the file ends inside what is to be loaded: GRUB does not notice, the kernel does',
      'MARK fail',
      () =>
        cut(
          broken(() => undefined),
          0x2800,
        ),
    ],
  ])('fails by Multiboot2 when %s', async (_what, said, make) => {
    const run = await ways['GRUB multiboot2 on BIOS'](make());
    expect(run.serial).toContain(said);
    expect(run.serial).not.toContain('MARK pass');
  });

  it.each<[string, string, () => string]>([
    [
      'load_end_addr is 0',
      'MARK fail 10',
      () => broken((f) => f.word(f.mb1() + 20, 0).word(f.mb1() + 24, 0x300000), '--mb1'),
    ],
    [
      'the tags are there and the layout is not linear',
      // Its strings are not where it looks for them: what it prints is the fill of its debug section.
      '\u00dd',
      () => {
        // The unprocessed file with both headers of the linear one: 0x2a0 is where its first section stands.
        const good = new PeBytes(readFileSync(linear(fixture('dual.efi'), '--mb1')));
        const file = PeBytes.fixture();
        good.bytes.copy(file.bytes, file.mb2(), good.mb2(), good.mb1() + 32);
        const path = join(folder, 'tags-only.efi');
        writeFileSync(path, file.bytes);
        return path;
      },
    ],
  ])('fails by qemu -kernel when %s', async (_what, said, make) => {
    const run = await ways['qemu -kernel'](make());
    expect(run.serial).toContain(said);
    expect(run.serial).not.toContain('MARK pass');
    expect(run.status).toBe(FAILED);
  });
});

const XEN = xenEfiImages();
for (const line of XEN.missing) it.skip(`not to be had here: ${line}`);

describe.each(XEN.images)("Debian's $name", ({ path }) => {
  const BANNER = /Xen version \d+\.\d+/;
  /** Xen brings everything up, and stops where it would build dom0 from what is no kernel. */
  const END = /Could not construct (domain 0|d0)/;
  const OPTIONS = 'console=com1 com1=115200,8n1 loglvl=all noreboot';
  let xen = '';
  let dummy = '';
  let config = '';
  beforeAll(() => {
    xen = linear(path, '--mb1');
    dummy = join(folder, 'dummy.bin');
    writeFileSync(dummy, new Uint8Array(100_000));
    config = join(folder, 'xen.cfg');
    writeFileSync(config, `[global]\ndefault=xen\n[xen]\noptions=${OPTIONS}\nkernel=dummy.bin dummy\n`);
  });
  afterAll(() => rmSync(xen, { force: true }));

  const boot = (firmware: 'bios' | 'uefi', medium: readonly string[]) =>
    runMachine({ firmware, medium, folder, memory: 1024, until: /Manual reset required/, limit: 120_000 });
  const grub = () => {
    const commands = [`multiboot2 /boot/k placeholder ${OPTIONS}`, 'module2 /boot/dummy.bin dummy'];
    return grubMedium(folder, { k: xen, 'dummy.bin': dummy }, commands);
  };
  const ways = {
    UEFI: () => boot('uefi', efiMedium(folder, xen, { 'BOOTX64.CFG': config, 'dummy.bin': dummy })),
    'GRUB multiboot2 on BIOS': () => boot('bios', grub()),
    'GRUB multiboot2 on UEFI': () => boot('uefi', grub()),
    'qemu -kernel': () => boot('bios', ['-kernel', xen, '-append', OPTIONS, '-initrd', dummy]),
  };

  it.each(Object.entries(ways))('starts by %s', async (_way, start) => {
    const run = await start();
    expect(run.serial).toMatch(BANNER);
    expect(run.serial).toMatch(END);
  });
});
