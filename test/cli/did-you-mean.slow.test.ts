/** Every value that is one of a list: a misspelt one is answered with the one that was meant. */
import { afterAll, describe, expect, it, vi } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import type { Option } from '../../src/cli/option-table.js';
import { SURVIVORS } from '../../src/edit/elf/plan/placement-options.js';
import { topicNames } from '../../src/explain/index.js';
import { FEATURES } from '../../src/formats/note/features.js';
import { PRESET_NAMES } from '../../src/formats/note/preset-name.js';
import { XEN_NOTES } from '../../src/formats/note/xen-notes.js';
import { TARGET_NAMES } from '../../src/loaders/names.js';
import { workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { runHere } from '../support/in-process.js';

vi.mock('../../src/cli/output.js', async (original) => {
  const { captured } = await import('../support/captured-output.js');
  return captured(await original<typeof import('../../src/cli/output.js')>());
});

const folder = workFolder();
afterAll(() => folder.remove());
const KERNEL = fixture('pvh64-high-bare');

/** Two letters in the middle of the word changed places. */
function misspelt(word: string): string {
  const at = Math.floor((word.length - 1) / 2);
  return `${word.slice(0, at)}${word[at + 1] ?? ''}${word[at] ?? ''}${word.slice(at + 2)}`;
}

/** Those of which the misspelling is a word of its own nowhere. */
const misspellable = (words: readonly string[]) =>
  words.filter((word) => word.length > 2 && misspelt(word) !== word && !words.includes(misspelt(word)));

/** A command line for a value, the list that the value is of. */
type List = readonly [what: string, line: (value: string) => string[], words: readonly string[]];

/** Words enough that the option is what is wrong. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  diff: [KERNEL, KERNEL],
  linearize: [fixture('dual.efi')],
  mkelf32: [KERNEL, folder.path, '0x200000'],
  completion: ['bash'],
  explain: ['pvh'],
};

const CHOICES: List[] = COMMANDS.flatMap(({ shape }) =>
  Object.entries<Option>(shape.options).flatMap(([name, option]): List[] => {
    if (!('choices' in option) || option.choices === undefined) return [];
    const line = (value: string) => [shape.name, ...(WORDS[shape.name] ?? [KERNEL]), `--${name}=${value}`];
    return [[`${shape.name} --${name}`, line, option.choices]];
  }),
);

const patch = (option: string) => (value: string) => ['patch', KERNEL, '--dry-run', `--${option}=${value}`];
const LISTS: List[] = [
  ...CHOICES,
  ['patch --preset', patch('preset'), PRESET_NAMES],
  ['patch --must-survive', patch('preset=pvh --must-survive'), SURVIVORS],
  ['patch --set, the name', (name) => patch('set')(`${name}=1`), XEN_NOTES.map(({ name }) => name)],
  ['patch --unset', patch('unset'), XEN_NOTES.map(({ name }) => name)],
  [
    'patch --set FEATURES',
    (name) => patch('set')(`FEATURES=!${name}`),
    FEATURES.flatMap(({ name, inString }) => (inString ? [name] : [])),
  ],
  ['verify --for', (name) => ['verify', KERNEL, `--for=${name}`], TARGET_NAMES],
  ['verify --for NAME@VERSION', (name) => ['verify', KERNEL, `--for=${name}@1`], TARGET_NAMES],
  ['fix --for', (name) => ['fix', KERNEL, `--for=${name}`], TARGET_NAMES],
  [
    'stamp --must-survive',
    (tool) => ['stamp', KERNEL, '--dry-run', '--note=A:1=x', `--must-survive=${tool}`],
    SURVIVORS,
  ],
  ['stamp --build-id', (word) => ['stamp', KERNEL, '--dry-run', `--build-id=${word}`], ['keep', 'sha256']],
  [
    'linearize --file-align',
    (word) => ['linearize', fixture('dual.efi'), '--dry-run', `--file-align=${word}`],
    ['auto', 'keep'],
  ],
  ['completion', (shell) => ['completion', shell], ['bash', 'zsh', 'fish']],
  // A share of them: there are hundreds, and one list.
  ['explain', (topic) => ['explain', topic], topicNames().filter((_, i) => i % 4 === 0)],
  ['a command', (name) => [name, KERNEL], COMMANDS.map(({ shape }) => shape.name)],
  ['help', (name) => ['help', name], COMMANDS.map(({ shape }) => shape.name)],
];

describe('a misspelt value is answered with what was meant', () => {
  it.each(LISTS)('%s', async (_what, line, words) => {
    for (const word of misspellable(words)) {
      const { status, stderr } = await runHere(line(misspelt(word)).flatMap((text) => text.split(' ')));
      expect([word, status]).toEqual([word, 2]);
      expect(`${word}: ${stderr}`).toMatch(/hint: Did you mean /);
      expect(stderr.slice(stderr.indexOf('Did you mean')).split(/[\s?!@]+|--for /)).toContain(word);
    }
  });

  // Of one digit each.
  it('and there is one to be misspelt in each of them but one', () => {
    const none = LISTS.filter(([, , words]) => misspellable(words).length === 0).map(([what]) => what);
    expect(none).toEqual(['patch --notes-align']);
  });
});
