/** Debian kernels with notes written into their bzImage: started by Linux's own path, and by Xen as PV dom0. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Boot, bootInQemu } from '../support/boot.js';
import { bzImage, payloadOf, unpackForTest, wrappedKernels } from '../support/bzimage.js';
import { runCli, workFolder } from '../support/cli.js';
import { fixture, realImage } from '../support/images.js';

const folder = workFolder();
afterAll(() => folder.remove());

const LIMIT = 240_000;
/** Of a test: a patch and two boots. */
vi.setConfig({ testTimeout: 3 * LIMIT });
const ROOTLESS = 'VFS: Unable to mount root fs';

/** Linux by its own start-up code. nokaslr: it then unpacks over itself, which is the harder case. */
function native(kernel: string, mark = ROOTLESS): Promise<Boot> {
  return bootInQemu(kernel, {
    append: 'console=ttyS0,115200 earlyprintk=serial,ttyS0,115200 panic=-1 nokaslr',
    memory: 768,
    marks: ['Linux version', mark],
    stopAtMarks: true,
    limit: LIMIT,
  });
}

/** The same file as dom0 of a real Xen; ends when all of `marks` were printed. */
function dom0(kernel: string, marks: readonly string[]): Promise<Boot> {
  return bootInQemu(realImage('xen').path, {
    append: 'console=com1 com1=115200,8n1 dom0_mem=512M loglvl=all guest_loglvl=all noreboot',
    memory: 1024,
    marks: ['Building a PV Dom0', ...marks],
    stopAtMarks: true,
    limit: LIMIT,
    qemu: ['-initrd', `${kernel} console=hvc0 earlyprintk=xen panic=-1`],
  });
}

const UP = ['Hypervisor detected: Xen PV', 'Booting kernel on Xen'];
const NO_DOM0 = 'Kernel does not support Dom0 operation';

function patched(image: string, name: string, ...args: readonly string[]): string {
  const out = join(folder.path, name);
  const run = runCli(['patch', image, '-o', out, '--strip-signature', ...args]);
  if (run.status !== 0) throw new Error(run.stderr);
  return out;
}

describe("Debian's 6.12 cloud kernel, which lacks the dom0 bit", () => {
  const image = realImage('vmlinuz-6.12-cloud').path;

  it('is refused by Xen as it comes', async () => {
    expect((await dom0(image, [NO_DOM0])).verdict).toBe('booted');
  });

  it('comes up under Xen with the bit attached, and by itself as before', async () => {
    const out = patched(image, 'attached', '--set', 'SUPPORTED_FEATURES=0x8801');
    expect(await dom0(out, UP)).toMatchObject({ verdict: 'booted' });
    expect(await native(out)).toMatchObject({ verdict: 'booted' });
  });

  it('comes up under Xen once fix has mended it in place, stamped as well', async () => {
    const out = join(folder.path, 'fixed');
    writeFileSync(out, readFileSync(image));
    for (const args of [
      ['fix', out, '--in-place', '--strip-signature', '--for', 'xen-dom0-pv'],
      ['stamp', out, '--in-place', '--note', 'Vendor:1=built-by-ci'],
      ['verify', out, '--for', 'xen-dom0-pv'],
    ]) {
      const run = runCli(args);
      if (run.status !== 0) throw new Error(`${args[0]}: ${run.stderr}${run.stdout}`);
    }
    expect(await dom0(out, UP)).toMatchObject({ verdict: 'booted' });
    expect(await native(out)).toMatchObject({ verdict: 'booted' });
  });

  it('comes up under Xen with the bit in a replaced payload, and by itself', async () => {
    const out = patched(image, 'replaced', '--payload', 'replace', '--set', 'SUPPORTED_FEATURES=0x8801');
    expect(await dom0(out, UP)).toMatchObject({ verdict: 'booted' });
    expect(await native(out)).toMatchObject({ verdict: 'booted' });
  });
});

describe("Debian's 6.1 cloud kernel with its notes destroyed", () => {
  const image = realImage('vmlinuz-cloud').path;
  let destroyed: string;

  beforeAll(() => {
    // The notes become zeros, and the kernel a gzip'd ELF, by hand: nothing of the command has a part in it.
    const notes = runCli(['notes', '--json', image]);
    const [area] =
      (JSON.parse(notes.stdout) as { images: { areas: { offset: string; size: string }[] }[] }).images[0]?.areas ?? [];
    if (area === undefined) throw new Error('no notes found');
    const elf = unpackForTest('lz4', payloadOf(readFileSync(image)).stream).slice();
    elf.fill(0, Number(area.offset), Number(area.offset) + Number(area.size));
    destroyed = folder.write('destroyed', bzImage({ data: elf, format: 'gzip', initSize: 0x4000000 }));
  });

  it('is refused, and boots when its notes were copied back from the original', async () => {
    const refused = await dom0(destroyed, ['Will only load images built for the generic loader or Linux images']);
    expect(refused.verdict).toBe('booted');
    const mended = patched(destroyed, 'mended', '--copy-from', image);
    expect(await dom0(mended, UP)).toMatchObject({ verdict: 'booted' });
  });
});

describe('a gzip file', () => {
  it('is a PV dom0 kernel once its notes are in', async () => {
    const bare = join(folder.path, 'bare.gz');
    const elf = join(folder.path, 'elf');
    writeFileSync(elf, readFileSync(fixture('pv64-notes')));
    expect(runCli(['patch', elf, '--clear', '-o', `${elf}.bare`]).status).toBe(0);
    writeFileSync(bare, (await import('node:zlib')).gzipSync(readFileSync(`${elf}.bare`)));
    expect((await dom0(bare, ['Could not construct domain 0'])).verdict).toBe('booted');
    const out = patched(bare, 'pv.gz', '--copy-from', fixture('pv64-notes'));
    expect(await dom0(out, ['MARK done'])).toMatchObject({ verdict: 'booted' });
  });
});

describe('a kernel in every format, and in streams that are refused', () => {
  // Without a size word Xen takes the last bytes of the stream for one: it depends on luck what comes of it.
  const kernels = wrappedKernels(readFileSync(fixture('pv64-notes'))).filter(({ name }) => !/^bare \w+$/.test(name));

  it.each(kernels)('$name ends under Xen as verify says', async ({ name, bytes }) => {
    const path = folder.write(name.replaceAll(' ', '-'), bytes);
    const { status } = runCli(['verify', path, '--for', 'xen-dom0-pv', '--xen-version', '4.17']);
    const boot = await bootInQemu(realImage('xen').path, {
      append: 'console=com1 com1=115200,8n1 dom0_mem=128M loglvl=all guest_loglvl=all noreboot',
      memory: 512,
      marks: [status === 0 ? 'MARK done' : 'Panic on CPU 0'],
      stopAtMarks: true,
      limit: 60_000,
      qemu: ['-initrd', path],
    });
    expect({ name, runs: boot.serial.includes('MARK done') }).toEqual({ name, runs: status === 0 });
  });
});
