import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { ENCODINGS, type Encoding } from '../../../src/formats/elf/struct.js';
import { type NotesFacts, notesFacts } from '../../../src/inspect/notes/notes-facts.js';
import { notesJson, notesText } from '../../../src/report/notes-report.js';
import { styleOf } from '../../../src/report/text.js';
import {
  concat,
  cstr,
  type ElfBuilder,
  elf,
  latin1,
  noteBytes,
  num,
  type TestNote,
} from '../../support/elf-builder.js';

const facts = (builder: ElfBuilder): NotesFacts => notesFacts(readElf(new BufferSource(builder.build(), 'k')));
const rules = ({ notes }: NotesFacts) => notes.map(({ owner, name, xen }) => `${owner} ${name}: ${xen.rule}`);
const GNU_ID = { name: 'GNU', type: 3, desc: new Uint8Array(20) };

describe.each(ENCODINGS)('notesFacts(), ELF$bits $endian', (encoding) => {
  const wide = encoding.bits / 8;
  const entry = { type: 18, desc: num(0x100000n, 4, encoding) };
  const os = { type: 6, desc: cstr('linux') };
  const loaded = () => elf(encoding).load(0x100000n, new Uint8Array(256));

  it('a note that a segment and a section show is one note in one area with two places', () => {
    const found = facts(loaded().noteSegment([os, entry], { section: '.note.Xen', inside: { load: 0, at: 64 } }));
    expect(found.areas).toMatchObject([
      {
        places: [
          { kind: 'segment', index: 1 },
          { kind: 'section', index: 1, name: '.note.Xen' },
        ],
        memory: { vaddr: 0x100040n, paddr: 0x100040n },
        problem: undefined,
      },
    ]);
    expect(found.notes.map(({ areas }) => areas)).toEqual([[0], [0]]);
    expect(rules(found)).toEqual(['Xen GUEST_OS: used', 'Xen PHYS32_ENTRY: used']);
    expect(found.notes.map(({ xen }) => xen.guests)).toEqual([
      ['pv', 'pvh', 'dom0'],
      ['pvh', 'dom0'],
    ]);
  });

  it('a section inside a segment is an area inside an area', () => {
    const bytes = noteBytes([GNU_ID, entry], encoding);
    const found = facts(
      elf(encoding)
        .load(0x100000n, concat([bytes, new Uint8Array(64)]))
        .noteSegment(bytes, { inside: { load: 0, at: 0 } })
        .section('.note.gnu.build-id', { type: 7, align: 4n, inside: { load: 0, at: 0, size: 36 } })
        .section('.note.Xen', { type: 7, align: 4n, inside: { load: 0, at: 36, size: 20 } }),
    );
    expect(found.notes.map(({ owner, areas }) => ({ owner, areas }))).toEqual([
      { owner: 'GNU', areas: [0, 1] },
      { owner: 'Xen', areas: [0, 2] },
    ]);
    expect(rules(found)).toEqual(['GNU NT_GNU_BUILD_ID: other-owner', 'Xen PHYS32_ENTRY: used']);
  });

  it('sections count only while no segment holds a Xen note', () => {
    const both = facts(loaded().noteSegment([os]).noteSection('.note.more', [entry]));
    expect(both.xen.from).toBe('segments');
    expect(rules(both).sort()).toEqual(['Xen GUEST_OS: used', 'Xen PHYS32_ENTRY: segments-first']);
    const alone = facts(loaded().noteSegment([GNU_ID]).noteSection('.note.more', [entry]));
    expect(alone.xen.from).toBe('sections');
    expect(rules(alone).sort()).toEqual(['GNU NT_GNU_BUILD_ID: other-owner', 'Xen PHYS32_ENTRY: used']);
  });

  it('the last of several counts, except where repeats add up', () => {
    const features = { type: 10, desc: cstr('writable_page_tables') };
    const found = facts(loaded().noteSegment([entry, features, entry, features]));
    expect(rules(found)).toEqual([
      'Xen PHYS32_ENTRY: overridden',
      'Xen FEATURES: used',
      'Xen PHYS32_ENTRY: used',
      'Xen FEATURES: used',
    ]);
    expect(found.notes[0]?.xen.text).toContain(`0x${found.notes[2]?.record.offset.toString(16)}`);
  });

  it('what Xen reads otherwise, not at all, or without use', () => {
    const found = facts(
      loaded().noteSegment([
        { type: 1, desc: new Uint8Array(3).fill(1) },
        { type: 14, desc: num(1, 4, encoding) },
        { type: 99, desc: new Uint8Array(4) },
        { type: 0, desc: cstr('A=b') },
        { type: 3, desc: num(0, wide, encoding) },
      ]),
    );
    expect(rules(found)).toEqual([
      'Xen ENTRY: reads-otherwise',
      'Xen SUSPEND_CANCEL: stored',
      'Xen undefined: unknown-type',
      'Xen INFO: unknown-type',
      'Xen VIRT_BASE: used',
    ]);
    expect(found.notes[0]?.xen.text).toBe('PV, dom0: read as 0x0');
  });

  it('a string without NUL that runs into the next record', () => {
    const found = facts(loaded().noteSegment([{ type: 10, desc: latin1('dom0') }, entry]));
    // namesz 4 follows: its first byte is 04 in little endian, and in big endian the NUL that was missing.
    const little = encoding.endian === 'little';
    expect(found.notes[0]?.xen).toMatchObject(
      little
        ? { rule: 'reads-otherwise', text: 'PV, PVH, dom0: read as "dom0\\x04"' }
        : { rule: 'used', text: 'PV, PVH, dom0' },
    );
  });

  it('notes behind a gap that makes Xen lose its step are not reached', () => {
    const property = { name: 'GNU', type: 5, desc: new Uint8Array(16) };
    const bytes = noteBytes([entry, property, os], encoding, 8);
    const found = facts(loaded().noteSegment(bytes, { unit: 8, align: 8n }));
    expect(found.areas[0]?.padding).toBe(8);
    expect(found.notes.map(({ owner, xen }) => `${owner} ${xen.rule}`)).toEqual([
      'Xen used',
      'GNU other-owner',
      'Xen not-reached',
    ]);
  });

  it('a last record that claims too much is read by Xen and shown, with the reason', () => {
    const whole = noteBytes([os, { type: 9, desc: cstr('yes') }], encoding);
    const cut = Uint8Array.from(whole);
    // descsz of the second record: 12 where 4 are there, as in GRUB's i386 images.
    cut.set(num(12, 4, encoding), whole.length - 16);
    const found = facts(loaded().noteSegment(cut));
    expect(found.areas[0]?.problem).toContain('needs');
    expect(found.notes.map(({ name, areas, xen }) => [name, areas, xen.rule])).toEqual([
      ['GUEST_OS', [0], 'used'],
      ['PAE_MODE', [], 'used'],
    ]);
  });

  it('the __xen_guest string is for PV and only without notes', () => {
    const bytes = cstr('GUEST_OS=linux,XEN_VER=xen-3.0');
    const legacy = facts(loaded().section('__xen_guest', { bytes }));
    expect(legacy.legacy).toMatchObject({
      section: 1,
      text: 'GUEST_OS=linux,XEN_VER=xen-3.0',
      xen: { used: true, guests: ['pv', 'dom0'] },
    });
    const both = facts(loaded().noteSegment([entry]).section('__xen_guest', { bytes }));
    expect(both.legacy?.xen).toMatchObject({ used: false, rule: 'notes-first' });
  });
});

describe('notesFacts() within bounds', () => {
  const encoding = { bits: 64, endian: 'little' } as const;

  it('60,000 headers over the same thousand notes cost one area and a thousand notes', () => {
    const notes = Array.from({ length: 1000 }, (_, i) => ({ type: i, desc: new Uint8Array(4) }));
    const builder = elf(encoding).load(0n, noteBytes(notes, encoding));
    const size = BigInt(noteBytes(notes, encoding).length);
    for (let i = 0; i < 60_000; i++)
      builder.segment(4, new Uint8Array(0), { offset: 0x348000n, filesz: size, align: 4n });
    const bytes = builder.build();
    const at = Buffer.from(bytes).indexOf(noteBytes(notes.slice(0, 1), encoding));
    // Every PT_NOTE names the notes where the builder put them.
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let i = 1; i <= 60_000; i++) view.setBigUint64(64 + 56 * i + 8, BigInt(at), true);
    const found = notesFacts(readElf(new BufferSource(bytes, 'k')));
    expect(found.areas).toHaveLength(1);
    expect(found.areas[0]?.places).toHaveLength(60_000);
    expect(found.notes).toHaveLength(1000);
    expect(notesText(found, { xen: false, raw: false }, styleOf(false))).toContain('and 59996 more');
  });
});

describe("annobin's notes", () => {
  const encoding: Encoding = { bits: 64, endian: 'little' };
  const attribute = (value: string): TestNote => ({ name: `GA${value}`, type: 0x100, desc: new Uint8Array(16) });
  const bytes = elf(encoding)
    .load(0n, new Uint8Array(64))
    .noteSegment([
      { type: 18, desc: new Uint8Array(4) },
      attribute('$3p1292'),
      attribute('*GOW'),
      attribute('!stack_clash'),
    ])
    .build();
  const found = notesFacts(readElf(new BufferSource(bytes, 'k')));

  it('are one line an area, and all of them where that is asked for', () => {
    const short = notesText(found, { xen: false, raw: false }, styleOf(false));
    expect(short).toContain('3 notes of annobin: --all lists them');
    expect(short).toContain('PHYS32_ENTRY');
    expect(short).not.toContain('GA*GOW');
    const long = notesText(found, { xen: false, raw: false, all: true }, styleOf(false));
    expect(long).not.toContain('--all');
    for (const owner of ['GA$3p1292', 'GA*GOW', 'GA!stack_clash']) expect(long).toContain(owner);
  });

  it('are all in the document', () => {
    expect(notesJson(found, { xen: false, raw: false })['notes']).toHaveLength(4);
  });
});
