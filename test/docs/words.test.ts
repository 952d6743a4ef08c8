/**
 * The words that texts for people do not use: pronouns for a loader or a tool, which have names, and what only sounds like
 * a statement. Identifiers and comments are not looked at, ids and members of documents are no sentences.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

/** With what is said in their place. */
const WORDS: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\b(whoever|whatever tool|anybody|anyone|everybody|everyone)\b/i, 'the loader or the tool, by its name'],
  [/\b(nobody|no one|somebody|someone)('s|’s)?\b/i, 'no loader, another tool'],
  [/\b(comes?|came) by\b/i, 'reaches'],
  [/\b(is|are|was|were) told\b/i, 'is reported, is named, is recognized'],
  [/\b(mend|mends|mended|mending|cure|cures|cured)\b/i, 'fix, fixes, fixed'],
  [/\bfore(told|tell|tells)\b/i, 'predicted'],
];

/** String and template literals of a source, without the comments around them. */
function sentencesOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  return (
    [...code.matchAll(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g)]
      // What is filled in has a name, which is none of the sentence's words.
      .map(([text]) => text.replace(/\$\{[^}]*\}/g, '…'))
      // A sentence has words with blanks between them.
      .filter((text) => /[a-z] [a-z]/.test(text))
  );
}

const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => join('src', name));
const pages = [
  'README.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

describe.each(WORDS)('%s', (pattern, instead) => {
  it(`is not said; ${instead}`, () => {
    const said = [
      ...sources.flatMap((file) => sentencesOf(readFileSync(file, 'utf8')).map((text) => [file, text] as const)),
      ...pages.flatMap((file) =>
        readFileSync(file, 'utf8')
          .split('\n')
          .map((line) => [file, line] as const),
      ),
    ];
    expect(said.length).toBeGreaterThan(2000);
    expect(
      said.filter(([, text]) => pattern.test(text)).map(([file, text]) => `${file}: ${text.slice(0, 200)}`),
    ).toEqual([]);
  });
});

it('finds a word in a literal, and none in a comment or a name', () => {
  const source =
    "/* nobody here */\n// nobody there\nconst NOBODY = 'a sentence that nobody reads';\nconst name = 'nobody';";
  expect(sentencesOf(source)).toEqual(["'a sentence that nobody reads'"]);
});
