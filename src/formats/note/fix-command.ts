/** A fix as a command line: the one place that knows by which command and options it is made. */
import type { Edit } from './edits.js';
import type { Fix, LinearFix, WrapperChange } from './fix.js';
import { type AskedOptions, type LineCommand, lineOptions } from './line-options.js';
import { settingText } from './setting-text.js';
import { fileWord, shellWord } from './shell.js';
import { noteName } from './xen-notes.js';

/** What a command line says besides the fix itself. */
export interface CommandContext extends AskedOptions {
  /** The file as it was given; undefined where it has no name: the line then reads standard input. */
  readonly file: string | undefined;
  /** For which loaders `fix` would find the same. */
  readonly loaders: readonly string[];
}

/**
 * The command line that makes the fix, quoted for a POSIX shell: `patch` where it has an option for everything, else `fix`,
 * which finds the same. What was asked besides stands in it again (line-options.ts). The result stands beside the image:
 * `NAME.xen`, of `linearize` `NAME.mb`, of `stamp` `NAME.sbat`.
 */
export function fixCommand(fix: Fix, context: CommandContext): string {
  switch (fix.kind) {
    case 'linearize':
      return lineOf('linearize', 'mb', context, { before: linearArguments(fix) });
    case 'sbat': {
      const strip = fix.stripSignature ? ['--strip-signature'] : [];
      return lineOf('stamp', 'sbat', context, { last: [...strip, '--sbat', shellWord(fix.line) ?? fix.line] });
    }
    case 'image': {
      const asked = fix.wrapper === undefined ? context : { ...context, ...wrapped(fix.wrapper) };
      const edits = fix.edits.map(editArguments);
      const words = edits.includes(undefined) ? undefined : spelled(edits.flatMap((edit) => edit ?? []));
      if (words !== undefined && fix.repairs.length === 0) return lineOf('patch', 'xen', asked, { last: words });
      return lineOf('fix', 'xen', asked, { first: context.loaders.flatMap((loader) => ['--for', loader]) });
    }
  }
}

/** Words of a line, quoted: in front of the image, and in front of or behind what was asked besides. */
interface Words {
  readonly before?: readonly string[];
  readonly first?: readonly string[];
  readonly last?: readonly string[];
}

function lineOf(
  command: LineCommand,
  suffix: string,
  context: CommandContext,
  { before = [], first = [], last = [] }: Words,
): string {
  const [image, output] = fileWords(context.file, suffix);
  const asked = lineOptions(command, context) ?? [];
  return ['xen-elfpatch', command, ...before, image, ...first, ...asked, ...last, '-o', output].join(' ');
}

/** How a fix wraps the result, in place of what was asked: it is that, or what helps instead. */
function wrapped({ payload, compressor, stripSignature }: WrapperChange): AskedOptions {
  return { payload, compressor, ...(stripSignature === undefined ? {} : { stripSignature }) };
}

/** The options of `linearize` for a layout. */
export function linearArguments({ mb1, keepReloc, dropSignature }: LinearFix): readonly string[] {
  return [
    ...(mb1 ? ['--mb1'] : []),
    ...(keepReloc ? ['--keep-reloc'] : []),
    ...(dropSignature ? ['--drop-signature'] : []),
  ];
}

/** Each word for a shell; undefined where one of them has no spelling. */
function spelled(words: readonly string[]): readonly string[] | undefined {
  const all = words.map(shellWord);
  const known = all.filter((word) => word !== undefined);
  return known.length === all.length ? known : undefined;
}

/** `patch`'s options for one edit, not quoted; undefined where it has none. */
export function editArguments(edit: Edit): readonly string[] | undefined {
  switch (edit.kind) {
    case 'clear':
      return ['--clear'];
    case 'from-legacy':
      return ['--from-legacy'];
    case 'preset':
      return ['--preset', edit.name];
    case 'set': {
      const text = settingText(edit.setting);
      return text === undefined ? undefined : ['--set', text];
    }
    case 'unset':
      return ['--unset', noteName(edit.type)];
    case 'copy-from':
    case 'spec':
    case 'rewrite':
    case 'merge':
    case 'renew':
    case 'drop-note':
    case 'put-note':
    case 'add-note':
      return undefined;
  }
}

/** The options of `patch` and `fix` for a wrapper, not quoted. */
export function wrapperArguments(wrapper: WrapperChange | undefined): readonly string[] {
  const { payload, compressor, stripSignature } = wrapper ?? {};
  return [
    ...(payload === undefined ? [] : ['--payload', payload]),
    ...(compressor === undefined ? [] : ['--compressor', compressor]),
    ...(stripSignature === undefined ? [] : ['--strip-signature']),
  ];
}

/** Image and output as words; an image that no word names comes in by standard input. */
export function fileWords(file: string | undefined, suffix: string): readonly [string, string] {
  const image = file === undefined ? undefined : fileWord(file);
  const output = file === undefined ? undefined : fileWord(`${file}.${suffix}`);
  return image === undefined || output === undefined ? ['-', `image.${suffix}`] : [image, output];
}
