/**
 * Every command line that a text shows is parsed by the command's own parser, and every option that a hint names is one of
 * the commands under which the hint is shown.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../src/base/errors/problems.js';
import { COMMANDS } from '../../src/cli/commands.js';
import { COMMON } from '../../src/cli/common-options.js';
import type { OptionTable } from '../../src/cli/option-table.js';
import { parseCommandLine } from '../../src/cli/parse.js';
import { explainTopic, topicNames } from '../../src/explain/index.js';
import { MESSAGES } from '../../src/explain/messages/message-pages.js';

/** The words of a line as a shell has them, up to what another program gets. */
function words(line: string): string[] {
  const own = line
    .replace(/^(?:zcat \S+ \| |xl dmesg \| |eval "\$\()/, '')
    .replace(/\)"$/, '')
    .replace(/\s+(?:\||>|2>|<|&&|\|\||;|#|\\$).*$/, '');
  return [...own.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replace(/['"]/g, ''));
}

/** Why the line is refused; undefined when it is not. */
function complaint(line: string): string | undefined {
  const [program, ...args] = words(line);
  if (program !== 'xen-elfpatch') return `program ${program}`;
  try {
    parseCommandLine(args, COMMANDS);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Lines of code blocks that call the command, continued ones joined. */
function linesOf(text: string): string[] {
  const joined = text.replaceAll(/\\\n\s*/g, '');
  return [...joined.matchAll(/^\s*(?:\$ )?(xen-elfpatch [a-z][^\n]*)$/gm)].flatMap(([, line = '']) =>
    // A synopsis has brackets, and a sentence goes on.
    /[[\]…]|\.\.\.|, |: /.test(line) ? [] : [line.trim()],
  );
}

const fenced = (text: string) =>
  [...text.matchAll(/^```[^\n]*\n(.*?)^```/gms)].map(([, block = '']) => block).join('\n');
const DOCS = [
  'README.md',
  ...readdirSync('docs')
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

describe('every command line parses', () => {
  const all: [string, string][] = [
    ...COMMANDS.flatMap(({ shape }) =>
      shape.examples.map(([line]): [string, string] => [`${shape.name} --help`, line]),
    ),
    ...topicNames().flatMap((name) =>
      linesOf(explainTopic(name)?.body ?? '').map((line): [string, string] => [`explain ${name}`, line]),
    ),
    ...MESSAGES.flatMap(({ says, commands }) =>
      commands.map((line): [string, string] => [`explain "${says[0]}"`, line]),
    ),
    ...DOCS.flatMap((file) =>
      linesOf(fenced(readFileSync(file, 'utf8'))).map((line): [string, string] => [file, line]),
    ),
  ];

  it('there are many', () => {
    expect(all.length).toBeGreaterThan(150);
  });

  it.each([...new Map(all.map(([where, line]) => [line, where]))].map(([line, where]) => ({ where, line })))(
    '$where: $line',
    ({ line }) => {
      expect(complaint(line)).toBeUndefined();
    },
  );
});

const EDITING = ['patch', 'fix', 'stamp'];
const WRITING = [...EDITING, 'linearize', 'mkelf32'];
/** The commands under which a problem is told, by the first part of its id; those that others can tell, by their id. */
const TOLD_BY: Readonly<Record<string, readonly string[]>> = {
  'plan.no-edit': ['patch'],
  'plan.which-note': ['stamp'],
  'pe.sbat-downgrade': ['stamp'],
  'pe.bad-sbom': ['stamp'],
  'pe.section-name': ['stamp'],
  'pe.data-after-bss': ['linearize'],
  'plan.preset-missing': ['patch'],
  'record.bad': WRITING,
  mb1: ['linearize'],
  mb2: ['linearize'],
  bzimage: EDITING,
  container: EDITING,
  plan: EDITING,
  pe: EDITING,
  stamp: ['stamp'],
  fix: ['fix'],
  linearize: ['linearize'],
  linear: ['linearize'],
  mkelf32: ['mkelf32'],
  note: ['patch', 'mkelf32'],
  write: [...EDITING, 'linearize'],
};

/** Options in a sentence; those of another command stand behind its name. */
function optionsIn(text: string): { command: string | undefined; option: string; value: string | undefined }[] {
  // What another program is called with is its own business, up to the end of the clause.
  const own = text.replace(/\$\([^)]*\)/g, '').replace(/\b(?:objcopy|ld|uswid|strip)\b[^;,:]*/g, '');
  return [...own.matchAll(/(?:\b([a-z][a-z0-9]+) )?--([a-z][a-z0-9-]+)(?: ([a-z][a-z-]*)\b)?/g)].map(
    ([, before, option = '', value]) => ({
      command: before !== undefined && KNOWN.has(before) ? before : undefined,
      option,
      value,
    }),
  );
}
const COMMON_OPTIONS: OptionTable = COMMON;
const KNOWN = new Set(COMMANDS.map(({ shape }) => shape.name));

function missingOptions(id: string, hint: string): string[] {
  const tellers = TOLD_BY[id] ?? TOLD_BY[id.split('.')[0] ?? ''] ?? [...KNOWN];
  const missing: string[] = [];
  for (const { command, option, value } of optionsIn(hint)) {
    const names = command === undefined ? tellers : [command];
    for (const { shape } of COMMANDS.filter((each) => names.includes(each.shape.name))) {
      // Some are options of every command.
      const found = shape.options[option] ?? COMMON_OPTIONS[option];
      const choices = found !== undefined && 'choices' in found ? found.choices : undefined;
      if (found === undefined) missing.push(`${shape.name} has no --${option}`);
      else if (option === 'payload' && choices !== undefined && value !== undefined && !choices.includes(value)) {
        missing.push(`${shape.name} has no --${option} ${value}`);
      }
    }
  }
  return missing;
}

/** The sentences of hints that are functions, as the source has them; what is filled in is one word. */
const MADE: readonly (readonly [id: string, hint: string])[] = readdirSync('src/base/errors/problems').flatMap(
  (name) => {
    const source = readFileSync(join('src/base/errors/problems', name), 'utf8');
    return source.split(/\n {2}(?=')/).flatMap((block) => {
      const id = /^'([a-z0-9.-]+)': problem/.exec(block)?.[1];
      const made = /\n {4}hint: \(([\s\S]*?)\n {4}(?:meaning|text|exit):/.exec(block)?.[1];
      if (id === undefined || made === undefined) return [];
      return [...made.matchAll(/'((?:\\.|[^'\\])*)'|`((?:\\.|[^`\\])*)`/g)].map(
        ([, plain, filled = '']) => [id, plain ?? filled.replace(/\$\{[^}]*\}/g, 'x')] as const,
      );
    });
  },
);

describe('every option that a hint names is one of the commands that show it', () => {
  const hints = Object.entries(PROBLEMS as Readonly<Record<string, { readonly hint?: unknown }>>).flatMap(
    ([id, { hint }]): [string, string][] => (typeof hint === 'string' ? [[id, hint]] : []),
  );

  it.each(hints.filter(([, hint]) => hint.includes('--')))('%s: %s', (id, hint) => {
    expect(missingOptions(id, hint)).toEqual([]);
  });

  it.each(MADE.filter(([, hint]) => hint.includes('--')))('%s, made from its context: %s', (id, hint) => {
    expect(missingOptions(id, hint)).toEqual([]);
  });

  it('hints that functions make are looked at, too', () => expect(MADE.length).toBeGreaterThan(5));

  it.each(hints)('%s shows no command with a word to fill in', (_, hint) => {
    expect(hint).not.toMatch(/xen-elfpatch [^,;]*\b(IMAGE|FILE|COMMAND|LOADER|KERNEL|OUT)\b/);
    // Neither of another program, which a person would copy as well.
    expect(hint).not.toMatch(
      /\b(gzip|xz|objcopy|strip|ld|dd|truncate|uswid|sbsign|patch|stamp|linearize) [^,;:]*\b(IMAGE|FILE|IN|OUT|NEW|OLD)\b/,
    );
  });
});
