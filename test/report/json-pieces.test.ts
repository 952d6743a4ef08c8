/** A document in pieces is the document: the same bytes, whatever is in it, and no list that is lazy is made before it is written. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Json, jsonDocument, jsonPieces, Lazy, type Streamed } from '../../src/report/json.js';

const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary' }),
    fc.constantFrom<Json>('\u0085', '\u202e', '\u{e0001}', 'a\nb', '', null, undefined, true, 0, -1, 0n, 2n ** 64n),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(fc.string(), tie('json'), { maxKeys: 4 }),
  ),
}));

const textOf = (members: { readonly [key: string]: Streamed }) => [...jsonPieces('test', members)].join('');

describe('jsonPieces()', () => {
  it('joined are jsonDocument()', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), (members) => {
        expect(textOf(members)).toBe(jsonDocument('test', members));
      }),
      { numRuns: 500 },
    );
  });

  it('has a lazy list as any other, wherever it stands', () => {
    fc.assert(
      fc.property(fc.array(json), (list) => {
        const lazy = new Lazy(() => list);
        expect(textOf({ list: lazy })).toBe(jsonDocument('test', { list }));
        expect(textOf({ in: [{ list: lazy }, lazy] })).toBe(jsonDocument('test', { in: [{ list }, list] }));
      }),
    );
  });

  it('makes an element when it is written, and not before', () => {
    let made = 0;
    const list = new Lazy(function* () {
      for (; made < 1000; made++) yield { made };
    });
    const pieces = jsonPieces('test', { list });
    while (made < 2) pieces.next();
    expect(made).toBe(2);
    expect([...pieces].join('')).toContain('"made": 999');
  });
});
