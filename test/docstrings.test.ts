import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** Shorter than this, it can only name what the code names already; `--json` and a sample in backquotes say enough. */
const FEWEST_WORDS = 2;

/** A docstring that says nothing by itself: it leads to the one above, which a reader of the library's pages does not see. */
const EMPTY = /^(the same|as above|ditto|see above|likewise|todo|tbd)\b[^:]{0,40}$/i;

/** Comments are read from the text, so the parser may pass over them. */
const OPTIONS: ts.CreateSourceFileOptions = {
  languageVersion: ts.ScriptTarget.Latest,
  jsDocParsingMode: ts.JSDocParsingMode.ParseNone,
};

/** What a docstring consists of, without stars and tags. */
function textOf(comment: string): string {
  return comment
    .replace(/^\/\*\*|\*\/$/g, '')
    .replace(/^\s*\*/gm, '')
    .replace(/\s+/g, ' ')
    .trim();
}

function docOf(file: ts.SourceFile, node: ts.Node): string | undefined {
  const ranges = ts.getLeadingCommentRanges(file.text, node.pos) ?? [];
  const last = ranges.at(-1);
  if (last === undefined) return undefined;
  const comment = file.text.slice(last.pos, last.end);
  // A blank line behind it makes it the comment of the file.
  const between = file.text.slice(last.end, node.getStart(file));
  return comment.startsWith('/**') && !/\n\s*\n/.test(between) ? textOf(comment) : undefined;
}

function namesOf(file: ts.SourceFile, node: ts.Statement): string[] {
  if (ts.isVariableStatement(node)) return node.declarationList.declarations.map(({ name }) => name.getText(file));
  const declared =
    ts.isFunctionDeclaration(node) ||
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node);
  return declared && node.name !== undefined ? [node.name.text] : [];
}

function isExported(node: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
  );
}

/** Does the statement stand directly below another one, no line between? */
function followsOn(file: ts.SourceFile, node: ts.Node): boolean {
  return !/\n\s*\n/.test(file.text.slice(node.pos, node.getStart(file)));
}

/**
 * Exported names without a docstring, and those whose docstring is empty. Constants that stand line by line share that of
 * the first; a type shares that of the constant of its name (`Phdr`, the structure and its decoded form).
 */
function undocumented(path: string, text: string): string[] {
  const file = ts.createSourceFile(path, text, OPTIONS);
  const documented = new Set<string>();
  const found: string[] = [];
  let blockHasDoc = false;
  for (const node of file.statements) {
    const own = docOf(file, node);
    const isConstant = ts.isVariableStatement(node);
    blockHasDoc = isConstant && (own !== undefined || (blockHasDoc && followsOn(file, node)));
    for (const name of namesOf(file, node)) {
      if (own !== undefined || blockHasDoc) documented.add(name);
      if (!isExported(node)) continue;
      const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
      if (!documented.has(name)) found.push(`${path}:${line} ${name} has no docstring`);
      else if (own !== undefined && EMPTY.test(own))
        found.push(`${path}:${line} ${name}: "${own}" says nothing by itself`);
      else if (own !== undefined && !own.includes('`') && own.split(' ').length < FEWEST_WORDS)
        found.push(`${path}:${line} ${name}: "${own}" is no sentence`);
    }
  }
  return found;
}

describe('every export of src', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));

  it('has a docstring that says what it is', () => {
    const found = files.sort().flatMap((path) => undocumented(path, readFileSync(join('src', path), 'utf8')));
    expect(files.length).toBeGreaterThan(100);
    expect(found).toEqual([]);
  });
});

describe('undocumented() finds', () => {
  it.each([
    ['a function', 'export function a(): void {}'],
    ['an async function', 'export async function a(): Promise<void> {}'],
    ['a generator', 'export function* a() {}'],
    ['a class', 'export class a {}'],
    ['an interface', 'export interface a {}'],
    ['a type', 'export type a = 1;'],
    ['a constant', 'export const a = 1;'],
    ['a constant of a block without one', 'const b = 1;\nexport const a = 2;'],
    ['what stands below the comment of the file', '/** What the file decides. */\n\nexport const a = 1;'],
    ['a comment of another kind', '// About a.\nexport const a = 1;'],
    ['a function below a documented constant', '/** About b. */\nconst b = 1;\nexport function a(): void {}'],
    ['a constant below a blank line', '/** About b. */\nconst b = 1;\n\nexport const a = 1;'],
    ['a constant below another statement', '/** About b. */\nfunction b(): void {}\nexport const a = 1;'],
  ])('%s', (_, text) => {
    const line = text.split('\n').length;
    expect(undocumented('x.ts', text)).toEqual([`x.ts:${line} a has no docstring`]);
  });

  it.each(['The same.', 'The same with its data, for `--json`.', 'As above', 'TODO'])('the empty "%s"', (words) => {
    expect(undocumented('x.ts', `/** ${words} */\nexport const a = 1;`)).toEqual([
      `x.ts:2 a: "${words}" says nothing by itself`,
    ]);
  });

  it('one word', () => {
    expect(undocumented('x.ts', '/** Things. */\nexport const a = 1;')).toHaveLength(1);
  });

  it('nothing else', () => {
    const text = [
      '/** Numbers of the format. */\nexport const a = 1;\nexport const b = 2;',
      '/** A structure. */\nexport const C = 1;\nexport type C = 1;',
      '/** The same bytes as sorted ranges, every one of them. */\nexport function d(): void {}',
      '/** `--json`. */\nexport const e = 1;',
      'const f = 1;\nfunction g(): void {}',
      "export { h } from './h.js';",
    ];
    expect(undocumented('x.ts', text.join('\n\n'))).toEqual([]);
  });
});
