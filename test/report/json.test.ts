import { describe, expect, it } from 'vitest';
import { PatchError } from '../../src/base/errors/patch-error.js';
import { errorDocument } from '../../src/report/error-report.js';
import { bytesToJson, jsonDocument } from '../../src/report/json.js';
import { validDocument } from '../support/schema.js';

describe('jsonDocument()', () => {
  it('begins with its schema, prints bigints in hexadecimal and numbers as they are, and ends in a line feed', () => {
    const text = jsonDocument('x', { big: 0xffff_ffff_8100_0018n, zero: 0n, count: 3, gone: undefined, list: [1n] });
    expect(text).toBe(
      '{\n  "schema": "xen-elfpatch/x/1",\n  "big": "0xffffffff81000018",\n  "zero": "0x0",\n  "count": 3,\n' +
        '  "list": [\n    "0x1"\n  ]\n}\n',
    );
  });
});

describe('strings of a document', () => {
  it('hold C1 controls, marks of direction and separators as escapes, and mean what they were', () => {
    const text = jsonDocument('x', { 'k\x9b': 'a\x1b\x7f\x85\u202e\u2028\ud800\u{e0041}\n漢' });
    expect(text).toContain('"k\\u009b": "a\\u001b\\u007f\\u0085\\u202e\\u2028\\ud800\\udb40\\udc41\\n漢"');
    expect(JSON.parse(text)['k\x9b']).toBe('a\x1b\x7f\x85\u202e\u2028\ud800\u{e0041}\n漢');
  });
});

describe('bytesToJson()', () => {
  it('looks at its own part of a buffer only', () => {
    expect(bytesToJson(Uint8Array.of(1, 2, 0xab, 4).subarray(1, 3))).toBe('02ab');
  });
});

describe('errorDocument()', () => {
  it('is valid, with as much of the place as is known', () => {
    const here = PatchError.of('read.truncated', { file: 'k', offset: 0x40n, part: 'x' }, { need: 8n, have: 4n });
    const nowhere = PatchError.of('usage.bad', {}, { what: 'no' });
    const document = validDocument(errorDocument('notes', 2, [here, nowhere]));
    expect(document['errors']).toEqual([
      {
        id: 'read.truncated',
        file: 'k',
        offset: '0x40',
        part: 'x',
        text: 'found 0x4 bytes up to the end of the file, wanted 0x8',
        hint: here.hint,
        message: here.message,
      },
      { id: 'usage.bad', text: 'no', hint: nowhere.hint, message: 'no [usage.bad]' },
    ]);
  });
});
