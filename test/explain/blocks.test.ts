import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COLUMNS, code, list, render, table, terms, text, wrap } from '../../src/explain/blocks.js';
import { commandLines } from '../../src/explain/notes/note-pages.js';

describe('wrap()', () => {
  it('keeps every word, in order, within the width', () => {
    const words = fc.array(fc.stringMatching(/^[!-~]{1,20}$/), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(words, fc.integer({ min: 20, max: 80 }), (all, width) => {
        const lines = wrap(all.join(' '), width);
        expect(lines.join(' ')).toBe(all.join(' '));
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
      }),
    );
  });

  it('fills a line to the last column, and leaves a word that is too long whole', () => {
    expect(wrap('ab cd ef', 5)).toEqual(['ab cd', 'ef']);
    expect(wrap('a bcdefgh i', 4)).toEqual(['a', 'bcdefgh', 'i']);
  });
});

describe('render()', () => {
  it('hangs list items and table cells under themselves', () => {
    const long = 'word '.repeat(20).trim();
    expect(render([list(long)])).toBe(`- ${'word '.repeat(15).trim()}\n  ${'word '.repeat(5).trim()}`);
    const [first = '', second = ''] = render([terms(['key', long])]).split('\n');
    expect(first).toMatch(/^ {2}key {2}word/);
    expect(second).toMatch(/^ {7}word/);
    expect(first.length).toBeLessThanOrEqual(COLUMNS);
  });

  it('aligns columns with their head and trims the last', () => {
    expect(render([table(['a', 'bb', 'c'], ['xxx', 'y', 'z'], ['x', '', ''])])).toBe('  a    bb  c\n  xxx  y   z\n  x');
  });

  it('keeps code as it stands, less its common indentation', () => {
    const block = code`
      one \
        two\n

      three`;
    expect(render([block])).toBe('    one \\\n      two\\n\n\n    three');
  });

  it('folds the line breaks of a paragraph', () => {
    expect(
      render([
        text`a
      b  ${'c'}`,
      ]),
    ).toBe('a b c');
  });
});

describe('commandLines()', () => {
  it('breaks before an option and never inside one', () => {
    const lines = commandLines(`xen-elfpatch patch vmlinux --set A=${'1'.repeat(30)} --set B=${'2'.repeat(30)} -o out`);
    expect(lines.length).toBe(2);
    expect(lines[0]).toMatch(/^\$ xen-elfpatch .* \\$/);
    expect(lines[1]).toMatch(/^ {4}--set B=2+ -o out$/);
  });
});
