import { describe, expect, it } from 'vitest';
import { inLines, oneLine, printable, quoted } from '../../src/base/printable.js';

/** One of each kind: C0, DEL, C1, a mark of direction, separators, half a pair, a tag beyond 16 bits, an unassigned one. */
const UNSEEN = [
  ['\x1b', '\\x1b'],
  ['\n', '\\x0a'],
  ['\t', '\\x09'],
  ['\x7f', '\\x7f'],
  ['\x9b', '\\x9b'],
  ['\u202e', '\\u{202e}'],
  ['\u2028', '\\u{2028}'],
  ['\u2029', '\\u{2029}'],
  ['\ud800', '\\u{d800}'],
  ['\u{e0041}', '\\u{e0041}'],
  ['\u0378', '\\u{378}'],
] as const;

describe('printable, oneLine, quoted and inLines', () => {
  it.each(UNSEEN)('%j becomes %s in all of them', (found, escaped) => {
    expect(printable(`a${found}b`)).toBe(`a${escaped}b`);
    expect(oneLine(`a${found}b`)).toBe(`a${escaped}b`);
    expect(quoted(`a${found}b`)).toBe(`"a${escaped}b"`);
    expect(inLines(`a${found}b`, true)).toBe(found === '\n' ? 'a\nb' : `a${escaped}b`);
  });

  it('printable doubles backslashes, so that what it gives is told from what was there; oneLine leaves them', () => {
    expect(printable('\\x1b')).toBe('\\\\x1b');
    expect(oneLine('\\x1b é 漢')).toBe('\\x1b é 漢');
  });

  it('inLines lets the colours of reports through where they are wanted, and no other sequence', () => {
    const text = '\x1b[1mbold\x1b[22m\x1b[41m\x1b]0;x\x07';
    expect(inLines(text, true)).toBe('\x1b[1mbold\x1b[22m\\x1b[41m\\x1b]0;x\\x07');
    expect(inLines(text, false)).toBe('\\x1b[1mbold\\x1b[22m\\x1b[41m\\x1b]0;x\\x07');
  });
});
