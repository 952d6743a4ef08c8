import { describe, expect, it } from 'vitest';
import { checksMade, countsText, findingsJson, findingsText, holds, structureJson } from '../../src/report/findings.js';
import { styleOf } from '../../src/report/text.js';
import type { Check, Finding, Level } from '../../src/verify/check.js';

const PLAIN = styleOf(false);

function finding(level: Level, place: Finding['place'] = { file: 'k', offset: 0x40n, part: 'header' }): Finding {
  return { check: 'some-check', level, because: 'somebody is hurt', place, text: 'is wrong' };
}

function check(needs: Check['needs'], level?: Level): Check {
  const row = { name: needs, because: 'x', run: () => [] };
  return { ...row, needs, ...(level === undefined ? {} : { level }) };
}

const CHECKS = [
  check('image'),
  check('image-or-not-worse'),
  check('image', 'advice'),
  check('baseline'),
  check('expectation'),
];

describe('findingsText()', () => {
  it('without reasons: level, place, text and the name of the check on one line', () => {
    const text = findingsText([finding('error'), finding('warning', { file: 'k' }), finding('advice')], PLAIN, false);
    expect(text).toBe(
      '  error: 0x40: header: is wrong [some-check]\n' +
        '  warning: is wrong [some-check]\n' +
        '  advice: 0x40: header: is wrong [some-check]\n',
    );
  });

  it('with reasons: the name in front and the reason below; advice on one line', () => {
    expect(findingsText([finding('error'), finding('advice')], PLAIN, true)).toBe(
      '  some-check: 0x40: header: is wrong\n    somebody is hurt\n  advice: header: is wrong; somebody is hurt\n',
    );
  });

  it.each([true, false])('lets no name from a file drive the terminal, reasons %s', (reasons) => {
    const part = 'section \x1b[31m.text';
    for (const level of ['error', 'warning', 'advice'] as const) {
      const text = findingsText([{ ...finding(level, { part }), text: 'is \x07' }], PLAIN, reasons);
      expect(text).toContain('section \\x1b[31m.text: is \\x07');
    }
  });
});

describe('findingsJson()', () => {
  it('verify names the file and leaves out what is not known', () => {
    expect(JSON.stringify(findingsJson([finding('error', { file: 'k' })], 'verify'))).toBe(
      '[{"check":"some-check","level":"error","file":"k","text":"is wrong","because":"somebody is hurt"}]',
    );
  });

  it('linearize names no file and has null for what is not known', () => {
    expect(JSON.stringify(findingsJson([finding('advice', { file: 'k' })], 'linearize'))).toBe(
      '[{"check":"some-check","level":"advice","offset":null,"part":null,"text":"is wrong","because":"somebody is hurt"}]',
    );
  });
});

describe('counts', () => {
  it('checksMade() leaves out advice and the checks that need what was not given', () => {
    expect(checksMade({ checks: CHECKS, baseline: undefined })).toBe(2);
    expect(checksMade({ checks: CHECKS, baseline: 'before' })).toBe(3);
  });

  it('countsText() names errors and warnings where there are any', () => {
    const judged = { checks: CHECKS, baseline: undefined };
    expect(countsText({ ...judged, findings: [finding('advice')] })).toBe('2 checks');
    expect(countsText({ ...judged, findings: [finding('error'), finding('warning'), finding('warning')] })).toBe(
      '2 checks, 1 error, 2 warnings',
    );
  });

  it('holds() as long as nothing is an error', () => {
    expect(holds([finding('warning'), finding('advice')])).toBe(true);
    expect(holds([finding('warning'), finding('error')])).toBe(false);
  });

  it('structureJson() has the same counts', () => {
    expect(structureJson({ checks: CHECKS, baseline: 'before', findings: [finding('warning')] })).toMatchObject({
      checks: 3,
      errors: 0,
      warnings: 1,
      findings: [{ level: 'warning' }],
    });
  });
});
