/** Command lines that refusals name are run as printed, by a shell, and the loader that refused has to take what they write. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { fixCommand } from '../../src/formats/note/fix-command.js';
import { judgeLoaders, LOADERS } from '../../src/loaders/loaders.js';
import { accepts, type Verdict } from '../../src/loaders/rule.js';
import { runCli, workFolder } from '../support/cli.js';
import { cstr, elf, num, type TestNote } from '../support/elf-builder.js';
import { shellIn } from '../support/shell.js';

const folder = workFolder();
afterAll(() => folder.remove());

const LE64 = { bits: 64, endian: 'little' } as const;
const LE32 = { bits: 32, endian: 'little' } as const;
const VBASE = 0xffffffff80000000n;
const PADDR = 0x100000n;

const text = (type: number, value: string): TestNote => ({ type, desc: cstr(value) });
const wide = (type: number, value: bigint): TestNote => ({ type, desc: num(value, 8, LE64) });
const word = (type: number, value: bigint): TestNote => ({ type, desc: num(value, 4, LE64) });

const PV = [
  text(6, 'linux'),
  text(5, 'xen-3.0'),
  text(8, 'generic'),
  wide(3, VBASE),
  wide(4, 0n),
  wide(1, VBASE + PADDR),
  word(18, PADDR),
];
const pv = (...changes: readonly (TestNote | number)[]): TestNote[] => {
  const types = new Set(changes.map((change) => (typeof change === 'number' ? change : change.type)));
  const added = changes.filter((change): change is TestNote => typeof change !== 'number');
  return [...PV.filter(({ type }) => !types.has(type)), ...added];
};

/** A kernel that every Xen loader takes, with its notes changed; it has the symbols that presets look for. */
function kernel(notes: readonly TestNote[], options: { align?: bigint; gnuBehind?: boolean } = {}): Uint8Array {
  const code = new Uint8Array(0x3000).fill(0x90);
  const builder = elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: VBASE + PADDR })
    .with({ slack: 0x200 })
    .load(VBASE + PADDR, code, { paddr: PADDR, align: 0x1000n })
    .noteSegment(notes, { align: options.align ?? 4n });
  if (options.gnuBehind === true) builder.noteSegment([{ name: 'GNU', type: 3, desc: new Uint8Array(20) }]);
  return builder
    .symbol('_start', VBASE + PADDR)
    .symbol('hypercall_page', VBASE + PADDR + 0x1000n)
    .build();
}

/** ELF32 with PAE, likewise. */
function narrow(...notes: readonly TestNote[]): Uint8Array {
  return elf(LE32)
    .header({ e_type: 2, e_machine: 3, e_entry: PADDR })
    .with({ slack: 0x200 })
    .load(PADDR, new Uint8Array(0x2000).fill(0x90), { align: 0x1000n })
    .noteSegment([text(5, 'xen-3.0'), text(8, 'generic'), ...notes])
    .symbol('_start', PADDR)
    .build();
}

/** With a `__xen_guest` string and no note. */
function legacy(value: string): Uint8Array {
  return elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: VBASE + PADDR })
    .with({ slack: 0x200 })
    .load(VBASE + PADDR, new Uint8Array(0x3000).fill(0x90), { paddr: PADDR, align: 0x1000n })
    .section('__xen_guest', { bytes: cstr(value) })
    .symbol('_start', VBASE + PADDR)
    .build();
}

const IMAGES: Readonly<Record<string, Uint8Array>> = {
  'no note at all': elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: PADDR })
    .load(PADDR, new Uint8Array(0x1000), { align: 0x1000n })
    .symbol('_start', PADDR)
    .build(),
  'LOADER and GUEST_OS missing': kernel(pv(6, 8)),
  'LOADER unknown': kernel(pv(6, text(8, 'other'))),
  'XEN_VERSION missing': kernel(pv(5)),
  'XEN_VERSION wrong': kernel(pv(text(5, 'xen-4.0'))),
  'VIRT_BASE missing': kernel(pv(3)),
  'ENTRY 0': kernel(pv(wide(1, 0n))),
  'ENTRY of 3 bytes': kernel(pv({ type: 1, desc: new Uint8Array(3) })),
  'INIT_P2M in the image': kernel(pv(wide(15, VBASE + PADDR))),
  'INIT_P2M in the image, physical': kernel(pv(wide(15, PADDR))),
  'INIT_P2M over the initial area': kernel(pv(wide(15, VBASE + PADDR + 0x4000n))),
  'an unknown required feature': kernel(pv(text(10, '!frobnicate'))),
  '!dom0': kernel(pv(text(10, '!dom0'))),
  '!dom0 and another': kernel(pv(text(10, '!dom0|!writable_page_tables'))),
  '!supervisor_mode_kernel': kernel(pv(text(10, '!supervisor_mode_kernel'))),
  '!auto_translated_physmap': kernel(pv(text(10, '!auto_translated_physmap'))),
  'no dom0 bit': kernel(pv(word(17, 1n))),
  'no dom0 bit, and features': kernel(pv(word(17, 1n), text(10, '!writable_page_tables|pae_pgdir_above_4gb'))),
  'HYPERCALL_PAGE 0': kernel(pv(wide(2, 0n))),
  'VIRT_BASE not page aligned': kernel(pv(wide(3, VBASE + 8n), wide(1, VBASE + PADDR + 8n))),
  'PHYS32_ENTRY missing': kernel(pv(18)),
  'PHYS32_ENTRY out of range': kernel(pv(word(18, 0x5000000n))),
  'PHYS32_ENTRY of 2 bytes': kernel(pv({ type: 18, desc: new Uint8Array(2) })),
  'PHYS32_ENTRY 0': kernel(pv(wide(18, 0n))),
  'p_align 0': kernel(PV, { align: 0n }),
  'p_align 8': kernel(PV, { align: 8n }),
  'build-id behind': kernel(PV, { gnuBehind: true }),
  'required features, known and unknown': kernel(
    pv(text(10, 'dom0|!nobody|!pae_pgdir_above_4gb|writable_page_tables')),
  ),
  'a string without XEN_VER': legacy('LOADER=generic,VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0'),
  'a string that requires what nobody has': legacy(
    'XEN_VER=xen-3.0,LOADER=generic,VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0,FEATURES=!supervisor_mode_kernel|dom0',
  ),
  '32 bits without PAE': narrow(),
  '32 bits, HV_START_LOW too high': narrow(text(9, 'yes'), { type: 12, desc: num(0xf5900000n, 4, LE32) }),
};

const run = shellIn(folder.path);

function verdicts(bytes: Uint8Array): Verdict[] {
  return judgeLoaders(new BufferSource(bytes, 'kernel'));
}

/** A name that a shell would take apart, were it not quoted. */
const fileFor = (name: string) => `my kernel's ${name}.elf`;

/** By command line: the loaders that it is for. */
type Commands = ReadonlyMap<string, readonly string[]>;

function byCommand(cures: readonly (readonly [loader: string, command: string])[]): Commands {
  const commands = new Map<string, string[]>();
  for (const [loader, command] of cures) commands.set(command, [...(commands.get(command) ?? []), loader]);
  return commands;
}

/** What the rules of the loaders that refuse name, spelled. */
function named(bytes: Uint8Array, file: string): Commands {
  const refused = verdicts(bytes).filter((verdict) => !accepts(verdict));
  return byCommand(
    refused.flatMap(({ loader, cure }) =>
      cure === undefined ? [] : [[loader, fixCommand(cure, { file, loaders: [loader] })] as const],
    ),
  );
}

/** What `verify` prints for the loaders that refuse. */
function printed(file: string): Commands {
  const { stdout } = runCli(['verify', file, '--json'], { cwd: folder.path });
  const document: { loaders: readonly { loader: string; accepts: boolean; cure?: string }[] } = JSON.parse(stdout);
  return byCommand(
    document.loaders.flatMap(({ loader, accepts: takes, cure }) =>
      takes || cure === undefined ? [] : [[loader, cure] as const],
    ),
  );
}

describe.each(Object.entries(IMAGES))('%s', (name, bytes) => {
  const file = fileFor(name);
  const output = join(folder.path, `${file}.xen`);
  const outcomes = (commands: Commands) =>
    [...commands].flatMap(([command, loaders]) => {
      rmSync(output, { force: true });
      const { status, stderr } = run(command);
      const after = status === 0 ? verdicts(readFileSync(output)) : [];
      return loaders.map((loader) => {
        const takes = after.some((verdict) => verdict.loader === loader && accepts(verdict));
        return { loader, command, status, stderr: stderr.includes('error'), takes };
      });
    });
  const good = (commands: Commands) =>
    [...commands].flatMap(([command, loaders]) =>
      loaders.map((loader) => ({ loader, command, status: 0, stderr: false, takes: true })),
    );

  it('is refused with a cure, and every line with a cure, run as printed, cures', () => {
    folder.write(file, bytes);
    const rules = named(bytes, file);
    expect(rules.size).toBeGreaterThan(0);
    const all = new Map(rules);
    for (const [command, loaders] of printed(file)) {
      all.set(command, [...new Set([...(rules.get(command) ?? []), ...loaders])]);
    }
    expect(outcomes(all)).toEqual(good(all));
  });
});

it('every loader with notes to mend was asked', () => {
  const asked = new Set(
    Object.values(IMAGES).flatMap((bytes) =>
      verdicts(bytes)
        .filter((v) => v.cure !== undefined)
        .map((v) => v.loader),
    ),
  );
  const without = new Set([
    'qemu-multiboot',
    'grub-multiboot',
    'grub-multiboot2',
    'crosvm',
    'openvmm',
    'limine',
    'kexec',
  ]);
  expect(LOADERS.map(({ name }) => name).filter((name) => !asked.has(name) && !without.has(name))).toEqual([]);
});

it('PHYS32_ENTRY alone does not do before 4.11; the cure says what else is wanted', () => {
  const bytes = kernel([word(18, PADDR)]);
  const judge = (image: Uint8Array) =>
    judgeLoaders(new BufferSource(image, 'kernel'), { names: ['xen-dom0-pvh'], xenVersion: '4.10' })[0];
  const path = folder.write('old', bytes);
  const cure = judge(bytes)?.cure;
  if (cure === undefined) throw new Error('no cure');
  expect(run(fixCommand(cure, { file: 'old', loaders: ['xen-dom0-pvh'] }))).toMatchObject({ status: 0 });
  // Until 4.15 it is ENTRY or e_entry that must be in bounds, and that of this kernel is virtual.
  expect(judge(readFileSync(`${path}.xen`))?.rule).toBe('entry-in-bounds');
});

describe('a cure leaves alone what is not its business', () => {
  const cureOf = (notes: readonly TestNote[], loader: string) =>
    verdicts(kernel(notes)).find((verdict) => verdict.loader === loader)?.cure;

  it.each([
    ['xen-dom0-pv', pv(word(17, 1n), text(10, '!writable_page_tables')), "--set 'FEATURES=!writable_page_tables|dom0'"],
    ['xen-pv', pv(text(10, '!dom0|hvm_callback_vector')), "--set 'FEATURES=dom0|hvm_callback_vector'"],
    ['xen-pv', pv(text(10, '!dom0')), '--set FEATURES=dom0'],
    ['xen-dom0-pv', pv(text(10, 'dom0|!nobody|!writable_page_tables')), "--set 'FEATURES=dom0|!writable_page_tables'"],
  ] as const)('%s', (loader, notes, edit) => {
    const cure = cureOf(notes, loader);
    expect(cure === undefined ? cure : fixCommand(cure, { file: 'kernel', loaders: [loader] })).toBe(
      `xen-elfpatch patch kernel ${edit} -o kernel.xen`,
    );
  });
});
