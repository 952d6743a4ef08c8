/**
 * Secure Boot with keys of our own, along every way that a xen.efi can go: firmware, shim, GRUB behind shim. Each answer is
 * what `verify --for` says of the same file.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import '../../src/base/platform/node.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { accepts, type Verdict } from '../../src/loaders/rule.js';
import { fixture, realImage } from '../support/images.js';
import { efiMedium, runMachine } from '../support/machine.js';
import { PeBytes } from '../support/pe-edit.js';
import { PE_FAULTS } from '../support/pe-faults.js';
import { grubs, SecureChain } from '../support/secure-boot.js';

const COMMAND = fileURLToPath(new URL('../../bin/xen-elfpatch.js', import.meta.url));
const PASSED = 33;
const SBAT = 'dual,1,Test,dual,1,https://example.org';
/** Of a generation that shim 16.1 does not take. */
const REVOKED = 'grub,1,Test,grub,1,https://example.org';
const CANNOT = /Security Violation|Access Denied|ALL DONE/;

let folder = '';
let chain: SecureChain;
/** Signed by the MOK. */
const images: Record<Kind, string> = { good: '', bare: '', revoked: '', changed: '', unsigned: '' };
/** Signed by the key that the firmware has. */
const direct: Record<Kind, string> = { ...images };
type Kind = 'good' | 'bare' | 'revoked' | 'changed' | 'unsigned';

function command(...args: readonly string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [COMMAND, ...args], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
}

/** A linear image with these lines of SBAT. */
function stamped(...lines: readonly string[]): string {
  const output = chain.path('stamped.efi');
  command('stamp', images.bare, '-o', output, ...lines.flatMap((line) => ['--sbat', line]));
  return output;
}

/** The image with a byte of its code changed. */
function flipped(image: string): string {
  const [bytes, output] = [readFileSync(image), chain.path('changed.efi')];
  const at = bytes.indexOf('MARK') + 2000;
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  writeFileSync(output, bytes);
  return output;
}

/** What is said of a file before it is tried. */
function verdict(path: string, target: string): Verdict {
  const [found] = judgeLoaders(new BufferSource(readFileSync(path), 'image'), { names: [target] });
  if (found === undefined) throw new Error(`nothing about ${target}`);
  return found;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'secure-boot-'));
  chain = new SecureChain(folder);
  images.bare = join(folder, 'linear.efi');
  command('linearize', fixture('dual.efi'), '-o', images.bare, '--keep-reloc');
  images.unsigned = stamped(SBAT);
  const revoked = stamped(SBAT, REVOKED);
  const bare = images.bare;
  for (const [set, sign] of [
    [images, (path: string) => chain.sign(path)],
    [direct, (path: string) => chain.signForFirmware(path)],
  ] as const) {
    set.unsigned = images.unsigned;
    set.good = sign(images.unsigned);
    set.revoked = sign(revoked);
    set.changed = flipped(set.good);
    set.bare = sign(bare);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('firmware with Secure Boot on', () => {
  it.each<[Kind, boolean]>([
    ['good', true],
    ['bare', true],
    ['revoked', true],
    ['changed', false],
    ['unsigned', false],
  ])('%s image: starts %s', async (kind, starts) => {
    const { warnings } = verdict(direct[kind], 'uefi');
    expect(warnings.some(({ text }) => text.includes('Access Denied'))).toBe(!starts);
    const run = await chain.boot({ first: direct[kind] }, { until: CANNOT });
    if (starts) expect(run.status).toBe(PASSED);
    else expect(run.serial).toMatch(/failed to load Boot\d+ .*: Access Denied/);
  });
});

describe('a MOK', () => {
  it('is a key for shim alone: the firmware does not start what it signed', async () => {
    if (!chain.hasMok) return expect(chain.hasMok).toBe(false);
    const run = await chain.boot({ first: images.good }, { until: CANNOT });
    expect(run.serial).toMatch(/failed to load Boot\d+ .*: Access Denied/);
  });
});

describe('shim', () => {
  it.each<[Kind, boolean]>([
    ['good', true],
    ['bare', false],
    ['revoked', false],
    ['changed', false],
    ['unsigned', false],
  ])('%s image: starts %s', async (kind, starts) => {
    const said = verdict(images[kind], 'shim@16.1');
    expect(accepts(said)).toBe(starts);
    const run = await chain.boot({ second: images[kind] }, { until: CANNOT });
    if (starts) expect(run.status).toBe(PASSED);
    else {
      expect(said.message).toBe('Verification failed: (0x1A) Security Violation');
      expect(run.serial).toContain(said.message);
    }
  });
});

const { found, missing } = grubs();
for (const what of missing) console.log(`not tried: ${what}`);

describe.each([...found.keys()])('GRUB %s behind shim', (version) => {
  it.each([
    ['multiboot2', 'mb2-efi64'],
    ['chainloader', 'pe-efi'],
  ])('%s refuses what is foretold, and starts the others', async (way, entered) => {
    const kinds: readonly Kind[] = ['unsigned', 'changed', 'revoked', 'bare'];
    const files = Object.fromEntries(kinds.map((kind, index) => [`k${index}`, images[kind]]));
    const tries = kinds.flatMap((kind, index) => [`echo TRY ${kind}`, `${way} /efi/boot/k${index}`]);
    const root = found.get(version);
    if (root === undefined) throw new Error('no such GRUB');
    const run = await chain.boot(
      { second: chain.grub(root, [...tries, 'echo TRY boot', 'boot']), files },
      { until: /ALL DONE/ },
    );
    for (const kind of kinds) {
      const said = verdict(images[kind], `grub-secure-boot@${version}`);
      const [, told = ''] = new RegExp(`TRY ${kind}\\n([^]*?)(?:TRY|MARK)`).exec(run.serial) ?? [];
      expect(accepts(said), `${kind}: ${told}`).toBe(kind === 'bare');
      if (said.message !== undefined) expect(told).toContain(`error: ${said.message}.`);
      else expect(told).not.toContain('bad shim');
    }
    expect(run.serial).toContain(`MARK entered by ${entered}`);
    expect(run.status).toBe(PASSED);
  });
});

describe('headers with one fault each', () => {
  const faulty = () =>
    PE_FAULTS.map((fault) => {
      const file = new PeBytes(readFileSync(images.unsigned));
      fault.edit(file);
      const path = chain.path('fault.efi');
      writeFileSync(path, file.bytes);
      return { ...fault, path };
    });

  /** What GRUB prints of each when it is to be chain-loaded, by firmware or by shim. */
  const askedByGrub = async (version: string, faults: readonly { readonly path: string }[], secure: boolean) => {
    const root = found.get(version);
    if (root === undefined) return undefined;
    const files = Object.fromEntries(faults.map(({ path }, index) => [`k${index}`, path]));
    const commands = faults.flatMap((_, index) => [`echo TRY ${index}`, `chainloader /efi/boot/k${index}`]);
    const grub = chain.grub(root, [...commands, 'echo TRY end']);
    const until = { until: /ALL DONE/ };
    const run = secure
      ? await chain.boot({ second: grub, files }, until)
      : await runMachine({ firmware: 'uefi', medium: efiMedium(folder, grub, files), folder, ...until });
    return faults.map((_, index) => new RegExp(`TRY ${index}\\s+([^]*?)TRY`).exec(run.serial)?.[1] ?? '');
  };

  it('are refused by shim as its row foretells', async () => {
    const tried = faulty()
      .filter(({ shim }) => shim !== undefined)
      .map((fault) => ({ ...fault, path: chain.signOr(fault.path) }));
    expect(tried.length).toBeGreaterThan(10);
    const answers = await askedByGrub('2.14', tried, true);
    if (answers === undefined) return expect(missing.length).toBeGreaterThan(0);
    for (const [index, { name, path, shim = '' }] of tried.entries()) {
      const said = verdict(path, 'grub-secure-boot@2.14');
      expect(said.message, name).toBe('bad shim loader signature');
      expect(said.reason, name).toContain(shim);
      expect(answers[index], name).toContain(`error: ${said.message}.`);
    }
  });

  it('are refused by UEFI as its row foretells', async () => {
    // OVMF does not come back from what is longer than the memory that it took: no answer, and no start either.
    const tried = faulty().filter(({ uefi, name }) => uefi === 'Unsupported' || name === 'nothing');
    expect(tried.length).toBeGreaterThan(4);
    const answers = await askedByGrub('2.06', tried, false);
    if (answers === undefined) return expect(missing.length).toBeGreaterThan(0);
    for (const [index, { name, path }] of tried.entries()) {
      const starts = accepts(verdict(path, 'uefi'));
      expect(/cannot load image|error:/.test(answers[index] ?? ''), `${name}: ${answers[index]}`).toBe(!starts);
    }
  });
});

describe('Debian’s xen.efi, stamped and signed, through shim', () => {
  const xen = (...options: readonly string[]) => {
    const [linear, output] = [chain.path('xen.linear'), chain.path('xen.efi')];
    command('linearize', realImage('xen-efi').path, '-o', linear, ...options);
    command('stamp', linear, '-o', output, '--sbat', 'xen,1,Xen Project,xen,4.17,https://xenproject.org');
    return chain.sign(output);
  };
  const boot = (second: string) =>
    chain.boot(
      { second },
      { until: /Unsupported relocation type|Xen version|No configuration|Security Violation/, memory: 1024 },
    );

  it('without its relocations, which are discardable: Xen says so, as foretold', async () => {
    const image = xen();
    const said = verdict(image, 'shim@16.1');
    expect(said).toMatchObject({ outcome: 'crash', rule: 'relocations-loaded' });
    expect((await boot(image)).serial).toContain('Unsupported relocation type');
  });

  it('with --keep-reloc Xen comes up', async () => {
    const image = xen('--keep-reloc');
    expect(accepts(verdict(image, 'shim@16.1'))).toBe(true);
    const { serial } = await boot(image);
    expect(serial).toMatch(/Xen \d|Xen version|No configuration/);
    expect(serial).not.toContain('Unsupported relocation type');
  });
});
