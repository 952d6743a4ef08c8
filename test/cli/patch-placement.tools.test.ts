/** Where the notes go, through the command: each placement, its refusals with their numbers, and what goes with it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loads } from '../../src/formats/elf/image.js';
import { findSection } from '../../src/formats/elf/section-names.js';
import { cstr, elf, num } from '../support/elf-builder.js';
import { Bench, expectError, readImage, xenNotes } from '../support/patching.js';
import { validDocument } from '../support/schema.js';

const bench = new Bench();
afterAll(() => bench.remove());
const LE64 = { bits: 64, endian: 'little' } as const;
const ENTRY = '--set=PHYS32_ENTRY=0x100040';

beforeAll(() => {
  const text = new Uint8Array(0x80).fill(0x90);
  // Room behind the headers, a hole behind the first load, notes with padding behind them inside it.
  const notes = [{ type: 6, desc: cstr('linux') }];
  const loaded = elf(LE64)
    .load(0x100000n, new Uint8Array([...text, ...new Uint8Array(0x80)]), { align: 0x1000n })
    .load(0x200000n, text, { align: 0x1000n, flags: 6 })
    .noteSegment(notes, { inside: { load: 0, at: 0x80 }, section: '.note.Xen' })
    .section('.text', { inside: { load: 0, at: 0, size: 0x80 } })
    .section('.rodata', { inside: { load: 0, at: 0xe0, size: 0x20 } })
    .section('.data', { inside: { load: 1, at: 0, size: 0x80 } });
  writeFileSync(bench.at('loaded'), loaded.build());
  // No room: one load that ends with the program headers, which PT_PHDR names.
  const table = { offset: 64n, filesz: 112n, memsz: 112n, vaddr: 0x100040n };
  const tight = elf(LE64)
    .load(0x100000n, new Uint8Array(16), { offset: 0n, filesz: 0xb0n, memsz: 0xb0n, align: 0x1000n })
    .segment(6, undefined, { flags: 4, ...table });
  writeFileSync(bench.at('tight'), tight.build());
  writeFileSync(
    bench.at('outside'),
    elf(LE64).load(0x100000n, text, { align: 0x1000n }).noteSegment(notes, { section: '.note.Xen' }).build(),
  );
  for (const name of ['pvh64-bare', 'pvh64-notes', 'pv64-notes', 'pvh64-lld-bare', 'mb1-late']) bench.copy(name);
});

/** The document of a dry run. */
function planned(image: string, ...words: string[]): Record<string, unknown> {
  const run = bench.run(['patch', image, '--dry-run', '--json', ...words]);
  expect(run.status, run.stderr).toBe(0);
  return validDocument(run.stdout);
}

describe('each placement by its name', () => {
  it.each([
    ['in-place', 'pv64-notes', '--set=GUEST_OS=hurd', { loaded: true, section: 'allocated' }],
    ['grow', 'loaded', '--set=GUEST_OS=a longer name', { loaded: true, section: 'allocated' }],
    ['append', 'pvh64-bare', ENTRY, { loaded: false, section: 'plain' }],
    ['extend', 'loaded', ENTRY, { loaded: true, section: 'allocated' }],
    ['move-table', 'pvh64-bare', ENTRY, { loaded: false, section: 'plain' }],
    ['shift', 'pvh64-bare', ENTRY, { loaded: false, section: 'plain' }],
    ['new-load', 'pvh64-bare', ENTRY, { loaded: true, section: 'allocated' }],
  ])('%s: written, proved, found again, and done twice it is done once', (placement, image, edit, expected) => {
    const run = bench.run(['patch', image, '-o', 'out', edit, '--json', '--placement', placement]);
    expect(run.status, run.stderr).toBe(0);
    const document = validDocument(run.stdout);
    expect(document).toMatchObject({ placement, changed: true, written: { how: 'clone' }, ...expected });
    const [name] = xenNotes(bench.at('out')).at(edit === ENTRY ? -1 : 0) ?? [];
    expect(name).toBe(edit === ENTRY ? 'PHYS32_ENTRY' : 'GUEST_OS');
    expect(bench.run(['verify', 'out', '--baseline', image]).status).toBe(0);

    const before = readFileSync(bench.at('out'));
    const again = bench.run(['patch', 'out', '--in-place', '--json', edit, '--placement', placement]);
    expect(validDocument(again.stdout)).toMatchObject({ changed: false, written: { how: 'unchanged' } });
    expect(readFileSync(bench.at('out'))).toEqual(before);
  });

  it.each([
    ['in-place', 'pvh64-bare', /in-place: the image has no notes to rewrite/],
    ['in-place', 'pv64-notes', /in-place: 268 bytes needed, 248 in PT_NOTE 2/],
    ['grow', 'pv64-notes', /grow: 268 bytes needed, 248 in PT_NOTE 2, and their PT_LOAD ends 0 bytes behind them/],
    ['append', 'tight', /no program header can be had: PT_LOAD 0 holds the program headers and ends at 0xb0/],
    ['extend', 'tight', /extend: no program header can be had: PT_LOAD 0 .* ends at 0xb0/],
    ['move-table', 'tight', /move-table: PT_PHDR says/],
    ['move-table', 'mb1-late', /Multiboot 1 header, and GRUB wants the program headers within the first 8192 bytes/],
    ['shift', 'mb1-late', /Multiboot 1 header at 0x\w+ would move to 0x\w+, too near the end of the first 8192 bytes/],
    ['shift', 'pvh64-lld-bare', /PT_LOAD 1 holds the program headers/],
    ['new-load', 'tight', /new-load: no program header can be had/],
  ])('%s of %s is refused with the numbers', (placement, image, message) => {
    const run = bench.run(['patch', image, '-o', 'never', ENTRY, '--placement', placement]);
    expectError(run, 'plan.impossible', message);
    expect(bench.names).not.toContain('never');
  });

  it('auto says what it passed over', () => {
    const { placement, refused } = planned('pvh64-bare', ENTRY);
    expect(placement).toBe('append');
    expect(refused).toEqual([
      { placement: 'in-place', reason: 'the image has no notes to rewrite' },
      { placement: 'grow', reason: 'the image has no notes to rewrite' },
    ]);
  });
});

describe('in memory or not', () => {
  it('notes that were loaded stay loaded', () => {
    expect(planned('loaded', '--set=GUEST_OS=a longer name', ENTRY)).toMatchObject({ loaded: true });
  });

  it('--loaded and --not-loaded move them', () => {
    expect(planned('outside', ENTRY, '--loaded')).toMatchObject({ loaded: true });
    expect(planned('loaded', ENTRY, '--not-loaded')).toMatchObject({ loaded: false, placement: 'append' });
    // Even where the notes are right already.
    expect(planned('loaded', '--set=GUEST_OS=linux', '--not-loaded')).toMatchObject({ loaded: false, changed: true });
    expect(planned('loaded', '--set=GUEST_OS=linux', '--loaded')).toMatchObject({ changed: false });
  });

  it('a placement that cannot is refused', () => {
    const run = (...words: string[]) => bench.run(['patch', 'pvh64-bare', '-o', 'never', ENTRY, ...words]);
    expectError(run('--loaded', '--placement=append'), 'plan.impossible', /outside every PT_LOAD/);
    expectError(run('--not-loaded', '--placement=new-load'), 'plan.impossible', /inside a PT_LOAD/);
  });

  it('a load of their own lies behind all others, at the physical distance of its neighbour', () => {
    bench.copy('pvh64-high-bare');
    expect(bench.run(['patch', 'pvh64-high-bare', '-o', 'out', ENTRY, '--placement=new-load']).status).toBe(0);
    const [, second, third] = loads(readImage(bench.at('out')));
    expect(third?.segment.p_vaddr).toBe(((second?.segment.p_vaddr ?? 0n) + 0x3000n + 0xfffn) & ~0xfffn);
    expect(third?.segment.p_paddr).toBe((third?.segment.p_vaddr ?? 0n) - 0xffff_ffff_8000_0000n);
  });
});

describe('what goes with a placement', () => {
  it('--section names the section', () => {
    expect(bench.run(['patch', 'pvh64-bare', '-o', 'out', ENTRY]).status).toBe(0);
    expect(findSection(readImage(bench.at('out')), '.note.Xen')).toBeDefined();
    expect(bench.run(['patch', 'pvh64-bare', '-o', 'out', ENTRY, '--section', '.notes.boot']).status).toBe(0);
    expect(findSection(readImage(bench.at('out')), '.notes.boot')).toBeDefined();
    expect(findSection(readImage(bench.at('out')), '.note.Xen')).toBeUndefined();
  });

  it('--must-survive leaves only what does', () => {
    expect(planned('loaded', ENTRY, '--not-loaded')).toMatchObject({ section: 'plain' });
    const kept = planned('loaded', ENTRY, '--must-survive', 'strip,eu-strip,flat');
    expect(kept).toMatchObject({ placement: 'grow', section: 'allocated', loaded: true });
    expectError(
      bench.run(['patch', 'pvh64-bare', '-o', 'x', ENTRY, '--must-survive=eu-strip,flat', '--placement=append']),
      'plan.impossible',
      /does not survive eu-strip \(eu-strip moves the section of the notes/,
    );
  });

  it('--must-survive TOOL@VERSION is about that version, and says when it was not tried', () => {
    const kept = planned('loaded', ENTRY, '--must-survive', 'strip@2.40,eu-strip@0.188');
    expect(kept['survives']).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ tool: 'strip@2.40', verdict: 'kept' }),
        expect.objectContaining({ tool: 'eu-strip@0.188', verdict: 'kept' }),
      ]),
    );
    expectError(
      bench.run(['patch', 'loaded', '-o', 'x', ENTRY, '--must-survive=strip@2.99']),
      'plan.impossible',
      /not known to survive strip@2\.99 \(binutils 2\.99 was not tried; forecasts hold for binutils 2\.40/,
    );
  });

  it('--notes-align 8 keeps p_align 8, where Xen can still step', () => {
    const run = bench.run(['patch', 'pvh64-bare', '-o', 'out', '--notes-align=8', '--set=ENTRY/8=0x100000']);
    expect(run.status, run.stderr).toBe(0);
    expect(readImage(bench.at('out')).segments.find(({ p_type }) => p_type === 4)?.p_align).toBe(8n);
    const odd = ['--set=LOADER=x', '--set=ENTRY/8=0'];
    expectError(
      bench.run(['patch', 'pvh64-bare', '-o', 'x', '--notes-align=8', '--placement=append', ...odd]),
      'plan.impossible',
      /note of type 8 leaves a gap/,
    );
  });
});

describe('looking only', () => {
  it('--dry-run prints the plan and writes nothing', () => {
    const before = bench.names;
    const bytes = readFileSync(bench.at('pvh64-bare'));
    const run = bench.run(['patch', 'pvh64-bare', '--in-place', '--dry-run', ENTRY]);
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).toMatch(/would change \d+ bytes in \d+ ranges/);
    expect(run.stdout).toMatch(/0x\w+ +\d+ bytes +notes/);
    expect(run.stdout).toMatch(/placements that do not work here:\n +in-place +the image has no notes/);
    expect(readFileSync(bench.at('pvh64-bare'))).toEqual(bytes);
    expect(bench.names).toEqual(before);
  });

  it('--check answers by its exit status', () => {
    const before = bench.names;
    expect(bench.run(['patch', 'pvh64-bare', '--check', ENTRY])).toMatchObject({ status: 1, stderr: '' });
    expect(bench.run(['patch', 'pvh64-notes', '--check', '--set=PHYS32_ENTRY=0x100000'])).toMatchObject({ status: 0 });
    expect(bench.run(['patch', 'pvh64-bare', '--check', '--clear'])).toMatchObject({ status: 0 });
    expect(bench.names).toEqual(before);
  });
});

describe('the same bytes', () => {
  it.each([
    ['pvh64-bare', 'append'],
    ['pvh64-bare', 'shift'],
    ['pvh64-bare', 'new-load'],
    ['loaded', 'extend'],
    ['loaded', 'grow'],
  ])('%s by %s: beside, in place, to standard output, from standard input', (image, placement) => {
    const words = [ENTRY, `--placement=${placement}`];
    expect(bench.run(['patch', image, '-o', 'beside', ...words]).status).toBe(0);
    const wanted = readFileSync(bench.at('beside'));
    writeFileSync(bench.at('itself'), readFileSync(bench.at(image)));
    expect(bench.run(['patch', 'itself', '--in-place', ...words]).status).toBe(0);
    expect(readFileSync(bench.at('itself')).equals(wanted)).toBe(true);
    const input = readFileSync(bench.at(image));
    expect(bench.run(['patch', '-', '-o', 'from-pipe', ...words], { input }).status).toBe(0);
    expect(readFileSync(bench.at('from-pipe')).equals(wanted)).toBe(true);
    // Standard output as text would be changed on its way: a file takes it.
    const shell = `"$NODE" "$BIN" patch - -o - ${words.join(' ')} < ${image} > to-stdout`;
    expect(bench.shell(shell)).toMatchObject({ status: 0 });
    expect(readFileSync(bench.at('to-stdout')).equals(wanted)).toBe(true);
  });

  it('an image that has the notes is copied unchanged', () => {
    const run = bench.run(['patch', 'pvh64-notes', '-o', 'same', '--set=PHYS32_ENTRY=0x100000']);
    expect(run.stdout).toMatch(/has these notes already, copied unchanged to same/);
    expect(readFileSync(bench.at('same'))).toEqual(readFileSync(bench.at('pvh64-notes')));
  });

  it('a wide PHYS32_ENTRY of the same value stays as it is', () => {
    const wide = elf(LE64)
      .load(0x100000n, new Uint8Array(64))
      .noteSegment([{ type: 18, desc: num(0x100000n, 8, LE64) }]);
    writeFileSync(bench.at('wide'), wide.build());
    expect(bench.run(['patch', 'wide', '--check', '--set=PHYS32_ENTRY=0x100000']).status).toBe(0);
  });
});

describe('--depfile', () => {
  it('names everything that the target was made from', () => {
    writeFileSync(bench.at('value bin'), 'x');
    writeFileSync(bench.at('notes.yaml'), 'notes: { INFO: "file:$value" }\n');
    writeFileSync(bench.at('$value'), 'y');
    const words = ['--spec=notes.yaml', '--copy-from=pvh64-notes', '--set=LOADER=file:value bin'];
    expect(bench.run(['patch', 'pvh64-bare', '-o', 'out', '--depfile', 'out.d', ...words])).toMatchObject({
      status: 0,
    });
    expect(readFileSync(bench.at('out.d'), 'utf8')).toBe(
      'out: pvh64-bare pvh64-notes notes.yaml $$value value\\ bin\n' +
        'pvh64-notes:\nnotes.yaml:\n$$value:\nvalue\\ bin:\n',
    );
  });

  it('in place, the target is not among its own sources', () => {
    bench.copy('pvh64-bare', 'in place');
    expect(bench.run(['patch', 'in place', '--in-place', '--depfile=p.d', ENTRY]).status).toBe(0);
    expect(readFileSync(bench.at('p.d'), 'utf8')).toBe('in\\ place:\n');
  });

  it('to a pipe it is written, not put in its place', () => {
    const run = bench.shell(`"$NODE" "$BIN" patch pvh64-bare -o out ${ENTRY} --depfile /dev/stdout | cat`);
    expect(run.stdout).toMatch(/^out: pvh64-bare$/m);
  });

  it.each([
    ['no/such/folder.d', 'write.failed', /no\/such\/folder\.d: cannot write the dependency file/],
    ['.', 'write.not-a-file', /found a folder/],
    ['pvh64-bare', 'usage.bad', /would replace pvh64-bare/],
    ['./fresh', 'usage.bad', /would replace fresh/],
    ['new', 'usage.bad', /would replace new/],
  ])('%s is refused before anything is written', (depfile, id, message) => {
    const output = depfile === 'new' ? 'new' : 'fresh';
    if (depfile === './fresh') writeFileSync(bench.at('fresh'), 'old');
    const before = bench.names;
    expectError(bench.run(['patch', 'pvh64-bare', '-o', output, ENTRY, '--depfile', depfile]), id, message);
    expect(bench.names).toEqual(before);
  });

  it('there is none for a target that failed', () => {
    const before = bench.names;
    expectError(bench.run(['patch', 'pvh64-bare', '-o', 'no/target', ENTRY, '--depfile', 'x.d']), 'write.failed');
    expect(bench.names).toEqual(before);
  });
});
