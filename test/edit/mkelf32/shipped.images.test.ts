/** Debian's hypervisors, rebuilt from the xen-syms of their -dbg packages. Other programs' bytes, so nothing here is ours. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileSource } from '../../../src/base/bytes/file-source.js';
import { planOriginal } from '../../../src/edit/mkelf32/mkelf32.js';
import { variantOf } from '../../../src/edit/mkelf32/variants.js';
import { writeMkelf32 } from '../../../src/edit/mkelf32/write.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { findSymbols } from '../../../src/formats/elf/symbols.js';
import { hypervisorPairs, realImage } from '../../support/images.js';

/** The unpacked /boot/xen-*.gz of these packages. */
const SHIPPED: Readonly<Record<string, string>> = {
  '4.17.5+72-g01140da4e8-1': '50be8feb14f98939e16618d94675988cbc90895d769eae3467f2c742d0be432c',
  '4.17.7+13-g2445b30a44-0+deb12u1': '075d2ef568bbacf900c520ffdf50a5cb8ef65c7155130aef1caa559c47966e6a',
  '4.20.3+127-gc42374a105-0+deb13u1': '91b2675297986fddaffa1a902824f377a88710b0fc0b285f8d6e64b154150d63',
  '4.20.4+39-gf1e1321c87-1': '019166473e20da73d7283e49cf8ad9703f4ddf4f2aab8da1283feba78803d3a8',
  '4.20.4+63-g7abfd2bce2-0+deb13u1': 'ae1a6330c458d07877a160fa06ec8be8072f2603e129d3a71f025ff6e20ae7de',
};

describe('a shipped hypervisor is rebuilt byte for byte', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mkelf32-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What xen/arch/x86/Makefile runs, the end address taken from the symbol it takes it from. */
  async function rebuild(syms: string, version: string): Promise<Buffer> {
    const source = FileSource.open(syms);
    try {
      const [end] = findSymbols(readElf(source), ['__2M_rwdata_end']).get('__2M_rwdata_end') ?? [];
      const request = { notes: true, loadBase: 0x200000n, finalExec: end?.value, variant: variantOf(version) };
      const output = join(folder, 'xen');
      await writeMkelf32(source, planOriginal(source, request), { input: syms, output });
      return readFileSync(output);
    } finally {
      source.close();
    }
  }

  const { pairs, missing } = hypervisorPairs();
  it.each(pairs)('$version', async ({ version, xen, syms }) => {
    const shipped = readFileSync(xen);
    const wanted = SHIPPED[version];
    expect(createHash('sha256').update(shipped).digest('hex')).toBe(wanted);
    const rebuilt = await rebuild(syms, version);
    expect(rebuilt.equals(shipped)).toBe(true);
  });

  // The archives keep few versions: what is gone shows as skipped, with its name.
  for (const line of missing) it.skip(`not to be had here: ${line}`);

  it('whatever version of it this machine has', async () => {
    const { path, version } = realImage('xen');
    const syms = realImage('xen-syms');
    expect(syms.version).toBe(version);
    expect((await rebuild(syms.path, version)).equals(readFileSync(path))).toBe(true);
  });

  it('and with the rules of another release it is not', async () => {
    const { path } = realImage('xen');
    expect((await rebuild(realImage('xen-syms').path, '4.22')).equals(readFileSync(path))).toBe(false);
  });
});
