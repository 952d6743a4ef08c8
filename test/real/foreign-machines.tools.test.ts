/**
 * Programs of other machines, of both classes and both byte orders, run by qemu-user after every edit: it maps PT_LOADs and
 * computes AT_PHDR by itself, in the manner of Linux before 5.18.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, workFolder } from '../support/cli.js';
import { compiled, FOR_PROGRAMS, type Outcome, outcome, throughPlacements, told } from '../support/programs.js';
import { requireTools } from '../support/tools.js';

const folder = workFolder();
afterAll(() => folder.remove());

interface Machine {
  readonly name: string;
  readonly target: string;
  readonly qemu: string;
  /** Pages of 64 KiB are usual there; qemu maps with them if it is told to. */
  readonly largePages?: true;
  /** Its code can be made independent of its address without a run-time linker. */
  readonly pie: boolean;
  readonly flags?: readonly string[];
  readonly linker?: string;
}

const LLD = 'ld.lld-14';
/** clang's MIPS code without a table of addresses, which nobody would set up. */
const BARE_MIPS = ['-fno-pic', '-mno-abicalls', '-G0'];
const MACHINES: readonly Machine[] = [
  { name: 'i386', target: 'i386-linux-gnu', qemu: 'i386', pie: true, flags: ['-fcf-protection'] },
  { name: 'i386-bfd', target: 'i386-linux-gnu', qemu: 'i386', pie: true, linker: 'ld -m elf_i386' },
  {
    ...{ name: 'arm64', target: 'aarch64-linux-gnu', qemu: 'aarch64', pie: true, largePages: true },
    flags: ['-mbranch-protection=standard'],
  },
  { name: 'armhf', target: 'armv7-linux-gnueabihf', qemu: 'arm', pie: true },
  { name: 'ppc64el', target: 'powerpc64le-linux-gnu', qemu: 'ppc64le', pie: true, largePages: true },
  { name: 's390x', target: 's390x-linux-gnu', qemu: 's390x', pie: true, linker: 's390x-linux-gnu-ld' },
  { name: 'riscv64', target: 'riscv64-linux-gnu', qemu: 'riscv64', pie: true },
  { name: 'mips', target: 'mips-linux-gnu', qemu: 'mips', pie: false, flags: BARE_MIPS, largePages: true },
  { name: 'mips64el', target: 'mips64el-linux-gnuabi64', qemu: 'mips64el', pie: false, flags: BARE_MIPS },
];

const PROGRAMS = MACHINES.flatMap((machine) => {
  const kinds = [
    { kind: 'static', compile: ['-fno-pie'], link: ['-static', '--build-id'] },
    { kind: 'no-id', compile: ['-fno-pie'], link: ['-static'] },
    { kind: 'pie', compile: ['-fPIE'], link: ['-pie', '--no-dynamic-linker', '--build-id', '-z', 'now'] },
  ];
  return kinds
    .filter(({ kind }) => machine.pie || kind !== 'pie')
    .map((kind) => ({ name: `${machine.name}-${kind.kind}`, machine, ...kind }));
});
const pathOf = (name: string) => join(folder.path, name);

beforeAll(() => {
  requireTools('clang-14', LLD, 'ld', 's390x-linux-gnu-ld', ...MACHINES.map(({ qemu }) => `qemu-${qemu}`));
  for (const { name, machine, compile, link } of PROGRAMS) {
    const flags = ['-c', `--target=${machine.target}`, '-ffreestanding', '-fno-unwind-tables', ...compile];
    const object = compiled(`${pathOf(name)}.o`, 'walker.c', 'clang-14', [...flags, ...(machine.flags ?? [])]);
    const [linker = LLD, ...emulation] = machine.linker?.split(' ') ?? [];
    const args = [...emulation, object, '-o', pathOf(name), '-e', '_start', '-z', 'relro', ...link];
    const { status, stderr } = spawnSync(linker, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`${linker} ${args.join(' ')}: ${stderr}`);
  }
});

const runIn =
  ({ qemu }: Machine, ...options: readonly string[]) =>
  (path: string) =>
    outcome(`qemu-${qemu}`, [...options, path]);

describe.each(PROGRAMS)('$name', ({ name, machine }) => {
  it('does what it did after every edit, and shows the note in memory', () => {
    everyEdit(name, runIn(machine));
  });
});

describe.each(PROGRAMS.filter(({ machine }) => machine.largePages))(
  '$name with pages of 64 KiB',
  ({ name, machine }) => {
    it('does what it did after every edit, and shows the note in memory', () => {
      everyEdit(name, runIn(machine, '-p', '65536'));
    });
  },
);

function everyEdit(name: string, run: (path: string) => Outcome): void {
  const tried = { path: pathOf(name), run, tellsNotes: true };
  expect(tried.run(tried.path)).toMatchObject({ status: 7, stdout: expect.stringContaining('PT_TLS 5a17') });
  const taken = throughPlacements(tried, `${pathOf(name)}.out`);
  expect(taken).toContain('auto');
  expect(taken).toContain('new-table');
  expect(taken.filter((placement) => !FOR_PROGRAMS.has(placement))).toEqual([]);
}

describe('the command', () => {
  it.each(PROGRAMS.filter(({ kind }) => kind === 'static'))('stamps $name', ({ name, machine }) => {
    const out = `${pathOf(name)}.by-command`;
    const { status, stderr } = runCli(['stamp', pathOf(name), '-o', out, '--package-metadata', 'name=x']);
    expect({ status, failed: stderr.includes('error') }).toEqual({ status: 0, failed: false });
    const run = runIn(machine);
    const ran = run(out);
    expect(told(ran)).toEqual(told(run(pathOf(name))));
    expect(ran.stderr).toContain('FDO cafe1a7e {"name":"x"}');
  });
});
