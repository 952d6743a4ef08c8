import { afterAll, describe, expect, it } from 'vitest';
import { ENCODINGS } from '../../src/formats/elf/struct.js';
import { runCli, workFolder } from '../support/cli.js';
import { cstr, elf, noteBytes, num } from '../support/elf-builder.js';
import { validDocument } from '../support/schema.js';

const folder = workFolder();
afterAll(() => folder.remove());
const le = { bits: 64, endian: 'little' } as const;

const entry = { type: 18, desc: num(0x100000n, 4, le) };
const identity = { name: 'GNU', type: 3, desc: Uint8Array.from({ length: 20 }, (_, i) => i) };
const loaded = () => elf(le).load(0x100000n, new Uint8Array(0x100));
const withNotes = folder.write(
  'with-notes',
  loaded()
    .noteSegment([identity, { type: 6, desc: cstr('linux') }, entry], {
      inside: { load: 0, at: 0x40 },
      section: '.notes',
    })
    .build(),
);
const without = folder.write('without', loaded().build());

describe('notes as text', () => {
  it('says where every note stands, what it says, and what Xen uses it for', () => {
    expect(runCli(['notes', withNotes])).toMatchObject({
      status: 0,
      stderr: '',
      stdout: `${withNotes}: ELF64 little-endian, EM_X86_64, ET_EXEC

PT_NOTE 1 = section 1 .notes: 0x50 bytes at 0xf0, in memory at 0x100040
  OFFSET  OWNER  NOTE             VALUE                                     XEN USES IT FOR
  0xf0    GNU    NT_GNU_BUILD_ID  000102030405060708090a0b0c0d0e0f10111213
  0x114   Xen    GUEST_OS         "linux"                                   PV, PVH, dom0
  0x12c   Xen    PHYS32_ENTRY     0x100000 (4 bytes)                        PVH, dom0

Xen reads 2 notes from PT_NOTE segments.
`,
    });
  });

  it('--xen leaves the others out, --raw adds the bytes', () => {
    const { stdout } = runCli(['notes', '--xen', '--raw', withNotes]);
    expect(stdout).not.toContain('GNU');
    expect(stdout).toMatch(/PHYS32_ENTRY .*\n {6}00 00 10 00\n/);
  });

  it('several images are told apart, an image without notes says so', () => {
    const { status, stdout } = runCli(['notes', withNotes, without]);
    expect(status).toBe(0);
    expect(stdout).toContain(`\n\n${without}: ELF64`);
    expect(stdout).toContain('Xen finds no note of its own.');
  });

  it('what follows an image that cannot be read is shown all the same', () => {
    const { status, stdout, stderr } = runCli(['notes', '/nonexistent', withNotes]);
    expect(status).toBe(2);
    expect(stderr).toContain('[read.open]');
    expect(stdout).toContain('PHYS32_ENTRY');
  });

  it('names of sections and owners cannot drive the terminal', () => {
    const evil = { name: '\x1b[2J', type: 1, desc: cstr('x') };
    const path = folder.write('evil', loaded().noteSegment([evil], { section: '.\x1b]0;x\x07' }).build());
    const { status, stdout } = runCli(['notes', path]);
    expect(status).toBe(0);
    expect(stdout).not.toContain('\x1b');
    expect(stdout).not.toContain('\x07');
    expect(stdout).toContain('\\x1b[2J');
  });

  it('an area that cannot be read to its end: what can be, the reason as a warning, exit 0', () => {
    const bytes = noteBytes([entry, entry], le).subarray(0, 30);
    const { status, stdout, stderr } = runCli(['notes', folder.write('cut', loaded().noteSegment(bytes).build())]);
    expect(status).toBe(0);
    expect(stdout).toContain('PHYS32_ENTRY');
    expect(stderr).toMatch(/^xen-elfpatch: warning: .*cut\+0x[0-9a-f]+: PT_NOTE 1: .*\n$/);
  });

  it('the legacy string is taken apart', () => {
    const bytes = cstr('GUEST_OS=Mini-OS,XEN_VER=xen-3.0,LOADER=generic');
    const { stdout } = runCli(['notes', folder.write('legacy', loaded().section('__xen_guest', { bytes }).build())]);
    expect(stdout).toMatch(
      /section 1 __xen_guest: string at 0x[0-9a-f]+, PV, dom0 \(never PVH\)\n {2}GUEST_OS +Mini-OS\n/,
    );
  });
});

describe('notes --require-xen', () => {
  it('exits 1 when one of the images has none, 0 when all have', () => {
    expect(runCli(['notes', '--require-xen', withNotes])).toMatchObject({ status: 0, stderr: '' });
    const { status, stderr } = runCli(['notes', '--require-xen', withNotes, without]);
    expect(status).toBe(1);
    expect(stderr).toBe(`xen-elfpatch: ${without}: no Xen note found, --require-xen wants one\n`);
  });

  it('an image that cannot be read weighs more', () => {
    expect(runCli(['notes', '--require-xen', without, '/nonexistent']).status).toBe(2);
  });
});

describe('notes --format readnotes', () => {
  it('prints what readnotes prints', () => {
    expect(runCli(['notes', '--format', 'readnotes', withNotes])).toMatchObject({
      status: 0,
      stderr: '',
      stdout: 'GUEST_OS: linux\nPHYS32_ENTRY:   0x100000 (4 bytes)\n',
    });
  });

  it.each([
    [['--json', withNotes], '--json and --format readnotes cannot be given together'],
    [[withNotes, without], '--format readnotes takes one IMAGE'],
  ])('refuses %j', (more, message) => {
    const { status, stderr } = runCli(['notes', '--format', 'readnotes', ...more]);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });
});

describe('notes --json', () => {
  it.each(ENCODINGS)('is valid for ELF$bits $endian with every kind of value', (encoding) => {
    const wide = encoding.bits / 8;
    const notes = [
      { type: 1, desc: num(0x100000n, wide, encoding) },
      { type: 6, desc: cstr('linux') },
      { type: 13, desc: new Uint8Array(2 * wide) },
      { type: 19, desc: new Uint8Array(12) },
      { type: 1, desc: new Uint8Array(3) },
      { type: 0xffffffff, desc: new Uint8Array(0) },
      { name: 'GNU', type: 1, desc: new Uint8Array(16) },
      { name: 'GNU', type: 3, desc: new Uint8Array(20) },
      { name: 'GNU', type: 5, desc: new Uint8Array(16) },
      { name: 'FDO', type: 0xcafe1a7e, desc: cstr('{"name":"x"}') },
      { name: new Uint8Array(0), type: 7, desc: new Uint8Array(5) },
    ];
    const image = elf(encoding).load(0x100000n, new Uint8Array(64)).noteSegment(notes, { section: '.notes' });
    image.section('__xen_guest', { bytes: cstr('GUEST_OS=x') });
    const path = folder.write('all-kinds', image.build());
    const { status, stdout } = runCli(['notes', '--json', '--raw', path]);
    expect(status).toBe(0);
    const document = validDocument(stdout);
    expect(document).toMatchObject({ images: [{ file: path, class: encoding.bits, endian: encoding.endian }] });
    const kinds = (document as { images: { notes: { value: { kind: string } }[] }[] }).images[0]?.notes;
    expect(kinds?.map(({ value }) => value.kind)).toEqual([
      'number',
      'string',
      'list',
      'list',
      'raw',
      'raw',
      'abi-tag',
      'build-id',
      'properties',
      'metadata',
      'raw',
    ]);
  });

  it('has addresses as hexadecimal strings and counts as numbers', () => {
    expect(validDocument(runCli(['notes', '--json', '--xen', withNotes]).stdout)).toMatchObject({
      images: [
        {
          xen: { from: 'segments', notes: 2 },
          areas: [
            {
              offset: '0xf0',
              size: '0x50',
              padding: 4,
              segments: [1],
              sections: [{ index: 1, name: '.notes' }],
              memory: { vaddr: '0x100040', paddr: '0x100040' },
            },
          ],
          notes: [
            { name: 'GUEST_OS', value: { kind: 'string', text: 'linux', terminated: true } },
            {
              owner: 'Xen',
              type: 18,
              name: 'PHYS32_ENTRY',
              value: { kind: 'number', value: '0x100000', width: 4 },
              offset: '0x12c',
              size: '0x14',
              descOffset: '0x13c',
              descSize: '0x4',
              areas: [0],
              inMemory: true,
              xen: { used: true, rule: 'used', guests: ['pvh', 'dom0'] },
            },
          ],
        },
      ],
    });
  });

  it('an image among others that cannot be read has its error in its place', () => {
    const { status, stdout } = runCli(['notes', '--json', withNotes, '/nonexistent', without]);
    expect(status).toBe(2);
    expect(validDocument(stdout)).toMatchObject({
      schema: 'xen-elfpatch/notes/1',
      images: [{ file: withNotes }, { file: '/nonexistent', error: { id: 'read.open' } }, { file: without }],
    });
  });

  it('where nothing can be read the document is an error with one entry for each', () => {
    const { status, stdout } = runCli(['notes', '--json', '/nonexistent', '/dev/null']);
    expect(status).toBe(2);
    expect(validDocument(stdout)).toMatchObject({ errors: [{ id: 'read.open' }, { id: 'read.not-a-file' }] });
  });
});
