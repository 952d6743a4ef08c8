import { describe, expect, it } from 'vitest';
import { PatchError } from '../../src/base/errors/patch-error.js';
import { type Check, type Level, run, type Violation } from '../../src/verify/check.js';

/** A subject that is its own list of violations. */
type Listed = readonly (Violation & { readonly key?: string })[];
const keyed = (list: Listed) => list.map((one) => ({ key: one.key ?? one.text, ...one }));

const ABOUT_IMAGE: Check<Listed> = { name: 'image', needs: 'image', because: 'of the image', run: (list) => list };
const NOT_WORSE: Check<Listed> = { name: 'worse', needs: 'image-or-not-worse', because: 'of daily use', run: keyed };
const KEPT: Check<Listed, Listed> = { name: 'kept', needs: 'baseline', because: 'it was so', run: (list) => list };
const MEANT: Check<Listed, Listed, Listed> = { ...KEPT, name: 'meant', needs: 'expectation' };

/** Finds something, then cannot go on. */
function failing(error: Error): Check<Listed> {
  return {
    name: 'image',
    needs: 'image',
    because: 'of the image',
    *run() {
      yield { text: 'found before' };
      throw error;
    },
  };
}

describe('run()', () => {
  it('adds name, reason, level and file to a violation', () => {
    const image = [{ offset: 8n, part: 'header', text: 'is wrong' }];
    expect(run([ABOUT_IMAGE], { file: 'a', image }, 'table')).toEqual([
      {
        check: 'image',
        level: 'error',
        because: 'of the image',
        place: { file: 'a', offset: 8n, part: 'header' },
        text: 'is wrong',
      },
    ]);
  });

  it('takes the level of the check unless a violation has one of its own', () => {
    const image = [{ text: 'usual' }, { text: 'own', level: 'error' as const }];
    const levels = run([{ ...ABOUT_IMAGE, level: 'advice' }], { file: 'a', image }, 'table');
    expect(levels.map(({ level, text }) => `${level} ${text}`)).toEqual(['error own', 'advice usual']);
  });

  it('makes no check whose part of the subject is missing', () => {
    const all: readonly Check<Listed, Listed, Listed>[] = [ABOUT_IMAGE, NOT_WORSE, KEPT, MEANT];
    const list = [{ text: 'x' }];
    const made = (subject: Parameters<typeof run<Listed, Listed, Listed>>[1]) =>
      run(all, subject, 'table').map(({ check }) => check);
    expect(made({ file: 'a' })).toEqual([]);
    expect(made({ file: 'a', image: list })).toEqual(['image', 'worse']);
    expect(made({ file: 'a', pair: list })).toEqual(['kept']);
    expect(made({ file: 'a', planned: list })).toEqual(['meant']);
  });

  it('sorts by level, then by offset or as the table has it', () => {
    const level = (level: Level, offset: bigint) => ({ level, offset, text: `${level} ${offset}` });
    const image = [
      level('advice', 1n),
      level('warning', 9n),
      level('error', 7n),
      level('warning', 2n),
      level('error', 5n),
    ];
    const texts = (order: 'offset' | 'table') =>
      run([ABOUT_IMAGE], { file: 'a', image }, order).map(({ text }) => text);
    expect(texts('offset')).toEqual(['error 5', 'error 7', 'warning 2', 'warning 9', 'advice 1']);
    expect(texts('table')).toEqual(['error 7', 'error 5', 'warning 9', 'warning 2', 'advice 1']);
  });

  it('tells 64 findings of a check and counts the others by level', () => {
    const image = Array.from({ length: 70 }, (_, i) => ({
      text: `${i}`,
      level: i % 2 === 0 ? ('error' as const) : ('warning' as const),
    }));
    const found = run([ABOUT_IMAGE, { ...ABOUT_IMAGE, name: 'other' }], { file: 'a', image }, 'table');
    const more = found.filter(({ place }) => place.part === 'and more');
    expect(found.length).toBe(2 * (64 + 2));
    expect(more.map(({ check, text }) => `${check}: ${text}`)).toEqual([
      'image: 3 further errors of this kind',
      'other: 3 further errors of this kind',
      'image: 3 further warnings of this kind',
      'other: 3 further warnings of this kind',
    ]);
  });

  const where = { file: 'b', offset: 4n, part: 'table' };
  it.each([
    PatchError.of('read.truncated', where, { need: 8n, have: 2n }),
    PatchError.of('read.too-large', where, { size: 8n, limit: 2n }),
    PatchError.of('note.too-large', where, { what: 'descriptor', found: 8n, limit: 2n }),
    PatchError.of('pe.directory', where, { why: 'it is cut' }),
  ])('answers for a file that cannot be judged: $id', (error) => {
    const [first, second, ...others] = run([failing(error)], { file: 'a', image: [] }, 'table');
    expect(first?.text).toBe('found before');
    expect(second).toMatchObject({ check: 'image', level: 'error', place: { ...where, file: 'a' } });
    expect(second?.text).toBe(`cannot be judged: ${error.detail}`);
    expect(others).toEqual([]);
  });

  it('leaves what the operating system refuses, and mistakes of our own, to the caller', () => {
    const gone = PatchError.of('read.changed', { file: 'b' }, { what: 'its size' });
    for (const error of [gone, new TypeError('of our own')]) {
      expect(() => run([failing(error)], { file: 'a', image: [] }, 'table')).toThrow(error);
    }
  });

  it('a violation that files in daily use have is a warning, an error only where the original had not the same', () => {
    const image = [
      { key: 'old', text: 'old' },
      { key: 'new', text: 'new' },
    ];
    const levels = (original: Listed | undefined) =>
      run([NOT_WORSE], { file: 'a', image, original }, 'table').map(({ level, text }) => `${level} ${text}`);
    expect(levels(undefined)).toEqual(['warning old', 'warning new']);
    expect(levels([{ key: 'old', text: 'elsewhere' }])).toEqual(['error new', 'warning old']);
    expect(levels([])).toEqual(['error old', 'error new']);
  });
});
