/** Every form of VALUE, through the command: what the descriptor is, in all four encodings, and what is refused. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENCODINGS, type Encoding } from '../../src/formats/elf/struct.js';
import { elf } from '../support/elf-builder.js';
import { Bench, expectError, xenNotes } from '../support/patching.js';

const bench = new Bench();
afterAll(() => bench.remove());

/** A kernel linked high and loaded low, its entry 0x10 behind its start. */
function image(encoding: Encoding): Uint8Array {
  const base = encoding.bits === 64 ? 0xffff_ffff_8000_0000n : 0xc000_0000n;
  return elf(encoding)
    .header({ e_entry: base + 0x100010n })
    .load(base + 0x100000n, new Uint8Array(0x100).fill(0x90), { paddr: 0x100000n })
    .symbol('start', base + 0x100020n)
    .symbol('odd-1', base + 0x100030n)
    .symbol('twice', base + 0x100040n, { info: 0 })
    .symbol('twice', base + 0x100050n, { info: 0 })
    .symbol('elsewhere', 0x4000n)
    .with({ slack: 1024 })
    .build();
}

describe.each(ENCODINGS)('values, ELF$bits $endian', (encoding) => {
  const name = `k${encoding.bits}${encoding.endian}`;
  const wide = encoding.bits === 64;
  const order = (digits: string) =>
    encoding.endian === 'big' ? digits : (digits.match(/../g) ?? []).reverse().join('');
  /** A number of `bytes` bytes in the image's order. */
  const num = (value: bigint, bytes: number) => order(value.toString(16).padStart(2 * bytes, '0'));
  const native = (value: bigint) => num(value, wide ? 8 : 4);
  const base = wide ? 0xffff_ffff_8000_0000n : 0xc000_0000n;
  beforeAll(() => {
    writeFileSync(bench.at(name), image(encoding));
    writeFileSync(bench.at('value.bin'), Uint8Array.of(1, 2, 3, 4, 5));
  });

  const forms = [
    ['symbols', 'ENTRY=sym:start', 'ENTRY', native(base + 0x100020n)],
    ['a symbol and an offset', 'ENTRY=sym:start+0x8', 'ENTRY', native(base + 0x100028n)],
    ['a symbol less a decimal offset', 'ENTRY=sym:start-16', 'ENTRY', native(base + 0x100010n)],
    ['a symbol whose name ends like an offset', 'ENTRY=sym:odd-1+0', 'ENTRY', native(base + 0x100030n)],
    ['a physical address', 'PHYS32_ENTRY=phys:start', 'PHYS32_ENTRY', num(0x100020n, 4)],
    ['a physical address and an offset', 'PHYS32_ENTRY=phys:start-0x20', 'PHYS32_ENTRY', num(0x100000n, 4)],
    ['e_entry', 'ENTRY=entry', 'ENTRY', native(base + 0x100010n)],
    ['e_entry less something', 'ENTRY=entry-0x10', 'ENTRY', native(base + 0x100000n)],
    ['e_entry, physical', 'PHYS32_ENTRY=phys:entry', 'PHYS32_ENTRY', num(0x100010n, 4)],
    ['e_entry, physical, and something', 'PHYS32_ENTRY=phys:entry+6', 'PHYS32_ENTRY', num(0x100016n, 4)],
    ['a decimal number', 'MOD_START_PFN=12', 'MOD_START_PFN', num(12n, 4)],
    ['a hexadecimal number', 'HV_START_LOW=0xf5800000', 'HV_START_LOW', native(0xf580_0000n)],
    ['a width', 'HYPERCALL_PAGE/4=0x1000', 'HYPERCALL_PAGE', num(0x1000n, 4)],
    ['a wide width', 'PHYS32_ENTRY/8=0x100000', 'PHYS32_ENTRY', num(0x100000n, 8)],
    ['a narrow width', 'SUSPEND_CANCEL/1=1', 'SUSPEND_CANCEL', '01'],
    ['bytes', 'VIRT_BASE=hex:DE AD be ef', 'VIRT_BASE', 'deadbeef'],
    ['no bytes at all', 'INFO=hex:', 'INFO', ''],
    ['a file', 'INFO=file:value.bin', 'INFO', '0102030405'],
    [
      'a list',
      'PHYS32_RELOC=0x200000,0,0x3fffffff',
      'PHYS32_RELOC',
      num(0x200000n, 4) + num(0n, 4) + num(0x3fff_ffffn, 4),
    ],
    ['a short list', 'PHYS32_RELOC=4096', 'PHYS32_RELOC', num(4096n, 4)],
    ['pairs', 'L1_MFN_VALID=1:1', 'L1_MFN_VALID', native(1n) + native(1n)],
    ['pairs of a width', 'L1_MFN_VALID/8=3:1,5:2', 'L1_MFN_VALID', [3n, 1n, 5n, 2n].map((n) => num(n, 8)).join('')],
    ['text', 'GUEST_OS=linux', 'GUEST_OS', Buffer.from('linux\0').toString('hex')],
    ['text with an equals sign', 'GUEST_VERSION=a=b', 'GUEST_VERSION', Buffer.from('a=b\0').toString('hex')],
    ['empty text', 'LOADER=', 'LOADER', '00'],
    ['a full name in small letters', 'xen_elfnote_bsd_symtab=yes', 'BSD_SYMTAB', Buffer.from('yes\0').toString('hex')],
    ['a number for a name', '0x9=yes', 'PAE_MODE', Buffer.from('yes\0').toString('hex')],
    ['an unknown number with a width', '66/2=513', '0x42', num(513n, 2)],
    ['an unknown number with bytes', '0xffffffff=hex:01', '0xffffffff', '01'],
  ] as const;

  it.each(batches(forms).map((rows) => ({ rows, what: rows.map(([what]) => what).join(', ') })))(
    '$what',
    ({ rows }) => {
      const settings = rows.map(([, setting]) => `--set=${setting}`);
      const run = bench.run(['patch', name, '-o', 'out', ...settings]);
      expect(run.stderr).toBe('');
      expect(run.status).toBe(0);
      expect(xenNotes(bench.at('out'))).toEqual(rows.map(([, , note, desc]) => [note, desc]));
    },
  );
});

/** Each note once a run, or a later form would replace an earlier one. */
function batches<T extends readonly [string, string, string, string]>(forms: readonly T[]): T[][] {
  const runs: T[][] = [];
  for (const form of forms) {
    const free = runs.find((run) => run.every(([, , note]) => note !== form[2]));
    if (free === undefined) runs.push([form]);
    else free.push(form);
  }
  return runs;
}

describe('values that cannot be meant', () => {
  beforeAll(() => {
    writeFileSync(bench.at('kernel'), image({ bits: 64, endian: 'little' }));
    const stripped = elf().load(0x100000n, new Uint8Array(64)).section('.text').with({ slack: 1024, stripped: true });
    writeFileSync(bench.at('stripped'), stripped.build());
    writeFileSync(bench.at('huge.bin'), new Uint8Array(0x100001));
  });

  it.each([
    ['ENTRY=sym:nowhere', 'plan.no-symbol', /nowhere in \.symtab/],
    ['ENTRY=sym:twice', 'plan.ambiguous-symbol', /0xffffffff80100040, 0xffffffff80100050/],
    ['PHYS32_ENTRY=phys:elsewhere', 'plan.no-load-holds', /elsewhere = 0x4000/],
    ['PHYS32_ENTRY=sym:start', 'plan.value-too-wide', /0xffffffff80100020 does not fit 4 bytes/],
    ['ENTRY=entry-0xfffffffffffffff0', 'plan.value-too-wide', /ENTRY = /],
    ['PHYS32_ENTRY=0x100000000', 'note.value-too-wide', /4 bytes/],
    ['ENTRY=0777', 'note.bad-value', /"0777"/],
    ['ENTRY=1e3', 'note.bad-value', /"1e3"/],
    ['ENTRY=-1', 'note.bad-value', /"-1"/],
    ['ENTRY=', 'note.bad-value', /wanted a decimal/],
    ['ENTRY/3=1', 'note.bad-width', /"3"/],
    ['GUEST_OS/4=x', 'note.bad-value', /without a width/],
    ['INFO=hex:abc', 'note.bad-value', /two hexadecimal digits/],
    ['INFO=file:', 'note.bad-value', /a path behind file:/],
    ['INFO=file:absent', 'read.open', /absent: cannot open: no such file/],
    ['INFO=file:.', 'read.not-a-file', /found a directory/],
    ['INFO=file:huge.bin', 'plan.bad-file', /1048577 bytes/],
    ['PHYS32_RELOC=1,2,3,4', 'note.bad-value', /one to three numbers/],
    ['L1_MFN_VALID=1:1,2', 'note.bad-value', /pairs/],
    ['FEATURES=!pae_pgdir_above_4gbs', 'note.unknown-feature', /pae_pgdir_above_4gbs/],
    ['PHYS32_ENTR=1', 'note.unknown-name', /"PHYS32_ENTR"/],
    ['66=1', 'note.bad-value', /Xen has no such note/],
    ['0x100000000=hex:00', 'note.unknown-name', /at most 32 bits/],
  ] as const)('%s: %s', (setting, id, text) => {
    const before = bench.names;
    expectError(bench.run(['patch', 'kernel', '-o', 'none', '--set', setting]), id, text);
    expect(bench.names).toEqual(before);
  });

  it('a symbol of a stripped image', () => {
    const run = bench.run(['patch', 'stripped', '-o', 'none', '--set', 'ENTRY=sym:start']);
    expectError(run, 'plan.no-symbol', /the image has no symbol table/);
  });
});
