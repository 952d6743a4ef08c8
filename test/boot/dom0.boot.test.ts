/** The whole way: a kernel without notes is refused with the message that was predicted, and boots once it is patched. */
import { copyFileSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { FileSource } from '../../src/base/bytes/file-source.js';
import { readElf } from '../../src/formats/elf/read.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import type { Verdict } from '../../src/loaders/rule.js';
import { runCli, workFolder } from '../support/cli.js';
import { fixture, realImage } from '../support/images.js';
import { bootUnderXen, panicOf, xenLines } from '../support/xen-boot.js';

const folder = workFolder();
afterAll(() => folder.remove());

/** What a refused boot prints last, five seconds before it would begin again. */
const REFUSED = { marks: ['Reboot in five seconds'], stopAtMarks: true } as const;

function predicted(path: string, loader: string): Verdict {
  const source = FileSource.open(path);
  const [verdict] = judgeLoaders(source, { names: [loader], xenVersion: '4.17' });
  source.close();
  if (verdict === undefined) throw new Error(`no loader ${loader}`);
  return verdict;
}

function patched(path: string, name: string, ...args: string[]): string {
  const output = `${folder.path}/${name}`;
  const result = runCli(['patch', path, '-o', output, ...args]);
  expect(result).toMatchObject({ status: 0 });
  return output;
}

describe('PV dom0', () => {
  it('pv64-bare is refused as predicted', async () => {
    const verdict = predicted(fixture('pv64-bare'), 'xen-dom0-pv');
    expect(verdict.outcome).toBe('refused');
    const boot = await bootUnderXen(fixture('pv64-bare'), REFUSED);
    expect(xenLines(boot)).toContain(verdict.message);
    expect(panicOf(boot)).toContain('Could not construct domain 0');
  });

  it('and boots after patch --preset pv+dom0, entered where it was predicted', async () => {
    const image = patched(fixture('pv64-bare'), 'pv64', '--preset', 'pv+dom0');
    const verdict = predicted(image, 'xen-dom0-pv');
    expect(verdict.outcome).toBe('accepted');
    const boot = await bootUnderXen(image, { args: 'one two' });
    expect(boot).toMatchObject({ verdict: 'booted', status: 33 });
    const lines = xenLines(boot);
    expect(lines).toContain('MARK cmdline=one two');
    const address = (name: string) => BigInt(new RegExp(`${name} += (0x[0-9a-f]+)`).exec(lines)?.[1] ?? -1);
    expect(address('virt_base')).toBe(verdict.values['virtBase']);
    expect(address('elf_paddr_offset')).toBe(verdict.values['paddrOffset']);
    expect(address('virt_kstart')).toBe(verdict.values['virtKstart']);
    expect(address('virt_kend')).toBe(verdict.values['virtKend']);
    expect(address('virt_entry')).toBe(verdict.values['entry']);
  });
});

describe('PVH dom0, under nested SVM', () => {
  it.each(['pvh64-bare', 'pvh32-bare'])('%s is refused as predicted, and boots patched', async (name) => {
    const verdict = predicted(fixture(name), 'xen-dom0-pvh');
    expect(verdict.outcome).toBe('refused');
    const refused = await bootUnderXen(fixture(name), { ...REFUSED, pvh: true });
    expect(xenLines(refused)).toContain(verdict.message);

    const image = patched(fixture(name), name, '--preset', 'pvh+dom0');
    expect(predicted(image, 'xen-dom0-pvh').outcome).toBe('accepted');
    const boot = await bootUnderXen(image, { pvh: true });
    expect(boot).toMatchObject({ verdict: 'booted', status: 33 });
  });

  it('PV notes alone are refused for want of PHYS32_ENTRY or an entry in bounds', async () => {
    const verdict = predicted(fixture('pv64-notes'), 'xen-dom0-pvh');
    const boot = await bootUnderXen(fixture('pv64-notes'), { ...REFUSED, pvh: true });
    expect(verdict.outcome).toBe('refused');
    expect(xenLines(boot)).toContain(verdict.message);
  });
});

/** Linux gives up where it finds no root file system: then it has come all the way. */
const LINUX = {
  marks: ['Hypervisor detected: Xen PV', 'VFS: Unable to mount root fs'],
  stopAtMarks: true,
  limit: 240_000,
  memory: 1024,
  steadyClock: false,
  xen: 'dom0_mem=768M',
  args: 'console=hvc0 earlyprintk=xen panic=-1 nokaslr',
} as const;

describe("Debian's Linux as PV dom0", () => {
  it('boots as it is', async () => {
    expect(predicted(realImage('vmlinux').path, 'xen-dom0-pv').outcome).toBe('accepted');
    expect((await bootUnderXen(realImage('vmlinux').path, LINUX)).verdict).toBe('booted');
  });

  it('with its notes taken away it is refused, and boots again with the notes of another image', async () => {
    const stripped = folder.write('stripped', withoutNotes(realImage('vmlinux').path));
    const verdict = predicted(stripped, 'xen-dom0-pv');
    expect(verdict.outcome).toBe('refused');
    const refused = await bootUnderXen(stripped, { ...LINUX, ...REFUSED });
    expect(xenLines(refused)).toContain(verdict.message);

    // The same kernel under another name: its notes say what this one needs.
    const donor = `${folder.path}/donor`;
    copyFileSync(realImage('vmlinux').path, donor);
    const image = patched(stripped, 'again', '--copy-from', donor);
    expect(predicted(image, 'xen-dom0-pv').outcome).toBe('accepted');
    expect((await bootUnderXen(image, LINUX)).verdict).toBe('booted');
  });
});

/** The owner of every Xen note is zeroed: records stay records, and belong to nobody. */
function withoutNotes(path: string): Uint8Array {
  const bytes = readFileSync(path);
  const source = FileSource.open(path);
  const notes = readElf(source).segments.filter(({ p_type }) => p_type === 4);
  source.close();
  for (const { p_offset, p_filesz } of notes) {
    const end = Number(p_offset + p_filesz);
    for (let at = Number(p_offset); at + 12 <= end; ) {
      const [namesz, descsz] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
      if (bytes.toString('latin1', at + 12, at + 16) === 'Xen\0') bytes.fill(0x5f, at + 12, at + 15);
      at += 12 + 4 * Math.ceil(namesz / 4) + 4 * Math.ceil(descsz / 4);
    }
  }
  return bytes;
}
