/**
 * Every fix that the matrix has for PV, PVH and Multiboot kernels, started by the loader itself where this machine can: QEMU
 * takes what has a PVH entry or a Multiboot 1 header, the real Xen takes a PV dom0. The code of each kernel is a few bytes that
 * say that they were reached.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { PT_LOAD } from '../../src/formats/elf/names.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { isOfFamily } from '../../src/loaders/names.js';
import { lenientElf } from '../../src/loaders/read/lenient-elf.js';
import { accepts } from '../../src/loaders/rule.js';
import { type BentKernel, bentKernels } from '../matrix/bent-kernels.js';
import { bare, cellsOf, NEWEST } from '../matrix/matrix.js';
import { bootInQemu } from '../support/boot.js';
import { workFolder } from '../support/cli.js';
import { bootByGrub } from '../support/grub-boot.js';
import { runHere } from '../support/in-process.js';
import { bootUnderXen, xenLines } from '../support/xen-boot.js';

vi.mock('../../src/cli/output.js', async (original) => {
  const { captured } = await import('../support/captured-output.js');
  return captured(await original<typeof import('../../src/cli/output.js')>());
});

const folder = workFolder();
afterAll(() => folder.remove());

/** mov $0x10,%al; out %al,$0xf4; jmp .: the same in every mode. QEMU ends with 33; a PV kernel may not, and falls there. */
const STUB = [0xb0, 0x10, 0xe6, 0xf4, 0xeb, 0xfe];
/** Into the code, which is nops from the entry up to there. */
const AT = 0x100;
/** Of the stub, and of the images that people reported, which bring one. */
const REACHED = [33, 67];

/** The kernel with code that ends QEMU, where it has nops; as it is, where it has something else. */
function withStub({ bytes, bits, ...rest }: BentKernel): BentKernel {
  const { segments } = lenientElf(
    new BufferSource(bytes),
    { bits, endian: 'little' },
    { stride: 'own-size', sections: false },
  );
  const [first] = segments.filter(({ p_type }) => p_type === PT_LOAD);
  const at = Number(first?.p_offset ?? 0n) + AT;
  const isNops = at + STUB.length < bytes.length && STUB.every((_, k) => bytes[at + k] === 0x90);
  if (!isNops) return { bytes, bits, ...rest };
  const copy = Uint8Array.from(bytes);
  copy.set(STUB, at);
  return { bytes: copy, bits, ...rest };
}

interface Fixed {
  readonly what: string;
  readonly loader: string;
  readonly bits: 32 | 64;
  readonly edit: string;
  readonly bytes: Buffer;
  readonly path: string;
}

/** What fix makes of each cell for which it has something, once for each result. */
async function fixedFor(family: 'pv' | 'pvh' | 'multiboot'): Promise<Fixed[]> {
  const targets = NEWEST.filter((target) => isOfFamily(target, family));
  const images = bentKernels().map((kernel) => bare(withStub(kernel)));
  const all = new Map<string, Fixed>();
  for (const { image, loader, rule } of cellsOf(targets, images)) {
    const path = folder.write('kernel', image.bytes);
    const output = `${path}.fixed`;
    const { status, stdout } = await runHere(['fix', path, '--for', loader, '--json', '-o', output]);
    if (status !== 0) continue;
    const bytes = readFileSync(output);
    const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    const { steps } = JSON.parse(stdout) as { steps: readonly { edit: readonly string[] }[] };
    const edit = steps.map((step) => step.edit.join(' ')).join(' ');
    if (all.has(digest) || edit === '') continue;
    all.set(digest, {
      what: `${image.name} [${loader} ${rule}]`,
      loader,
      bits: image.bits,
      edit,
      bytes,
      path: folder.write(digest, bytes),
    });
  }
  return [...all.values()];
}

const takes = (bytes: Uint8Array, name: string, memory: bigint): bigint | undefined => {
  const [verdict] = judgeLoaders(new BufferSource(bytes), { names: [name], memory });
  const entry = verdict?.values['entry'];
  return verdict !== undefined && accepts(verdict) && typeof entry === 'bigint' ? entry : undefined;
};

const MIB = 0x100000n;

/** QEMU's own ways to a kernel. */
const BY_QEMU = ['qemu-pvh@7.2', 'qemu-multiboot@7.2'];
const isForQemu = ({ bytes }: Fixed) => BY_QEMU.some((name) => takes(bytes, name, 64n * MIB) !== undefined);

describe('fixes for PVH kernels', () => {
  it('start in QEMU, for whichever loader they were made', async () => {
    const startable = (await fixedFor('pvh')).filter(isForQemu);
    expect(startable.length).toBeGreaterThan(5);
    const lost: string[] = [];
    for (const { what, edit, path } of startable) {
      const { status, verdict, stderr } = await bootInQemu(path, { marks: [], limit: 60_000 });
      if (!REACHED.includes(status ?? -1)) lost.push(`${what}: ${edit}: ${verdict} ${status} ${stderr.trim()}`);
    }
    expect(lost).toEqual([]);
  });
});

describe('fixes for Multiboot kernels', () => {
  it('start in QEMU, or by GRUB', async () => {
    const fixed = await fixedFor('multiboot');
    expect(fixed.length).toBeGreaterThan(5);
    const lost: string[] = [];
    for (const each of fixed) {
      const { what, edit, path, loader } = each;
      const command = loader === 'grub-multiboot2' ? 'multiboot2' : 'multiboot';
      const name = path.slice(folder.path.length + 1);
      const { status, verdict, stderr, serial } = isForQemu(each)
        ? await bootInQemu(path, { marks: [], limit: 60_000 })
        : await bootByGrub(path, { folder: folder.path, name, command, marks: [], limit: 120_000 });
      if (!REACHED.includes(status ?? -1)) {
        lost.push(`${what}: ${edit}: ${verdict} ${status} ${stderr.trim()} ${serial.slice(-300)}`);
      }
    }
    expect(lost).toEqual([]);
  });
});

describe('fixes for PV kernels', () => {
  it('are entered by Xen as dom0 where it was predicted, one of each kind', async () => {
    const fixed = await fixedFor('pv');
    const kinds = new Map<string, Fixed & { readonly entry: bigint }>();
    for (const each of fixed) {
      const entry = takes(each.bytes, 'xen-dom0-pv@4.17', 256n * MIB);
      // A 32-bit dom0 is not what every Xen is built for.
      if (entry === undefined || each.bits !== 64) continue;
      const kind = each.edit.replaceAll(/0x[0-9a-f]+|\d+/g, 'N');
      if (!kinds.has(kind)) kinds.set(kind, { ...each, entry });
    }
    expect(kinds.size).toBeGreaterThan(5);
    const lost: string[] = [];
    for (const { what, edit, path, entry } of kinds.values()) {
      const boot = await bootUnderXen(path, {
        marks: [],
        stopAt: /RIP: +\w+:\[<[0-9a-f]+>\]|Panic on CPU/,
        limit: 120_000,
      });
      // `out` is not for a PV kernel: it falls there, which says that it came to be there.
      const reached = (entry + BigInt(AT + 2)).toString(16);
      const lines = xenLines(boot);
      if (!lines.includes(`[<${reached}>]`)) lost.push(`${what}: ${edit}: wanted ${reached}: ${lines.slice(-600)}`);
    }
    expect(lost).toEqual([]);
  });
});
