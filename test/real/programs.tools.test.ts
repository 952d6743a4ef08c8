/**
 * What ran still runs: programs that execve starts do after every edit what they did before, and see the notes in memory. Each
 * linker of Debian makes every kind of program that it can; those of other releases and of Go are in other-makers.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planPatch } from '../../src/edit/elf/pipeline.js';
import { analyze } from '../../src/edit/elf/plan/analyze.js';
import { imageKind } from '../../src/edit/elf/plan/image-kind.js';
import { DEFAULT_PLACEMENT } from '../../src/edit/elf/plan/placement-options.js';
import { planStamp } from '../../src/edit/stamp/stamp.js';
import { parseSetting } from '../../src/formats/note/value.js';
import { runCli, workFolder } from '../support/cli.js';
import {
  compiled,
  FOR_PROGRAMS,
  imageAt,
  outcome,
  stampWith,
  throughPlacements,
  told,
  writtenTo,
} from '../support/programs.js';
import { requireTools } from '../support/tools.js';

const folder = workFolder();
afterAll(() => folder.remove());

/** How gcc is told to link with each. */
const LINKERS: Readonly<Record<string, readonly string[]>> = {
  bfd: ['-fuse-ld=bfd'],
  gold: ['-fuse-ld=gold'],
  // Debian has it on PATH under the name ld.lld-14 only.
  lld: ['-B/usr/lib/llvm-14/bin', '-fuse-ld=lld'],
  mold: ['-fuse-ld=mold'],
};

interface Kind {
  readonly name: string;
  readonly source: string;
  readonly flags: string;
  /** musl's start-up files and library, where it is not glibc. */
  readonly musl?: readonly string[];
  /** gold knows no `--no-dynamic-linker`, which every static PIE is linked with. */
  readonly notBy?: string;
}

const MUSL = '/usr/lib/x86_64-linux-musl/';
const musl = (start: string) => [start, 'crti.o', 'libc.a', 'crtn.o'].map((name) => MUSL + name);
/** Build-id and, by the libc's start-up files, an ABI tag and properties: what Debian's packages are made with. */
const ID = '-Wl,--build-id';
const NO_LIBC = '-ffreestanding -nostdlib';
const KINDS: readonly Kind[] = [
  { name: 'no-libc', source: 'walker.c', flags: `${NO_LIBC} -static ${ID}` },
  { name: 'no-libc-no-id', source: 'walker.c', flags: `${NO_LIBC} -static -Wl,--build-id=none` },
  { name: 'no-libc-property', source: 'walker.c', flags: `${NO_LIBC} -static -fcf-protection ${ID}` },
  { name: 'no-libc-pie', source: 'walker.c', flags: `${NO_LIBC} -static-pie -fcf-protection ${ID}`, notBy: 'gold' },
  { name: 'static', source: 'threads.c', flags: `-static -pthread ${ID}` },
  { name: 'static-no-id', source: 'threads.c', flags: '-static -pthread -Wl,--build-id=none' },
  { name: 'static-pie', source: 'threads.c', flags: `-static-pie -pthread ${ID}`, notBy: 'gold' },
  { name: 'pie', source: 'threads.c', flags: `-pie -pthread ${ID}` },
  { name: 'pie-full-relro', source: 'threads.c', flags: `-pie -pthread -Wl,-z,now -Wl,-z,relro -s ${ID}` },
  { name: 'no-pie', source: 'threads.c', flags: `-no-pie -pthread ${ID}` },
  { name: 'musl', source: 'threads.c', flags: `-nostdlib -static ${ID}`, musl: musl('crt1.o') },
  { name: 'musl-pie', source: 'threads.c', flags: `-nostdlib -static-pie ${ID}`, musl: musl('rcrt1.o'), notBy: 'gold' },
  { name: 'musl-dynamic', source: 'threads.c', flags: `-pie ${ID}` },
];

const PROGRAMS = Object.keys(LINKERS).flatMap((linker) =>
  KINDS.filter(({ notBy }) => notBy !== linker).map((kind) => ({ name: `${linker}-${kind.name}`, linker, kind })),
);

const LDCONFIG = '/sbin/ldconfig';
const pathOf = (name: string) => (name === 'ldconfig' ? LDCONFIG : join(folder.path, name));
const argsOf = (name: string) => (name === 'ldconfig' ? ['-p'] : []);
const NAMES = [...PROGRAMS.map(({ name }) => name), 'ldconfig'];

beforeAll(() => {
  requireTools('gcc', 'gold', 'mold', 'musl-gcc');
  if (!existsSync(LDCONFIG)) throw new Error(`no ${LDCONFIG}: every Debian has it, in the package libc-bin`);
  for (const { name, linker, kind } of PROGRAMS) build(pathOf(name), kind, LINKERS[linker] ?? []);
});

function build(path: string, { source, flags, name, musl: parts }: Kind, linker: readonly string[]): void {
  const all = [...flags.split(' '), ...linker];
  if (!name.startsWith('musl')) compiled(path, source, 'gcc', all);
  else if (parts === undefined) compiled(path, source, 'musl-gcc', all);
  else {
    // musl-gcc gives even static programs an interpreter, which some linkers believe.
    const object = compiled(`${path}.o`, source, 'musl-gcc', ['-c', '-fPIE']);
    const args = [...all, '-o', path, ...parts.slice(0, 2), object, ...parts.slice(2)];
    const { status, stderr } = spawnSync('gcc', args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`gcc ${args.join(' ')}: ${stderr}`);
  }
}

const written = (name: string, plan: Parameters<typeof writtenTo>[1]) => {
  const path = join(folder.path, `${name}.out`);
  const made = writtenTo(path, plan);
  return made && { path, plan: made };
};

describe.each(NAMES)('%s', (name) => {
  it('is seen as a program', () => {
    expect(imageKind(analyze(imageAt(pathOf(name))))).toMatchObject({ kind: 'program', by: 'signs' });
  });

  it('does what it did after a stamp, after the next and after the undo, and shows the note in memory', () => {
    const run = (path: string) => outcome(path, argsOf(name));
    const tried = { path: pathOf(name), run, tellsNotes: name !== 'ldconfig' };
    const taken = throughPlacements(tried, join(folder.path, `${name}.out`));
    expect(taken).toContain('auto');
    expect(taken).toContain('new-table');
    expect(taken.filter((placement) => !FOR_PROGRAMS.has(placement))).toEqual([]);
  });

  it('does what it did with Xen notes', () => {
    const before = outcome(pathOf(name), argsOf(name));
    const edits = [{ kind: 'set' as const, setting: parseSetting('GUEST_OS=os') }];
    for (const placement of ['auto', 'new-table'] as const) {
      const made = written(name, () => planPatch(imageAt(pathOf(name)), edits, { ...DEFAULT_PLACEMENT, placement }));
      if (made === undefined) throw new Error(`${placement} was refused`);
      expect(told(outcome(made.path, argsOf(name)))).toEqual(told(before));
      // What only programs have tells that it still is one, and the next edits treat it so. Without a libc of GNU's or an
      // interpreter there is nothing that a kernel could not have as well.
      const { signs } = imageKind(analyze(imageAt(pathOf(name))));
      if (!signs.some((sign) => ['interpreter', 'abi-tag', 'gnu-osabi'].includes(sign.name))) continue;
      const longer = [{ kind: 'set' as const, setting: parseSetting(`GUEST_VERSION=${'v'.repeat(5000)}`) }];
      const again = written(name, () => planPatch(imageAt(made.path), longer));
      if (again === undefined) throw new Error(`the edit after ${placement} was refused`);
      expect(again.plan.kind).toBe('program');
      expect(told(outcome(again.path, argsOf(name)))).toEqual(told(before));
      const cleared = written(name, () => planPatch(imageAt(again.path), [{ kind: 'clear' }]));
      expect(told(outcome(cleared?.path ?? '', argsOf(name)))).toEqual(told(before));
    }
  });
});

describe('new-table', () => {
  it.each(NAMES)('%s: AT_PHDR is right for kernels that compute it from the first PT_LOAD, too', (name) => {
    const options = stampWith('x', { placement: 'new-table' });
    const { layout } = planStamp(imageAt(pathOf(name)), options);
    if (layout === undefined) throw new Error('nothing was planned');
    const all = layout.segments.filter(({ p_type }) => p_type === 1);
    const [first] = all;
    const last = all.at(-1);
    if (first === undefined || last === undefined) throw new Error('no PT_LOAD');
    expect(layout.header.e_phoff).toBe(last.p_offset);
    expect(last.p_vaddr - last.p_offset).toBe(first.p_vaddr - first.p_offset);
    expect(last).toMatchObject({ p_flags: 4, p_filesz: last.p_memsz });
    // On pages of its own, above all others: brk begins behind it.
    const ends = all.slice(0, -1).map(({ p_vaddr, p_memsz }) => p_vaddr + p_memsz);
    for (const end of ends) expect(last.p_vaddr >> 12n).toBeGreaterThan((end - 1n) >> 12n);
    expect(layout.warnings.join()).not.toContain('5.18');
  });

  it('says so where the .bss is too large for that, and the program runs on kernels since then', () => {
    const source = 'static char big[200 << 20]; int main(void) { return big[100 << 20] + 7; }';
    const path = join(folder.path, 'large-bss');
    spawnSync('gcc', ['-static', '-x', 'c', '-', '-o', path], { input: source });
    const options = stampWith('x', { placement: 'new-table' });
    const made = written('large-bss', () => planStamp(imageAt(path), options));
    expect(made?.plan.layout?.warnings.join()).toContain('Linux before 5.18');
    expect(made?.plan.layout?.fileSize).toBeLessThan(0x200000n);
    expect(outcome(made?.path ?? '', [])).toMatchObject({ status: 7, signal: null });
  });

  const PAYLOAD = Buffer.from('a payload of its own');
  const appendedTo = (name: string) =>
    folder.write(`${name}-appended`, Buffer.concat([readFileSync(pathOf(name)), PAYLOAD]));

  it('is not taken by auto where something is appended to the program, and done where it is named', () => {
    const appended = appendedTo('lld-pie');
    expect(() => planStamp(imageAt(appended), stampWith('x'))).toThrow(/20 bytes are appended to it/);
    const named = written('appended', () => planStamp(imageAt(appended), stampWith('x', { placement: 'new-table' })));
    expect(outcome(named?.path ?? '', [])).toMatchObject({ status: 42 - 1, signal: null });
  });

  it('is not needed where a PT_LOAD has room: what is appended ends the file as before', () => {
    const appended = appendedTo('bfd-static-pie');
    const made = written('appended', () => planStamp(imageAt(appended), stampWith('x')));
    const ran = outcome(made?.path ?? '', []);
    expect(ran).toMatchObject({ status: 42 - 1, signal: null });
    expect(ran.stderr).toContain('FDO cafe1a7e {"name":"x"}');
    const bytes = readFileSync(made?.path ?? '');
    expect(bytes).toHaveLength(readFileSync(appended).length);
    expect(bytes.subarray(-PAYLOAD.length)).toEqual(PAYLOAD);
  });
});

describe('stamp of a static program', () => {
  it.each(['bfd-no-libc-pie', 'bfd-static', 'bfd-static-pie', 'ldconfig'])('%s: written, and it runs', (name) => {
    const out = join(folder.path, 'stamped');
    const { status, stderr } = runCli(['stamp', pathOf(name), '-o', out, '--package-metadata', 'name=x']);
    expect({ status, failed: stderr.includes('xen-elfpatch: error') }).toEqual({ status: 0, failed: false });
    const before = outcome(pathOf(name), argsOf(name));
    expect(told(outcome(out, argsOf(name)))).toEqual(told(before));
  });

  it('is refused where the notes shall not be in memory, with the reason, and nothing is written', () => {
    const files = readdirSync(folder.path).sort();
    const out = join(folder.path, 'refused');
    const args = ['stamp', pathOf('bfd-static'), '-o', out, '--package-metadata', 'name=x', '--not-loaded'];
    const { status, stderr, stdout } = runCli(args);
    expect(stderr).toMatch(/it looks like a program: PT_/);
    expect(stderr).toContain('these notes would have no address');
    expect(stderr).toContain('[plan.program]');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(readdirSync(folder.path).sort()).toEqual(files);
  });

  it.each([
    ['bfd-no-libc-pie', 'move-table', 'it misses its headers'],
    ['bfd-static-no-id', 'append', 'its thread stacks become executable'],
  ] as const)('%s would have been broken by what %s does to kernels: %s', (name, placement, _) => {
    const options = stampWith('x', { kind: 'kernel', placement });
    const made = written(name, () => planStamp(imageAt(pathOf(name)), options));
    if (made === undefined) throw new Error('refused');
    const { stdout, status, signal } = outcome(pathOf(name), []);
    expect(outcome(made.path, [])).not.toMatchObject({ stdout, status, signal });
  });
});
