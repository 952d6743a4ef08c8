import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { loadSpec, parseSpec } from '../../../src/formats/note/spec-file.js';

/** The mistake that parsing reports. */
function mistake(text: string): PatchError {
  try {
    parseSpec(text, 'k.yaml');
  } catch (error) {
    if (error instanceof PatchError) return error;
    throw error;
  }
  throw new Error('there was no mistake');
}

describe('parseSpec()', () => {
  it('reads a mapping of names to values', () => {
    const spec = parseSpec(`
# A PV and PVH kernel.
preset: pv+pvh
placement: append
section: .notes
notes:
  GUEST_OS: linux
  guest_version: 2.60
  PAE_MODE: yes
  ENTRY: 0xffffffff81000000
  HYPERCALL_PAGE/8: sym:hypercall_page
  18: phys:start+0x10
  FEATURES: [dom0, '!writable_page_tables']
  PHYS32_RELOC: [0x200000, 0, 0xffffffff]
  L1_MFN_VALID: 1:1
  INFO: ""
remove: [LOADER, 17]
`);
    expect(spec).toMatchObject({ preset: 'pv+pvh', placement: 'append', section: '.notes', remove: ['LOADER', '17'] });
    expect(
      spec.notes.map(({ name, line, setting }) => [name, line, setting.type, setting.width, setting.expr]),
    ).toEqual([
      ['GUEST_OS', 7, 6, undefined, { kind: 'text', text: 'linux' }],
      ['guest_version', 8, 7, undefined, { kind: 'text', text: '2.60' }],
      ['PAE_MODE', 9, 9, undefined, { kind: 'text', text: 'yes' }],
      ['ENTRY', 10, 1, undefined, { kind: 'number', value: 0xffffffff81000000n }],
      ['HYPERCALL_PAGE/8', 11, 2, 8, { kind: 'symbol', name: 'hypercall_page', physical: false, addend: 0n }],
      ['18', 12, 18, undefined, { kind: 'symbol', name: 'start', physical: true, addend: 0x10n }],
      ['FEATURES', 13, 10, undefined, { kind: 'text', text: 'dom0|!writable_page_tables' }],
      ['PHYS32_RELOC', 14, 19, undefined, { kind: 'list', items: [0x200000n, 0n, 0xffffffffn] }],
      ['L1_MFN_VALID', 15, 13, undefined, { kind: 'list', items: [1n, 1n] }],
      ['INFO', 16, 0, undefined, { kind: 'text', text: '' }],
    ]);
    expect(spec.notes[3]?.value).toBe('0xffffffff81000000');
  });

  it('reads a list, with widths', () => {
    const spec = parseSpec('notes:\n- {name: ENTRY, value: 0x100000, width: 4}\n- {name: 27, value: hex:00ff}\n');
    expect(spec.notes).toMatchObject([
      { name: 'ENTRY/4', value: '0x100000', line: 2, setting: { type: 1, width: 4 } },
      { name: '27', line: 3, setting: { type: 27, expr: { kind: 'bytes' } } },
    ]);
  });

  it('reads JSON, with tabs and numbers of any width', () => {
    const json =
      '{\n\t"preset": "pvh",\n\t"notes": {\n\t\t"VIRT_BASE": 18446744071562067968,\n\t\t"LOADER": "generic"\n\t}\n}';
    expect(parseSpec(json)).toMatchObject({
      preset: 'pvh',
      notes: [
        { name: 'VIRT_BASE', line: 4, setting: { expr: { kind: 'number', value: 0xffffffff80000000n } } },
        { name: 'LOADER', line: 5, value: 'generic' },
      ],
      remove: [],
    });
  });

  it('every number of 64 bits survives, in YAML and JSON', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.boolean(), (value, asHex) => {
        const digits = asHex ? `0x${value.toString(16)}` : value.toString();
        const wanted = [{ setting: { expr: { kind: 'number', value } } }];
        expect(parseSpec(`notes:\n  ENTRY: ${digits}\n`)).toMatchObject({ notes: wanted });
        expect(parseSpec(`{"notes": {"ENTRY": ${value}}}`)).toMatchObject({ notes: wanted });
      }),
    );
  });

  it('an empty mapping asks for nothing', () => {
    expect(parseSpec('{}')).toEqual({
      preset: undefined,
      placement: undefined,
      section: undefined,
      notes: [],
      remove: [],
    });
  });

  it.each([
    ['', 'k.yaml:1: found nothing, wanted a mapping'],
    ['- a\n', 'k.yaml:1: found a list, wanted a mapping'],
    [
      '\nnotes:\n  ENTRY: 1\nplacment: auto\n',
      'k.yaml:4: found the key "placment", wanted one of preset, placement, section, notes, remove (did you mean placement?)',
    ],
    ['placement: apend\n', 'k.yaml:1: placement: found "apend", wanted one of auto, in-place, grow, append'],
    ['preset: 5\n', 'k.yaml:1: preset: found 5, wanted text'],
    ['section: s\npreset: phv\n', 'k.yaml:2: preset: found the preset phv, wanted pv, pv32, pvh'],
    ['preset: vpv+pvh\n', 'k.yaml:1: preset: found the preset vpv+pvh, wanted pv, pv32, pvh'],
    ['preset: ""\n', 'k.yaml:1: preset: found an empty text, wanted a name'],
    ['notes: 5\n', 'k.yaml:1: notes: found 5, wanted a mapping or a list'],
    ['notes:\n  ENTRY:\n', 'k.yaml:2: notes.ENTRY: found nothing, wanted text or a number or a list'],
    ['notes:\n  ENTRY: true\n', 'k.yaml:2: notes.ENTRY: found true, wanted text or a number or a list'],
    ['notes:\n  ENTRY: 1.5\n', 'k.yaml:2: notes.ENTRY: found "1.5" as the value of ENTRY, wanted a decimal'],
    ['notes:\n  ENTRY: -1\n', 'k.yaml:2: notes.ENTRY: found "-1" as the value of ENTRY, wanted a decimal'],
    ['notes:\n  ENTRY: [1]\n', 'k.yaml:2: notes.ENTRY: found a list, wanted one value'],
    [
      'notes:\n  PHYS32_ENTRY: 0x100000000\n',
      'k.yaml:2: notes.PHYS32_ENTRY: found 0x100000000 as the value of PHYS32_ENTRY, wanted an unsigned number of 4 bytes',
    ],
    [
      'notes:\n  GUESTOS: linux\n',
      'k.yaml:2: notes.GUESTOS: found the note name "GUESTOS", wanted one that Xen knows. Did you mean GUEST_OS?',
    ],
    [
      'notes:\n  FEATURES: "!dmo0"\n',
      'k.yaml:2: notes.FEATURES: found the required feature "dmo0", wanted one that Xen knows by name. Did you mean !dom0?',
    ],
    ['notes:\n  LOADER: a\n  8: b\n', 'k.yaml:3: notes.8: found the note of line 2 again, wanted each once'],
    ['notes:\n- {name: ENTRY}\n', 'k.yaml:2: notes[0]: found no key "value", wanted name and value'],
    [
      'notes:\n- {name: ENTRY, value: 1, size: 4}\n',
      'k.yaml:2: notes[0]: found the key "size", wanted one of name, value, width',
    ],
    ['notes:\n- {name: ENTRY, value: 1, width: 3}\n', 'k.yaml:2: notes[0].width: found 3, wanted one of 1, 2, 4, 8'],
    ['notes:\n- {name: ENTRY/4, value: 1, width: 4}\n', 'k.yaml:2: notes[0]: found the width "4/4" in "ENTRY/4/4"'],
    ['notes:\n- ENTRY\n', 'k.yaml:2: notes[0]: found "ENTRY", wanted a mapping'],
    ['remove: [LOADER,\n NOPE]\n', 'k.yaml:2: remove[1]: found the note name "NOPE", wanted one that Xen knows'],
    ['remove: LOADER\n', 'k.yaml:1: remove: found "LOADER", wanted a list'],
    ['a: [1\nb: 2\n', 'k.yaml:2: '],
    ['preset: pv\npreset: pvh\n', 'k.yaml:2: Map keys must be unique'],
    ['preset: &p pv\nsection: *p\n', 'found an alias, wanted the value itself'],
    ['preset: !x pv\n', 'k.yaml:1: Unresolved tag: !x'],
    ['--- {}\n--- {}\n', 'k.yaml:2: Source contains multiple documents'],
    ['? [a]\n: b\n', 'k.yaml:1: found a key that is no word'],
    ['__proto__: {}\n', 'k.yaml:1: found the key "__proto__", wanted one of'],
    [`${'['.repeat(40)}${']'.repeat(40)}`, 'nested too deeply'],
  ])('%j', (text, message) => {
    const error = mistake(text);
    expect(error.id).toBe('note.bad-spec');
    expect(error.exit).toBe(2);
    expect(error.message).toContain(message);
  });

  it('tells all mistakes, the first by line in the message', () => {
    const error = mistake('remove: [NOPE]\nnotes:\n  GUESTOS: x\n  ENTRY: y\n');
    expect(error.message).toContain('k.yaml:1: remove[0]');
    expect(error.hint).toMatch(/^Also: line 3: notes\.GUESTOS: .*; line 4: notes\.ENTRY: /);
  });

  it('survives what no notes file is', () => {
    expect(mistake('['.repeat(200_000)).id).toBe('note.bad-spec');
    expect(mistake(`notes: {${'a: {'.repeat(5000)}`).id).toBe('note.bad-spec');
    const piece = fc.constantFrom(
      'notes',
      'ENTRY',
      ':',
      ' ',
      '\n',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '"',
      '1',
      '&a',
      '*a',
      '!',
      '|',
      '\t',
      '#',
      '?',
      '---',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        try {
          parseSpec(pieces.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(PatchError);
        }
      }),
    );
  });
});

describe('loadSpec()', () => {
  const folder = mkdtempSync(join(tmpdir(), 'spec-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string | Uint8Array) => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  it('reads a file', () => {
    expect(loadSpec(file('a.yaml', '\ufeffnotes: {LOADER: généric}\n')).notes[0]?.value).toBe('généric');
  });

  it.each([
    ['lists', '['.repeat(60_000)],
    ['mappings', '{a: '.repeat(15_000)],
    ['lists in lines', '- '.repeat(30_000)],
  ])('tells %s that are nested without end by their line', (_, nested) => {
    expect(() => loadSpec(file('deep.yaml', `# a\n${nested}`))).toThrow(
      /deep\.yaml:2: found lists or mappings nested too deeply/,
    );
  });

  it('refuses what is not text, too large, or not there', () => {
    expect(() => loadSpec(file('b.yaml', Uint8Array.of(0xff, 0xfe)))).toThrow(/no UTF-8.*\[note\.bad-spec\]/);
    expect(() => loadSpec(file('c.yaml', ' '.repeat(0x10001)))).toThrow(/a notes file.*\[note\.too-large\]/);
    expect(() => loadSpec(join(folder, 'none'))).toThrow(/\[read\.open\]/);
    expect(() => loadSpec(folder)).toThrow(/\[read\.not-a-file\]/);
  });
});
