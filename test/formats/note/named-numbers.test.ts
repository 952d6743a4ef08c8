/**
 * A number of a format stands once in src, in its home, under the name that its header gives it. Each row is one way of
 * writing such a number bare: it has to find its own bad examples, to pass the good ones, and to find nothing in src.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as names from '../../../src/formats/elf/names.js';
import { FEATURES, featureMask } from '../../../src/formats/note/features.js';
import * as types from '../../../src/formats/note/note-types.js';

const TYPES: Readonly<Record<string, unknown>> = { ...types };
const NAMES: Readonly<Record<string, unknown>> = { ...names };
const NUMBER = '-?(?:0[xX][0-9a-fA-F_]+|[0-9][0-9_]*)n?\\b';
const MULTIBOOT_TAGS = ['formats/multiboot/tags.ts'];

interface Row {
  readonly what: string;
  readonly pattern: string;
  /** Files of src that may: the home, or readers of numbers that only look alike. */
  readonly home: readonly string[];
  readonly bad: readonly string[];
  readonly good: readonly string[];
}

const ROWS: readonly Row[] = [
  {
    what: 'a type compared with a number',
    pattern: `\\btype [!=]== ${NUMBER}`,
    home: MULTIBOOT_TAGS,
    bad: ['if (note.type === 18)', 'info.type !== 17;', 'type === 0xcafe1a7e'],
    good: ['type === XEN_ELFNOTE.ENTRY', 'type < 0n'],
  },
  {
    what: 'a note made with a bare type',
    pattern: `\\btype: ${NUMBER}|\\bxenNote\\(${NUMBER}`,
    home: [],
    bad: ['yield { type: 5, value }', 'xenNote(18, desc)'],
    good: ['{ type: XEN_ELFNOTE.LOADER }', 'type: number;'],
  },
  {
    what: 'a note looked for by a bare type',
    pattern: `\\b(?:has|get|present|noteInfo|noteName|foreignNotes|fresh)\\((?:[^()]*, )?${NUMBER}[,)]`,
    home: MULTIBOOT_TAGS,
    bad: ['types.has(18)', 'present(3)', "foreignNotes(facts, 'GNU', 3)"],
    good: ['given.has(XEN_ELFNOTE.ENTRY)', 'fresh()'],
  },
  {
    what: 'a list of bare types',
    pattern: `\\[(?:\\d+, )+\\d+\\]\\.some\\(|TYPES[^=]*= (?:new Set\\()?\\[\\d`,
    home: [],
    bad: ['[1, 3, 5].some((type) => types.has(type))', 'const PV_TYPES = new Set([1, 2])'],
    good: ['[ENTRY, VIRT_BASE].some(has)'],
  },
  {
    what: 'a number of a note type that nobody else has',
    pattern: '[cC][aA][fF][eE]_?1[aA]7[eE]|407[cC]_?0[cC]0[aA]|3405650558|1081871370',
    home: ['formats/note/note-types.ts'],
    bad: ['0xCAFE1A7E', '3405650558: metadata'],
    good: ['FDO_PACKAGING_METADATA'],
  },
  {
    what: 'an owner compared as a bare word',
    pattern: "[!=]== '(?:Xen|GNU|FDO|nil)'",
    home: [],
    bad: ["owner === 'Xen'", "ownerOf(name) !== 'GNU'"],
    good: ['owner === XEN', "key === 'XEN_VER'"],
  },
  {
    what: 'a constant declared a second time',
    pattern: `\\bconst (?:XEN_ELFNOTE_\\w+|${Object.keys({ ...types.XEN_ELFNOTE, ...TYPES, ...NAMES })
      .filter((name) => /^[A-Z]/.test(name))
      .join('|')})\\b(?:: \\w+)? = ${NUMBER}`,
    home: ['formats/note/note-types.ts', 'formats/elf/names.ts', 'formats/note/features.ts'],
    bad: ['const PHYS32_ENTRY = 18;', 'const NT_GNU_BUILD_ID = 3;', 'export const EM_386: number = 3;'],
    good: ['const { PHYS32_ENTRY } = XEN_ELFNOTE;', 'const HAS_PHYS32_ENTRY: Rule = {'],
  },
  {
    what: 'a field of an ELF header compared with, or set to, a bare number',
    pattern: `\\b(?:e_type|e_machine|machine|e_version|p_type|sh_type|st_shndx)(?: [!=]==|:) ${NUMBER}`,
    home: [],
    bad: ['machine === 62', 's.p_type === 4', 'e_machine: 3,', 'sh_type !== 0'],
    good: ['machine === EM_X86_64', "p_type: 'word'"],
  },
  {
    what: 'bits of p_flags or sh_flags as a number',
    pattern: `\\b(?:p_flags|sh_flags) & \\(?${NUMBER}`,
    home: [],
    bad: ['(s.p_flags & 7) !== 0', 'sh_flags & 2n'],
    good: ['p_flags & PF_X'],
  },
  {
    what: 'a byte of e_ident by its bare index',
    pattern: '\\bident\\)?\\[\\d|laxIdent\\(\\w+\\)\\[\\d|\\b(?:EI_CLASS|EI_DATA|EI_VERSION)\\] [!=]== \\d',
    home: [],
    bad: ['ident[4] === 2', 'laxIdent(source)[4]', 'ident[EI_CLASS] === 2'],
    good: ['ident[EI_CLASS] === ELFCLASS64'],
  },
  {
    what: 'the ELF magic byte by byte',
    pattern: '0x45, 0x4c|0x45 && .*0x4c',
    home: ['formats/elf/names.ts'],
    bad: ['[0x7f, 0x45, 0x4c, 0x46]', 'a === 0x7f && b === 0x45 && c === 0x4c'],
    good: ['ELF_MAGIC'],
  },
  {
    what: 'a feature as a shifted bit',
    pattern: '\\w+_BIT\\b[^=;]* = 1n? << \\d',
    home: [],
    bad: ['const DOM0_BIT = 1 << 11;'],
    good: ["const DOM0_BIT = featureMask('dom0');"],
  },
  {
    what: 'the magic of a Multiboot header',
    pattern: '1[bB][aA][dD]_?[bB]002|[eE]852_?50[dD]6',
    // The text of a problem names it for people.
    home: [
      'formats/multiboot/mb1.ts',
      'formats/multiboot/mb2.ts',

      'base/errors/problems/linearize.ts',
    ],
    bad: ['0x1badb002', '0xE85250D6'],
    good: ['MB1_MAGIC'],
  },
];

/** The code of a file: comments may say numbers. */
const code = (text: string) => text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');

// What `explain` prints is prose.
const FILES = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.startsWith('explain/'))
  .map((path) => ({ path, lines: code(readFileSync(`src/${path}`, 'utf8')).split('\n') }));

describe('src has its numbers under their names', () => {
  it('all files are looked at', () => {
    expect(FILES.length).toBeGreaterThan(200);
    expect(FILES.map(({ path }) => path)).toContain('formats/note/note-types.ts');
  });

  it.each(ROWS)('$what', ({ pattern, home, bad, good }) => {
    const finds = (line: string) => new RegExp(pattern).test(line);
    expect(bad.filter((line) => !finds(line))).toEqual([]);
    expect(good.filter(finds)).toEqual([]);
    const found = FILES.filter(({ path }) => !home.includes(path)).flatMap(({ path, lines }) =>
      lines.filter(finds).map((line) => `${path}: ${line.trim()}`),
    );
    expect(found).toEqual([]);
  });
});

// glibc's elf.h and the ELF package metadata specification; Xen's own numbers are typed by hand in xen-notes.test.ts.
describe('the numbers themselves', () => {
  it.each([
    ['NT_GNU_ABI_TAG', 1],
    ['NT_GNU_HWCAP', 2],
    ['NT_GNU_BUILD_ID', 3],
    ['NT_GNU_GOLD_VERSION', 4],
    ['NT_GNU_PROPERTY_TYPE_0', 5],
    ['FDO_PACKAGING_METADATA', 0xcafe1a7e],
    ['FDO_DLOPEN_METADATA', 0x407c0c0a],
    ['XEN', 'Xen'],
    ['GNU', 'GNU'],
    ['FDO', 'FDO'],
    ['LINUX', 'Linux'],
  ] as const)('%s is %s', (name, value) => {
    expect(TYPES[name]).toBe(value);
  });

  it.each([
    ['EI_CLASS', 4],
    ['EI_DATA', 5],
    ['EI_VERSION', 6],
    ['ELFCLASS32', 1],
    ['ELFCLASS64', 2],
    ['ELFDATA2LSB', 1],
    ['ELFDATA2MSB', 2],
    ['EV_CURRENT', 1],
    ['EM_386', 3],
    ['EM_ARM', 40],
    ['EM_X86_64', 62],
    ['EM_AARCH64', 183],
    ['PT_NOTE', 4],
    ['SHT_NOTE', 7],
    ['SHN_UNDEF', 0],
    ['SHN_ABS', 0xfff1],
  ] as const)('%s is %i', (name, value) => {
    expect(NAMES[name]).toBe(value);
  });

  it('featureMask() is the bit of features.h', () => {
    expect([featureMask('auto_translated_physmap'), featureMask('supervisor_mode_kernel')]).toEqual([4, 8]);
    expect([featureMask('hvm_callback_vector'), featureMask('dom0')]).toEqual([0x100, 0x800]);
    expect(FEATURES.filter(({ inString }) => inString).map(({ bit }) => bit)).toEqual([0, 1, 2, 3, 4, 8, 11]);
  });

  it('beginsAsElf() wants all four bytes', () => {
    const magic = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2);
    expect(names.beginsAsElf(magic)).toBe(true);
    for (const index of [0, 1, 2, 3]) {
      expect(names.beginsAsElf(magic.with(index, 0))).toBe(false);
      expect(names.beginsAsElf(magic.subarray(0, index))).toBe(false);
    }
  });
});
