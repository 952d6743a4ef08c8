import { describe, expect, it } from 'vitest';
import { command } from '../../src/cli/command.js';
import { type PatchArgs, patchShape } from '../../src/cli/commands/patch.js';
import { parseCommandLine } from '../../src/cli/parse.js';

/** What the work of `patch` would be given for this command line. */
async function patchArgs(...words: string[]): Promise<PatchArgs> {
  let given: PatchArgs | undefined;
  const patch = command(patchShape, async (args) => {
    given = args;
    return 0;
  });
  const parsed = parseCommandLine(['patch', ...words], [patch]);
  if (parsed.kind !== 'run') throw new Error(parsed.text);
  await parsed.command.run(parsed.options, parsed.words);
  if (given === undefined) throw new Error('the work was not called');
  return given;
}

describe('patch: values stay as they are typed', () => {
  it.each([
    'FEATURES=!a|b',
    'ENTRY=-1',
    'ENTRY=0xffffffff81000018',
    'ENTRY=1e3',
    'ENTRY=007',
    'ENTRY/4=sym:_start-0x10',
    'GUEST_OS=',
    'GUEST_OS="quoted"',
    "GUEST_OS='quoted'",
    'INFO=a=b=c',
    'INFO= blank  inside ',
    'INFO=true',
    '18=0x10',
    '-=x',
  ])('%j', async (edit) => {
    expect((await patchArgs('k', '-o', 'x', `--set=${edit}`)).set).toEqual([edit]);
    if (!edit.startsWith('-')) expect((await patchArgs('k', '-o', 'x', '--set', edit)).set).toEqual([edit]);
  });

  it('edits keep their order, and take no word that is not theirs', async () => {
    const args = await patchArgs('--set', 'A=1', '--set', 'B=2', 'vmlinux', '--unset', 'C', '--set=A=3', '-o', 'x');
    expect(args).toMatchObject({ image: 'vmlinux', set: ['A=1', 'B=2', 'A=3'], unset: ['C'], output: 'x' });
  });

  it('what is not given is absent, not invented', async () => {
    expect(await patchArgs('vmlinux', '--in-place')).toEqual({
      image: 'vmlinux',
      output: undefined,
      inPlace: true,
      ifChanged: false,
      clear: false,
      fromLegacy: false,
      copyFrom: [],
      preset: [],
      spec: [],
      set: [],
      unset: [],
      placement: undefined,
      loaded: undefined,
      section: undefined,
      mustSurvive: [],
      kind: undefined,
      payload: undefined,
      compressor: undefined,
      stripSignature: false,
      keepTail: false,
      notesAlign: 4,
      dryRun: false,
      check: false,
      depfileTarget: undefined,
      limit: undefined,
      record: undefined,
      recordFormat: undefined,
      strict: false,
      depfile: undefined,
      json: false,
      verbose: false,
      color: 'auto',
      files0From: undefined,
      jobs: undefined,
      jsonLines: false,
      recursive: false,
    });
  });

  it('- is a word and a value', async () => {
    expect(await patchArgs('-', '-o', '-')).toMatchObject({ image: '-', output: '-' });
    expect(await patchArgs('-', '--output=-')).toMatchObject({ image: '-', output: '-' });
  });

  it('lists of tools are taken apart', async () => {
    const args = await patchArgs('k', '--check', '--must-survive', 'strip,eu-strip@0.188', '--must-survive=flat');
    expect(args.mustSurvive).toEqual(['strip', 'eu-strip@0.188', 'flat']);
  });

  it('memory and padding are chosen', async () => {
    expect(await patchArgs('k', '--check', '--loaded', '--notes-align=8')).toMatchObject({
      loaded: true,
      notesAlign: 8,
    });
    expect(await patchArgs('k', '--check', '--not-loaded')).toMatchObject({ loaded: false, notesAlign: 4 });
  });
});

describe('patch: what cannot be meant is refused', () => {
  it.each([
    [['k'], /no target given, wanted -o OUT or --in-place/],
    [['k', '-o', 'x', '--in-place'], /--output and --in-place/],
    [['-', '--in-place'], /standard input cannot be patched in place/],
    [['k', '-o', '-', '--json'], /both want standard output/],
    [['k', '-o', 'x', '--set', 'ENTRY'], /--set is ENTRY, wanted NAME=VALUE/],
    [['k', '-o', 'x', '--loaded', '--not-loaded'], /--loaded and --not-loaded/],
    [['k', '-o', 'x', '--must-survive', 'strip,gzip'], /--must-survive is gzip/],
    [['k', '-o', 'x', '--must-survive', 'strip@'], /--must-survive is strip@, wanted .* a version \(TOOL@VERSION\)/],
    [['k', '-o', 'x', '--must-survive', 'strip@new'], /--must-survive is strip@new/],
    [['k', '-o', 'x', '--placement', 'here'], /--placement is here, wanted one of auto, in-place/],
    [['k', '-o', 'x', '-o', 'y'], /--output given 2 times/],
    [['k', '-o', 'x', '--dry-rnu'], /unknown option --dry-rnu/],
    [['k', '-o', 'x', '--set'], /--set has no value/],
    [['k', 'l', '-o', 'x'], /--output takes one IMAGE, and several are named/],
    [['-o', 'x'], /no IMAGE given, wanted at least one \[/],
  ])('%j', async (words, message) => {
    await expect(patchArgs(...words)).rejects.toThrow(message);
    await expect(patchArgs(...words)).rejects.toMatchObject({ id: 'usage.bad', exit: 2 });
  });
});
