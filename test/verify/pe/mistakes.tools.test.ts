/** What went wrong in experiments with tags made by hand: each is caught by the verifier, by the check that names it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../support/cli.js';
import { fixture } from '../../support/fixtures.js';
import { linearBytes } from '../../support/linear.js';
import { PeBytes } from '../../support/pe-edit.js';
import { requireTools } from '../../support/tools.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mistakes-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const DUAL = fixture('dual.efi');
const good = () => linearBytes(PeBytes.fixture().image());
const edited = (edit: (file: PeBytes) => unknown) => {
  const file = good();
  edit(file);
  return file.unsummed().bytes;
};

/** The linear form after a tool that changes a file in place. */
function binutils(tool: string): Uint8Array {
  requireTools(tool);
  const input = join(folder, 'in.efi');
  writeFileSync(input, good().bytes);
  const { status, stderr } = spawnSync(tool, [input], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return readFileSync(input);
}

const MISTAKES: readonly {
  readonly mistake: string;
  readonly check: string;
  /** Only a comparison with the input can tell. */
  readonly baseline?: boolean;
  readonly level?: 'advice';
  make(): Uint8Array;
}[] = [
  {
    mistake: 'tags added, layout not linear',
    check: 'linear.same-memory',
    make() {
      const [file, from] = [PeBytes.fixture(), good()];
      from.bytes.copy(file.bytes, file.mb2(), from.mb2(), from.mb2() + 136);
      return file.unsummed().bytes;
    },
  },
  {
    mistake: 'tag 3 missing',
    check: 'linear.mb2-header',
    // Another tag that nobody needs in its place.
    make: () => edited((f) => f.bytes.writeUInt16LE(6, f.tag(3) - 8)),
  },
  { mistake: 'load_end_addr 0', check: 'linear.tag-arithmetic', make: () => edited((f) => f.word(f.tag(2) + 8, 0)) },
  {
    mistake: 'load_end_addr 0, seen in memory',
    check: 'linear.same-memory',
    make: () => edited((f) => f.word(f.tag(2) + 8, 0)),
  },
  {
    mistake: 'load_addr -1',
    check: 'linear.tag-arithmetic',
    make: () => edited((f) => f.word(f.tag(2) + 4, 0xffffffff)),
  },
  {
    mistake: 'load_addr lowered to take in the PE headers',
    check: 'linear.relocatable',
    make: () => edited((f) => f.word(f.tag(2) + 4, 0x1ff000)),
  },
  {
    mistake: 'load_addr lowered, in a header that is not relocatable',
    check: 'linear.load-range',
    make: () => edited((f) => f.word(f.tag(10) - 8, 0x10006).word(f.tag(2) + 4, 0x1ff000)),
  },
  {
    mistake: 'tag 10 dropped',
    check: 'linear.kept-bytes',
    baseline: true,
    make: () => edited((f) => f.word(f.tag(10) - 8, 0x10006)),
  },
  {
    mistake: 'tag 10 dropped, with no input at hand',
    check: 'advice.fixed-address',
    level: 'advice',
    make: () => edited((f) => f.word(f.tag(10) - 8, 0x10006)),
  },
  { mistake: 'bss_end_addr 0', check: 'linear.tag-arithmetic', make: () => edited((f) => f.word(f.tag(2) + 12, 0)) },
  {
    mistake: 'headers so large that the Multiboot2 header leaves 32 KiB',
    check: 'linear.mb2-header',
    make: () => linearBytes(PeBytes.fixture().image(), { mb2: 'none', headerSize: 0x9000n }).bytes,
  },
  { mistake: 'strip run behind it', check: 'linear.same-memory', make: () => binutils('strip') },
  { mistake: 'objcopy run behind it', check: 'linear.same-memory', make: () => binutils('objcopy') },
];

describe('linearize --verify', () => {
  it.each(MISTAKES)('$mistake: $check', ({ check, baseline, level = 'error', make }) => {
    const file = join(folder, 'mistake.efi');
    writeFileSync(file, make());
    const args = baseline === true ? ['--baseline', DUAL] : [];
    const { status, stdout } = runCli(['linearize', '--verify', file, ...args, '--json']);
    const { findings } = JSON.parse(stdout) as { findings: { check: string; level: string }[] };
    expect(findings).toContainEqual(expect.objectContaining({ check, level }));
    expect(status).toBe(level === 'error' ? 1 : 0);
  });

  it('has nothing of this to say of a good file', () => {
    const file = join(folder, 'good.efi');
    writeFileSync(file, good().bytes);
    const { findings } = JSON.parse(runCli(['linearize', '--verify', file, '--baseline', DUAL, '--json']).stdout) as {
      findings: { check: string }[];
    };
    const told = new Set(findings.map(({ check }) => check));
    for (const { check } of MISTAKES) expect(told).not.toContain(check);
  });

  it('finds the unprocessed file unfit for Multiboot, though grub-file says yes to it', () => {
    requireTools('grub-file');
    expect(spawnSync('grub-file', ['--is-x86-multiboot2', DUAL]).status).toBe(0);
    expect(runCli(['linearize', '--verify', DUAL]).status).toBe(1);
    expect(runCli(['verify', DUAL, '--for', 'multiboot2']).status).toBe(1);
  });
});
