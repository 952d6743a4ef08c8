/** A fix as a command line: the one place that knows by which command and options it is made. */
import type { Edit } from './edits.js';
import type { Fix, WrapperChange } from './fix.js';
import { settingText } from './setting-text.js';
import { fileWord, shellWord } from './shell.js';
import { noteName } from './xen-notes.js';

/** What a command line says besides the fix itself. */
export interface CommandContext {
  /** The file as it was given; undefined where it has no name: the line then reads standard input. */
  readonly file: string | undefined;
  /** For which loaders `fix` would find the same. */
  readonly loaders: readonly string[];
  /** Undefined: the newest known, which is the default of `fix`. */
  readonly xenVersion?: string | undefined;
}

/**
 * The command line that makes the fix, quoted for a POSIX shell: `patch` where it has an option for everything, else `fix`,
 * which finds the same. The result stands beside the image: `NAME.xen`, of `linearize` `NAME.mb`.
 */
export function fixCommand(fix: Fix, context: CommandContext): string {
  if (fix.kind === 'linearize') {
    const [image, output] = fileWords(context.file, 'mb');
    const options = [...(fix.mb1 ? ['--mb1'] : []), ...(fix.dropSignature ? ['--drop-signature'] : [])];
    return ['xen-elfpatch linearize', ...options, image, '-o', output].join(' ');
  }
  const [image, output] = fileWords(context.file, 'xen');
  const wrapper = spelled(wrapperArguments(fix.wrapper)) ?? [];
  const edits = fix.edits.map(editArguments);
  const words = edits.includes(undefined) ? undefined : spelled(edits.flatMap((edit) => edit ?? []));
  if (words !== undefined && fix.repairs.length === 0) {
    return ['xen-elfpatch patch', image, ...wrapper, ...words, '-o', output].join(' ');
  }
  const asked = context.loaders.flatMap((loader) => ['--for', loader]);
  const release = context.xenVersion === undefined ? [] : ['--xen-version', context.xenVersion];
  return ['xen-elfpatch fix', image, ...asked, ...release, ...wrapper, '-o', output].join(' ');
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
