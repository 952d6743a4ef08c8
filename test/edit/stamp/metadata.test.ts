import { describe, expect, it } from 'vitest';
import { sourceDate } from '../../../src/edit/stamp/date.js';
import { parseNote, parseNoteKey } from '../../../src/edit/stamp/note-words.js';
import { descriptorProblem, metadataNote, metadataProblem } from '../../../src/edit/stamp/package-metadata.js';
import { hexToBytes, latin1 } from '../../support/elf-builder.js';

const le = { bits: 64, endian: 'little' } as const;

describe('metadataNote()', () => {
  it('is the note of the convention: owner FDO, JSON, NUL, filled up to 4', () => {
    const { name, type, desc } = metadataNote({ name: 'k' });
    expect([name, type]).toEqual([hexToBytes('46444f00'), 0xcafe1a7e]);
    // {"name":"k"} are 12 bytes, the NUL makes 13, filled up to 16.
    expect(desc).toEqual(hexToBytes('7b226e616d65223a226b227d 00000000'));
  });

  it('keeps other scripts as UTF-8', () => {
    expect(metadataNote({ name: 'Kärnel' }).desc).toEqual(
      hexToBytes('7b226e616d65223a224bc3a4726e656c227d 0000'.replaceAll(' ', '')),
    );
  });
});

describe('metadataProblem()', () => {
  it.each([
    ['{"name":"k","vendorKey":{"a":[1,2]}}', undefined],
    ['[]', /no JSON object/],
    ['"x"', /no JSON object/],
    ['{', /no JSON/],
    ['{"a":1,"a":2}', /twice/],
    ['{"v":{"a":1,"a":2}}', /twice/],
    ['{"name":1}', /name is no string/],
    ['{"x":"a\\nb"}', /control character/],
    ['{"x":"\\u0041"}', /\\u escape/],
    ['{"x":"\\\\u"}', undefined],
    ['{"x":9007199254740993}', /53 bits/],
    ['{"x":"\ud800"}', /surrogate/],
  ])('%s', (text, problem) => {
    const found = metadataProblem(text);
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(problem);
  });

  it('wants the NUL, and nothing behind it', () => {
    expect(descriptorProblem(latin1('{}'))).toMatch(/no NUL/);
    expect(descriptorProblem(latin1('{}\0x'))).toMatch(/follow the NUL/);
    expect(descriptorProblem(Uint8Array.of(0xff, 0))).toMatch(/UTF-8/);
    expect(descriptorProblem(latin1('{}\0\0'))).toBeUndefined();
  });
});

describe('parseNote()', () => {
  it.each([
    ['Vendor:1=ab', 'Vendor\0', 1, '616200'],
    ['A B:0xffffffff=', 'A B\0', 0xffffffff, '00'],
    ['V:2=hex:00ff', 'V\0', 2, '00ff'],
    ['V:3/4=0x10', 'V\0', 3, '10000000'],
    ['V:3/8=7', 'V\0', 3, '0700000000000000'],
  ])('%s', (text, owner, type, desc) => {
    expect(parseNote(text, le)).toEqual({ name: latin1(owner), type, desc: hexToBytes(desc) });
  });

  it.each([
    'V=1',
    ':1=x',
    'V:x=1',
    'V:4294967296=x',
    'Xen:1=x',
    'V:1/3=1',
    'V:1/1=256',
    'V:1=hex:0',
    'V:1',
    'V\u00e9:1=x',
  ])('refuses %s', (text) => {
    expect(() => parseNote(text, le)).toThrow(/\[stamp.bad-note\]/);
  });

  it('knows a note by owner and type', () => {
    expect(parseNoteKey('a:b:0x10')).toEqual({ owner: 'a:b', type: 16 });
  });
});

describe('sourceDate()', () => {
  it('is the date that the build was told, never the clock', () => {
    expect(sourceDate('0')).toBe('1970-01-01T00:00:00Z');
    expect(sourceDate('1700000000')).toBe('2023-11-14T22:13:20Z');
    for (const bad of [undefined, '', '-1', '1.5', 'now']) expect(() => sourceDate(bad)).toThrow(/stamp.no-date/);
  });
});
