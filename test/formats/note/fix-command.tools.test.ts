/** A fix, spelled for a shell, split by real shells, and read by this command's own parser, is the same fix. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixShape } from '../../../src/cli/commands/fix.js';
import { linearizeShape } from '../../../src/cli/commands/linearize.js';
import { type PatchArgs, patchShape } from '../../../src/cli/commands/patch.js';
import { COMMANDS } from '../../../src/cli/commands.js';
import { argsOf } from '../../../src/cli/option-table.js';
import { parseCommandLine } from '../../../src/cli/parse.js';
import { type Edit, inOrder } from '../../../src/formats/note/edits.js';
import {
  editFix,
  type ImageFix,
  preset,
  setText,
  unset,
  type WrapperChange,
  wrapperFix,
} from '../../../src/formats/note/fix.js';
import { fixCommand } from '../../../src/formats/note/fix-command.js';
import { fileWord, shellWord } from '../../../src/formats/note/shell.js';
import { parseSetting, type Setting, type ValueExpr } from '../../../src/formats/note/value.js';
import { parseNoteName, XEN_NOTES } from '../../../src/formats/note/xen-notes.js';

const SHELLS = ['sh', 'bash'] as const;

function split(shell: string, line: string): string[] {
  const { stdout } = spawnSync(shell, ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
  return stdout.split('\0').slice(0, -1);
}

/** What the parser makes of a line, behind the name of the program. */
function parsed(shell: string, line: string) {
  const [program, ...args] = split(shell, line);
  expect(program).toBe('xen-elfpatch');
  const result = parseCommandLine(args, COMMANDS);
  if (result.kind !== 'run') throw new Error('no command');
  return result;
}

function patchArgs(shell: string, line: string): PatchArgs {
  const { command, options, words } = parsed(shell, line);
  expect(command.shape.name).toBe('patch');
  return patchShape.args(argsOf('patch', patchShape.options, options), words);
}

/** The fix that a command line of `patch` asks for. */
function asked(args: PatchArgs): ImageFix {
  const { payload, compressor, stripSignature } = args;
  const wrapper = {
    ...(payload === undefined || payload === 'detach' ? {} : { payload }),
    ...(compressor === undefined ? {} : { compressor }),
    ...(stripSignature ? ({ stripSignature } as const) : {}),
  };
  const edits: Edit[] = [
    ...(args.clear ? [{ kind: 'clear' } as const] : []),
    ...(args.fromLegacy ? [{ kind: 'from-legacy' } as const] : []),
    ...args.preset.map(preset),
    ...args.set.map((text): Edit => ({ kind: 'set', setting: parseSetting(text) })),
    ...args.unset.map((name): Edit => ({ kind: 'unset', type: parseNoteName(name).type })),
  ];
  return { kind: 'image', edits, repairs: [], wrapper: Object.keys(wrapper).length === 0 ? undefined : wrapper };
}

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ unit: fc.constantFrom(...`'"\\$\`!*?[]{}()<>|&;~# \t\n%=-a`), maxLength: 10 }),
);
const noNul = anyText.filter((text) => !text.includes('\0'));
/** Command substitution drops newlines at the end, so such a name has no word; it is tried by itself. */
const anyFile = noNul.filter((name) => name !== '' && !name.endsWith('\n'));

const addend = fc.bigInt({ min: -(1n << 40n), max: 1n << 40n });
const named = (wanted: string) =>
  Object.values(XEN_NOTES).flatMap(({ kind, name }) => (kind === wanted && name !== 'FEATURES' ? [name] : []));
const NUMBERS = named('number');
/** The words of FEATURES are names of their own, so it has its own edits below. */
const STRINGS = named('string');

function settingOf(name: string, width: number | undefined, expr: ValueExpr): Setting {
  const { type, info } = parseNoteName(name);
  return { type, info, width, expr };
}

const symbol = noNul.filter((name) => name !== '' && name.toLowerCase() !== 'entry' && !name.endsWith('\n'));
const numberExpr = fc.oneof(
  fc.record({ kind: fc.constant('number' as const), value: fc.bigInt({ min: 0n, max: 0xffffffffn }) }),
  fc.record({ kind: fc.constant('symbol' as const), name: symbol, physical: fc.boolean(), addend }),
  fc.record({ kind: fc.constant('entry' as const), physical: fc.boolean(), addend }),
);
const bytesExpr = fc.record({ kind: fc.constant('bytes' as const), bytes: fc.uint8Array({ maxLength: 8 }) });
const fileExpr = fc.record({ kind: fc.constant('file' as const), path: anyFile });
const textExpr = fc.record({
  kind: fc.constant('text' as const),
  text: noNul.filter((text) => !/^(hex|file):/.test(text) && !text.endsWith('\n')),
});

const setting = fc.oneof(
  fc.tuple(fc.constantFrom(...NUMBERS, '0x4d'), fc.constantFrom(4, 8), numberExpr),
  fc.tuple(fc.constantFrom(...STRINGS), fc.constant(undefined), textExpr),
  fc.tuple(
    fc.constantFrom('PHYS32_RELOC'),
    fc.constant(undefined),
    fc.constant({ kind: 'list' as const, items: [4n, 0n] }),
  ),
  fc.tuple(
    fc.constantFrom('INFO', '77', ...STRINGS, ...NUMBERS),
    fc.constant(undefined),
    fc.oneof(bytesExpr, fileExpr),
  ),
);
const edit: fc.Arbitrary<Edit> = fc.oneof(
  setting.map(([name, width, expr]): Edit => ({ kind: 'set', setting: settingOf(name, width, expr) })),
  fc.constantFrom('dom0|!writable_page_tables', '', 'pae_pgdir_above_4gb').map((text) => setText('FEATURES', text)),
  fc.constantFrom('pv', 'pv32+dom0', 'pvh').map(preset),
  fc.constantFrom('INIT_P2M' as const, 'PAE_MODE' as const).map(unset),
  fc.constant<Edit>({ kind: 'unset', type: 0x1234 }),
);
/** Flags are given once. */
const flags = fc.subarray<Edit>([{ kind: 'clear' }, { kind: 'from-legacy' }]);
const wrapper: fc.Arbitrary<WrapperChange | undefined> = fc.constantFrom<WrapperChange | undefined>(
  undefined,
  { payload: 'attach' },
  { payload: 'attach', stripSignature: true },
  { payload: 'replace', compressor: 'my packer -9' },
  { payload: 'extract' },
  { payload: 'extract', compressor: 'gzip' },
  { stripSignature: true },
);
const anyFix: fc.Arbitrary<ImageFix> = fc
  .tuple(flags, fc.array(edit, { maxLength: 4 }), wrapper)
  .map(([first, rest, change]) => ({ kind: 'image', edits: [...first, ...rest], repairs: [], wrapper: change }));

describe('fixCommand()', () => {
  it.each(SHELLS)('as a line of patch is read back by %s and the parser as the same fix', (shell) => {
    fc.assert(
      fc.property(anyFix, anyFile, (fix, file) => {
        const line = fixCommand(fix, { file, loaders: ['xen-pv'] });
        const args = patchArgs(shell, line);
        expect(asked(args)).toEqual({ ...fix, edits: inOrder(fix.edits) });
        const name = file.startsWith('-') ? `./${file}` : file;
        expect([args.image, args.output]).toEqual([name, `${name}.xen`]);
        // What is shown to a person is what the shell gets.
        expect(line).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      }),
      { numRuns: 150 },
    );
  });

  it('keeps the order of edits of one kind', () => {
    const fix = editFix(setText('LOADER', 'generic'), setText('XEN_VERSION', 'xen-3.0'));
    expect(fixCommand(fix, { file: 'kernel', loaders: [] })).toBe(
      'xen-elfpatch patch kernel --set LOADER=generic --set XEN_VERSION=xen-3.0 -o kernel.xen',
    );
  });

  const UNSPELLED: readonly (readonly [string, Edit])[] = [
    ['rewrite', { kind: 'rewrite' }],
    ['merge', { kind: 'merge' }],
    ['renew', { kind: 'renew', note: { name: Uint8Array.of(0x58), type: 1, desc: Uint8Array.of(1) } }],
    ['copy-from', { kind: 'copy-from', file: 'x', notes: [] }],
  ];

  it.each(UNSPELLED)('is a line of fix where patch has no option: %s', (_, unspelled) => {
    const fix = { ...editFix(setText('LOADER', 'generic'), unspelled), wrapper: { payload: 'extract' } } as const;
    const line = fixCommand(fix, { file: "a 'b'", loaders: ['xen-pv', 'kexec'], xenVersion: '4.17' });
    const { command, options, words } = parsed('sh', line);
    expect(command.shape.name).toBe('fix');
    expect(fixShape.args(argsOf('fix', fixShape.options, options), words)).toMatchObject({
      image: "a 'b'",
      output: "a 'b'.xen",
      loaders: ['xen-pv', 'kexec'],
      xenVersion: '4.17',
      payload: 'extract',
    });
  });

  it('is a line of fix for a repair of headers, and names no version that fix takes by itself', () => {
    const fix: ImageFix = { kind: 'image', edits: [], repairs: [{ kind: 'drop-section-headers' }], wrapper: undefined };
    expect(fixCommand(fix, { file: 'k', loaders: ['kexec'] })).toBe('xen-elfpatch fix k --for kexec -o k.xen');
  });

  it.each([true, false])('is a line of linearize for a PE image, mb1 %s', (mb1) => {
    const line = fixCommand({ kind: 'linearize', mb1 }, { file: '-x en.efi', loaders: ['multiboot'] });
    const { command, options, words } = parsed('sh', line);
    expect(command.shape.name).toBe('linearize');
    const args = linearizeShape.args(options as Parameters<typeof linearizeShape.args>[0], words);
    expect(args).toMatchObject({ image: './-x en.efi', output: './-x en.efi.mb' });
    expect(line.includes(' --mb1 ')).toBe(mb1);
  });

  it('says IMAGE where there is no name to say', () => {
    const fix = wrapperFix({ payload: 'extract' });
    const line = 'xen-elfpatch patch - --payload extract -o image.xen';
    expect(fixCommand(fix, { file: undefined, loaders: [] })).toBe(line);
    expect(fixCommand(fix, { file: 'ends in a newline\n', loaders: [] })).toBe(line);
  });
});

describe('shellWord()', () => {
  it.each(SHELLS)('is one word, and for %s the text again', (shell) => {
    fc.assert(
      fc.property(noNul, (text) => {
        const word = shellWord(text);
        if (text.endsWith('\n')) expect(word).toBeUndefined();
        else expect(split(shell, word ?? '')).toEqual([text]);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['kernel', 'kernel'],
    ['vmlinux-6.1.0+deb12@x,y:z%=1', 'vmlinux-6.1.0+deb12@x,y:z%=1'],
    ["my kernel's.elf", "'my kernel'\\''s.elf'"],
    ['', "''"],
    ['~root', "'~root'"],
    ['Käse', "'Käse'"],
    ['a\x1b[31m%', '"$(printf \'a\\033\\13331m%%\')"'],
  ])('%j is %s', (text, word) => {
    expect(shellWord(text)).toBe(word);
  });
});

describe('fileWord()', () => {
  it('is never taken for an option or for standard input', () => {
    expect(['-k', '-', '--', 'k-'].map(fileWord)).toEqual(['./-k', './-', './--', 'k-']);
  });
});
