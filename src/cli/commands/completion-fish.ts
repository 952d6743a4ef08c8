/** The completion script for fish: commands and options with their descriptions, values, words. */
import type { Command } from '../command.js';
import { COMMON } from '../common-options.js';
import { completionOf, type Option, type OptionTable, type Settings, settingsOf } from '../option-table.js';

/** The script, from the declarations that --help is made of. */
export async function fishScript(commands: readonly Command[]): Promise<string> {
  const lines = ['# fish completion for xen-elfpatch'];
  for (const { shape } of commands) {
    lines.push(`complete -c xen-elfpatch -n __fish_use_subcommand -f -a ${shape.name} -d ${quoted(shape.summary)}`);
  }
  lines.push(`complete -c xen-elfpatch -n __fish_use_subcommand -f -a help -d 'the options of a command'`);
  const names = commands.map(({ shape }) => shape.name).join(' ');
  lines.push(`complete -c xen-elfpatch -n '__fish_seen_subcommand_from help' -f -a '${names}'`);
  for (const { shape } of commands) {
    const seen = `complete -c xen-elfpatch -n '__fish_seen_subcommand_from ${shape.name}'`;
    const options: OptionTable = { ...shape.options, ...COMMON };
    for (const [name, option] of Object.entries(options)) {
      lines.push(`${seen} ${await optionWords(name, option)}`);
      const values = settingWords(await settingsOf(option));
      // Only behind a name: all of them at once would be too many to read.
      const behind = `'__fish_seen_subcommand_from ${shape.name}; and string match -q "*=*" -- (commandline -ct)'`;
      if (values !== '') lines.push(`complete -c xen-elfpatch -n ${behind} -l ${name} -x -a ${quoted(values)}`);
    }
    const { complete = [] } = shape.words;
    const words = typeof complete === 'function' ? await complete() : complete;
    if (words.length > 0) lines.push(`${seen} -f -a ${quoted(words.join(' '))}`);
  }
  return `${lines.join('\n')}\n`;
}

async function optionWords(name: string, option: Option): Promise<string> {
  const letter = option.alias === undefined ? '' : ` -s ${option.alias}`;
  const about = ` -d ${quoted(option.help)}`;
  if (option.kind === 'flag') return `-l ${name}${letter}${about}`;
  const values = await completionOf(option);
  if (option.kind === 'list' && values.length > 0) {
    return `-l ${name}${letter} -x -a ${quoted(`(__fish_append , ${values.join(' ')})`)}${about}`;
  }
  // -x: a value and no files; -r: a value, files among others.
  return values.length === 0
    ? `-l ${name}${letter} -r${about}`
    : `-l ${name}${letter} -x -a ${quoted(values.join(' '))}${about}`;
}

function settingWords(settings: Settings): string {
  return Object.entries(settings)
    .flatMap(([name, words]) => words.map((word) => `${name}=${word}`))
    .join(' ');
}

/** In single quotes fish knows two escapes. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
