import { describe, expect, it } from 'vitest';
import { mergeSbat, readSbat, rowOf, SBAT_HEADER, sbatText } from '../../../src/formats/pe/sbat.js';
import { uswidProblem } from '../../../src/formats/pe/uswid.js';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const XEN = 'xen,1,Xen Project,xen,4.20.0,https://xenproject.org';

describe('readSbat()', () => {
  it('reads six fields a line, with NULs behind the last as padding', () => {
    const { rows, problem } = readSbat(bytes(`${SBAT_HEADER}\n${XEN}\n\0\0\0`));
    expect(problem).toBeUndefined();
    expect(rows.map(({ component, generation }) => [component, generation])).toEqual([
      ['sbat', 1],
      ['xen', 1],
    ]);
    expect(rows[1]?.text).toBe(XEN);
  });

  it('takes a last line without an end, as shim does', () => {
    expect(readSbat(bytes(`${SBAT_HEADER}\n${XEN}`)).rows).toHaveLength(2);
  });

  it.each([
    ['nothing', '', 1, 'no line'],
    ['another component first', XEN, 1, 'wanted sbat'],
    ['a carriage return', `${SBAT_HEADER}\r\n${XEN}\r\n`, 1, 'carriage return'],
    ['a NUL inside', `${SBAT_HEADER}\n${XEN}\0\nxen.debian,1,a,b,c,d\n`, 2, 'NUL'],
    ['five fields', `${SBAT_HEADER}\nxen,1,a,b,c\n`, 2, 'found 5 fields, wanted 6'],
    ['seven fields', `${SBAT_HEADER}\nxen,1,a,b,c,d,e\n`, 2, 'found 7 fields'],
    ['an empty field', `${SBAT_HEADER}\nxen,1,,b,c,d\n`, 2, 'field vendor is empty'],
    ['an empty line', `${SBAT_HEADER}\n\n${XEN}\n`, 2, 'found 1 fields'],
    ['generation 0', `${SBAT_HEADER}\nxen,0,a,b,c,d\n`, 2, 'the generation of xen is 0'],
    ['a generation in words', `${SBAT_HEADER}\nxen,one,a,b,c,d\n`, 2, 'the generation of xen is one'],
    ['a generation beyond an int', `${SBAT_HEADER}\nxen,2147483648,a,b,c,d\n`, 2, '2147483648'],
    ['a component twice', `${SBAT_HEADER}\n${XEN}\n${XEN}\n`, 3, 'has a line already'],
    ['an escape', `${SBAT_HEADER}\nxen,1,\u001b[31m,b,c,d\n`, 2, 'control character'],
    ['bytes that are no UTF-8', `${SBAT_HEADER}\nxen,1,\u00ff,b,c,d\n`, 1, 'no UTF-8'],
  ])('refuses %s, and says in which line', (_what, text, line, why) => {
    const { problem } = readSbat(bytes(text));
    expect(problem?.line).toBe(line);
    expect(problem?.why).toContain(why);
  });

  it('does not read 10 MB', () => {
    expect(readSbat(new Uint8Array(10_000_000).fill(0x61)).problem?.why).toContain('at most 65536');
  });
});

describe('mergeSbat()', () => {
  const rows = (...lines: readonly string[]) =>
    lines.map(rowOf).flatMap((row) => (typeof row === 'string' ? [] : [row]));
  const old = rows(SBAT_HEADER, XEN, 'xen.debian,2,Debian,xen,4.20-1,https://debian.org');
  const place = { file: 'xen.efi' };

  it('puts a line in the place of that of its component, and a new one last', () => {
    const newer = 'xen,2,Xen Project,xen,4.20.1,https://xenproject.org';
    const merged = mergeSbat(old, rows(newer, 'xen.own,1,a,b,c,d'), { allowDowngrade: false, place });
    expect(sbatText(merged)).toBe(
      `${SBAT_HEADER}\n${newer}\nxen.debian,2,Debian,xen,4.20-1,https://debian.org\nxen.own,1,a,b,c,d\n`,
    );
  });

  it('lowers a generation only when told', () => {
    const lower = rows('xen.debian,1,Debian,xen,4.20-1,https://debian.org');
    expect(() => mergeSbat(old, lower, { allowDowngrade: false, place })).toThrow(/is 2, and would become 1/);
    expect(mergeSbat(old, lower, { allowDowngrade: true, place })[2]?.generation).toBe(1);
  });
});

describe('uswidProblem()', () => {
  const container = (head: number, payload: number, size: number) => {
    const file = Buffer.alloc(size);
    file.set(Buffer.from('53424f4dd6ba2eaca3e67a52aaee3baf', 'hex'));
    file.writeUInt8(2, 16);
    file.writeUInt16LE(head, 17);
    file.writeUInt32LE(payload, 19);
    return file;
  };

  it('takes a container that is all there', () => {
    expect(uswidProblem(container(24, 100, 124))).toBeUndefined();
  });

  it.each([
    ['other bytes', Buffer.from('{"bom":1}'), 'magic'],
    ['nothing but the magic', container(24, 0, 24).subarray(0, 16), 'ends in its head'],
    ['a head of 4 bytes', container(4, 20, 124), 'its head says 4'],
    ['a payload that is cut off', container(24, 101, 124), 'it says 125 bytes'],
  ])('refuses %s', (_what, bytes, why) => {
    expect(uswidProblem(bytes)).toContain(why);
  });
});
