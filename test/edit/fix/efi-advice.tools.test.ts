/** What is said of PE images that firmware, shim or GRUB by shim refuses: for every rule something, and its commands run. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { efiAdvice } from '../../../src/edit/fix/efi-advice.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { accepts } from '../../../src/loaders/rule.js';
import { xenEfi } from '../../reports/report-shapes.js';
import { workFolder } from '../../support/cli.js';
import { runHere, shellWords } from '../../support/in-process.js';
import { linearBytes } from '../../support/linear.js';
import { BSS, buildPe, CODE, DATA, DISCARDABLE, mb2Header, signedPe } from '../../support/pe-builder.js';
import { PeBytes } from '../../support/pe-edit.js';
import { PE_FAULTS } from '../../support/pe-faults.js';
import { requireTools } from '../../support/tools.js';

vi.mock('../../../src/cli/output.js', async (original) => {
  const { captured } = await import('../../support/captured-output.js');
  return captured(await original<typeof import('../../../src/cli/output.js')>());
});

const LOADERS = ['uefi', 'shim', 'grub-secure-boot', 'grub-secure-boot@2.12'] as const;
const folder = workFolder();
afterAll(() => folder.remove());
const [key, cert] = [`${folder.path}/key`, `${folder.path}/cert`];

function tool(program: string, ...args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  expect({ program, status, stderr: status === 0 ? '' : stderr }).toEqual({ program, status: 0, stderr: '' });
}

/** Signed by sbsign, with a key that nobody knows: whose it is no file tells. */
function signed(path: string): string {
  tool('sbsign', '--key', key, '--cert', cert, '--output', `${path}.signed`, path);
  return `${path}.signed`;
}

beforeAll(() => {
  requireTools('sbsign', 'openssl');
  const words = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert];
  tool('openssl', ...words, '-subj', '/CN=test', '-days', '2');
});

describe.each(PE_FAULTS)('$name', ({ name, edit }) => {
  it('whoever refuses it is followed by what to do, and verify prints that', async () => {
    const file = linearBytes(PeBytes.fixture().image(), { keepReloc: true });
    edit(file);
    const bytes = file.bytes;
    const path = folder.write(`a "fault": ${name.replaceAll('/', ' ')}`, bytes);
    const source = new BufferSource(bytes, path);
    for (const verdict of judgeLoaders(source, { names: LOADERS })) {
      if (accepts(verdict)) continue;
      const advice = efiAdvice(source, verdict, path);
      expect({ loader: verdict.loader, rule: verdict.rule, advice }).toMatchObject({
        advice: expect.stringMatching(/link|copy|build|sign/),
      });
      const { stdout, stderr } = await runHere(['verify', path, '--for', `${verdict.loader}@${verdict.version}`]);
      expect(stdout + stderr).toMatch(/ {2}(what to do|hint): \S/);
    }
  });
});

/** One block for the page at 0x200000, with nothing to relocate in it. */
const RELOCATIONS = Buffer.from(Uint32Array.of(0x200000, 12, 0).buffer);
const code = { name: '.text', rva: 0x1000, virtualSize: 0x200, data: Buffer.alloc(0x200, 0x90), flags: CODE };
const data = { name: '.data', rva: 0x2000, virtualSize: 0x40, data: Buffer.alloc(0x40, 1), flags: DATA };
const bss = { name: '.bss', rva: 0x4000, virtualSize: 0x100, flags: BSS };
const sbat = (text: string) => ({
  name: '.sbat',
  rva: 0x3000,
  virtualSize: text.length,
  data: Buffer.from(text),
  flags: 0x40000040,
});
const program = (...more: Parameters<typeof buildPe>[0]['sections']) =>
  buildPe({ sections: [code, data, ...more, bss], fileAlignment: 0x200 });

interface Row {
  readonly bytes: () => Uint8Array;
  readonly shim: RegExp;
}

const ROWS: Readonly<Record<string, Row>> = {
  'no SBAT, unsigned': {
    bytes: () => program(),
    shim: /^sign it by sbsign .* before that .*: xen-elfpatch stamp '.*\.sbat'$/,
  },
  'no SBAT, signed': {
    bytes: () => signedPe(program()),
    shim: /^shim asks \.sbat .* sign it again after that: xen-elfpatch stamp .* --strip-signature --sbat .*\.sbat'$/,
  },
  'no SBAT, an xen.efi': { bytes: xenEfi, shim: /: xen-elfpatch stamp / },
  'SBAT, unsigned': {
    bytes: () => program(sbat(`sbat,1,a,b,c,d\nxen,1,a,b,c,d\n`)),
    shim: /^sign it by sbsign [^:]*$/,
  },
  'SBAT of revoked GRUB': {
    bytes: () => signedPe(program(sbat(`sbat,1,a,b,c,d\ngrub,3,a,b,c,d\n`))),
    shim: /^generation 3 of component grub is revoked, wanted 5: take a release of that program/,
  },
  'SBAT with a short line': {
    bytes: () => signedPe(program(sbat('sbat,1\n'))),
    shim: /less than six fields, wanted component,generation,vendor,package,version,address/,
  },
};

describe.each(Object.entries(ROWS))('%s', (name, { bytes, shim }) => {
  it('verify and fix say the same; after the command and sbsign shim takes it', async () => {
    const path = folder.write(`it's ${name}`, bytes());
    const verified = await runHere(['verify', path, '--for', 'shim', '--json']);
    const [verdict] = (JSON.parse(verified.stdout) as { loaders: readonly { advice?: string }[] }).loaders;
    const advice = verdict?.advice ?? '';
    expect(advice).toMatch(shim);
    const fixed = await runHere(['fix', path, '--for', 'shim']);
    expect(fixed).toMatchObject({ status: 1, stdout: expect.stringContaining(`  what to do: ${advice}\n`) });
    const [line] = /xen-elfpatch .*$/.exec(advice) ?? [];
    if (line === undefined) return;
    const [words = []] = shellWords([line]);
    expect(await runHere(words.slice(1))).toMatchObject({ status: 0 });
    const output = signed(words.at(-1) ?? '');
    expect(await runHere(['verify', output, '--for', 'shim'])).toMatchObject({ status: 0 });
  });
});

it('Xen whose relocations shim leaves out is laid out with them, signed, and taken', async () => {
  const text = Buffer.concat([mb2Header({ align: 0x200000 }), Buffer.from('Unsupported relocation type', 'utf16le')]);
  const efi = buildPe({
    sections: [
      { ...code, rva: 0x200000, virtualSize: 0x800, data: Buffer.concat([text, Buffer.alloc(0x400, 0x90)]) },
      { ...sbat('sbat,1,a,b,c,d\nxen,1,a,b,c,d\n'), rva: 0x201000 },
      { name: '.reloc', rva: 0x202000, virtualSize: 12, data: RELOCATIONS, flags: DISCARDABLE },
    ],
    directories: { 5: [0x202000, 12] },
    symbols: [{ name: 'start', section: 1, value: 0 }],
  });
  const path = signed(folder.write("xen's own.efi", efi));
  const { stdout } = await runHere(['verify', path, '--for', 'shim']);
  const [, line = stdout] =
    /what to do: lay it out .*: (xen-elfpatch linearize --keep-reloc --drop-signature .*)$/m.exec(stdout) ?? [];
  const [words = []] = shellWords([line]);
  expect({ line, ...(await runHere(words.slice(1))) }).toMatchObject({ line, status: 0 });
  const again = signed(words.at(-1) ?? '');
  expect(await runHere(['verify', again, '--for', 'shim'])).toMatchObject({ status: 0 });
});
