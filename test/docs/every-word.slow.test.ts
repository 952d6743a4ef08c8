/**
 * Every command, option and topic that any sentence of the tool names, found by walking all string and template literals of
 * the source: a new hint is looked at without being listed anywhere. What is filled in at run time stands as one word.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { COMMON } from '../../src/cli/common-options.js';
import type { OptionTable } from '../../src/cli/option-table.js';
import { parseCommandLine } from '../../src/cli/parse.js';
import { explainTopic } from '../../src/explain/index.js';

interface Literal {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  /** It is, or is part of, the value of something that is called a hint. */
  readonly isHint: boolean;
}

/** Stands for what is filled in. */
const FILLED = 'ⓧ';

function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map(({ literal }) => FILLED + literal.text).join('');
}

function isHint(node: ts.Node): boolean {
  for (let at: ts.Node | undefined = node; at !== undefined && !ts.isSourceFile(at); at = at.parent) {
    const name =
      ts.isPropertyAssignment(at) || ts.isVariableDeclaration(at) || ts.isParameter(at) ? at.name : undefined;
    if (name !== undefined && /hint$/i.test(name.getText())) return true;
    if (ts.isFunctionDeclaration(at)) return false;
  }
  return false;
}

function literalsOf(file: string, source: string): Literal[] {
  const tree = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const found: Literal[] = [];
  const walk = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    const text = textOf(node);
    if (text !== undefined) {
      const { line } = tree.getLineAndCharacterOfPosition(node.getStart(tree));
      found.push({ file, line: line + 1, text, isHint: isHint(node) });
    }
    ts.forEachChild(node, walk);
  };
  walk(tree);
  return found;
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  // Pages have options of their own: those of HTML and CSS.
  .filter((name) => !name.startsWith('web') && !name.endsWith('svg-style.ts'))
  .map((name) => join('src', name));
const literals = files.flatMap((file) => literalsOf(file, readFileSync(file, 'utf8')));

const COMMON_OPTIONS: OptionTable = COMMON;
const NAMES = COMMANDS.map(({ shape }) => shape.name);
const optionsOf = (command: string): ReadonlySet<string> => {
  const shape = COMMANDS.find((each) => each.shape.name === command)?.shape;
  return new Set([...Object.keys(shape?.options ?? {}), ...Object.keys(COMMON_OPTIONS), 'help', 'version']);
};
const ALL = new Set(NAMES.flatMap((name) => [...optionsOf(name)]));

/** What another program is called with is its own business, up to the end of the clause; so are options of Xen and xl. */
const OTHERS =
  /\b(?:link|objcopy|objdump|ld|ld\.lld|gcc|clang|strip|llvm-\w+|eu-strip|sbsign|sbverify|uswid|git|bash|qemu[\w-]*|find|readelf|readnotes|gzip|xz|zstd|lz4|lzop|bzip2|patchelf|ukify|mokutil|npm|npx|node|make|grub-[\w-]+|dd|kexec|firecracker|cargo|crosvm|cloud-hypervisor|truncate|systemd-[\w]+|rpm|dpkg[\w-]*|extract-vmlinux|mkelf32|cp|ls|tar)\b[^;,:\n]*/g;

/** The commands under which a sentence of that file is shown, where the file is of one. */
function shownBy(file: string): readonly string[] | undefined {
  const [, own] = /^src\/cli\/commands\/([a-z0-9]+)\b/.exec(file) ?? [];
  // What completes command lines speaks of all commands.
  return own !== undefined && own !== 'completion' && NAMES.includes(own) ? [own] : undefined;
}

/** Options that a sentence names: each with the command in front of it, or that of its file. */
function unknownOptions({ file, line, text }: Literal): string[] {
  // mkelf32 is a command of ours, too, where our name stands in front.
  const own = text
    .replaceAll('xen-elfpatch mkelf32', 'xen-elfpatch  mkelf32')
    .replace(OTHERS, (said) => (said.startsWith('mkelf32 --') ? said : ''));
  const wrong: string[] = [];
  // An argument by itself is one for another program; sentences have blanks.
  if (!text.includes(' ')) return wrong;
  for (const [, before, option = ''] of own.matchAll(
    /(?:\b([a-z][a-z0-9]+) )?(?<![\w-])--([a-z][a-z0-9-]*)(?![\w-]*ⓧ)/g,
  )) {
    const named = before !== undefined && NAMES.includes(before) ? [before] : shownBy(file);
    const known = named === undefined ? ALL.has(option) : named.some((name) => optionsOf(name).has(option));
    if (!known) wrong.push(`${file}:${line}: ${before ?? ''} --${option}`);
  }
  return wrong;
}

/** What goes on behind a name in a sentence. */
const VERBS: ReadonlySet<string> = new Set(['ends', 'lists', 'takes', 'without']);

/** Our own command lines in a sentence, each up to where prose goes on. */
function linesIn(text: string): string[] {
  return [...text.matchAll(/\bxen-elfpatch ([a-z][^;\n`)]*)/g)].map(([, words = '']) => words.trim());
}

/** Why a line is refused in every length that it may have; a sentence may go on behind it. */
function complaint(line: string): string | undefined {
  const [command = ''] = line.split(/[ ,:]/);
  // Our name at the end of a sentence part, where a verb follows.
  if (VERBS.has(command)) return undefined;
  if (!NAMES.includes(command) && command !== 'help') return `no command ${command}`;
  if (/^[a-z]+:$/.test(line)) return undefined;
  const words = [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replace(/['"]/g, '').replace(/[,.:]$/, ''),
  );
  let said: string | undefined;
  for (let length = words.length; length > 0; length--) {
    try {
      parseCommandLine(words.slice(0, length), COMMANDS);
      return undefined;
    } catch (error) {
      said ??= error instanceof Error ? error.message : String(error);
    }
  }
  return said;
}

it('the sentences are found', () => {
  expect(literals.length).toBeGreaterThan(8000);
  expect(literals.filter((literal) => literal.isHint).length).toBeGreaterThan(100);
});

describe('what sentences name', () => {
  it('options are options, of the command that is named with them', () => {
    expect(literals.flatMap(unknownOptions)).toEqual([]);
  });

  it('commands are commands, and a whole line parses', () => {
    const wrong = literals.flatMap(({ file, line, text }) =>
      linesIn(text).flatMap((said) => {
        // A line of which words are filled in, or are put behind it, is run where it is made: the matrix and the reports.
        if (NAMES.includes(said)) return [];
        if (said.includes(FILLED) || said.includes('…') || /\[|\.\.\./.test(said)) {
          const [command = ''] = said.split(/[ ,ⓧ]/);
          return command === '' || NAMES.includes(command) || command === 'help' ? [] : [`${file}:${line}: ${said}`];
        }
        const why = complaint(said);
        return why === undefined ? [] : [`${file}:${line}: ${said}: ${why}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('topics of explain are there', () => {
    const asked = literals.flatMap(({ file, line, text }) =>
      [...text.matchAll(/\bexplain ([a-z][a-z0-9.-]*[a-z0-9])\b(?!ⓧ)/g)].map(([, topic = '']) => ({
        where: `${file}:${line}`,
        topic,
      })),
    );
    expect(asked.length).toBeGreaterThan(20);
    expect(asked.filter(({ topic }) => !VERBS.has(topic) && explainTopic(topic) === undefined)).toEqual([]);
  });
});

describe('a fault is found', () => {
  const seen = (source: string) => literalsOf('src/cli/commands/stamp.run.ts', source);
  it.each([
    ["fail('usage.bad', {}, { what, hint: 'Give --preset pvh' });", 1],
    ['const hint = `patch --no-such-option $' + '{name} does it`;', 1],
    ["const hint = 'Give --build-id sha1';", 0],
    ["const text = 'objcopy --only-keep-debug makes such files';", 0],
  ])('%s', (source, faults) => {
    expect(seen(source).flatMap(unknownOptions)).toHaveLength(faults);
  });
});
